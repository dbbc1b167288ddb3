import { demandMember, demandOther, demandReviewer, demandSame, demandWriter } from '../access/rights.ts';
import { AppError } from '../errors.ts';
import type { Actor, Approval, Item, ItemContent, ItemState, ItemVersion, PendingChange } from './item.ts';

/** What one step makes of an item, and the version row that belongs to it. */
export type Step = { item: Item; version: ItemVersion | null };

/** What a step needs to know besides the item: the time (ms), and whether review is asked for. */
export type StepTools = { now: number; review: boolean };

const refuseState = (item: Item, what: string): AppError =>
  new AppError('wrong-state', `an item that is ${item.state} cannot be ${what}`);

const invalid = (path: string, message: string): AppError =>
  new AppError('invalid', `${path} ${message}`, { faults: [{ path, message }] });

/** `updatedAt` is part of the guard of every write, so it moves on even when the clock does not. */
export const touched = (item: Item, now: number): Item => ({ ...item, updatedAt: Math.max(now, item.updatedAt + 1) });

/** draft -> in-review. A refused item may be sent again. Throws `wrong-state`, `no-scope`. */
export const submit = (item: Item, actor: Actor, { now }: StepTools): Step => {
  demandWriter(actor);
  if (item.state !== 'draft') throw refuseState(item, 'sent for review');
  return { item: { ...touched(item, now), state: 'in-review', approvals: [], rejection: null }, version: null };
};

type Review = { content: ItemContent; writer: string; approvals: Approval[]; imported: boolean };

/**
 * The approvals after this one, and whether they are enough. Each department countersigns once, by a member of it. What
 * an import brought names its *source's* departments, who have no account here: one approval by any reviewer settles it.
 */
const approvedBy = (
  review: Review,
  as: string | null,
  actor: Actor,
  now: number,
): { all: Approval[]; enough: boolean } => {
  demandOther(review.writer, actor);
  // to countersign, belonging to the department is enough
  if (as === null) demandReviewer(actor);
  const wanted = [...new Set(review.content.departments ?? [])];
  const approval: Approval = { department: as, staff: actor.staff, at: now };
  const all = [...review.approvals, approval];
  if (as === null) {
    if (wanted.length > 0 && !review.imported) throw invalid('as', `must be one of: ${wanted.join(', ')}`);
    return { all, enough: true };
  }
  if (!wanted.includes(as))
    throw invalid(
      'as',
      wanted.length > 0 ? `must be one of: ${wanted.join(', ')}` : 'must be left out: the item names no department',
    );
  demandMember(actor, as);
  if (review.approvals.some(({ department }) => department === as))
    throw new AppError('conflict', `${as} has approved already`);
  return { all, enough: wanted.every((department) => all.some((one) => one.department === department)) };
};

const waitingChange = (item: Item): PendingChange | null => (item.state === 'published' ? item.pending : null);

/**
 * One approval: of an item in review, or of a correction that waits. The last one approves the item, or applies the
 * correction (`current` is the row of the item's present version). Throws `wrong-state`, `own-work`, `no-scope`
 * (not a reviewer, not a member of `as`), `invalid` (`as` is missing or not concerned), `conflict` (approved already).
 */
export const approve = (
  item: Item,
  as: string | null,
  actor: Actor,
  current: ItemVersion | null,
  { now }: StepTools,
): Step => {
  const imported = item.importMark !== null;
  const pending = waitingChange(item);
  if (pending) {
    const { all, enough } = approvedBy({ ...pending, imported }, as, actor, now);
    if (enough) return applyCorrection(item, pending, current, now);
    return { item: { ...touched(item, now), pending: { ...pending, approvals: all } }, version: null };
  }
  if (item.state !== 'in-review') throw refuseState(item, 'approved');
  const { all, enough } = approvedBy({ ...item, imported }, as, actor, now);
  const state: ItemState = enough ? 'approved' : 'in-review';
  return { item: { ...touched(item, now), state, approvals: all }, version: null };
};

/** Back to draft with a reason, from anywhere between draft and publication; a waiting correction is dropped. Throws `wrong-state`, `no-scope`. */
export const reject = (item: Item, reason: string, actor: Actor, { now }: StepTools): Step => {
  demandReviewer(actor);
  if (waitingChange(item)) return { item: { ...touched(item, now), pending: null, rejection: reason }, version: null };
  if (!['in-review', 'approved', 'scheduled'].includes(item.state)) throw refuseState(item, 'rejected');
  const back = { state: 'draft', approvals: [], rejection: reason, scheduledFor: null } as const;
  return { item: { ...touched(item, now), ...back, approvals: [] }, version: null };
};

const publishable = (item: Item, review: boolean): boolean =>
  item.state === 'approved' || item.state === 'scheduled' || (!review && ['draft', 'in-review'].includes(item.state));

/** Sets the time (ms, ahead of now) of publication, again if need be. Throws `wrong-state`, `no-scope`, `invalid`. */
export const schedule = (item: Item, at: number, actor: Actor, { now, review }: StepTools): Step => {
  demandWriter(actor);
  if (!publishable(item, review)) throw refuseState(item, 'scheduled');
  if (at <= now) throw invalid('at', 'must lie ahead');
  return { item: { ...touched(item, now), state: 'scheduled', scheduledFor: at }, version: null };
};

/** Makes the item public, the first time as version 1. Throws `wrong-state` (also when it is public already), `no-scope`. */
export const publish = (item: Item, actor: Actor, { now, review }: StepTools): Step => {
  demandWriter(actor);
  if (!publishable(item, review)) throw refuseState(item, 'published');
  return asPublished(item, now);
};

/** The publication itself, without asking who may. A source may publish again what it had withdrawn: then it is the next version. */
export const asPublished = (item: Item, now: number): Step => {
  const version = item.version + 1;
  return {
    item: {
      ...touched(item, now),
      state: 'published',
      version,
      revision: 0,
      publishedAt: now,
      scheduledFor: null,
      rejection: null,
    },
    version: {
      item: item.id,
      version,
      revision: 0,
      kind: 'publication',
      announce: true,
      content: item.content,
      note: null,
      at: now,
    },
  };
};

/** A correction as it was asked for, whole content. */
export type Correction = Pick<PendingChange, 'kind' | 'content' | 'note'>;

/**
 * Puts a correction in force: major makes the next version; minor replaces the content of the present one (whose row is
 * `current`) and counts its revision.
 */
export const applyCorrection = (item: Item, change: Correction, current: ItemVersion | null, now: number): Step => {
  const { kind, content, note } = change;
  const next = { ...touched(item, now), content, changeNote: note, pending: null, rejection: null };
  if (kind === 'major') {
    const version = item.version + 1;
    return {
      item: { ...next, version, revision: 0 },
      version: { item: item.id, version, revision: 0, kind: 'correction', announce: true, content, note, at: now },
    };
  }
  const revision = item.revision + 1;
  const row: ItemVersion = current ?? {
    item: item.id,
    version: item.version,
    revision,
    kind: 'publication',
    announce: true,
    content,
    note: null,
    at: now,
  };
  return { item: { ...next, revision }, version: { ...row, revision, content } };
};

/** A correction of a published item: waits for review, or is applied. Throws `wrong-state`, `no-scope`, `conflict` (another one waits). */
export const correct = (
  item: Item,
  change: Correction,
  actor: Actor,
  current: ItemVersion | null,
  tools: StepTools,
): Step => {
  demandWriter(actor);
  if (item.state !== 'published') throw refuseState(item, 'corrected');
  if (item.pending) throw new AppError('conflict', 'another correction waits for its review');
  if (!tools.review) return applyCorrection(item, change, current, tools.now);
  return { item: waitingCorrection(item, change, actor, tools.now), version: null };
};

/** The item with a correction that waits for its review. */
export const waitingCorrection = (item: Item, change: Correction, actor: Actor, now: number): Item => ({
  ...touched(item, now),
  rejection: null,
  pending: { ...change, state: 'in-review', writer: actor.staff, approvals: [] },
});

/** Takes a published item back; the version it makes tells those who were told. Throws `wrong-state`, `no-scope`. */
export const withdraw = (item: Item, note: string, actor: Actor, { now }: StepTools): Step => {
  demandWriter(actor);
  if (item.state !== 'published') throw refuseState(item, 'withdrawn');
  return asWithdrawn(item, note, now);
};

/** The withdrawal itself, without asking who may. */
export const asWithdrawn = (item: Item, note: string, now: number): Step => {
  const version = item.version + 1;
  return {
    item: { ...touched(item, now), state: 'withdrawn', version, revision: 0, changeNote: note, pending: null },
    version: {
      item: item.id,
      version,
      revision: 0,
      kind: 'withdrawal',
      announce: true,
      content: item.content,
      note,
      at: now,
    },
  };
};

/** Changes a draft's content; only its writer may, so that a draft has one writer whom the own-work rule can name. Throws `wrong-state`, `no-scope`. */
export const revise = (item: Item, content: ItemContent, actor: Actor, { now }: StepTools): Step => {
  demandWriter(actor);
  if (item.state !== 'draft') throw refuseState(item, 'rewritten');
  demandSame(item.writer, actor);
  return { item: { ...touched(item, now), content }, version: null };
};
