import type { mongo } from 'mongoose';
import { decodeCursor, encodeCursor } from '../../../cursor.ts';
import { type Delivery, type DeliveryChange, type LedgerStore, noticeClasses } from '../../../fanout/ledger-store.ts';
import { type DeliveryState, deliveryStates, noCounts, rankOf } from '../../../fanout/push.ts';
import { bulk, insertIfFree, insertMissing, slices } from '../writes.ts';
import { type DeliveryDocument, openStates, ranks, rowId, toDelivery, toDocument } from './documents.ts';
import type { LedgerTables } from './tables.ts';

const rowsInOneWrite = 1_000;
const peopleInOneRead = 2_000;

type Fields = Partial<DeliveryDocument>;

/** The verbs of ledger rows: writing, changing, counting and reading them. A row's `_id` is (person, channel, push). */
export const ledgerDeliveries = (
  tables: LedgerTables,
): Pick<
  LedgerStore,
  'insertDeliveries' | 'deliveriesOf' | 'deliveries' | 'changeDeliveries' | 'count' | 'page' | 'ofPerson'
> => {
  const { deliveries } = tables;

  const ofPeople = async (push: string, ordinals: number[]): Promise<DeliveryDocument[]> => {
    const rows: DeliveryDocument[] = [];
    for (const part of slices(
      [...new Set(ordinals)].sort((a, b) => a - b),
      peopleInOneRead,
    ))
      rows.push(
        ...(await deliveries
          .find({ push, ordinal: { $in: part } })
          .sort({ ordinal: 1, channel: 1 })
          .toArray()),
      );
    return rows;
  };

  /**
   * Moves a row to its channel: the new row is inserted, then the old one is deleted where it stood. A crash between leaves
   * both, the old one still open; whoever repeats the change finds the new one there and takes it over.
   */
  const moveRow = async (row: DeliveryDocument, next: Delivery, change: string): Promise<boolean> => {
    const moved = { ...toDocument(next, { createdAt: row.pushedAt, lane: row.lane }), change };
    const inserted = await insertIfFree(deliveries, moved);
    if (!inserted && (await deliveries.countDocuments({ _id: moved._id, state: { $in: ranks(openStates) } })) === 0)
      throw new Error('a delivery row for that channel is there already');
    const won = (await deliveries.deleteOne({ _id: row._id, state: row.state })).deletedCount > 0;
    if (won && !inserted) {
      const { _id, ...fields } = moved;
      await deliveries.updateOne({ _id, state: { $in: ranks(openStates) } }, { $set: fields });
    }
    return won;
  };

  /** Equal changes of rows in the same state go in one write; each is then known by the name it bears. */
  const changeInPlace = async (changes: { id: string; seen: number; fields: Fields }[]): Promise<Set<string>> => {
    const change = tables.newChange();
    const groups = new Map<string, { ids: string[]; seen: number; fields: Fields }>();
    for (const { id, seen, fields } of changes) {
      const key = JSON.stringify([seen, fields]);
      const group = groups.get(key) ?? { ids: [], seen, fields };
      group.ids.push(id);
      groups.set(key, group);
    }
    await bulk(
      deliveries,
      [...groups.values()].map(({ ids, seen, fields }) => ({
        updateMany: { filter: { _id: { $in: ids }, state: seen }, update: { $set: { ...fields, change } } },
      })),
    );
    const done = await deliveries
      .find({ _id: { $in: changes.map((one) => one.id) }, change }, { projection: { _id: 1 } })
      .toArray();
    return new Set(done.map((row) => row._id));
  };

  const changeAll = async (changes: DeliveryChange[]): Promise<boolean[]> => {
    const rows = await tables.rowsById(changes.map((change) => rowId(change.key)));
    const done = changes.map(() => false);
    const inPlace: { at: number; id: string; seen: number; fields: Fields }[] = [];
    const asked = new Set<string>();
    for (const [at, { key, from, to }] of changes.entries()) {
      const row = rows.get(rowId(key));
      // the second of two changes of one row is judged by what the first left: neither can be where the other says
      if (!row || asked.has(row._id) || !from.includes(deliveryStates[row.state] as DeliveryState)) continue;
      asked.add(row._id);
      const next = changed(toDelivery(row), to);
      if (rowId(next) !== row._id) done[at] = await moveRow(row, next, tables.newChange());
      else inPlace.push({ at, id: row._id, seen: row.state, fields: fieldsOf(next, to) });
    }
    const won = inPlace.length > 0 ? await changeInPlace(inPlace) : new Set<string>();
    for (const { at, id } of inPlace) done[at] = won.has(id);
    return done;
  };

  return {
    insertDeliveries: async (lease, rows) => {
      for (const part of slices(rows, rowsInOneWrite)) {
        const foreign = await tables.guard(lease);
        const documents = await tables.documentsOf(part);
        const insert = (): Promise<void> => insertMissing(deliveries, documents);
        await (foreign ? tables.soiling(part, insert) : insert());
      }
    },
    deliveriesOf: async (push, ordinals) => (await ofPeople(push, ordinals)).map(toDelivery),
    deliveries: async (keys) => [...(await tables.rowsById(keys.map(rowId))).values()].map(toDelivery),
    changeDeliveries: async (lease, changes) => {
      const done: boolean[] = [];
      for (const part of slices(changes, rowsInOneWrite)) {
        const foreign = await tables.guard(lease);
        const change = (): Promise<boolean[]> => changeAll(part);
        const keys = part.map((one) => one.key);
        done.push(...(await (foreign ? tables.soiling(keys, change) : change())));
      }
      return done;
    },

    count: async (push, ordinals) => {
      const best = new Map<number, number>();
      for (const { ordinal, state } of await ofPeople(push, ordinals))
        best.set(ordinal, Math.max(best.get(ordinal) ?? 0, state));
      const counts = noCounts();
      for (const ordinal of new Set(ordinals))
        counts[deliveryStates[best.get(ordinal) ?? rankOf('planned')] as DeliveryState] += 1;
      return counts;
    },
    page: async (push, state, { cursor, limit }) => {
      const [ordinal, channel] = decodeCursor(cursor, [-1, 0]);
      const filter: mongo.Filter<DeliveryDocument> = {
        push,
        $or: [{ ordinal: { $gt: ordinal } }, { ordinal, channel: { $gt: channel } }],
        ...(state === null ? {} : { state: rankOf(state) }),
      };
      const rows = await deliveries
        .find(filter)
        .sort({ ordinal: 1, channel: 1 })
        .limit(limit + 1)
        .toArray();
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      const next = last ? encodeCursor([last.ordinal, last.channel]) : null;
      return { rows: rows.slice(0, limit).map(toDelivery), next };
    },
    ofPerson: async (ordinal, limit) =>
      (await deliveries.find({ ordinal }).sort({ pushedAt: -1, push: 1, channel: 1 }).limit(limit).toArray()).map(
        toDelivery,
      ),
  };
};

const waits = ({ state }: Delivery): boolean => state === 'deferred' || state === 'digested';

const changed = (row: Delivery, to: DeliveryChange['to']): Delivery => {
  const next = { ...row, ...to };
  const held = next.state === 'sending' || (waits(next) && next.dueAt === null);
  return { ...next, holder: held ? next.holder : null };
};

/** The fields a change sets. A row that stays gathered keeps the `dueAt` it shows to nobody. */
const fieldsOf = (next: Delivery, to: DeliveryChange['to']): Fields => {
  const gathered = waits(next) && next.holder !== null;
  return {
    state: rankOf(next.state),
    at: next.at,
    holder: next.holder,
    ...(to.code === undefined ? {} : { code: to.code }),
    ...(to.reasons === undefined ? {} : { reasons: to.reasons }),
    ...(to.noticeClass === undefined ? {} : { class: noticeClasses.indexOf(to.noticeClass) }),
    ...(to.revision === undefined ? {} : { revision: to.revision }),
    ...(to.attempts === undefined ? {} : { attempts: to.attempts }),
    ...(to.dueAt === undefined || gathered ? {} : { dueAt: to.dueAt }),
  };
};
