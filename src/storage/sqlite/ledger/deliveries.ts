import { decodeCursor, encodeCursor } from '../../../cursor.ts';
import type { DeliveryChange, LedgerStore } from '../../../fanout/ledger-store.ts';
import { type DeliveryKey, noCounts, rankOf } from '../../../fanout/push.ts';
import { inChunks } from '../chunks.ts';
import { channelCode, deliveryOf, groupBy, stateAt } from './rows.ts';
import type { LedgerTables, LedgerWrite } from './tables.ts';

const rowsInOneWrite = 500;

/** The verbs of ledger rows: writing, changing, counting and reading them. */
export const ledgerDeliveries = (
  tables: LedgerTables,
): Pick<
  LedgerStore,
  'insertDeliveries' | 'deliveriesOf' | 'deliveries' | 'changeDeliveries' | 'count' | 'page' | 'ofPerson'
> => {
  const { db, sql, pushNo, insertRows } = tables;

  const changeOne = (tx: LedgerWrite, change: DeliveryChange, foreign: boolean): boolean => {
    const { key, to } = change;
    const push = pushNo(key.push);
    const row = sql.delivery.get(push, key.ordinal, channelCode(key.channel));
    if (!row || !change.from.includes(stateAt(row.state))) return false;
    const next = { ...deliveryOf({ ...row, push_id: key.push }), ...to };
    const gathered = (next.state === 'deferred' || next.state === 'digested') && next.dueAt === null;
    const held = next.state === 'sending' || gathered;
    sql.dropDelivery.run(push, key.ordinal, channelCode(key.channel));
    if (insertRows(key.push, [{ ...next, holder: held ? next.holder : null }]) === 0)
      throw new Error('a delivery row for that channel is there already');
    if (foreign) tx.soil(push, key.ordinal);
    return true;
  };

  const keysOf = (keys: DeliveryKey[]): string =>
    JSON.stringify(keys.map((key) => [pushNo(key.push), key.ordinal, channelCode(key.channel)]));

  return {
    insertDeliveries: async (lease, rows) => {
      await inChunks(rows, rowsInOneWrite, (part) =>
        tables.prepareUnder(lease, (tx, foreign) => {
          for (const group of groupBy(part, (row) => row.push)) {
            const push = group[0]?.push ?? '';
            insertRows(push, group);
            if (foreign) for (const { ordinal } of group) tx.soil(pushNo(push), ordinal);
          }
        }),
      );
    },
    deliveriesOf: async (push, ordinals) =>
      (await db.read(() => sql.ofPeople(pushNo(push), JSON.stringify(ordinals)))).map((row) =>
        deliveryOf({ ...row, push_id: push }),
      ),
    deliveries: async (keys) => (await db.read(() => sql.byKeys.all(keysOf(keys)))).map(deliveryOf),
    changeDeliveries: async (lease, changes) => {
      const parts = await inChunks(changes, rowsInOneWrite, (part) =>
        tables.prepareUnder(lease, (tx, foreign) => part.map((change) => changeOne(tx, change, foreign))),
      );
      return parts.flat();
    },

    count: async (push, ordinals) => {
      const counts = noCounts();
      counts.planned = new Set(ordinals).size;
      for (const row of await db.read(() => sql.bestStates.all(pushNo(push), JSON.stringify(ordinals)))) {
        counts.planned -= Number(row.people);
        counts[stateAt(row.best)] += Number(row.people);
      }
      return counts;
    },
    page: async (push, state, { cursor, limit }) => {
      const [ordinal, channel] = decodeCursor(cursor, [-1, 0]);
      const rows = await db.read(() =>
        sql.page.all(push, pushNo(push), ordinal, channel, state === null ? null : rankOf(state), limit + 1),
      );
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      const next = last ? encodeCursor([Number(last.ordinal), Number(last.channel)]) : null;
      return { rows: rows.slice(0, limit).map(deliveryOf), next };
    },
    ofPerson: async (ordinal, limit) => (await db.read(() => sql.ofPerson.all(ordinal, limit))).map(deliveryOf),
  };
};
