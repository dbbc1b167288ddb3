import {
  type Delivery,
  type DeliveryChange,
  type Departure,
  type Lease,
  LeaseLost,
  type LedgerStore,
  type Message,
  type NoticeClass,
  type NoticeKey,
  type NoticeTaken,
  noticeClasses,
  type Outcome,
} from '../../fanout/ledger-store.ts';
import { type DeliveryKey, type DeliveryState, deliveryStates, lanes, noCounts, rankOf } from '../../fanout/push.ts';
import { type ChannelName, channelNames } from '../../subscriptions/follow.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { Row, SqliteDatabase } from './database.ts';
import { ledgerStatements } from './ledger-statements.ts';

const channelCode = (channel: ChannelName | null): number => (channel === null ? 0 : channelNames.indexOf(channel) + 1);
const channelAt = (code: unknown): ChannelName | null => channelNames[Number(code) - 1] ?? null;
const noticeStates = { pending: 0, sending: 1, told: 2 } as const;
const openStates: DeliveryState[] = ['planned', 'deferred', 'digested'];
const codes = (states: readonly DeliveryState[]): string => JSON.stringify(states.map(rankOf));

const deliveryOf = (row: Row): Delivery => ({
  push: String(row.push_id),
  ordinal: Number(row.ordinal),
  channel: channelAt(row.channel),
  state: deliveryStates[Number(row.state)] as DeliveryState,
  code: row.code as string | null,
  reasons: JSON.parse(String(row.reasons)),
  noticeClass: noticeClasses[Number(row.class)] as NoticeClass,
  revision: Number(row.revision),
  attempts: Number(row.attempts),
  dueAt: row.due_at as number | null,
  at: Number(row.at),
  message: row.message as string | null,
  holder: row.holder as string | null,
});

const messageOf = (row: Row): Message => ({
  id: String(row.id),
  kind: row.kind as Message['kind'],
  push: row.push_id as string | null,
  ordinal: Number(row.ordinal),
  channel: channelAt(row.channel) as ChannelName,
  template: String(row.template),
  createdAt: Number(row.created_at),
  attempts: JSON.parse(String(row.attempts)),
});

/** The ledger over SQLite. Pushes and items are integers inside; every verb is one write transaction. */
export const sqliteLedgerStore = (db: SqliteDatabase): LedgerStore => {
  const sql = ledgerStatements(db);
  const pushNumbers = new Map<string, number>();
  const itemNumbers = new Map<string, number>();

  const pushNo = (id: string): number => {
    const known = pushNumbers.get(id) ?? Number(sql.pushNo.get(id)?.no ?? -1);
    if (known >= 0) pushNumbers.set(id, known);
    return known;
  };
  /** Inside a write transaction only: it may add the item. Not kept until the transaction is over, for it may roll back. */
  const itemNo = (id: string): number => {
    const known = itemNumbers.get(id);
    if (known !== undefined) return known;
    sql.putItem.run(id);
    return Number(sql.itemNo.get(id)?.no);
  };
  const keepItems = (ids: Iterable<string>): void => {
    for (const id of ids) {
      const row = itemNumbers.has(id) ? undefined : sql.itemNo.get(id);
      if (row) itemNumbers.set(id, Number(row.no));
    }
  };

  /** Throws unless the lease stands; answers whether it is a gathered batch, whose rows belong to other batches. */
  const guard = (lease: Lease): boolean => {
    const row = sql.lease.get(lease.batch, lease.token);
    if (!row) throw new LeaseLost(lease.batch);
    return row.kind === 'due';
  };
  const soil = (push: number, ordinals: number[]): void => {
    for (const ordinal of ordinals) sql.soil.run(push, ordinal, ordinal);
  };

  const insertRow = (row: Delivery): boolean =>
    sql.insertDelivery.run(
      pushNo(row.push),
      row.ordinal,
      channelCode(row.channel),
      rankOf(row.state),
      row.code,
      JSON.stringify(row.reasons),
      noticeClasses.indexOf(row.noticeClass),
      row.revision,
      row.attempts,
      row.dueAt,
      row.at,
      row.message,
      row.holder,
    ).changes > 0;

  const takeOne = (push: number, wanted: NoticeKey & { class: NoticeClass }, at: number): NoticeTaken => {
    const item = itemNo(wanted.item);
    const rank = noticeClasses.indexOf(wanted.class);
    const there = sql.notice.get(item, wanted.version, wanted.ordinal);
    if (!there) {
      sql.insertNotice.run(item, wanted.version, wanted.ordinal, push, rank, noticeStates.pending, null);
      return { outcome: 'own', over: null };
    }
    if (there.state === noticeStates.told) return { outcome: 'told' };
    if (there.owner === push) return { outcome: 'own', over: null };
    const by = String(sql.pushId.get(there.owner)?.id);
    if (there.state !== noticeStates.pending || Number(there.class) >= rank) return { outcome: 'held', by };
    sql.ownNotice.run(push, rank, item, wanted.version, wanted.ordinal);
    if (sql.endPerson.run(rankOf('withheld'), 'taken-over', at, there.owner, wanted.ordinal, codes(openStates)).changes)
      soil(Number(there.owner), [wanted.ordinal]);
    return { outcome: 'own', over: by };
  };

  const changeOne = (change: DeliveryChange, foreign: boolean): boolean => {
    const { key, to } = change;
    const push = pushNo(key.push);
    const row = sql.delivery.get(push, key.ordinal, channelCode(key.channel));
    if (!row || !change.from.includes(deliveryStates[Number(row.state)] as DeliveryState)) return false;
    const next = { ...deliveryOf({ ...row, push_id: key.push }), ...to };
    sql.dropDelivery.run(push, key.ordinal, channelCode(key.channel));
    if (!insertRow(next)) throw new Error('a delivery row for that channel is there already');
    if (foreign) soil(push, [key.ordinal]);
    return true;
  };

  const departOne = (lease: Lease, departure: Departure, at: number, foreign: boolean): boolean => {
    const { key, notice, message } = departure;
    const push = pushNo(key.push);
    const channel = channelCode(key.channel);
    const item = itemNo(notice.item);
    if (sql.sendNotice.run(item, notice.version, notice.ordinal, push).changes === 0) return false;
    const moved = sql.departRow.run(
      departure.revision,
      at,
      message,
      lease.batch,
      push,
      key.ordinal,
      channel,
      lease.batch,
    );
    if (moved.changes === 0) return false;
    sql.insertMessage.run(message, 'delivery', push, key.ordinal, channel, departure.template, at, '[]');
    if (foreign) soil(push, [key.ordinal]);
    return true;
  };

  const settleOne = (outcome: Outcome, foreign: boolean): void => {
    const { key, notice, message, attempt, to } = outcome;
    const push = pushNo(key.push);
    const channel = channelCode(key.channel);
    const done = sql.message.get(message);
    const attempts = done ? (JSON.parse(String(done.attempts)) as Outcome['attempt'][]) : [];
    if (!attempts.some((one) => one.at === attempt.at && one.provider === attempt.provider))
      sql.attempt.run(JSON.stringify([...attempts, attempt]), attempt.provider, attempt.reference, message);
    const moved = sql.settleRow.run(
      rankOf(to.state),
      to.code,
      to.dueAt,
      to.attempts,
      attempt.at,
      push,
      key.ordinal,
      channel,
    );
    const item = itemNo(notice.item);
    const told = to.state === 'sent' || to.state === 'delivered';
    if (told) sql.tell.run(channel, item, notice.version, notice.ordinal, push);
    if (moved.changes === 0) return;
    if (outcome.next) insertRow(outcome.next);
    if (!told && to.state === 'failed' && !outcome.next) sql.dropNotice.run(item, notice.version, notice.ordinal, push);
    else if (!told) sql.calmNotice.run(item, notice.version, notice.ordinal, push);
    if (foreign) soil(push, [key.ordinal]);
  };

  const endPeople = (no: number, push: string, rows: Row[], to: DeliveryState, code: string, at: number): number => {
    for (const row of rows) {
      sql.endPerson.run(rankOf(to), code, at, no, row.ordinal, codes(openStates));
      sql.dropPendingOf.run(no, row.ordinal, push);
      soil(no, [Number(row.ordinal)]);
    }
    return rows.length;
  };

  const keysOf = (keys: DeliveryKey[]): string =>
    JSON.stringify(keys.map((key) => [pushNo(key.push), key.ordinal, channelCode(key.channel)]));

  return {
    takeNotices: async (lease, push, wanted, at) => {
      const taken = await db.write(() => {
        guard(lease);
        const no = pushNo(push);
        return wanted.map((one) => takeOne(no, one, at));
      });
      keepItems(new Set(wanted.map((one) => one.item)));
      return taken;
    },
    releaseNotices: async (push, keys) => {
      await db.write(() => {
        for (const key of keys) sql.dropNotice.run(itemNo(key.item), key.version, key.ordinal, pushNo(push));
      });
    },
    toldOf: async (item, upTo) =>
      (await db.read(() => sql.toldOf.all(item, upTo))).map((row) => ({
        ordinal: Number(row.ordinal),
        channel: channelAt(row.channel) as ChannelName,
      })),
    moveNotices: async (from, to) => {
      await db.write(() => sql.moveNotices.run(to, from));
    },

    insertDeliveries: (lease, rows) =>
      db.write(() => {
        const foreign = guard(lease);
        for (const row of rows) if (insertRow(row) && foreign) soil(pushNo(row.push), [row.ordinal]);
      }),
    deliveriesOf: async (push, ordinals) =>
      (await db.read(() => sql.ofPeople.all(push, pushNo(push), JSON.stringify(ordinals)))).map(deliveryOf),
    deliveries: async (keys) => (await db.read(() => sql.byKeys.all(keysOf(keys)))).map(deliveryOf),
    changeDeliveries: (lease, changes) =>
      db.write(() => {
        const foreign = guard(lease);
        return changes.map((change) => changeOne(change, foreign));
      }),

    depart: async (lease, departures, at) => {
      const gone = await db.write(() => {
        const foreign = guard(lease);
        return departures.map((departure) => departOne(lease, departure, at, foreign));
      });
      keepItems(new Set(departures.map((departure) => departure.notice.item)));
      return gone;
    },
    settle: (lease, outcomes) =>
      db.write(() => {
        const foreign = guard(lease);
        for (const outcome of outcomes) settleOne(outcome, foreign);
      }),

    message: async (id) => {
      const row = await db.read(() => sql.message.get(id));
      return row ? messageOf(row) : null;
    },
    messages: async (ids) => (await db.read(() => sql.messages.all(JSON.stringify(ids)))).map(messageOf),
    receipt: (id, to, attempt) =>
      db.write(() => {
        const row = sql.message.get(id);
        if (!row) return false;
        const from: DeliveryState[] = to === 'delivered' ? ['sent'] : ['sent', 'delivered'];
        const at = [row.push, row.ordinal, row.channel] as const;
        if (sql.receive.run(rankOf(to), attempt.at, ...at, codes(from)).changes === 0) return false;
        sql.attempt.run(JSON.stringify([...messageOf(row).attempts, attempt]), row.provider, row.reference, id);
        soil(Number(row.push), [Number(row.ordinal)]);
        return true;
      }),
    messageByReference: async (provider, reference) => {
      const row = await db.read(() => sql.byReference.get(provider, reference));
      return row ? messageOf(row) : null;
    },

    count: async (push, ordinals) => {
      const counts = noCounts();
      const best = new Map<number, number>(ordinals.map((ordinal) => [ordinal, rankOf('planned')]));
      const first = ordinals[0] ?? 0;
      const last = ordinals.at(-1) ?? -1;
      const seen = new Set<number>();
      for (const row of await db.read(() => sql.statesIn.all(pushNo(push), first, last))) {
        const ordinal = Number(row.ordinal);
        const rank = Number(row.state);
        if (!best.has(ordinal)) continue;
        if (!seen.has(ordinal) || rank > (best.get(ordinal) ?? 0)) best.set(ordinal, rank);
        seen.add(ordinal);
      }
      for (const rank of best.values()) counts[deliveryStates[rank] as DeliveryState] += 1;
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

    gatherDue: (id, now, limit) =>
      db.write(() => {
        const due = sql.due.all(now, limit);
        const lane = Math.min(...due.map((row) => Number(row.lane)));
        const rows = due.filter((row) => row.lane === lane);
        if (rows.length === 0) return null;
        const keys = rows.map((row) => ({
          push: String(row.push_id),
          ordinal: Number(row.ordinal),
          channel: channelAt(row.channel),
        }));
        sql.insertGathered.run(
          id,
          lane,
          new Uint8Array(),
          rows.length,
          JSON.stringify(keys),
          JSON.stringify(noCounts()),
        );
        sql.gathered.run(JSON.stringify(rows.map((row) => [row.push, row.ordinal, row.channel])));
        return { lane: lanes[lane] ?? 'bulk', rows: rows.length };
      }),
    endOpen: async (push, to, code, at) => {
      const no = pushNo(push);
      let ended = 0;
      for (let after = -1; ; ) {
        const rows = await db.read(() => sql.stretch.all(no, after, 5_000));
        const open = rows.filter((row) => openStates.includes(deliveryStates[Number(row.state)] as DeliveryState));
        for (let at0 = 0; at0 < open.length; at0 += 200)
          ended += await db.write(() => endPeople(no, push, open.slice(at0, at0 + 200), to, code, at));
        const last = rows.at(-1);
        if (rows.length < 5_000 || !last) return ended;
        after = Number(last.ordinal);
      }
    },
    redrive: ({ push, messages }, at) =>
      db.write(() => {
        const failed = push ? sql.failedOf.all(pushNo(push)) : sql.failedMessages.all(JSON.stringify(messages ?? []));
        for (const row of failed) {
          sql.redrive.run(at, at, row.push, row.ordinal, row.channel);
          soil(Number(row.push), [Number(row.ordinal)]);
        }
        return failed.length;
      }),
  };
};
