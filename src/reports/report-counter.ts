import { setImmediate } from 'node:timers/promises';
import { DateTime } from 'luxon';
import { isDay } from '../calendar/working-day.ts';
import type { Edges } from '../edges.ts';
import type { Delivery } from '../fanout/ledger-store.ts';
import type { Storage } from '../storage/storage.ts';
import { addCells, type Cells, dimensions } from './counters.ts';
import { foldBatch, liftWindowMs, type Member } from './fold-batch.ts';
import { grouped, makeFollower } from './follow-feedback.ts';
import { dayIn, type KnownPush, readPush } from './push-facts.ts';
import type { DueBatch, PersonGroup, Views } from './report-store.ts';

export type ReportCounter = {
  /**
   * Follows what came back, counts what is due, sums up the days that changed. While a push is being sent it does little at a
   * time: sending goes first. Answers how many batches it counted.
   */
  run(signal: AbortSignal): Promise<number>;
  /** Counts everything anew from the ledger: the counts of pushes too. Answers how many batches. */
  rebuild(signal: AbortSignal): Promise<number>;
};

type Stores = Pick<Storage, 'reports' | 'pushes' | 'ledger' | 'folds' | 'feedback' | 'items' | 'rules'>;
type Tools = { edges: Pick<Edges, 'now' | 'monotonic'>; timeZone: string };

const pageSize = 1_000;
const batchesAtOnce = 20;
/** While something is being sent: so many batches a run, and the sums of days once in so long. */
const batchesBeside = 5;
const sumsBesideMs = 60_000;
const partsAtOnce = 50;
/** Counting the opens of a day reads all of them. */
const opensEveryMs = 60_000;
const toldStates = ['sent', 'delivered', 'bounced'];

/** Keeps the counters of reports: the only writer of the read models. */
export const makeReportCounter = (stores: Stores, { edges, timeZone }: Tools): ReportCounter => {
  const { reports, pushes, ledger } = stores;
  const follow = makeFollower(stores);
  let summedAt = Number.NEGATIVE_INFINITY;
  let opensAt = Number.NEGATIVE_INFINITY;

  /** What came back of these people. A merge moved some of it to an heir, who may belong to another batch. */
  const feedbackOf = async ({ push, ordinals }: DueBatch, rows: Delivery[], groups: Map<number, PersonGroup>) => {
    const [first, last] = [ordinals[0] ?? 0, ordinals.at(-1) ?? -1];
    const found = await stores.feedback.ofPush(push, first, last);
    for (const { ordinal, message } of rows) {
      const heir = groups.get(ordinal)?.heir ?? ordinal;
      if (message === null || (heir >= first && heir <= last)) continue;
      const own = await stores.feedback.ofMessage(message);
      found.push(...own.filter((one) => one.push === push && one.machine === null && one.ordinal === heir));
    }
    return grouped(found, ({ message }) => message);
  };

  /** What people viewed whom rules alone matched, where a holdout is measured; not of those whom another push told. */
  const viewsOf = async (
    known: KnownPush,
    { ordinals }: DueBatch,
    rows: Delivery[],
    groups: Map<number, PersonGroup>,
  ) => {
    const { drawnAt, sources } = known.facts;
    if (!sources.some(({ holdout }) => holdout > 0)) return new Map<number, Views>();
    const told = new Set<number>();
    for (const other of known.others)
      for (const row of await ledger.deliveriesOf(other, ordinals))
        if (toldStates.includes(row.state)) told.add(row.ordinal);
    const wanted = rows.filter(({ noticeClass, ordinal }) => noticeClass === 'suggestion' && !told.has(ordinal));
    const heirs = new Set(wanted.map(({ ordinal }) => groups.get(ordinal)?.heir ?? ordinal));
    const views = await reports.views([...heirs], drawnAt, drawnAt + liftWindowMs);
    const byHeir = new Map(views.map((one) => [one.ordinal, one]));
    return new Map(
      wanted.flatMap(({ ordinal }) => {
        const own = byHeir.get(groups.get(ordinal)?.heir ?? ordinal);
        return own ? [[ordinal, own] as const] : [];
      }),
    );
  };

  const countOne = async (due: DueBatch, known: KnownPush, now: number): Promise<void> => {
    const rows = await ledger.deliveriesOf(due.push, due.ordinals);
    const groups = new Map((await reports.people(due.ordinals)).map((one) => [one.ordinal, one]));
    const feedback = await feedbackOf(due, rows, groups);
    const views = await viewsOf(known, due, rows, groups);
    const rowsOf = grouped(rows, ({ ordinal }) => String(ordinal));
    const members = due.ordinals.map((ordinal): Member => {
      const own = rowsOf.get(String(ordinal)) ?? [];
      const messages = new Set(own.flatMap(({ message }) => message ?? []));
      return {
        rows: own,
        feedback: [...messages].flatMap((message) => feedback.get(message) ?? []),
        group: groups.get(ordinal) ?? null,
        views: views.get(ordinal) ?? null,
      };
    });
    const { cells, again } = foldBatch(members, { ...known.facts, now });
    await reports.setPart({ batch: due.batch, day: known.day, cells }, due.mark, again);
  };

  /** Counts what is due, `most` batches at most; answers how many, and whether some are left. */
  const countDue = async (most: number, signal: AbortSignal): Promise<{ counted: number; left: boolean }> => {
    const now = edges.now();
    const known = new Map<string, KnownPush | null>();
    let counted = 0;
    while (counted < most) {
      const due = await reports.due(now, Math.min(batchesAtOnce, most - counted));
      for (const batch of due) {
        if (signal.aborted) return { counted, left: true };
        const push = known.get(batch.push) ?? (await readPush(stores, batch.push, timeZone));
        known.set(batch.push, push);
        if (await stores.folds.isFolded(batch.push)) await reports.leave(batch.batch, batch.mark);
        else if (push) await countOne(batch, push, now);
        else await reports.setPart({ batch: batch.batch, day: dayIn(timeZone, now), cells: {} }, batch.mark, null);
        counted += 1;
        await setImmediate();
      }
      if (due.length === 0) return { counted, left: false };
    }
    return { counted, left: true };
  };

  const sumDay = async (day: string, mark: number): Promise<void> => {
    const cells: Cells = {};
    for (let last: string | null = null, more = true; more; ) {
      const parts = await reports.partsOf(day, last, partsAtOnce);
      for (const part of parts) addCells(cells, part.cells);
      last = parts.at(-1)?.batch ?? null;
      more = parts.length === partsAtOnce;
      await setImmediate();
    }
    await reports.setSums(day, cells, mark);
  };

  /** A month is read of its days, which are summed up by then. */
  const sumMonth = async (month: string, mark: number): Promise<void> => {
    const cells: Cells = {};
    for (const dimension of dimensions) {
      for (const day of await reports.sums(dimension, `${month}-01`, `${month}-31`))
        addCells(cells, { [dimension]: day.cells });
      await setImmediate();
    }
    await reports.setSums(month, cells, mark);
  };

  /** Opens of today and of the day before, which may have ended since the last run. */
  const countOpens = async (now: number): Promise<void> => {
    if (edges.monotonic() < opensAt + opensEveryMs) return;
    opensAt = edges.monotonic();
    const today = DateTime.fromMillis(now, { zone: timeZone }).startOf('day');
    for (const start of [today.minus({ days: 1 }), today]) {
      const opens = await stores.feedback.opens(start.toMillis(), start.plus({ days: 1 }).toMillis());
      if (opens > 0) await reports.setOpens(start.toFormat('yyyy-MM-dd'), opens);
    }
  };

  /** Answers whether any sum was set. */
  const sumDays = async (signal: AbortSignal): Promise<boolean> => {
    let changed = false;
    for (let spans = await reports.staleSpans(1); spans.length > 0; spans = await reports.staleSpans(1)) {
      for (const { span, mark } of spans) {
        if (signal.aborted) return changed;
        changed = true;
        if (isDay(span)) await sumDay(span, mark);
        else await sumMonth(span, mark);
      }
    }
    await countOpens(edges.now());
    summedAt = edges.monotonic();
    return changed;
  };

  const recount = async (): Promise<void> => {
    for (let dirty = await pushes.dirty(100); dirty.length > 0; dirty = await pushes.dirty(100))
      for (const { batch, mark } of dirty)
        await pushes.setCounts(batch.id, await ledger.count(batch.push ?? '', batch.ordinals), mark);
  };

  /** Another revision than any before, also one that is made elsewhere meanwhile. */
  const after = (revision: number): number => Math.max(revision + 1, edges.now());

  return {
    run: async (signal) => {
      const startedAt = edges.now();
      const { followedTo, countedAt, revision } = await reports.progress();
      await follow(followedTo, startedAt);
      const isSending = (await pushes.unfinished(pageSize)).some(({ state }) => state === 'running');
      const { counted, left } = await countDue(isSending ? batchesBeside : Number.POSITIVE_INFINITY, signal);
      const sums = !isSending || edges.monotonic() > summedAt + sumsBesideMs;
      const changed = sums && (await sumDays(signal));
      await reports.setProgress({
        followedTo: startedAt,
        countedAt: left || !sums ? countedAt : startedAt,
        revision: changed ? after(revision) : revision,
      });
      return counted;
    },
    rebuild: async (signal) => {
      for (let cursor: string | null = null, more = true; more; ) {
        const page = await pushes.list({ cursor, limit: pageSize });
        for (const { id } of page.rows) {
          // what is folded stands as it was counted last
          if (await stores.folds.isFolded(id)) continue;
          await pushes.soil(id);
          const batches = await pushes.batchesOf(id);
          await reports.soil(
            batches.map((batch) => batch.id),
            edges.now(),
          );
        }
        cursor = page.next;
        more = page.next !== null;
      }
      await recount();
      const { counted } = await countDue(Number.POSITIVE_INFINITY, signal);
      await sumDays(signal);
      const progress = await reports.progress();
      await reports.setProgress({ ...progress, revision: after(progress.revision) });
      return counted;
    },
  };
};
