import { Agent } from 'node:https';
import type { Config } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import { isCallable, publicLookup } from '../../public-address.ts';
import type { Channel, OutgoingMessage, SendResult } from '../channel.ts';
import { guarded } from '../resilience/guard.ts';
import { failure } from '../result.ts';
import { makeEncrypter } from './encrypter.ts';
import { payloadOf, ttlOf, urgencyOf } from './payload.ts';
import { classifyPush } from './push-answer.ts';
import { postPush } from './push-request.ts';
import { makeVapidHeaders, type VapidKeys } from './vapid.ts';

export type WebPushTools = {
  vapidKeys: VapidKeys;
  edges: Pick<Edges, 'now' | 'monotonic'>;
  /** The absolute URL where the service worker reports on a message. */
  reportUrl?: (messageId: string) => string;
  /** ms for one push, connecting included. */
  limitMs?: number | undefined;
  /** Connections to one push service. */
  sockets?: number;
};

const parsed = (endpoint: string): URL | null => {
  try {
    return new URL(endpoint);
  } catch {
    return null;
  }
};

/** What fails together: the push service, by the endpoint's scheme and host as they are written. */
const serviceOf = ({ to }: OutgoingMessage): string =>
  to.channel === 'webPush' ? (/^[^/]*\/\/[^/]*/.exec(to.endpoint)?.[0] ?? '') : '';

/**
 * Web push (RFC 8030) with encryption (RFC 8291) and VAPID (RFC 8292): a fresh key pair for each message, one
 * Authorization header for each push service, connections kept open. Endpoints that are not public https are refused
 * unless `allowPrivateEndpoints`. Each push service has its own breaker.
 */
export const makeWebPushChannel = (config: Config['webPush'], tools: WebPushTools): Channel => {
  const { edges, limitMs = 30_000, sockets = 64 } = tools;
  const isOpen = config.allowPrivateEndpoints;
  const encrypter = makeEncrypter();
  const vapidHeader = makeVapidHeaders(tools.vapidKeys, config.subject, edges);
  const agent = new Agent({
    keepAlive: true,
    maxSockets: sockets,
    scheduling: 'lifo',
    ...(isOpen ? {} : { lookup: publicLookup }),
  });

  /** Stand-ins on loopback, where they are allowed at all, sign their own certificates. */
  const isTrusted = (url: URL): boolean => isOpen && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);

  const send = async (message: OutgoingMessage, signal: AbortSignal): Promise<SendResult> => {
    const { to, content } = message;
    const url = to.channel === 'webPush' ? parsed(to.endpoint) : null;
    if (to.channel !== 'webPush' || !url || !(isOpen ? url.protocol === 'https:' : isCallable(url)))
      return failure('web-push', { kind: 'permanent', reason: 'endpoint-forbidden' }, 'not a public https endpoint');
    const provider = `web-push:${url.host}`;
    const payload = payloadOf(message, tools.reportUrl?.(message.id) ?? null);
    if (payload === null) return failure(provider, { kind: 'permanent', reason: 'too-large' }, 'over 3993 bytes');
    const body = await encrypter.encrypt(to.keys, payload);
    if ('reason' in body) return failure(provider, body, body.reason);
    const headers = {
      TTL: ttlOf(content, edges.now()),
      Urgency: urgencyOf(content),
      Authorization: vapidHeader(url.origin),
      'Content-Type': 'application/octet-stream',
      'Content-Encoding': 'aes128gcm',
      'Content-Length': body.length,
    };
    const request = { headers, body };
    const answer = await postPush(url, request, { agent, limitMs, rejectUnauthorized: !isTrusted(url) }, signal);
    if ('reason' in answer) return failure(provider, answer, answer.reason);
    const verdict = classifyPush(answer.status, answer.retryAfter, edges.now());
    const response = `${answer.status} ${answer.text}`.trim();
    return verdict ? failure(provider, verdict, response) : { ok: true, provider, reference: null, response };
  };

  const channel: Channel = {
    name: 'webPush',
    limits: { concurrency: sockets * 2 },
    send,
    close: async () => {
      agent.destroy();
      await encrypter.close();
    },
  };
  return guarded(channel, { edges, keyOf: serviceOf });
};
