import type { mongo } from 'mongoose';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { AppError } from '../../errors.ts';
import { unionOf } from '../../fanout/ordinals.ts';
import { lanes, type Push } from '../../fanout/push.ts';
import type { PushSource, PushStore } from '../../fanout/push-store.ts';
import { factRows, factsOfRows } from '../source-facts.ts';
import { mongoBatches } from './batches.ts';
import {
  batchView,
  fromBinary,
  fromPushDocument,
  type PushDocument,
  pushCollections,
  toBatchDocument,
  toBinary,
  toPushDocument,
} from './push-documents.ts';
import { insertIfFree, insertMissing } from './writes.ts';

type Plans = Pick<
  PushStore,
  'writeSources' | 'freeze' | 'addSources' | 'sources' | 'insertBatches' | 'peopleOf' | 'batchesOf'
>;
type Pushes = Omit<PushStore, keyof Plans | keyof ReturnType<typeof mongoBatches>>;

/** Pushes, plans, batches and leases over MongoDB: every guard is the filter of one document's write. */
export const mongoPushStore = (db: mongo.Db): PushStore => ({
  ...pushesOver(db),
  ...plansOver(db),
  ...mongoBatches(db),
});

const pushesOver = (db: mongo.Db): Pushes => {
  const { pushes } = pushCollections(db);
  const get: PushStore['get'] = async (id) => {
    const found = await pushes.findOne({ _id: id });
    return found && fromPushDocument(found);
  };
  const oldest = async (filter: mongo.Filter<PushDocument>, limit: number): Promise<Push[]> =>
    (await pushes.find(filter).sort({ createdAt: 1, _id: 1 }).limit(limit).toArray()).map(fromPushDocument);
  return {
    insert: async (push) => {
      if (await insertIfFree(pushes, toPushDocument(push))) return push;
      return (await get(push.id)) ?? push;
    },
    get,
    list: async ({ cursor, limit }) => {
      const [createdAt, id] = decodeCursor(cursor, [0, '']);
      const before = { $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: id } }] };
      const rows = await pushes
        .find(cursor === null ? {} : before)
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit + 1)
        .toArray();
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        rows: rows.slice(0, limit).map(fromPushDocument),
        next: last ? encodeCursor([last.createdAt, last._id]) : null,
      };
    },
    ofItem: async (item) =>
      (await pushes.find({ item }).sort({ createdAt: 1, _id: 1 }).toArray()).map(fromPushDocument),
    unfinished: async (limit) => {
      const all = await oldest({ finishedAt: null }, limit + 1);
      if (all.length <= limit) return all.sort((a, b) => lanes.indexOf(a.lane) - lanes.indexOf(b.lane));
      const found: Push[] = [];
      for (const lane of lanes)
        if (found.length < limit) found.push(...(await oldest({ finishedAt: null, lane }, limit - found.length)));
      return found;
    },
    setState: async (id, from, to) =>
      (await pushes.updateOne({ _id: id, state: { $in: from } }, { $set: { state: to, finishedAt: null } }))
        .matchedCount > 0,
    endUntold: async (limit) => {
      const found = pushes.find({ endUntold: true, finishedAt: { $gt: 0 } }).sort({ createdAt: 1, _id: 1 });
      return (await found.limit(limit).toArray()).map(fromPushDocument);
    },
    endTold: async (id, finishedAt) => {
      await pushes.updateOne({ _id: id, finishedAt }, { $set: { endUntold: false } });
    },
    finish: async (id, from, at) => {
      if (from !== 'running' && from !== 'cancelled') return;
      const to = from === 'running' ? 'done' : from;
      await pushes.updateOne(
        { _id: id, state: from, finishedAt: null },
        { $set: { state: to, finishedAt: at, endUntold: true } },
      );
    },
  };
};

/** Sources are written before the plan is frozen, so that a frozen plan is always whole; batches are named by their rank. */
const plansOver = (db: mongo.Db): Plans => {
  const { pushes, sources, batches } = pushCollections(db);
  const write = (push: string, plan: string, from: number, list: PushSource[]): Promise<void> =>
    insertMissing(
      sources,
      list.map((one, at) => ({
        _id: `${plan} ${from + at} ${push}`,
        push,
        plan,
        position: from + at,
        source: one.source,
        follow: one.follow,
        facts: factRows(one).map((fact) => ({ leaf: fact.leaf, ordinals: toBinary(fact.ordinals) })),
        ordinals: toBinary(one.ordinals),
      })),
    );
  return {
    writeSources: (push, plan, list) => write(push, plan, 0, list),
    addSources: async (push, from, list, bySource) => {
      const plan = (await pushes.findOne({ _id: push }))?.plan;
      if (plan == null) return;
      await write(push, plan, from, list);
      await pushes.updateOne({ _id: push, plan }, { $set: { bySource } });
    },
    freeze: async (push, plan, { lane, matched, bySource, plannedAt }) => {
      const facts = { lane, matched, bySource, plannedAt };
      await pushes.updateOne({ _id: push, plan: null }, { $set: { plan, ...facts } });
      const standing = (await pushes.findOne({ _id: push }))?.plan;
      if (standing == null) throw new AppError('not-found', `There is no push ${push}.`);
      return standing;
    },
    sources: async (push) => {
      const plan = (await pushes.findOne({ _id: push }))?.plan;
      if (plan == null) return [];
      const found = await sources.find({ push, plan }).sort({ position: 1 }).toArray();
      return found.map(({ source, follow, facts, ordinals }) => ({
        source,
        follow,
        ...factsOfRows(facts.map((fact) => ({ leaf: fact.leaf, ordinals: fromBinary(fact.ordinals) }))),
        ordinals: fromBinary(ordinals),
      }));
    },
    insertBatches: async (list) => {
      if (list.length === 0) return;
      const named = [...new Set(list.flatMap((batch) => batch.push ?? []))];
      const found = await pushes.find({ _id: { $in: named } }).toArray();
      const since = new Map(found.map((push) => [push._id, push.createdAt]));
      await insertMissing(
        batches,
        list.map((batch) => toBatchDocument(batch, since.get(batch.push ?? '') ?? 0)),
      );
    },
    peopleOf: async (push) => {
      const found = await batches.find({ push }, { projection: { ordinals: 1 } }).toArray();
      return unionOf(found.flatMap(({ ordinals }) => (ordinals ? fromBinary(ordinals) : [])));
    },
    batchesOf: async (push) => {
      const found = await batches
        .find({ push }, { projection: { ordinals: 0, rows: 0 } })
        .sort({ kind: -1, first: 1 })
        .toArray();
      return found.map(batchView);
    },
  };
};
