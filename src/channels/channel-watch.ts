import type { AccountStore, ProviderName } from '../accounts/account-store.ts';
import type { Edges } from '../edges.ts';
import type { Log } from '../log.ts';
import { channelTestKey, type SendResult } from './channel.ts';
import type { OnSent } from './metered.ts';
import { isProviderFault } from './result.ts';

/** What is as it was a moment ago is written no more often (ms). A fault is tried again and can wait for `changeMs`; that it is over cannot. */
const sameMs = 60_000;
const changeMs = 5_000;

/** What an attempt says of the provider: null where it was the address or the content that was refused. */
const saidOf = (result: SendResult, isTest: boolean): { code: string; words: string } | 'works' | null => {
  if (result.ok) return 'works';
  if (result.reason === 'aborted' || result.reason === 'breaker-open') return null;
  if (!isTest && !isProviderFault(result) && result.reason !== 'throttled') return null;
  return { code: result.reason, words: result.provider };
};

/**
 * Keeps how the providers of email, SMS and web push fare where staff see it, of every attempt of this process; a test's is kept at once.
 * WeChat's client keeps its own. The words are the provider's name alone: what it said may name people.
 */
export const makeChannelWatch = (
  store: Pick<AccountStore, 'worked' | 'failed'>,
  { edges, log }: { edges: Pick<Edges, 'now'>; log: Log },
): OnSent => {
  const last = new Map<ProviderName, { code: string; at: number }>();

  const isDue = (name: ProviderName, code: string, now: number): boolean => {
    const before = last.get(name);
    const isOver = code === '' && before?.code !== '';
    return !before || isOver || now < before.at || now - before.at >= (before.code === code ? sameMs : changeMs);
  };

  return (channel, { key }, result) => {
    if (channel === 'wechat') return;
    const isTest = key.startsWith(channelTestKey);
    const said = saidOf(result, isTest);
    if (said === null) return;
    const [now, code] = [edges.now(), said === 'works' ? '' : said.code];
    if (!isTest && !isDue(channel, code, now)) return;
    last.set(channel, { code, at: now });
    const written =
      said === 'works'
        ? store.worked(channel, now)
        : store.failed(channel, { at: now, ...said }, quietUntil(result, now));
    written.catch((error: unknown) => {
      last.delete(channel);
      log.warn({ error, channel }, 'how a channel fares could not be kept');
    });
  };
};

const quietUntil = (result: SendResult, now: number): number | null =>
  result.ok || result.kind !== 'throttled' || result.retryAfterMs === undefined ? null : now + result.retryAfterMs;
