import { isIP } from 'node:net';
import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { AppError } from '../../errors.ts';

/**
 * Requests a minute from one IP address (an IPv6 one counts by its /56). What sends is also limited for a whole network, and for
 * everybody together: a swarm of addresses does not make us a cannon.
 */
export type RateLimits = { send: number; guess: number };

/** Many people may share one address (a library, a mobile operator), so these only stop a flood; the finer limits are by address. */
export const defaultRateLimits: RateLimits = { send: 120, guess: 120 };

/** How many times what one IP address may send its network (/24, or /48 of IPv6), and everybody together may. */
const networkTimes = 5;
const everybodyTimes = 50;

export type Limits = Record<keyof RateLimits, RequestHandler>;

const minuteMs = 60_000;

/** The network of an IP address: what one customer of a hosting company has, say. */
export const networkOf = (ip: string): string => {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(plain) === 4 ? plain.split('.').slice(0, 3).join('.') : ipKeyGenerator(plain, 48);
};

type LimitOptions = { windowMs?: number; onlyFailures?: boolean; of?: (req: Request) => string };

const makeLimit = (
  limit: number,
  { windowMs = minuteMs, onlyFailures = false, of }: LimitOptions = {},
): RequestHandler =>
  rateLimit({
    windowMs,
    limit,
    skipSuccessfulRequests: onlyFailures,
    standardHeaders: of ? false : 'draft-8',
    legacyHeaders: false,
    ...(of ? { keyGenerator: of } : {}),
    // whether X-Forwarded-For is believed is TRUST_PROXY's matter, and a strange header is no news for the log
    validate: false,
    handler: (_req, _res, next) =>
      next(
        new AppError('too-many', 'Too many requests from here; try again soon.', {
          retryAfterSeconds: windowMs / 1000,
        }),
      ),
  });

/** One limit after the other; the first that is reached answers. */
const each =
  (limits: RequestHandler[]): RequestHandler =>
  (req, res, next) => {
    const [first, ...rest] = limits;
    if (!first) return next();
    return first(req, res, (error?: unknown) => (error === undefined ? each(rest)(req, res, next) : next(error)));
  };

export const makeLimits = (limits: RateLimits): Limits => ({
  send: each([
    makeLimit(limits.send),
    makeLimit(limits.send * networkTimes, { of: (req) => networkOf(req.ip ?? '') }),
    makeLimit(limits.send * everybodyTimes, { of: () => 'everybody' }),
  ]),
  guess: makeLimit(limits.guess),
});

/** Stops one IP address after 30 failed sign-ins within a quarter of an hour; an office behind one address signs in freely. */
export const makeSignInLimit = (): RequestHandler => makeLimit(30, { windowMs: 15 * minuteMs, onlyFailures: true });

/**
 * Readers of feeds: many of them stand behind one aggregator's address, which may ask for many feeds, but for each of them
 * twenty times a minute at most.
 */
export const makeFeedLimits = (): RequestHandler[] => [
  makeLimit(1_200),
  makeLimit(20, { of: (req) => `${ipKeyGenerator(req.ip ?? '', 56)} ${req.originalUrl}` }),
];
