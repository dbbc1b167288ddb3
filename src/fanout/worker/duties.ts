import type { Edges } from '../../edges.ts';
import { newId } from '../../edges.ts';
import type { Log } from '../../log.ts';
import type { Storage } from '../../storage/storage.ts';
import type { TellEvents } from '../../webhooks/webhook.ts';
import { capDates } from '../local-time.ts';
import { addCounts, type Batch, batchSize, noCounts, type Push } from '../push.ts';
import { endEvent, failureEvents } from '../told-events.ts';
import type { Planner } from './planner.ts';

/** Rows of one gathered batch at most. */
const gatherAtOnce = 1000;
const gathersATick = 20;
/** Reports count a batch so long after it changed, because more of it may change. */
const reportedMs = 3_000;
const unfinishedAtOnce = 1000;
const weekMs = 7 * 86_400_000;

const isUrgent = ({ state, lane }: Push): boolean => state === 'planning' && lane === 'emergency';

export type DutyStores = Pick<Storage, 'pushes' | 'ledger' | 'reports'>;
export type DutyTools = {
  planner: Planner;
  edges: Edges;
  log: Log;
  /** Writes the pushes of versions that were published but not announced (a process died between). */
  announceLost: () => Promise<number>;
  tell: TellEvents;
};

/**
 * What one process of the cluster does for all, again and again: plan what is published, gather what is due, recount what
 * changed, end what is done. Every duty re-finds its work in the store, so that nothing is lost with a process.
 */
export const makeDuties = (stores: DutyStores, tools: DutyTools) => {
  const { planner, edges, log } = tools;

  const guarded = async (what: string, push: string | null, duty: () => Promise<number>): Promise<number> => {
    try {
      return await duty();
    } catch (error) {
      log.error({ error, push, what }, 'a duty failed; it is tried again');
      return 0;
    }
  };

  /** Each try has a token of its own: sources that a failed one has written are not mixed with those of the next. */
  const plan = async (push: Push): Promise<number> => {
    const done = await planner.plan(push, newId(edges));
    if (!done) return 0;
    if (push.lane === 'emergency') owed.set(push.id, push);
    await endOlder(push);
    return 1;
  };

  /** What emergencies wait for goes before everything else, and twice at once it is not done. */
  let planningUrgent: Promise<number> | null = null;
  const owed = new Map<string, Push>();
  const planUrgent = async (): Promise<number> => {
    let done = 0;
    for (const push of await stores.pushes.unfinished(unfinishedAtOnce))
      if (isUrgent(push)) done += await guarded('plan', push.id, () => plan(push));
    return done;
  };
  const urgent = (): Promise<number> => {
    planningUrgent ??= planUrgent().finally(() => {
      planningUrgent = null;
    });
    return planningUrgent;
  };

  const older = async (push: Push): Promise<Push[]> =>
    (await stores.pushes.ofItem(push.item)).filter((one) => one.version < push.version);

  const endOlder = async (push: Push): Promise<void> => {
    for (const old of await older(push)) await stores.ledger.endOpen(old.id, 'withheld', 'superseded', edges.now());
  };

  const gather = async (): Promise<number> => {
    for (let count = 0; count < gathersATick; count += 1)
      if (!(await stores.ledger.gatherDue(`due:${newId(edges)}`, edges.now(), gatherAtOnce))) return count;
    return gathersATick;
  };

  const gatherDigests = async (): Promise<number> => {
    for (let count = 0; count < gathersATick; count += 1)
      if (!(await stores.ledger.gatherDigests(`due:${newId(edges)}`, edges.now(), gatherAtOnce))) return count;
    return gathersATick;
  };

  let forgotten = '';
  /** Places under the cap count for their week; a week's grace covers every time zone. */
  const forgetSlots = async (): Promise<number> => {
    const { week } = capDates('UTC', edges.now() - 2 * weekMs);
    if (week !== forgotten) await stores.ledger.forgetSlots(week);
    forgotten = week;
    return 0;
  };

  const recount = async (): Promise<number> => {
    const dirty = await stores.pushes.dirty(100);
    if (dirty.length > 0)
      await stores.reports.soil(
        dirty.map(({ batch }) => batch.id),
        edges.now() + reportedMs,
      );
    for (const { batch, mark } of dirty) if (batch.push) await recountOne(batch.push, batch, mark);
    return dirty.length;
  };

  const recountOne = async (push: string, batch: Batch, mark: number): Promise<void> => {
    const counts = await stores.ledger.count(push, batch.ordinals);
    // a row that fails soils its batch: told before the batch is clean again, no failure stays untold
    if (counts.failed + counts.bounced > 0) await tellFailures(push, batch.ordinals);
    await stores.pushes.setCounts(batch.id, counts, mark);
  };

  const tellFailures = async (id: string, ordinals: number[]): Promise<void> => {
    const push = await stores.pushes.get(id);
    if (push) await tools.tell(failureEvents(push, await stores.ledger.deliveriesOf(id, ordinals)));
  };

  const tellEnds = async (): Promise<number> => {
    const ended = await stores.pushes.endUntold(100);
    for (const push of ended) {
      const counts = (await stores.pushes.batchesOf(push.id))
        .map((batch) => batch.counts)
        .reduce(addCounts, noCounts());
      await tools.tell([endEvent(push, counts)]);
      await stores.pushes.endTold(push.id, push.finishedAt ?? 0);
    }
    return ended.length;
  };

  /** Ends a push when all its batches are closed and recounted and nobody is planned or sending. */
  const finish = async (push: Push): Promise<number> => {
    if (push.state === 'cancelled' && push.plan === null) return end(push);
    const batches = await stores.pushes.batchesOf(push.id);
    const planned = batches.filter((batch) => batch.kind === 'plan').length;
    if (planned < Math.ceil(push.matched / batchSize)) return plan(push);
    if (batches.some((batch) => batch.open || batch.dirty)) return 0;
    const counts = batches.map((batch) => batch.counts).reduce(addCounts, noCounts());
    if (counts.planned + counts.sending > 0) return 0;
    if (push.state === 'cancelled' && counts.deferred + counts.digested > 0)
      return stores.ledger.endOpen(push.id, 'cancelled', 'cancelled', edges.now());
    if (push.state === 'running' && push.version > 1 && !(await olderAreOver(push))) return 0;
    if (push.state === 'running' && (await planner.planLate(push)) > 0) return 1;
    return end(push);
  };

  /** Whether nothing of an older version can be sent any more, so that everybody told of one is known. */
  const olderAreOver = async (push: Push): Promise<boolean> => {
    for (const old of await older(push)) {
      // a paused push of an old version has nothing to wait for: it goes on, but only to be settled as superseded
      if (old.state === 'paused')
        await stores.pushes.setState(old.id, ['paused'], old.plan === null ? 'planning' : 'running');
      if (old.finishedAt === null) return false;
      const batches = await stores.pushes.batchesOf(old.id);
      const counts = batches.map((batch) => batch.counts).reduce(addCounts, noCounts());
      if (batches.some((batch) => batch.dirty) || counts.sending > 0) return false;
      if (counts.planned + counts.deferred + counts.digested > 0)
        await stores.ledger.endOpen(old.id, 'withheld', 'superseded', edges.now());
    }
    return true;
  };

  const end = async (push: Push): Promise<number> => {
    await stores.pushes.finish(push.id, push.state, edges.now());
    return 1;
  };

  /** As soon as the index has caught up, not first when all others are told; what fails here is done when the push ends. */
  const joinOwed = async (): Promise<number> => {
    let joined = 0;
    for (const [id, push] of owed) {
      owed.delete(id);
      joined += await guarded('join', id, () => planner.joinLate(push));
    }
    return joined;
  };

  return {
    /** Plans emergencies at once; for a loop of its own, because a round of all duties may wait for the index. */
    urgent,
    /** One round of all duties; answers how much was done, 0 when there was nothing. */
    tick: async (): Promise<number> => {
      planner.prepare();
      let done = await guarded('announce', null, tools.announceLost);
      done += await urgent();
      done += await joinOwed();
      for (const push of await stores.pushes.unfinished(unfinishedAtOnce)) {
        if (isUrgent(push)) continue;
        if (push.state === 'planning') done += await guarded('plan', push.id, () => plan(push));
        else if (push.state !== 'paused') done += await guarded('finish', push.id, () => finish(push));
      }
      done += await guarded('tell', null, tellEnds);
      done += await guarded('gather', null, gather);
      done += await guarded('gather digests', null, gatherDigests);
      done += await guarded('forget places', null, forgetSlots);
      done += await guarded('recount', null, recount);
      return done;
    },
  };
};

export type Duties = ReturnType<typeof makeDuties>;
