import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { AppError } from '../../errors.ts';

/** Requests a minute from one IP address (an IPv6 one counts by its /56). */
export type RateLimits = { send: number; guess: number };

/** Many people may share one address (a library, a mobile operator), so these only stop a flood; the finer limits are by address. */
export const defaultRateLimits: RateLimits = { send: 120, guess: 120 };

export type Limits = Record<keyof RateLimits, RequestHandler>;

const minuteMs = 60_000;

const makeLimit = (
  limit: number,
  windowMs = minuteMs,
  onlyFailures = false,
  keyGenerator?: (req: Request) => string,
): RequestHandler =>
  rateLimit({
    ...(keyGenerator ? { keyGenerator } : {}),
    windowMs,
    limit,
    skipSuccessfulRequests: onlyFailures,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // whether X-Forwarded-For is believed is TRUST_PROXY's matter, and a strange header is no news for the log
    validate: false,
    handler: (_req, _res, next) =>
      next(
        new AppError('too-many', 'Too many requests from here; try again soon.', {
          retryAfterSeconds: windowMs / 1000,
        }),
      ),
  });

export const makeLimits = (limits: RateLimits): Limits => ({
  send: makeLimit(limits.send),
  guess: makeLimit(limits.guess),
});

/** Stops one IP address after 30 failed sign-ins within a quarter of an hour; an office behind one address signs in freely. */
export const makeSignInLimit = (): RequestHandler => makeLimit(30, 15 * minuteMs, true);

/**
 * Readers of feeds: many of them stand behind one aggregator's address, which may ask for many feeds, but for each of them
 * twenty times a minute at most.
 */
export const makeFeedLimits = (): RequestHandler[] => [
  makeLimit(1_200),
  makeLimit(20, minuteMs, false, (req) => `${ipKeyGenerator(req.ip ?? '', 56)} ${req.originalUrl}`),
];
