import { z } from 'zod';
import { ConfigError } from '../../config.ts';
import { type Traffic, trafficFaults, trafficQuery } from '../resilience/traffic.ts';

/** One SMTP server, from its URL. Times in ms. */
export type SmtpServer = Traffic & {
  provider: string;
  host: string;
  port: number;
  /** TLS from the start (`smtps:`). */
  secure: boolean;
  tls: 'auto' | 'require' | 'unverified' | 'off';
  auth: { user: string; pass: string } | null;
  pool: number;
  messages: number;
  idleMs: number;
};

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/**
 * What may stand after the `?`: `pool` connections, `messages` before a connection is replaced, `idle` seconds before an
 * unused one is closed, `tls` (auto: STARTTLS where offered; require; unverified; off), and what every provider takes (traffic.ts).
 */
const querySchema = z.strictObject({
  pool: whole(1, 200).default(20),
  messages: whole(1, 1_000_000).default(1_000),
  idle: whole(1, 600).default(10),
  ...trafficQuery,
  tls: z.enum(['auto', 'require', 'unverified', 'off']).optional(),
});

const isLoopback = (host: string): boolean => /^(localhost|127\.|\[?::1)/.test(host);

/** Reads an `smtp:` or `smtps:` URL; a password is never sent in the clear but to loopback. Throws `ConfigError`. */
export const readSmtpUrl = (text: string): SmtpServer => {
  const url = new URL(text);
  const query = querySchema.safeParse(Object.fromEntries(url.searchParams));
  const faults = query.success
    ? trafficFaults(query.data)
    : query.error.issues.map((issue) => `${[...issue.path, issue.message].join(': ')}`);
  if (!query.success || faults.length > 0)
    throw new ConfigError(faults.map((message) => ({ name: 'EMAIL_URL', message })));
  const { pool, messages, idle, rate, burst, weight, tls } = query.data;
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port ? Number(url.port) : secure ? 465 : 587;
  const auth = url.username ? { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } : null;
  const safest = auth && !isLoopback(url.hostname) ? 'require' : 'auto';
  return {
    provider: `smtp:${host}:${port}`,
    host,
    port,
    secure,
    tls: tls ?? safest,
    auth,
    pool,
    messages,
    idleMs: idle * 1000,
    rate,
    burst,
    weight,
  };
};
