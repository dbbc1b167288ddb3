import type { mongo } from 'mongoose';
import type { AudienceStore, IndexedPerson } from '../../audience/audience-store.ts';
import type { Edges } from '../../edges.ts';
import type { TopicDocument } from './catalogue-store.ts';
import { changeSweepOver } from './change-sweep.ts';
import { changeReaderOver } from './changes.ts';
import { type PersonDocument, peopleCollections } from './people/documents.ts';
import { followsOver } from './people/follows.ts';
import { profileCollections } from './profiles/keeper.ts';
import { slices } from './writes.ts';

const peopleInOneRead = 1_000;

const toPerson = ({ _id, region, locale, attributes, consents }: PersonDocument): IndexedPerson => ({
  ordinal: _id,
  region,
  locale,
  attributes: JSON.parse(attributes),
  personalisation: consents.personalisation,
  channels: [],
  follows: [],
  interests: [],
  lastActiveDay: null,
});

/** Names people: some ordinals, or all from one to another. */
type Which = { $in: number[] } | { $gt: number; $lte: number };

/** Reads people with all their facts, ascending; a write in between is read by whoever follows the changes. */
const readerOver = (db: mongo.Db): ((which: Which) => Promise<IndexedPerson[]>) => {
  const { subscribers, subscriptions, addresses, suppressions } = peopleCollections(db);
  const { profiles } = profileCollections(db);

  const addChannels = async (people: Map<number, IndexedPerson>, subscriber: Which): Promise<void> => {
    const found = await addresses
      .find({ subscriber }, { projection: { subscriber: 1, channel: 1 } })
      .sort({ subscriber: 1, _id: 1 })
      .toArray();
    const suppressed = new Set<string>();
    for (const part of slices(found, peopleInOneRead))
      for (const { _id } of await suppressions.find({ _id: { $in: part.map((one) => one._id) } }).toArray())
        suppressed.add(_id);
    for (const { _id, subscriber: owner, channel } of found) {
      const known = people.get(owner)?.channels;
      if (known && !suppressed.has(_id) && !known.includes(channel)) known.push(channel);
    }
  };

  return async (which) => {
    const rows = await subscribers
      .find({ _id: which, mergedInto: null, erasedAt: null, leavesAt: null })
      .sort({ _id: 1 })
      .toArray();
    const there = rows.filter(({ pending, contact }) => !pending && !contact);
    const people = new Map(there.map((row) => [row._id, toPerson(row)]));
    if (people.size === 0) return [];
    const live = { subscriber: which, stoppedAt: null };
    for (const { subscriber, no } of await subscriptions.find(live, { projection: { subscriber: 1, no: 1 } }).toArray())
      people.get(subscriber)?.follows.push(no);
    const projection = { levels: 1, lastActiveDay: 1 };
    for (const { _id, levels, lastActiveDay } of await profiles.find({ _id: which }, { projection }).toArray()) {
      const person = people.get(_id);
      if (person && levels !== '') person.interests = levels.split(',').map(Number);
      if (person) person.lastActiveDay = lastActiveDay;
    }
    // whoever has stopped everything has no channel left, whatever addresses they have
    await addChannels(
      new Map(there.flatMap((row) => (row.stoppedAll ? [] : [[row._id, people.get(row._id) as IndexedPerson]]))),
      which,
    );
    return [...people.values()];
  };
};

/** What the audience index reads, over MongoDB. */
export const mongoAudienceStore = (db: mongo.Db, edges: Pick<Edges, 'monotonic'>): AudienceStore => {
  const { subscribers } = peopleCollections(db);
  const topics = db.collection<TopicDocument>('topics');
  const changes = changeReaderOver(db, edges);
  const read = readerOver(db);
  return {
    sequence: changes.newest,
    changes: changes.after,
    sweepChanges: changeSweepOver(db),
    scan: async (after, limit) => {
      const to = after + limit;
      const [last] = await subscribers
        .find({}, { projection: { _id: 1 } })
        .sort({ _id: -1 })
        .limit(1)
        .toArray();
      return { people: await read({ $gt: after, $lte: to }), last: to < (last?._id ?? 0) ? to : null };
    },
    people: async (ordinals) => {
      const wanted = [...new Set(ordinals)].sort((a, b) => a - b);
      const found: IndexedPerson[] = [];
      for (const part of slices(wanted, peopleInOneRead)) found.push(...(await read({ $in: part })));
      return found;
    },
    follows: followsOver(db).numbered,
    topicNumbers: async () => {
      const all = await topics.find({}, { projection: { no: 1 } }).toArray();
      return new Map(all.map(({ _id, no }) => [_id, no]));
    },
  };
};
