import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import type { Log } from '../log.ts';
import type { Storage } from '../storage/storage.ts';
import { locales } from '../text.ts';
import type { WebhookAnswer } from '../webhooks/webhook.ts';
import type { AskedFeeds } from './asked-feeds.ts';
import { type FeedSource, feedPath } from './feed-source.ts';
import type { HubState } from './feed-store.ts';
import type { RecentItem, RecentItems } from './recent.ts';

export type HubTools = {
  recent: RecentItems;
  asked: Pick<AskedFeeds, 'changedBy'>;
  catalogue: Pick<CatalogueService, 'trees'>;
  edges: Pick<Edges, 'now' | 'random'>;
  log: Log;
  config: Pick<Config, 'publicUrl' | 'feeds'>;
  /** Posts to the hub under the rules of all outgoing calls; answers what it said, or why it said nothing. Never throws. */
  post(url: string, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<WebhookAnswer>;
};

const firstPauseMs = 10_000;
const longestPauseMs = 3_600_000;
const triedForMs = 86_400_000;
const atOnce = 4;

/** The feeds that an item is in, but for those of saved searches. */
const sourcesOf = ({ facets, departments }: RecentItem): FeedSource[] => [
  { kind: 'latest' },
  ...[...facets.topics].map((slug): FeedSource => ({ kind: 'topic', slug })),
  ...departments.map((name): FeedSource => ({ kind: 'department', name })),
];

const pathsOf = (items: RecentItem[]): string[] =>
  items
    .flatMap(sourcesOf)
    .flatMap((source) =>
      (['atom', 'json'] as const).flatMap((format) => locales.map((locale) => feedPath(source, format, locale))),
    );

/** What is new since the last look at the newest items. What was there before the first look is no news. */
const newsOf = (was: HubState | null, recent: RecentItem[]): RecentItem[] => {
  const known = new Set(was?.known);
  return was === null ? [] : recent.filter(({ stamp }) => !known.has(stamp));
};

/** What is owed after a look at the newest items, which changed these feeds. */
const afterLook = (was: HubState | null, recent: RecentItem[], urls: string[]): HubState => {
  const before = was ?? { owed: [], attempts: 0, since: 0, dueAt: 0 };
  return { ...before, known: recent.map(({ stamp }) => stamp), owed: [...new Set([...before.owed, ...urls])] };
};

/**
 * What is owed after pings of which `failed` were not taken: they are tried again after 10 s, doubled each time to an hour, half
 * to all of it, not before the hub's own Retry-After; after a day they are given up (readers still come by themselves).
 */
export const afterPings = (
  was: HubState,
  failed: string[],
  retryAfterMs: number,
  { now, random }: { now: number; random: number },
): HubState => {
  const settled = { ...was, owed: [], attempts: 0, since: 0, dueAt: 0 };
  const since = was.attempts === 0 ? now : was.since;
  if (failed.length === 0 || now - since >= triedForMs) return settled;
  const pause = Math.min(firstPauseMs * 2 ** Math.min(was.attempts, 20), longestPauseMs) * (0.5 + random / 2);
  return {
    ...was,
    owed: failed,
    attempts: was.attempts + 1,
    since,
    dueAt: Math.ceil(now + Math.max(pause, retryAfterMs)),
  };
};

const retryAfterOf = (answer: WebhookAnswer): number => ('status' in answer ? (answer.retryAfterMs ?? 0) : 0);

const laterStatuses = [408, 425, 429];

/** `refused`: this feed, for good; the others may be welcome. `later`: the hub itself is not well. */
const verdictOf = (answer: WebhookAnswer): 'taken' | 'refused' | 'later' => {
  if ('fault' in answer || answer.status >= 500 || laterStatuses.includes(answer.status)) return 'later';
  return answer.status < 300 ? 'taken' : 'refused';
};

/**
 * Tells the hub (W3C WebSub) which feeds have changed since it was told last, by the form that hubs share: `hub.mode=publish`
 * and the feed's own address. The answered function does one round and says how many pings were taken; what is owed is kept in
 * the store, so that a process that dies forgets nothing.
 */
export const makeHubPinger = ({ feeds }: Pick<Storage, 'feeds'>, tools: HubTools) => {
  const { recent, asked, catalogue, edges, log, config, post } = tools;
  const { publicUrl } = config;

  const urlsOf = async (news: RecentItem[]): Promise<string[]> => {
    if (news.length === 0) return [];
    const { regionParents } = await catalogue.trees();
    const paths = [...pathsOf(news), ...(await asked.changedBy(news, regionParents))];
    return paths.map((path) => `${publicUrl}${path}`);
  };

  const ping = (hub: string, url: string, signal: AbortSignal): Promise<WebhookAnswer> => {
    const body = new URLSearchParams({ 'hub.mode': 'publish', 'hub.url': url }).toString();
    return post(hub, { 'Content-Type': 'application/x-www-form-urlencoded' }, body, signal);
  };

  const pingAll = async (hub: string, state: HubState, signal: AbortSignal): Promise<HubState> => {
    const left = [...state.owed];
    const failed: string[] = [];
    let down: WebhookAnswer | null = null;
    const some = async (): Promise<void> => {
      for (let url = left.shift(); url !== undefined; url = left.shift()) {
        // a hub that is not well is not asked for the rest
        const answer: WebhookAnswer = down ?? (await ping(hub, url, signal));
        const verdict = verdictOf(answer);
        if (verdict === 'refused') log.warn({ hub, url, answer }, 'the hub refused a feed');
        if (verdict !== 'later') continue;
        failed.push(url);
        down = answer;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, some));
    // the process stops: whoever comes next tries it again
    if (signal.aborted) return { ...state, owed: failed };
    const retryAfterMs = down === null ? 0 : retryAfterOf(down);
    const after = afterPings(state, failed, retryAfterMs, { now: edges.now(), random: edges.random() });
    if (down) log.warn({ hub, answer: down, owed: after.owed.length }, 'the hub was not told of every feed');
    return after;
  };

  return async (signal: AbortSignal): Promise<number> => {
    const { hub } = config.feeds;
    if (hub === null) return 0;
    const was = await feeds.hubState();
    const newest = await recent.list();
    const seen = afterLook(was, newest, await urlsOf(newsOf(was, newest)));
    const news = was === null || seen.owed.length > was.owed.length || seen.known.join() !== was.known.join();
    // kept before it is told: to be told twice does a hub no harm
    if (news) await feeds.keepHubState(seen);
    if (seen.owed.length === 0 || edges.now() < seen.dueAt) return 0;
    const after = await pingAll(hub, seen, signal);
    await feeds.keepHubState(after);
    return seen.owed.length - after.owed.length;
  };
};
