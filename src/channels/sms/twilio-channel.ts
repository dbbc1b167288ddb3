import { z } from 'zod';
import type { Edges } from '../../edges.ts';
import { retryAfterMs } from '../../retry-after.ts';
import type { Channel, SendResult } from '../channel.ts';
import { makePaceMeter, type Provider } from '../resilience/failover.ts';
import { guarded } from '../resilience/guard.ts';
import { failure, type Verdict } from '../result.ts';
import { fillSlots } from '../slots.ts';
import { readSmsUrl } from './sms-url.ts';

export type TwilioTools = {
  edges: Pick<Edges, 'now' | 'monotonic'>;
  /** Where the provider posts receipts; each message's id is added to it as `message`. */
  statusCallback?: string;
  limitMs?: number;
};

const accepted = z.object({ sid: z.string(), status: z.string().optional() });
const refused = z.object({ code: z.coerce.number().optional(), message: z.string().optional() });

/** Twilio's error codes that are about the number or the text; the provider's own dictionary of errors names each. */
const permanentCodes: Record<number, Pick<Verdict, 'reason' | 'addressGone'>> = {
  21211: { reason: 'bad-address', addressGone: true },
  21214: { reason: 'bad-address', addressGone: true },
  21217: { reason: 'bad-address', addressGone: true },
  21401: { reason: 'bad-address', addressGone: true },
  21614: { reason: 'bad-address', addressGone: true },
  21408: { reason: 'refused-by-policy' },
  21602: { reason: 'content-refused' },
  21605: { reason: 'too-large' },
  21610: { reason: 'opted-out-at-provider' },
  21612: { reason: 'refused' },
  21617: { reason: 'too-large' },
  30007: { reason: 'refused-by-policy' },
};

const throttleCodes: ReadonlySet<number> = new Set([14107, 20429, 21611, 30001, 63018]);

/** Sorts an answer of Twilio's form; null: it was taken. */
const classifyTwilio = (status: number, code: number | undefined, waitMs: number | undefined): Verdict | null => {
  if (status >= 200 && status < 300) return null;
  if (status === 429 || (code !== undefined && throttleCodes.has(code)))
    return { kind: 'throttled', reason: 'throttled', retryAfterMs: waitMs ?? 1_000 };
  const later = waitMs === undefined ? {} : { retryAfterMs: waitMs };
  if (status >= 500) return { kind: 'transient', reason: 'provider-error', ...later };
  if (status === 401 || status === 403) return { kind: 'transient', reason: 'auth' };
  const known = code === undefined ? undefined : permanentCodes[code];
  if (known) return { kind: 'permanent', ...known };
  if (code === undefined) return { kind: 'transient', reason: 'bad-answer' };
  return code >= 21600 && code < 21700
    ? { kind: 'permanent', reason: 'refused' }
    : { kind: 'transient', reason: 'provider-error' };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/**
 * SMS through an HTTP provider of Twilio's form (`POST …/2010-04-01/Accounts/{sid}/Messages.json`, basic authentication, form
 * body); the provider splits long texts. An answer that cannot be read counts as not sent. Throws `ConfigError`.
 */
export const makeTwilioProvider = (text: string, tools: TwilioTools): Provider => {
  const { provider, url, user, pass, from, rate, burst, weight, window } = readSmsUrl(text);
  const { edges, limitMs = 60_000, statusCallback } = tools;
  const protocol = url.protocol.replace('twilio+', '');
  const base = `${protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
  const target = `${base}/2010-04-01/Accounts/${encodeURIComponent(user)}/Messages.json`;
  const authorization = `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`;
  const sender: Record<string, string> = from.startsWith('MG') ? { MessagingServiceSid: from } : { From: from };

  const callbackOf = (id: string): { StatusCallback?: string } =>
    statusCallback ? { StatusCallback: `${statusCallback}?message=${encodeURIComponent(id)}` } : {};

  const post = async (id: string, to: string, body: string, signal: AbortSignal): Promise<SendResult> => {
    const answer = await fetch(target, {
      method: 'POST',
      redirect: 'error',
      headers: { authorization, accept: 'application/json' },
      body: new URLSearchParams({
        To: to,
        ...sender,
        Body: body,
        ...callbackOf(id),
      }),
      signal,
    });
    const words = await answer.text();
    const json = parsed(words);
    const wait = retryAfterMs(answer.headers.get('retry-after') ?? undefined, edges.now());
    const verdict = classifyTwilio(answer.status, refused.safeParse(json).data?.code, wait);
    const response = `${answer.status} ${words}`.slice(0, 500);
    if (verdict) return failure(provider, verdict, response);
    const message = accepted.safeParse(json);
    if (!message.success) return failure(provider, { kind: 'transient', reason: 'bad-answer' }, response);
    return {
      ok: true,
      provider,
      reference: message.data.sid,
      response: `${answer.status} ${message.data.status ?? ''}`,
    };
  };

  const channel: Channel = {
    name: 'sms',
    limits: { concurrency: window },
    send: async ({ id, to, content, slots }, signal) => {
      if (to.channel !== 'sms') return failure(provider, { kind: 'permanent', reason: 'bad-address' }, 'not a number');
      const limit = AbortSignal.timeout(limitMs);
      try {
        return await post(id, to.phone, fillSlots(content.sms, slots), AbortSignal.any([signal, limit]));
      } catch (error) {
        const reason = signal.aborted ? 'aborted' : limit.aborted ? 'timeout' : 'connection';
        return failure(provider, { kind: 'transient', reason }, String((error as Error).cause ?? error));
      }
    },
    close: async () => undefined,
  };
  const meter = makePaceMeter();
  return { channel: guarded(channel, { edges, ratePerSecond: rate, burst, meter }), weight, meter };
};
