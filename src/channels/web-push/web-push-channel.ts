import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import webPush from 'web-push';
import type { Config } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import type { Contact } from '../../subscriptions/subscriber.ts';
import type { Channel, OutgoingMessage, SendResult } from '../channel.ts';
import { guarded } from '../resilience/guard.ts';
import { failure, type Verdict } from '../result.ts';
import { payloadOf, ttlOf, urgencyOf } from './payload.ts';
import { isCallable, PrivateAddressError, publicLookup } from './public-address.ts';
import { classifyPush } from './push-answer.ts';
import { makeVapidHeaders, type VapidKeys } from './vapid.ts';

export type WebPushTools = {
  vapidKeys: VapidKeys;
  edges: Pick<Edges, 'now' | 'monotonic'>;
  /** The absolute URL where the service worker reports on a message. */
  reportUrl?: (messageId: string) => string;
  /** ms for one push, connecting included. */
  limitMs?: number;
  /** Connections to one push service. */
  sockets?: number;
};

type Subscription = Extract<Contact, { channel: 'webPush' }>;
type Answer = { status: number; retryAfter: string | undefined; location: string | null; text: string };
/** web-push takes `null` for "no VAPID of yours"; its types do not say so. */
type RequestOptions = Omit<webPush.RequestOptions, 'vapidDetails'> & { vapidDetails: null };
type Encrypted = { headers: Record<string, string | number>; body: Buffer };

const mostAnswerText = 500;

const read = (response: IncomingMessage, done: (answer: Answer) => void): void => {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    if (text.length < mostAnswerText) text += chunk;
  });
  response.on('end', () =>
    done({
      status: response.statusCode ?? 0,
      retryAfter: response.headers['retry-after'],
      location: response.headers.location ?? null,
      text: text.slice(0, mostAnswerText),
    }),
  );
};

const callFailed = (error: NodeJS.ErrnoException, stopped: 'aborted' | 'timeout' | null): Verdict => {
  if (stopped) return { kind: 'transient', reason: stopped };
  if (error instanceof PrivateAddressError) return { kind: 'permanent', reason: 'endpoint-forbidden' };
  const isTls = /CERT|SSL|TLS/.test(error.code ?? '');
  return { kind: 'transient', reason: isTls ? 'tls' : 'connection' };
};

/**
 * Web push (RFC 8030) with encryption (RFC 8291) and VAPID (RFC 8292): a fresh key pair for each message, one
 * Authorization header for each push service, connections kept open. Endpoints that are not public https are refused
 * unless `allowPrivateEndpoints`. Each push service has its own breaker.
 */
export const makeWebPushChannel = (config: Config['webPush'], tools: WebPushTools): Channel => {
  const { edges, limitMs = 30_000, sockets = 64 } = tools;
  const isOpen = config.allowPrivateEndpoints;
  const vapidHeader = makeVapidHeaders(tools.vapidKeys, config.subject, edges);
  const agent = new Agent({
    keepAlive: true,
    maxSockets: sockets,
    scheduling: 'lifo',
    ...(isOpen ? {} : { lookup: publicLookup }),
  });

  /** Stand-ins on loopback, where they are allowed at all, sign their own certificates. */
  const isTrusted = (url: URL): boolean => isOpen && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);

  const post = (url: URL, { headers, body }: Encrypted, signal: AbortSignal): Promise<Answer | Verdict> =>
    new Promise((resolve) => {
      let stopped: 'aborted' | 'timeout' | null = null;
      const call = request(url, { method: 'POST', agent, headers, rejectUnauthorized: !isTrusted(url) }, (response) =>
        read(response, (answer) => {
          clear();
          resolve(answer);
        }),
      );
      const stop = (why: 'aborted' | 'timeout') => {
        stopped = why;
        call.destroy(new Error(why));
      };
      const timer = setTimeout(() => stop('timeout'), limitMs);
      const onAbort = () => stop('aborted');
      const clear = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      call.on('close', () => {
        clear();
        resolve(callFailed(new Error('closed'), stopped));
      });
      call.on('error', (error) => resolve(callFailed(error, stopped)));
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
      call.end(body);
    });

  const encrypt = ({ endpoint, keys }: Subscription, payload: string, options: RequestOptions): Encrypted => {
    const details = webPush.generateRequestDetails({ endpoint, keys }, payload, options as webPush.RequestOptions);
    return { headers: details.headers as Encrypted['headers'], body: details.body };
  };

  const send = async (message: OutgoingMessage, signal: AbortSignal): Promise<SendResult> => {
    const { to, content } = message;
    const url = to.channel === 'webPush' && URL.canParse(to.endpoint) ? new URL(to.endpoint) : null;
    if (to.channel !== 'webPush' || !url || !(isOpen ? url.protocol === 'https:' : isCallable(url)))
      return failure('web-push', { kind: 'permanent', reason: 'endpoint-forbidden' }, 'not a public https endpoint');
    const provider = `web-push:${url.host}`;
    const payload = payloadOf(message, tools.reportUrl?.(message.id) ?? null);
    if (payload === null) return failure(provider, { kind: 'permanent', reason: 'too-large' }, 'over 3993 bytes');
    let encrypted: Encrypted;
    try {
      encrypted = encrypt(to, payload, {
        vapidDetails: null,
        TTL: ttlOf(content, edges.now()),
        urgency: urgencyOf(content),
        headers: { Authorization: vapidHeader(url.origin) },
      });
    } catch (error) {
      return failure(provider, { kind: 'permanent', reason: 'bad-address', addressGone: true }, String(error));
    }
    const answer = await post(url, encrypted, signal);
    if ('reason' in answer) return failure(provider, answer, answer.reason);
    const verdict = classifyPush(answer.status, answer.retryAfter, edges.now());
    const response = `${answer.status} ${answer.text}`.trim();
    return verdict
      ? failure(provider, verdict, response)
      : { ok: true, provider, reference: answer.location, response };
  };

  const channel: Channel = {
    name: 'webPush',
    limits: { concurrency: sockets * 2 },
    send,
    close: async () => agent.destroy(),
  };
  const originOf = ({ to }: OutgoingMessage): string =>
    to.channel === 'webPush' && URL.canParse(to.endpoint) ? new URL(to.endpoint).origin : '';
  return guarded(channel, { edges, keyOf: originOf });
};
