import type { mongo } from 'mongoose';
import type { Profile } from '../../../profiles/profile.ts';
import { joinProfiles } from '../../../profiles/profile-fold.ts';
import { closeContent, noProfile, openContent, putProfile, readProfile } from '../../profile-content.ts';
import type { TopicDocument } from '../catalogue-store.ts';
import { peopleCollections } from '../people/documents.ts';
import { insertIfFree, insertMissing } from '../writes.ts';

const dayMs = 86_400_000;

/** A raw event; `no` tells apart what one person did in the same millisecond. `content`: JSON. */
export type EventDocument = { _id: string; subscriber: number; at: number; no: number; content: string };

/**
 * A profile by ordinal. `content` is null where it was forgotten: the row stays, so that `beat`, which counts writes, lets
 * nobody write what they began before. `inbox`: events that are folded in and may not lie in their own collection yet.
 * `joined`: whose profiles were taken in by a merge. `epoch` counts how often it was forgotten.
 */
export type ProfileDocument = {
  _id: number;
  content: string | null;
  levels: string;
  lastActiveDay: number | null;
  inbox: EventDocument[];
  joined: number[];
  beat: number;
  epoch: number;
};
export type VisitorDocument = { _id: string; subscriber: number; tiedAt: number };

export const profileCollections = (db: mongo.Db) => ({
  profiles: db.collection<ProfileDocument>('profiles'),
  events: db.collection<EventDocument>('browsing_events'),
  visitors: db.collection<VisitorDocument>('visitors'),
});

/** The whole profile of a document; null where there is none. */
export const profileOf = (found: ProfileDocument | null): Profile | null => {
  return found && found.content !== null ? readProfile(openContent(found.content)) : null;
};

type Fields = Pick<ProfileDocument, 'content' | 'levels' | 'lastActiveDay'>;

export type ProfileRows = {
  get(ordinal: number): Promise<ProfileDocument | null>;
  /** Writes over `was` if nobody wrote meanwhile; answers whether it did. */
  put(ordinal: number, was: ProfileDocument | null, fields: Partial<ProfileDocument> & Fields): Promise<boolean>;
  /** What to write for `profile`, over the interests that it does not name. */
  fieldsOf(profile: Profile, over: string | null): Promise<Fields>;
};

/** Every topic's number by slug, read again when a slug is asked for that was not there: topics are only ever added. */
const topicNumbersOver = (db: mongo.Db): ((slugs: string[]) => Promise<ReadonlyMap<string, number>>) => {
  const topics = db.collection<TopicDocument>('topics');
  let numbers = new Map<string, number>();
  return async (slugs) => {
    if (slugs.every((slug) => numbers.has(slug))) return numbers;
    const all = await topics.find({}, { projection: { no: 1 } }).toArray();
    numbers = new Map(all.map(({ _id, no }) => [_id, no]));
    return numbers;
  };
};

export const profileRowsOver = (db: mongo.Db): ProfileRows => {
  const { profiles } = profileCollections(db);
  const numbersOf = topicNumbersOver(db);
  return {
    get: (ordinal) => profiles.findOne({ _id: ordinal }),
    put: async (ordinal, was, fields) => {
      if (!was) return insertIfFree(profiles, { _id: ordinal, inbox: [], joined: [], epoch: 0, ...fields, beat: 1 });
      const guard = { _id: ordinal, beat: was.beat };
      return (await profiles.updateOne(guard, { $set: fields, $inc: { beat: 1 } })).matchedCount > 0;
    },
    fieldsOf: async (profile, over) => {
      const stored = over === null ? noProfile() : openContent(over);
      const after = putProfile(stored, profile, await numbersOf(Object.keys(profile.interests)));
      const lastActiveDay = profile.lastActiveAt === null ? null : Math.floor(profile.lastActiveAt / dayMs);
      return { content: closeContent(after), levels: after.levels, lastActiveDay };
    },
  };
};

/** Whether that person is there and has consented to personalisation, as far as the store knows now. */
export const consentsOver = (db: mongo.Db): ((ordinal: number) => Promise<boolean>) => {
  const { subscribers } = peopleCollections(db);
  return async (ordinal) => {
    const found = await subscribers.findOne({ _id: ordinal });
    if (!found || found.pending || found.mergedInto !== null || found.erasedAt !== null) return false;
    return found.consents.personalisation;
  };
};

/** What stands and falls with a person's consent. Whoever calls has announced the change. Each may be repeated. */
export type ProfileKeeper = {
  /** Forgets profile, events and visitors; after the consent was taken back, so that nothing comes in behind. */
  forget(ordinal: number): Promise<void>;
  /** Gives what is there of one person to another, into whom they are merged; nothing is kept where that one has not consented. */
  join(from: number, to: number): Promise<void>;
};

export const profileKeeperOver = (db: mongo.Db): ProfileKeeper => {
  const { profiles, events, visitors } = profileCollections(db);
  const rows = profileRowsOver(db);
  const hasConsented = consentsOver(db);

  const wipe = async (ordinal: number): Promise<void> => {
    const nothing = { content: null, levels: '', lastActiveDay: null, inbox: [], joined: [] };
    if (await insertIfFree(profiles, { _id: ordinal, ...nothing, beat: 1, epoch: 1 })) return;
    await profiles.updateOne({ _id: ordinal }, { $set: nothing, $inc: { beat: 1, epoch: 1 } });
  };
  const forget = async (ordinal: number): Promise<void> => {
    await wipe(ordinal);
    await events.deleteMany({ subscriber: ordinal });
    await visitors.deleteMany({ subscriber: ordinal });
  };
  /** Answers only when `to` holds what `from` had, however often it is called. */
  const takeIn = async (from: ProfileDocument, brought: Profile, to: number): Promise<void> => {
    const there = await rows.get(to);
    if (there?.joined.includes(from._id)) return;
    const own = profileOf(there);
    const fields = await rows.fieldsOf(own ? joinProfiles(own, brought) : brought, null);
    const joined = [...(there?.joined ?? []), from._id];
    if (!(await rows.put(to, there, { ...fields, joined }))) return takeIn(from, brought, to);
  };
  return {
    forget,
    join: async (from, to) => {
      if (!(await hasConsented(to))) return forget(from);
      const there = await rows.get(from);
      const brought = profileOf(there);
      if (there && brought) {
        await insertMissing(events, there.inbox);
        await takeIn(there, brought, to);
      }
      await events.updateMany({ subscriber: from }, { $set: { subscriber: to } });
      await visitors.updateMany({ subscriber: from }, { $set: { subscriber: to } });
      await wipe(from);
    },
  };
};
