import { demandOwn } from '../access/departments.ts';
import { demandWriter } from '../access/rights.ts';
import { type Edges, newId } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Actor } from '../publishing/item.ts';
import type {
  ImportRequest,
  ItemImportReport,
  Published,
  PublishingService,
  SeenEntry,
} from '../publishing/publishing-service.ts';
import type { Storage } from '../storage/storage.ts';
import { formatOfFeed, textOfFeed } from './feed-document.ts';
import type { FeedAnswer, FetchFeed } from './fetch-feed.ts';
import {
  afterPoll,
  mostErrors,
  type PollOutcome,
  type Source,
  type SourceFault,
  type SourceHandling,
  type SourceResult,
  type SourceSettings,
  sourceIdOf,
} from './source.ts';

/** Longer than a fetch and an import of the largest feed take together. */
const leaseMs = 120_000;
/** So many are polled at the same time. */
const together = 4;
const mostSources = 200;
const mostShown = 20;

export type SourceTools = {
  publishing: Pick<PublishingService, 'importItems' | 'readItems' | 'faultsIn'>;
  /** Tells people of what became public. */
  announce(published: Published[]): Promise<unknown>;
  fetch: FetchFeed;
  mayCall(url: URL): boolean;
  edges: Pick<Edges, 'now' | 'random' | 'bytes'>;
  log: Log;
};

/** What a test of a source shows: the first entries, or the fault. */
export type SourceTest =
  | { kind: 'read'; entries: SeenEntry[]; errors: ItemImportReport['errors'] }
  | Extract<SourceResult, { kind: 'fault' }>;

export type SourceService = {
  /**
   * Adds a source, due at once. Throws `no-scope` (not a writer, not the actor's departments), `invalid` naming every fault of URL,
   * topics and regions, `conflict` where the address is polled already or there are 200.
   */
  add(settings: SourceSettings, actor: Actor): Promise<Source>;
  list(): Promise<Source[]>;
  /** Throws `not-found`. */
  get(id: string): Promise<Source>;
  /** These throw as `add`, and `not-found`. */
  change(id: string, handling: SourceHandling, actor: Actor): Promise<Source>;
  pause(id: string, paused: boolean, actor: Actor): Promise<Source>;
  remove(id: string, actor: Actor): Promise<void>;
  /** Fetches now and answers what would come; nothing is stored. Throws as `add`. */
  test(settings: SourceSettings, actor: Actor): Promise<SourceTest>;
  /** Polls one source now, a paused one too; throws `still-running` where somebody else is at it. */
  poll(id: string, actor: Actor): Promise<Source>;
  /** Polls what is due; answers how many. */
  pollDue(signal: AbortSignal): Promise<number>;
};

const never = new AbortController().signal;

const faultOf = (fault: SourceFault, detail = ''): Extract<SourceResult, { kind: 'fault' }> => ({
  kind: 'fault',
  fault,
  detail: detail.slice(0, 300),
});

const importOf = (settings: SourceSettings, id: string, text: string): ImportRequest | null => {
  const format = formatOfFeed(text);
  const { topics, publish, notify, departments, language, regions } = settings;
  return format && { format, content: text, topics, publish, notify, source: { id, departments, language, regions } };
};

/** Of the departments of the source, whoever added it. */
const actorOf = ({ addedBy, departments }: Source): Actor => ({ staff: addedBy, roles: ['publisher'], departments });

const resultOf = ({ created, updated, unchanged, failed, errors }: ItemImportReport): SourceResult => ({
  kind: 'read',
  ...{ created, updated, unchanged, failed },
  errors: errors.slice(0, mostErrors).map((one) => ({ ...one, message: one.message.slice(0, 300) })),
});

type Document = Extract<FeedAnswer, { kind: 'document' }>;

/** What a reader refuses is a fault of the feed; what the store refuses is not. */
const refused = (error: unknown): Extract<SourceResult, { kind: 'fault' }> => {
  if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
  return faultOf(
    error.faults.some(({ path }) => path.startsWith('topics')) ? 'unknown-topic' : 'unreadable',
    error.message,
  );
};

/** Feeds of other offices, polled: what comes becomes items as if it had been imported, once each however often it is read. */
export const makeSourceService = (stores: Pick<Storage, 'sources'>, tools: SourceTools): SourceService => {
  const { sources } = stores;
  const { publishing, edges, log } = tools;

  const known = async (id: string): Promise<Source> => {
    const source = await sources.get(id);
    if (!source) throw new AppError('not-found', `There is no source ${id}.`);
    return source;
  };

  const demand = async (settings: SourceSettings, actor: Actor): Promise<void> => {
    demandWriter(actor);
    demandOwn(actor, settings.departments);
    const faults = await publishing.faultsIn(settings);
    if (!tools.mayCall(new URL(settings.url)))
      faults.unshift({ path: 'url', message: 'must be https, without credentials, and on the public internet' });
    if (settings.topics.length === 0) faults.push({ path: 'topics', message: 'must name at least one topic' });
    if (faults.length > 0) throw new AppError('invalid', 'The source has faults; each is named.', { faults });
  };

  const demandMine = async (id: string, actor: Actor): Promise<Source> => {
    const source = await known(id);
    demandWriter(actor);
    demandOwn(actor, source.departments);
    return source;
  };

  const taken = (): AppError => new AppError('conflict', 'This address is polled already.');

  const read = async (source: Source, answer: Document): Promise<SourceResult> => {
    const input = importOf(source, source.id, textOfFeed(answer.bytes, answer.contentType));
    if (!input) return faultOf('not-a-feed');
    try {
      const report = await publishing.importItems(input, actorOf(source));
      await tools.announce(report.notify);
      return resultOf(report);
    } catch (error) {
      return refused(error);
    }
  };

  const outcomeOf = async (source: Source, signal: AbortSignal): Promise<PollOutcome> => {
    const answer = await tools.fetch(source, signal);
    if (answer.kind === 'fault')
      return { result: faultOf(answer.fault, answer.detail), retryAfterMs: answer.retryAfterMs };
    const { etag, lastModified } = answer;
    const result: SourceResult = answer.kind === 'same' ? { kind: 'same' } : await read(source, answer);
    return { result, etag, lastModified };
  };

  const pollClaimed = async (source: Source, token: string, signal: AbortSignal): Promise<void> => {
    const outcome = await outcomeOf(source, signal);
    // a poll that was broken off says nothing of the source: its lease ends by itself
    if (signal.aborted) return;
    await sources.settle(source.id, token, afterPoll(source, outcome, edges.now(), edges.random()));
    if (outcome.result.kind === 'fault')
      log.warn({ source: source.id, fault: outcome.result.fault }, 'a source could not be polled');
  };

  return {
    add: async (settings, actor) => {
      await demand(settings, actor);
      if ((await sources.list()).length >= mostSources)
        throw new AppError('conflict', `There are ${mostSources} sources already.`);
      const now = edges.now();
      const source: Source = {
        ...settings,
        id: sourceIdOf(settings.url),
        addedBy: actor.staff,
        ...{ paused: false, etag: null, lastModified: null, polledAt: null, result: null, faults: 0 },
        ...{ dueAt: now, createdAt: now },
      };
      if (!(await sources.insert(source))) throw taken();
      return source;
    },
    list: () => sources.list(),
    get: known,
    change: async (id, handling, actor) => {
      const { url } = await demandMine(id, actor);
      await demand({ ...handling, url }, actor);
      await sources.change(id, handling);
      return known(id);
    },
    pause: async (id, paused, actor) => {
      await demandMine(id, actor);
      await sources.pause(id, paused, edges.now());
      return known(id);
    },
    remove: async (id, actor) => {
      await demandMine(id, actor);
      await sources.remove(id);
    },
    test: async (settings, actor) => {
      await demand(settings, actor);
      const answer = await tools.fetch({ url: settings.url, etag: null, lastModified: null }, never);
      if (answer.kind === 'fault') return faultOf(answer.fault, answer.detail);
      if (answer.kind === 'same') return faultOf('status', '304');
      const input = importOf(settings, sourceIdOf(settings.url), textOfFeed(answer.bytes, answer.contentType));
      if (!input) return faultOf('not-a-feed');
      try {
        return { kind: 'read', ...(await publishing.readItems(input, actor, mostShown)) };
      } catch (error) {
        return refused(error);
      }
    },
    poll: async (id, actor) => {
      await demandMine(id, actor);
      const token = newId(edges);
      const [source] = await sources.claim(token, { id }, edges.now(), leaseMs);
      if (!source) {
        await known(id);
        throw new AppError('still-running', 'This source is being polled just now.');
      }
      await pollClaimed(source, token, never);
      return known(id);
    },
    pollDue: async (signal) => {
      let polled = 0;
      while (!signal.aborted) {
        const token = newId(edges);
        const claimed = await sources.claim(token, { limit: together }, edges.now(), leaseMs);
        if (claimed.length === 0) break;
        await Promise.all(claimed.map((source) => pollClaimed(source, token, signal)));
        polled += claimed.length;
      }
      return polled;
    },
  };
};
