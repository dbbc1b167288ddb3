import type { PersonLeaf } from '../rules/condition.ts';
import type { Batch, Counts, Lane, Push, PushState } from './push.ts';

/** Who a lease belongs to: its token, and a beat that each renewal raises by one (design D2). */
export type LeaseView = { id: string; token: string; beat: number };
/** A lease on a batch, and the batch's lane. */
export type BatchLease = LeaseView & { lane: Lane };

/** A planned or late batch as it stands. */
export type BatchView = {
  id: string;
  kind: 'plan' | 'late';
  open: boolean;
  dirty: boolean;
  people: number;
  counts: Counts;
};

/** A batch with the beat its lease starts at. */
export type Claim = { batch: Batch; beat: number };

/** One leaf of a condition over the person, with those of its source of whom it holds: what a reason was decided by. */
type SourceFact = { leaf: PersonLeaf; ordinals: Uint8Array };

/**
 * The arms by which a tuned rule is settled: those published for `day`. `cuts`: for each threshold that may be drawn whom the rule
 * selects with it (ascending, each within the one before); none where the threshold does not move.
 */
type PlannedArms = { day: string; cuts: { threshold: number; ordinals: Uint8Array }[] };

/**
 * One frozen source of a push: its label in reasons, the follow it came from (null: rules, conditions, named people, those
 * told), its people, and the facts by which a rule or a condition selected them; of a tuned rule its arms.
 */
export type PushSource = {
  source: string;
  follow: string | null;
  facts: SourceFact[];
  ordinals: Uint8Array;
  arms?: PlannedArms;
};

/** Pushes, their frozen plans, and the batches that workers claim. */
export type PushStore = {
  /** Stores the push unless its id is there; answers the stored one. */
  insert(push: Push): Promise<Push>;
  get(id: string): Promise<Push | null>;
  /** Newest first, by opaque cursor. */
  list(page: { cursor: string | null; limit: number }): Promise<{ rows: Push[]; next: string | null }>;
  /** The pushes of one item, oldest first. */
  ofItem(item: string): Promise<Push[]>;
  /**
   * Pushes that are not finished, most urgent lane and oldest first: planning, running, paused, or cancelled with people left to
   * settle. However many wait, the limit cuts off no emergency for them.
   */
  unfinished(limit: number): Promise<Push[]>;
  /** Moves the push to a state that is not its end, if it is in one of `from`; answers whether it was. A finished one is unfinished again. */
  setState(id: string, from: PushState[], to: PushState): Promise<boolean>;
  /**
   * Ends a push that is still in the state it was judged in: running -> done, cancelled stays; anything else is left alone.
   * Repeating it changes nothing.
   */
  finish(id: string, from: PushState, at: number): Promise<void>;
  /** Finished pushes whose end has not been told yet (`endTold`), oldest first. */
  endUntold(limit: number): Promise<Push[]>;
  /** The end at this moment has been told; of a push that has ended again since, nothing changes. */
  endTold(id: string, finishedAt: number): Promise<void>;

  /** Writes the sources under a plan token; repeating it changes nothing. */
  writeSources(push: string, plan: string, sources: PushSource[]): Promise<void>;
  /** Freezes the plan: sets it if unset; answers the token that stands. Throws `not-found` for an unknown push. */
  freeze(push: string, plan: string, facts: Pick<Push, 'lane' | 'matched' | 'bySource' | 'plannedAt'>): Promise<string>;
  /**
   * Adds sources to a frozen plan, for people who joined late, at positions from `from` on; what is there already stays. The
   * push's `bySource` is replaced. Nothing happens while the plan is not frozen.
   */
  addSources(push: string, from: number, sources: PushSource[], bySource: Push['bySource']): Promise<void>;
  /** The sources of the frozen plan in their order, then those added; empty if it is not frozen. */
  sources(push: string): Promise<PushSource[]>;
  /** Inserts batches whose id is free; others are left as they are. */
  insertBatches(batches: Batch[]): Promise<void>;
  /** Everybody in the planned and late batches of a push, ascending. */
  peopleOf(push: string): Promise<Uint32Array>;
  /** The planned and late batches of a push with their counts. */
  batchesOf(push: string): Promise<BatchView[]>;

  /**
   * Gives one open, unleased batch to `token`, most urgent lane and oldest first; null if none. Batches of paused pushes
   * wait; those of cancelled ones are given out, so that their people are settled as cancelled.
   */
  claim(token: string, lanes: Lane[]): Promise<Claim | null>;
  /** The leases on batches that are held now. */
  leases(): Promise<BatchLease[]>;
  /** Takes over a lease that still is as it was seen; null when its holder has moved on. */
  steal(seen: LeaseView, token: string): Promise<Claim | null>;
  /** Raises the beat if `token` still holds the batch; answers the new beat or null. */
  renew(id: string, token: string): Promise<number | null>;
  /**
   * Closes the batch if `token` holds it (a gathered one is deleted); answers whether it did. It is dirty from then on: the
   * recount that follows is the one that stands, whatever was counted while its rows were still moving.
   */
  close(id: string, token: string): Promise<boolean>;
  /** Gives the batch back, open, if `token` holds it. */
  release(id: string, token: string): Promise<void>;

  /** Marks the closed batches of a push to be recounted. */
  soil(push: string): Promise<void>;
  /** Batches that are to be recounted, oldest first; `mark` is to be handed back with the counts. */
  dirty(limit: number): Promise<{ batch: Batch; mark: number }[]>;
  /**
   * Sets counts. With a mark: only if nothing has marked the batch since, which is clean then. With null (while it is worked
   * on): only while it is open, so that a worker that lost its lease cannot undo the recount of the closed one.
   */
  setCounts(id: string, counts: Counts, mark: number | null): Promise<void>;

  /** Leases by name for singletons (planner, sweeper, jobs): takes it if free, renews it if `token` holds it; else answers who does. */
  hold(name: string, token: string): Promise<{ held: true; beat: number } | { held: false; seen: LeaseView }>;
  /** Takes a singleton lease over that still is as it was seen. */
  takeOver(seen: LeaseView, token: string): Promise<boolean>;
  letGo(name: string, token: string): Promise<void>;
};
