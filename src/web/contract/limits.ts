import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { AppError } from '../../errors.ts';

/** Requests a minute from one IP address (an IPv6 one counts by its /56). */
export type RateLimits = { send: number; guess: number };

/** Many people may share one address (a library, a mobile operator), so these only stop a flood; the finer limits are by address. */
export const defaultRateLimits: RateLimits = { send: 120, guess: 120 };

export type Limits = Record<keyof RateLimits, RequestHandler>;

const minuteMs = 60_000;

const makeLimit = (limit: number, windowMs = minuteMs, onlyFailures = false): RequestHandler =>
  rateLimit({
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
