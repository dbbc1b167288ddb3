import { Agent } from 'node:https';
import type { Edges } from '../../edges.ts';
import { isCallable, publicLookup } from '../../public-address.ts';
import { retryAfterMs } from '../../retry-after.ts';
import type { WebhookAnswer } from '../../webhooks/webhook.ts';
import { postPush } from '../web-push/push-request.ts';

/** A receiver that has not answered within this is taken to be silent (ms). */
export const webhookLimitMs = 20_000;

export type WebhookCaller = {
  post(url: string, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<WebhookAnswer>;
  close(): Promise<void>;
};

/**
 * Posts to webhooks over https. The address is looked up and checked when it is connected to, as for web push: nobody makes us
 * call inside, by a name that changes its address either. Redirects are not followed.
 */
export const makeWebhookCaller = (
  options: { allowPrivate: boolean; limitMs?: number },
  edges: Pick<Edges, 'now'>,
): WebhookCaller => {
  const { allowPrivate, limitMs = webhookLimitMs } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ...(allowPrivate ? {} : { lookup: publicLookup }) });
  const isLoopback = (url: URL): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);

  return {
    post: async (text, headers, body, signal) => {
      const url = new URL(text);
      if (!(allowPrivate ? url.protocol === 'https:' : isCallable(url))) return { fault: 'not a public https address' };
      const bytes = Buffer.from(body);
      const request = { headers: { ...headers, 'Content-Length': bytes.length }, body: bytes };
      const rejectUnauthorized = !(allowPrivate && isLoopback(url));
      const answer = await postPush(url, request, { agent, limitMs, rejectUnauthorized }, signal);
      if ('reason' in answer) return { fault: answer.reason };
      return { ...answer, retryAfterMs: retryAfterMs(answer.retryAfter, edges.now()) };
    },
    close: async () => agent.destroy(),
  };
};
