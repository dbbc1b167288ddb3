import type { mongo } from 'mongoose';
import type { Actor, PersonReference, ProfileStore, Reference } from '../../profiles/profile-store.ts';
import { readEvent } from '../profile-content.ts';
import { changesOver } from './changes.ts';
import { itemCollections } from './item-store.ts';
import { nameOf, type PersonDocument, peopleCollections } from './people/documents.ts';
import { peopleByName } from './people/names.ts';
import { settleDebts } from './people/people.ts';
import { absorbOver } from './profiles/absorb.ts';
import {
  consentsOver,
  type EventDocument,
  profileCollections,
  profileKeeperOver,
  profileOf,
  profileRowsOver,
} from './profiles/keeper.ts';
import { insertIfFree, slices } from './writes.ts';

const namesInOneRead = 2_000;

const byId = async <T extends { _id: string | number }>(
  collection: mongo.Collection<T>,
  ids: T['_id'][],
): Promise<Map<T['_id'], T>> => {
  const found = new Map<T['_id'], T>();
  for (const part of slices([...new Set(ids)], namesInOneRead))
    for (const one of (await collection.find({ _id: { $in: part } } as mongo.Filter<T>).toArray()) as T[])
      found.set(one._id, one);
  return found;
};

/** What the names in events stand for. */
const namesOver = (db: mongo.Db): Pick<ProfileStore, 'actors' | 'publicItems' | 'keywords'> => {
  const { subscribers, names } = peopleCollections(db);
  const { items, names: itemNames } = itemCollections(db);
  const people = peopleByName(db);

  const personName = (who: PersonReference): string =>
    'id' in who ? nameOf.id(who.id) : 'externalId' in who ? nameOf.externalId(who.externalId) : '';
  const isCalled = (found: PersonDocument, who: PersonReference): boolean =>
    'ordinal' in who || ('id' in who ? found.id === who.id : found.externalId === who.externalId);
  const present = async (who: PersonReference, found: PersonDocument | undefined): Promise<Actor | null> => {
    if (!found || found.pending || !isCalled(found, who)) return null;
    const now = await people.present(found);
    if (!now || now.erasedAt !== null) return null;
    return { ordinal: now._id, timeZone: now.timeZone, personalisation: now.consents.personalisation };
  };

  return {
    actors: async (wanted) => {
      const named = await byId(names, wanted.map(personName));
      const ordinalOf = (who: PersonReference): number =>
        'ordinal' in who ? who.ordinal : (named.get(personName(who))?.ordinal ?? 0);
      const found = await byId(subscribers, wanted.map(ordinalOf));
      return Promise.all(wanted.map((who) => present(who, found.get(ordinalOf(who)))));
    },
    publicItems: async (wanted) => {
      const externalIds = wanted.flatMap((one) => ('externalId' in one ? [one.externalId] : []));
      const named = await byId(itemNames, externalIds);
      const idOf = (one: Reference): string => ('id' in one ? one.id : (named.get(one.externalId)?.item ?? ''));
      const found = await byId(items, wanted.map(idOf));
      return wanted.map((one) => {
        const item = found.get(idOf(one));
        if (item?.visibility !== 'public' || item.version === 0) return null;
        if (item.state !== 'published' && item.state !== 'withdrawn') return null;
        if ('externalId' in one && !item.names.includes(one.externalId)) return null;
        return { id: item._id, topics: item.topics };
      });
    },
    keywords: async (most) => {
      if (most === 0) return [];
      const projection = { keywords: 1, topics: 1 };
      const newest = await items
        .find({ visibility: 'public', version: { $gt: 0 }, state: { $in: ['published', 'withdrawn'] } }, { projection })
        .sort({ sortAt: -1, _id: -1 })
        .limit(most)
        .toArray();
      const pairs = new Map<string, { keyword: string; topic: string }>();
      for (const { keywords, topics } of newest)
        for (const keyword of keywords)
          for (const topic of topics) pairs.set(JSON.stringify([keyword, topic]), { keyword, topic });
      return [...pairs.values()];
    },
  };
};

/** The raw events; old ones go by their time. */
const eventsOver = (db: mongo.Db): Pick<ProfileStore, 'eventsOf' | 'deleteEventsBefore'> => {
  const { profiles, events } = profileCollections(db);
  return {
    eventsOf: async (ordinal, limit) => {
      if (limit === 0) return [];
      const inbox = (await profiles.findOne({ _id: ordinal }))?.inbox ?? [];
      const kept = await events.find({ subscriber: ordinal }).sort({ at: -1, no: -1 }).limit(limit).toArray();
      const all = new Map<string, EventDocument>([...inbox, ...kept].map((one) => [one._id, one]));
      return [...all.values()]
        .sort((a, b) => b.at - a.at || b.no - a.no)
        .slice(0, limit)
        .map(({ at, content }) => readEvent(ordinal, at, JSON.parse(content)));
    },
    deleteEventsBefore: async (before, limit) => {
      if (limit === 0) return 0;
      await settleDebts(db);
      const old = await events
        .find({ at: { $lt: before } }, { projection: { _id: 1 } })
        .sort({ at: 1 })
        .limit(limit)
        .toArray();
      let deleted = 0;
      for (const part of slices(old, namesInOneRead))
        deleted += (await events.deleteMany({ _id: { $in: part.map(({ _id }) => _id) } })).deletedCount;
      return deleted;
    },
  };
};

/** Browsers that are tied to people. */
const visitorsOver = (db: mongo.Db): Pick<ProfileStore, 'tieVisitor' | 'visitor' | 'untieVisitor'> => {
  const { visitors } = profileCollections(db);
  const hasConsented = consentsOver(db);
  const tie: ProfileStore['tieVisitor'] = async (visitor, ordinal, at) => {
    if (!(await hasConsented(ordinal))) return false;
    const there = await visitors.findOne({ _id: visitor });
    if (there?.subscriber === ordinal) return true;
    const tied = there
      ? (
          await visitors.updateOne(
            { _id: visitor, subscriber: there.subscriber },
            { $set: { subscriber: ordinal, tiedAt: at } },
          )
        ).matchedCount > 0
      : await insertIfFree(visitors, { _id: visitor, subscriber: ordinal, tiedAt: at });
    if (!tied) return tie(visitor, ordinal, at);
    // consent that was taken back meanwhile may have been forgotten before this was there
    if (await hasConsented(ordinal)) return true;
    await visitors.deleteOne({ _id: visitor, subscriber: ordinal });
    return false;
  };
  return {
    tieVisitor: tie,
    visitor: async (visitor) => {
      const found = await visitors.findOne({ _id: visitor });
      return found && { ordinal: found.subscriber, tiedAt: found.tiedAt };
    },
    untieVisitor: async (visitor) => {
      await visitors.deleteOne({ _id: visitor });
    },
  };
};

/** Profiles, events and visitors over MongoDB. */
export const mongoProfileStore = (db: mongo.Db): ProfileStore => {
  const rows = profileRowsOver(db);
  const keeper = profileKeeperOver(db);
  const changes = changesOver(db);

  const change: ProfileStore['change'] = async (ordinal, to) => {
    const there = await rows.get(ordinal);
    const before = profileOf(there);
    if (!there || !before) return null;
    const after = to(before);
    const fields = await rows.fieldsOf(after, null);
    const written = await changes.announce([ordinal], () => rows.put(ordinal, there, fields));
    return written ? after : change(ordinal, to);
  };
  return {
    ...eventsOver(db),
    ...namesOver(db),
    ...visitorsOver(db),
    absorb: absorbOver(db),
    profile: async (ordinal) => profileOf(await rows.get(ordinal)),
    change,
    forget: (ordinal) => changes.announce([ordinal], () => keeper.forget(ordinal)),
  };
};
