import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Edges } from '../edges.ts';
import { isCallable, isLoopback, PrivateAddressError, publicLookup } from '../public-address.ts';
import { retryAfterMs } from '../retry-after.ts';
import type { Source, SourceFault } from './source.ts';

/** What a server answered: the document, that it has not changed, or a fault; `detail` is its own word. */
export type FeedAnswer =
  | {
      kind: 'document';
      bytes: Uint8Array;
      contentType: string | undefined;
      etag: string | null;
      lastModified: string | null;
    }
  | { kind: 'same'; etag: string | null; lastModified: string | null }
  | { kind: 'fault'; fault: SourceFault; detail: string; retryAfterMs?: number | undefined };

export type FetchFeed = (
  asked: Pick<Source, 'url' | 'etag' | 'lastModified'>,
  signal: AbortSignal,
) => Promise<FeedAnswer>;

export type FetchOptions = {
  /** This machine itself may be called (tests on loopback); other private addresses never are. */
  allowLoopback: boolean;
  limitMs?: number;
  mostBytes?: number;
};

const mostRedirects = 3;
const usual = { limitMs: 20_000, mostBytes: 5 * 1024 * 1024 };
const accepted =
  'application/atom+xml, application/rss+xml, application/cap+xml, application/xml;q=0.9, text/xml;q=0.9';

/** Whether a feed may be fetched there at all, before its name is looked up. */
export const mayFetch = (url: URL, allowLoopback: boolean): boolean =>
  isCallable(url) || (allowLoopback && url.protocol === 'https:' && isLoopback(url.href));

const fault = (kind: SourceFault, detail = ''): FeedAnswer => ({ kind: 'fault', fault: kind, detail });

const one = (value: string | string[] | undefined): string | null => [value ?? null].flat()[0]?.slice(0, 500) ?? null;

const validatorsOf = ({ headers }: IncomingMessage) => ({
  etag: one(headers.etag),
  lastModified: one(headers['last-modified']),
});

const callFault = (error: unknown): FeedAnswer => {
  if (error instanceof PrivateAddressError) return fault('private');
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return fault(/CERT|SSL|TLS/.test(code) ? 'tls' : 'unreachable', code);
};

/**
 * Fetches feeds over https with conditional requests, within one time limit for all and a bounded size. The address is looked up
 * and checked when it is connected to, at every redirect too: nobody makes us call inside. What is compressed is refused, so that
 * no small answer unfolds into a large one.
 */
export const makeFeedFetcher = (options: FetchOptions, edges: Pick<Edges, 'now'>): FetchFeed => {
  const { allowLoopback, limitMs, mostBytes } = { ...usual, ...options };
  const guarded = new Agent({ keepAlive: false, lookup: publicLookup });
  const local = new Agent({ keepAlive: false, rejectUnauthorized: false });

  const open = (url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const agent = allowLoopback && isLoopback(url.href) ? local : guarded;
      request(url.href, { agent, headers, signal }, resolve).on('error', reject).end();
    });

  const read = async (response: IncomingMessage): Promise<FeedAnswer> => {
    const coding = response.headers['content-encoding'] ?? 'identity';
    if (coding !== 'identity') return fault('encoded', coding);
    if (Number(response.headers['content-length'] ?? 0) > mostBytes) return fault('too-large');
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > mostBytes) return fault('too-large');
      chunks.push(chunk);
    }
    const contentType = response.headers['content-type'];
    return { kind: 'document', bytes: Buffer.concat(chunks), contentType, ...validatorsOf(response) };
  };

  const judge = async (response: IncomingMessage): Promise<FeedAnswer> => {
    const { statusCode: status = 0 } = response;
    if (status === 200) return read(response);
    if (status === 304) return { kind: 'same', ...validatorsOf(response) };
    if (status === 410) return fault('gone', '410');
    const pause = retryAfterMs(response.headers['retry-after'], edges.now());
    const isBusy = status === 429 || (status === 503 && pause !== undefined);
    return { kind: 'fault', fault: isBusy ? 'busy' : 'status', detail: String(status), retryAfterMs: pause };
  };

  const follow = async (
    url: URL,
    headers: Record<string, string>,
    signal: AbortSignal,
    left: number,
  ): Promise<FeedAnswer> => {
    if (!mayFetch(url, allowLoopback)) return fault('private');
    const response = await open(url, headers, signal);
    try {
      const to = response.headers.location;
      if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || to === undefined)
        return await judge(response);
      if (left === 0 || !URL.canParse(to, url.href)) return fault('redirects');
      return await follow(new URL(to, url), headers, signal, left - 1);
    } finally {
      response.destroy();
    }
  };

  return async (asked, signal) => {
    const stop = new AbortController();
    const end = () => stop.abort();
    const timer = setTimeout(end, limitMs);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const headers = {
      Accept: accepted,
      'Accept-Encoding': 'identity',
      'User-Agent': 'Bellman',
      ...(asked.etag === null ? {} : { 'If-None-Match': asked.etag }),
      ...(asked.lastModified === null ? {} : { 'If-Modified-Since': asked.lastModified }),
    };
    try {
      return await follow(new URL(asked.url), headers, stop.signal, mostRedirects);
    } catch (error) {
      return stop.signal.aborted ? fault('timeout') : callFault(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  };
};
