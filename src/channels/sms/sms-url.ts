import { z } from 'zod';
import { ConfigError } from '../../config.ts';
import { type Traffic, trafficFaults, trafficQuery } from '../resilience/traffic.ts';

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/**
 * What may stand after the `?`: `from` (a number, a short code or up to 11 letters; a Twilio messaging service), `window`
 * messages in flight, and what every provider takes (traffic.ts).
 */
const querySchema = z.strictObject({
  from: z.string().min(1).max(40),
  ...trafficQuery,
  window: whole(1, 1_000).default(10),
});

/** One SMS provider, from its URL. */
export type SmsProvider = Traffic & {
  provider: string;
  url: URL;
  user: string;
  pass: string;
  from: string;
  window: number;
};

/** Reads an `smpp:`, `ssmpp:`, `twilio+http:` or `twilio+https:` URL. Throws `ConfigError` naming every fault. */
export const readSmsUrl = (text: string): SmsProvider => {
  const url = new URL(text);
  const query = querySchema.safeParse(Object.fromEntries(url.searchParams));
  const faults = query.success
    ? trafficFaults(query.data)
    : query.error.issues.map((issue) => `${[...issue.path, issue.message].join(': ')}`);
  if (!url.username) faults.push('must hold a user name (Twilio: the account sid)');
  if (!url.hostname) faults.push('must hold a host');
  if (faults.length > 0 || !query.success)
    throw new ConfigError(faults.map((message) => ({ name: 'SMS_URL', message })));
  return {
    provider: `${url.protocol.replace(/:$/, '').replace(/\+.*/, '')}:${url.host}`,
    url,
    user: decodeURIComponent(url.username),
    pass: decodeURIComponent(url.password),
    ...query.data,
    rate: query.data.rate,
    burst: query.data.burst,
    weight: query.data.weight,
  };
};
