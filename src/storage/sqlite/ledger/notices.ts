import type { LedgerStore, NoticeClass, NoticeKey, NoticeTaken } from '../../../fanout/ledger-store.ts';
import { noticeClasses } from '../../../fanout/ledger-store.ts';
import { rankOf } from '../../../fanout/push.ts';
import type { ChannelName } from '../../../subscriptions/follow.ts';
import { inChunks } from '../chunks.ts';
import { channelAt, codes, foundIn, groupBy, noticeStates, openStates } from './rows.ts';
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
      sql.insertNotices.run(item, wanted.version, push, JSON.stringify([[wanted.ordinal, rank]]));
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
    const known = new Map<string, Set<number>>();
    for (const group of groupBy(wanted, versionName)) {
      const first = group[0] as Wanted;
      const item = tx.itemNo(first.item);
      const people = JSON.stringify(group.map((one) => [one.ordinal, noticeClasses.indexOf(one.class)]));
      known.set(versionName(first), foundIn(sql.knownNotices.get(item, first.version, people)));
      sql.insertNotices.run(item, first.version, push, people);
    }
    return wanted.map((one) =>
      known.get(versionName(one))?.has(one.ordinal) ? takeOne(tx, push, one, at) : { outcome: 'own', over: null },
    );
  };

  return {
    takeNotices: async (lease, push, wanted, at) => {
      const parts = await inChunks(wanted, keysInOneWrite, (part) =>
        tables.prepareUnder(lease, (tx) => takeAll(tx, pushNo(push), part, at)),
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
