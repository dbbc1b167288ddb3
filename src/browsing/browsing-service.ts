import { DateTime } from 'luxon';
import type { CatalogueService, Trees } from '../catalogue/catalogue-service.ts';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import type { Keyring } from '../keyring.ts';
import type { ProfileService } from '../profiles/profile-service.ts';
import type { Actor, PersonReference, ProfileStore, Reference } from '../profiles/profile-store.ts';
import type { Storage } from '../storage/storage.ts';
import type { ChannelName } from '../subscriptions/follow.ts';
import { ownTurn } from '../turns.ts';
import type { BrowsingEvent, EventKind } from './browsing-event.ts';
import { cleanQuery, type TopicNames, topicNames, topicsOfSearch } from './search-topics.ts';

/** What somebody looked at: an item, a topic, or words searched for. */
type Subject = { item?: Reference | undefined; topic?: string | undefined; query?: string | undefined };

/** One thing that a person did, as another system or a page tells it. `at` in ms, now if left out. */
export type ToldEvent = Subject & {
  subscriber: PersonReference;
  kind: EventKind;
  at?: number | undefined;
  /** Of a reaction: the channel of the message. */
  channel?: ChannelName | undefined;
};

/** Who sits before a page: somebody signed in, by public id, or a browser's visitor token. */
type PageVisitor = { subscriber: string } | { visitor: string };

/** What one does on a page: always now. */
export type PageEvent = Subject & { kind: 'view' | 'search' | 'download' };

type RecordReport = { accepted: number; rejected: { index: number; message: string }[] };

export type BrowsingService = {
  /**
   * Stores what people did, with its effect on their profiles. An event of an unknown person, item or topic, of a person
   * without consent, more than 5 minutes ahead or older than 90 days is rejected by its place; the others count.
   */
  record(events: ToldEvent[]): Promise<RecordReport>;
  /**
   * Stores what somebody did on a page, if the browser is theirs and they consented; answers how many events. Strangers,
   * unknown items and whoever does more than 120 things a minute leave no trace.
   */
  recordOnPage(visitor: PageVisitor, events: PageEvent[]): Promise<number>;
  /** Ties a browser, by its token, to a person; false, and nothing is kept, without their consent. */
  tie(visitor: string, subscriber: string): Promise<boolean>;
  untie(visitor: string): Promise<void>;
  /** Deletes raw events older than 90 days, a bounded number at a time, until none is left or `signal` aborts. */
  forgetOld(signal: AbortSignal): Promise<number>;
};

const minuteMs = 60_000;
const aheadMs = 5 * minuteMs;
const keptDays = 90;
const keptMs = keptDays * 24 * 60 * minuteMs;
const eventsAMinute = 120;
const deletedAtOnce = 1_000;
/** Keywords are those of so many items, read again after so long. */
const keywordItems = 1_000;
const keywordsMs = 10 * minuteMs;

type Stores = Pick<Storage, 'profiles'>;
type Tools = {
  profiles: Pick<ProfileService, 'absorb'>;
  catalogue: Pick<CatalogueService, 'trees'>;
  keyring: Pick<Keyring, 'mac'>;
  edges: Pick<Edges, 'now'>;
  config: Pick<Config, 'timeZone'>;
};

type PublicItem = { id: string; topics: string[] };

/** All that one event names, looked up. */
type Known = { actor: Actor | null; item: PublicItem | null; trees: Trees; names: TopicNames; now: number };

const faultOf = (event: ToldEvent, { actor, item, trees, now }: Known): string | null => {
  const at = event.at ?? now;
  if (!actor) return 'there is no such person';
  if (!actor.personalisation) return 'the person has not consented to personalisation';
  if (event.item && !item) return 'there is no such published item';
  if (event.topic !== undefined && !trees.topicParents.has(event.topic)) return `unknown topic: ${event.topic}`;
  if (event.kind === 'search' ? !event.query && !event.topic : !event.item && !event.topic)
    return event.kind === 'search' ? 'a search needs a query' : `a ${event.kind} needs an item or a topic`;
  if (at > now + aheadMs) return 'the time is more than 5 minutes in the future';
  return at < now - keptMs ? `the time is more than ${keptDays} days ago` : null;
};

/** Counts what each person does within a minute of the clock; the counts start anew with the next one. */
const makeMinuteLimit = (most: number) => {
  let minute = 0;
  let counts = new Map<number, number>();
  return (ordinal: number, wanted: number, now: number): number => {
    if (Math.floor(now / minuteMs) !== minute) {
      minute = Math.floor(now / minuteMs);
      counts = new Map();
    }
    const before = counts.get(ordinal) ?? 0;
    counts.set(ordinal, before + wanted);
    return Math.max(0, Math.min(wanted, most - before));
  };
};

/** The names of a tree's topics, made anew with another tree, and now and then for keywords that came since. */
const makeNames = (store: Pick<ProfileStore, 'keywords'>) => {
  let last: { trees: Trees; madeAt: number; names: Promise<TopicNames> } | null = null;
  return (trees: Trees, now: number): Promise<TopicNames> => {
    if (last?.trees !== trees || now > last.madeAt + keywordsMs) {
      const names = store.keywords(keywordItems).then((keywords) => topicNames(trees.topics, keywords));
      names.catch(() => {
        last = null;
      });
      last = { trees, madeAt: now, names };
    }
    return last.names;
  };
};

/** What people looked at and searched for. */
export const makeBrowsingService = ({ profiles: store }: Stores, tools: Tools): BrowsingService => {
  const { profiles, catalogue, keyring, edges, config } = tools;
  const namesOf = makeNames(store);
  const allow = makeMinuteLimit(eventsAMinute);
  const macOf = (visitor: string): string => keyring.mac('visitor', visitor, 16).toString('base64url');

  /** The event as it is kept. Which hour a reaction fell on is known only here, where the person's time zone is. */
  const made = (event: ToldEvent, actor: Actor, { item, names, now }: Known): BrowsingEvent => {
    const at = event.at ?? now;
    const query = event.query === undefined ? null : cleanQuery(event.query) || null;
    const reacts = event.kind === 'click' || event.kind === 'useful';
    const found = query === null || event.kind !== 'search' ? [] : topicsOfSearch(query, names);
    return {
      ordinal: actor.ordinal,
      kind: event.kind,
      at,
      item: item?.id ?? null,
      query,
      topics: [...new Set([...(item?.topics ?? []), ...(event.topic === undefined ? [] : [event.topic]), ...found])],
      hour: reacts ? DateTime.fromMillis(at, { zone: actor.timeZone ?? config.timeZone }).hour : null,
      channel: event.channel ?? null,
    };
  };

  const itemsOf = async (events: readonly Subject[]): Promise<(PublicItem | null)[]> => {
    const named = events.flatMap((event, index) => (event.item ? [{ index, item: event.item }] : []));
    const found = await store.publicItems(named.map(({ item }) => item));
    const items: (PublicItem | null)[] = new Array(events.length).fill(null);
    named.forEach(({ index }, place) => {
      items[index] = found[place] ?? null;
    });
    return items;
  };

  const record = async (events: ToldEvent[]): Promise<RecordReport> => {
    await ownTurn();
    const [actors, items, trees] = await Promise.all([
      store.actors(events.map(({ subscriber }) => subscriber)),
      itemsOf(events),
      catalogue.trees(),
    ]);
    const now = edges.now();
    const names = await namesOf(trees, now);
    const rejected: RecordReport['rejected'] = [];
    const sound: { index: number; event: BrowsingEvent }[] = [];
    events.forEach((event, index) => {
      const known: Known = { actor: actors[index] ?? null, item: items[index] ?? null, trees, names, now };
      const message = faultOf(event, known);
      if (message !== null || !known.actor) rejected.push({ index, message: message ?? 'there is no such person' });
      else sound.push({ index, event: made(event, known.actor, known) });
    });
    const taken = await profiles.absorb(sound.map(({ event }) => event));
    // consent taken back, or an erasure, between the two reads
    for (const { index, event } of sound)
      if (!taken.has(event.ordinal))
        rejected.push({ index, message: 'the person has not consented to personalisation' });
    rejected.sort((a, b) => a.index - b.index);
    return { accepted: events.length - rejected.length, rejected };
  };

  const sitting = async (who: PageVisitor): Promise<Actor | null> => {
    const tied = 'visitor' in who ? await store.visitor(macOf(who.visitor)) : null;
    if ('visitor' in who && !tied) return null;
    const [actor] = await store.actors([
      'subscriber' in who ? { id: who.subscriber } : { ordinal: tied?.ordinal ?? 0 },
    ]);
    return actor?.personalisation ? actor : null;
  };

  return {
    record,
    recordOnPage: async (who, events) => {
      const actor = await sitting(who);
      if (!actor || events.length === 0) return 0;
      const [items, trees] = await Promise.all([itemsOf(events), catalogue.trees()]);
      const now = edges.now();
      const names = await namesOf(trees, now);
      const sound = events.flatMap((event, index) => {
        const told: ToldEvent = { ...event, subscriber: { ordinal: actor.ordinal } };
        const known: Known = { actor, item: items[index] ?? null, trees, names, now };
        return faultOf(told, known) === null ? [made(told, actor, known)] : [];
      });
      const allowed = sound.slice(0, allow(actor.ordinal, sound.length, now));
      return (await profiles.absorb(allowed)).size > 0 ? allowed.length : 0;
    },
    tie: async (visitor, subscriber) => {
      const [actor] = await store.actors([{ id: subscriber }]);
      return actor ? store.tieVisitor(macOf(visitor), actor.ordinal, edges.now()) : false;
    },
    untie: (visitor) => store.untieVisitor(macOf(visitor)),
    forgetOld: async (signal) => {
      const before = edges.now() - keptMs;
      let deleted = 0;
      for (let last = deletedAtOnce; last === deletedAtOnce && !signal.aborted; deleted += last)
        last = await store.deleteEventsBefore(before, deletedAtOnce);
      return deleted;
    },
  };
};
