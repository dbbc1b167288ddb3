import {
  type LedgerStore,
  type NoticeClass,
  type NoticeKey,
  type NoticeTaken,
  noticeClasses,
} from '../../../fanout/ledger-store.ts';
import { rankOf } from '../../../fanout/push.ts';
import type { ChannelName } from '../../../subscriptions/follow.ts';
import { bulk, insertMissing, slices } from '../writes.ts';
import { type NoticeDocument, noticeId, noticeStates, openStates, ranks } from './documents.ts';
import { earlyReceipts } from './messages.ts';
import { calmStranded } from './stranded.ts';
import type { LedgerTables } from './tables.ts';

const keysInOneWrite = 1_000;
const own: NoticeTaken = { outcome: 'own', over: null };

type Wanted = NoticeKey & { class: NoticeClass };

/**
 * The verbs of notices. The `_id` is (version, person, item), so that one push at most gets in; everything else is a guarded
 * write of one document. A push that takes a notice over is written into it with the loser, the loser's rows are withheld
 * then, and the loser's name is struck out last: whoever takes the notice again after a crash between finishes it.
 */
export const ledgerNotices = (
  tables: LedgerTables,
): Pick<LedgerStore, 'takeNotices' | 'releaseNotices' | 'toldOf' | 'hasReached' | 'moveNotices'> => {
  const { notices, deliveries } = tables;

  const withholdLoser = async (notice: NoticeDocument, at: number): Promise<void> => {
    const push = notice.over;
    if (push === null) return;
    const { ordinal } = notice;
    await tables.soiling([{ push, ordinal }], () =>
      deliveries.updateMany(
        { push, ordinal, state: { $in: ranks(openStates) } },
        { $set: { state: rankOf('withheld'), code: 'taken-over', dueAt: null, holder: null, at } },
      ),
    );
    await notices.updateOne({ _id: notice._id, over: push }, { $set: { over: null } });
  };

  const takeOver = async (push: string, there: NoticeDocument, rank: number, at: number): Promise<boolean> => {
    const over = there.owner;
    // whoever lost it to the present owner, if a crash left that unfinished: the name is about to be overwritten
    await withholdLoser(there, at);
    const taken = await notices.updateOne(
      { _id: there._id, owner: over, state: noticeStates.pending },
      { $set: { owner: push, class: rank, over } },
    );
    if (taken.matchedCount === 0) return false;
    await withholdLoser({ ...there, over }, at);
    return true;
  };

  /** What a notice that was there already comes to for `push`. */
  const takeOne = async (push: string, wanted: Wanted, found: NoticeDocument, at: number): Promise<NoticeTaken> => {
    const rank = noticeClasses.indexOf(wanted.class);
    let there: NoticeDocument | null = found;
    while (there) {
      if (there.state === noticeStates.told) return { outcome: 'told' };
      if (there.owner === push) {
        await withholdLoser(there, at);
        return own;
      }
      if (there.state !== noticeStates.pending || there.class >= rank) return { outcome: 'held', by: there.owner };
      if (await takeOver(push, there, rank, at)) return { outcome: 'own', over: there.owner };
      there = await notices.findOne({ _id: there._id });
    }
    // released meanwhile: it is free again
    const [taken] = await take(push, [wanted], at);
    return taken ?? own;
  };

  /**
   * An outcome tells its notice first and moves its row then (sending.ts). If the process died between, the row still says
   * `sending`, and whoever asks for the notice again finds that it is told by that very row.
   */
  const finishTold = async (push: string, told: NoticeDocument[]): Promise<void> => {
    const rows = told.flatMap((notice) => (notice.owner === push && notice.row !== null ? [notice.row] : []));
    if (rows.length === 0) return;
    const left = await deliveries.find({ _id: { $in: rows }, state: rankOf('sending') }).toArray();
    await deliveries.updateMany(
      { _id: { $in: left.map((row) => row._id) }, state: rankOf('sending') },
      { $set: { state: rankOf('sent'), code: null, dueAt: null, holder: null }, $inc: { attempts: 1 } },
    );
    await earlyReceipts(tables).settled(left.map((row) => ({ row: row._id, message: row.message ?? '' })));
  };

  const take = async (push: string, wanted: Wanted[], at: number): Promise<NoticeTaken[]> => {
    await insertMissing(
      notices,
      wanted.map((one) => pendingNotice(push, one)),
    );
    const ids = wanted.map(noticeId);
    const found = new Map((await notices.find({ _id: { $in: ids } }).toArray()).map((one) => [one._id, one]));
    await finishTold(
      push,
      [...found.values()].filter((one) => one.state === noticeStates.told),
    );
    const taken: NoticeTaken[] = [];
    for (const [index, one] of wanted.entries()) {
      const there = found.get(ids[index] ?? '');
      if (there) taken.push(await takeOne(push, one, there, at));
      else taken.push(...(await take(push, [one], at)));
    }
    return taken;
  };

  return {
    takeNotices: async (lease, push, wanted, at) => {
      const taken: NoticeTaken[] = [];
      for (const part of slices(wanted, keysInOneWrite)) {
        await tables.guard(lease);
        taken.push(...(await take(push, part, at)));
      }
      return taken;
    },
    releaseNotices: async (push, keys) => {
      for (const part of slices(keys, keysInOneWrite)) {
        await calmStranded(tables, push, part);
        await notices.deleteMany({ _id: { $in: part.map(noticeId) }, owner: push, state: noticeStates.pending });
      }
    },
    toldOf: async (item, upTo) => {
      const first = new Map<number, { version: number; channel: ChannelName }>();
      const told = notices.find({ item, version: { $lte: upTo }, state: noticeStates.told });
      for await (const { ordinal, version, channel } of told) {
        const before = first.get(ordinal);
        if (channel !== null && (before === undefined || version < before.version))
          first.set(ordinal, { version, channel });
      }
      return [...first].sort(([a], [b]) => a - b).map(([ordinal, { channel }]) => ({ ordinal, channel }));
    },
    hasReached: async (item, upTo) => {
      const begun = { item, version: { $lte: upTo }, state: { $gt: noticeStates.pending } };
      return (await notices.findOne(begun, { projection: { _id: 1 } })) !== null;
    },
    moveNotices: async (from, to) => {
      const begun = await notices.find({ ordinal: from, state: { $gt: noticeStates.pending } }).toArray();
      const told = begun.filter((notice) => notice.state === noticeStates.told);
      const heirs = told.map((notice) => ({
        ...notice,
        ordinal: to,
        _id: noticeId({ ...notice, ordinal: to }),
        row: null,
        over: null,
      }));
      await insertMissing(notices, heirs);
      await bulk(
        notices,
        heirs.map(({ _id, channel }) => ({
          updateOne: {
            filter: { _id, state: { $lt: noticeStates.told } },
            update: { $set: { state: noticeStates.told, channel } },
          },
        })),
      );
      return begun.length - told.length;
    },
  };
};

const pendingNotice = (owner: string, wanted: Wanted): NoticeDocument => ({
  _id: noticeId(wanted),
  item: wanted.item,
  version: wanted.version,
  ordinal: wanted.ordinal,
  owner,
  class: noticeClasses.indexOf(wanted.class),
  state: noticeStates.pending,
  channel: null,
  row: null,
  over: null,
});
