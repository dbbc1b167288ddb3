import type { LedgerStore, NoticeClass, NoticeKey, NoticeTaken } from '../../../fanout/ledger-store.ts';
import { noticeClasses } from '../../../fanout/ledger-store.ts';
import { rankOf } from '../../../fanout/push.ts';
import type { ChannelName } from '../../../subscriptions/follow.ts';
import { inChunks } from '../chunks.ts';
import { channelAt, codes, groupBy, noticeStates, openStates } from './rows.ts';
import type { LedgerTables, LedgerWrite } from './tables.ts';

const keysInOneWrite = 500;

type Wanted = NoticeKey & { class: NoticeClass };

const versionName = ({ item, version }: NoticeKey): string => `${item} ${version}`;

/** The verbs of notices: who may tell a person of an item version, and who has been told. */
export const ledgerNotices = (
  tables: LedgerTables,
): Pick<LedgerStore, 'takeNotices' | 'releaseNotices' | 'toldOf' | 'hasReached' | 'moveNotices'> => {
  const { db, sql, pushNo, knownItem } = tables;

  const takeOne = (tx: LedgerWrite, push: number, wanted: Wanted, at: number): NoticeTaken => {
    const item = tx.itemNo(wanted.item);
    const rank = noticeClasses.indexOf(wanted.class);
    const there = sql.notice.get(item, wanted.version, wanted.ordinal);
    if (!there) {
      sql.insertNotices.all(item, wanted.version, push, JSON.stringify([[wanted.ordinal, rank]]));
      return { outcome: 'own', over: null };
    }
    if (there.state === noticeStates.told) return { outcome: 'told' };
    if (there.owner === push) return { outcome: 'own', over: null };
    const by = String(sql.pushId.get(there.owner)?.id);
    if (there.state !== noticeStates.pending || Number(there.class) >= rank) return { outcome: 'held', by };
    sql.ownNotice.run(push, rank, item, wanted.version, wanted.ordinal);
    const ended = sql.endPerson.run(
      rankOf('withheld'),
      'taken-over',
      at,
      there.owner,
      wanted.ordinal,
      codes(openStates),
    );
    if (ended.changes > 0) tx.soil(Number(there.owner), wanted.ordinal);
    return { outcome: 'own', over: by };
  };

  /** Nearly all notices are new: those go in with one statement a version, and only the rest is looked at one by one. */
  const takeAll = (tx: LedgerWrite, push: number, wanted: Wanted[], at: number): NoticeTaken[] => {
    const fresh = new Set<string>();
    for (const group of groupBy(wanted, versionName)) {
      const { item, version } = group[0] as Wanted;
      const people = group.map((one) => [one.ordinal, noticeClasses.indexOf(one.class)]);
      for (const row of sql.insertNotices.all(tx.itemNo(item), version, push, JSON.stringify(people)))
        fresh.add(`${item} ${version} ${row.ordinal}`);
    }
    return wanted.map((one) =>
      fresh.has(`${versionName(one)} ${one.ordinal}`) ? { outcome: 'own', over: null } : takeOne(tx, push, one, at),
    );
  };

  return {
    takeNotices: async (lease, push, wanted, at) => {
      const parts = await inChunks(wanted, keysInOneWrite, (part) =>
        tables.writeUnder(lease, (tx) => takeAll(tx, pushNo(push), part, at)),
      );
      return parts.flat();
    },
    releaseNotices: async (push, keys) => {
      await inChunks(keys, keysInOneWrite, (part) =>
        tables.write(() => {
          for (const key of part) sql.releaseNotice.run(knownItem(key.item), key.version, key.ordinal, pushNo(push));
        }),
      );
    },
    toldOf: async (item, upTo) =>
      (await db.read(() => sql.toldOf.all(item, upTo))).map((row) => ({
        ordinal: Number(row.ordinal),
        channel: channelAt(row.channel) as ChannelName,
      })),
    hasReached: (item, upTo) => db.read(() => sql.reached.get(item, upTo) !== undefined),
    moveNotices: async (from, to) => {
      const begun = await db.read(() => sql.begunOf.all(from));
      const told = begun.filter((row) => row.state === noticeStates.told);
      await inChunks(told, keysInOneWrite, (part) =>
        tables.write(() => {
          for (const row of part) sql.tellToo.run(row.item, row.version, to, row.owner, row.class, row.channel);
        }),
      );
      return begun.length - told.length;
    },
  };
};
