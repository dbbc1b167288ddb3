import type { IncomingMessage } from 'node:http';
import { type Agent, request } from 'node:https';
import { PrivateAddressError } from '../../public-address.ts';
import { onAbort } from '../resilience/deadline.ts';
import type { Verdict } from '../result.ts';

export type PushRequest = { headers: Record<string, string | number>; body: Uint8Array };
export type PushAnswer = { status: number; retryAfter: string | undefined; text: string };

const mostAnswerText = 500;

const read = (response: IncomingMessage, done: (answer: PushAnswer) => void): void => {
  let text = Buffer.alloc(0);
  response.on('data', (chunk: Buffer) => {
    if (text.length < mostAnswerText) text = Buffer.concat([text, chunk]);
  });
  response.on('end', () =>
    done({
      status: response.statusCode ?? 0,
      retryAfter: response.headers['retry-after'],
      text: text.toString('utf8', 0, mostAnswerText),
    }),
  );
};

/** `error`: undefined where the answer broke off. */
const callFailed = (error: NodeJS.ErrnoException | undefined, stopped: 'aborted' | 'timeout' | null): Verdict => {
  if (stopped) return { kind: 'transient', reason: stopped };
  if (error instanceof PrivateAddressError) return { kind: 'permanent', reason: 'endpoint-forbidden' };
  const isTls = /CERT|SSL|TLS/.test(error?.code ?? '');
  return { kind: 'transient', reason: isTls ? 'tls' : 'connection' };
};

/** Posts to a push service; answers what it said, or a verdict when it said nothing within `limitMs` or before `signal` aborts. */
export const postPush = (
  url: URL,
  { headers, body }: PushRequest,
  options: { agent: Agent; rejectUnauthorized: boolean; limitMs: number },
  signal: AbortSignal,
): Promise<PushAnswer | Verdict> =>
  new Promise((resolve) => {
    const { agent, rejectUnauthorized, limitMs } = options;
    let stopped: 'aborted' | 'timeout' | null = null;
    const call = request(url, { method: 'POST', agent, headers, rejectUnauthorized }, (response) =>
      read(response, finish),
    );
    const stop = (why: 'aborted' | 'timeout') => {
      stopped = why;
      call.destroy(new Error(why));
    };
    const timer = setTimeout(() => stop('timeout'), limitMs);
    const finish = (result: PushAnswer | Verdict) => {
      clearTimeout(timer);
      forget();
      resolve(result);
    };
    const fail = (error?: NodeJS.ErrnoException) => finish(callFailed(error, stopped));
    call.on('error', fail);
    call.on('close', () => fail());
    const forget = onAbort(signal, () => stop('aborted'));
    call.end(body);
  });
