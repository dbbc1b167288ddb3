import { demandOther, demandReviewer, demandWriter } from '../access/rights.ts';
import { AppError } from '../errors.ts';
import type { Actor } from '../publishing/item.ts';
import type { Rule, RuleContent, RuleVersion } from './rule.ts';

/** What one step makes of a rule, and the version that it adds or approves. */
export type Step = { rule: Rule; version: RuleVersion | null };

/** `updatedAt` guards every write, so it moves on even when the clock does not. */
const touched = (rule: Rule, now: number): Rule => ({ ...rule, updatedAt: Math.max(now, rule.updatedAt + 1) });

/** A fresh draft with version 1. Throws `no-scope`. */
export const create = (
  id: string,
  content: RuleContent,
  actor: Actor,
  now: number,
): { rule: Rule; version: RuleVersion } => {
  demandWriter(actor);
  const rule: Rule = {
    id,
    departments: actor.departments,
    state: 'draft',
    active: null,
    latest: 1,
    inReview: null,
    rejection: null,
    createdAt: now,
    updatedAt: now,
  };
  return { rule, version: versionOf(rule, content, actor, now) };
};

const versionOf = (rule: Rule, content: RuleContent, actor: Actor, now: number): RuleVersion => ({
  rule: rule.id,
  version: rule.latest,
  content,
  writer: actor.staff,
  approvedBy: null,
  createdAt: now,
  usedAt: null,
});

/**
 * The next version. What selects people, or waits for its review, stays what it is until the new one is activated.
 * `basedOn`: the version that the change was made from; throws `conflict` when a newer one is there, `no-scope`.
 */
export const revise = (rule: Rule, content: RuleContent, basedOn: number | null, actor: Actor, now: number): Step => {
  demandWriter(actor);
  if (basedOn !== null && basedOn !== rule.latest)
    throw new AppError('conflict', `somebody has written version ${rule.latest} meanwhile`, {
      faults: [{ path: 'basedOn', message: `the newest version is ${rule.latest}` }],
    });
  const next = { ...touched(rule, now), latest: rule.latest + 1 };
  return { rule: next, version: versionOf(next, content, actor, now) };
};

const activated = (rule: Rule, version: number, now: number): Rule => ({
  ...touched(rule, now),
  state: 'active',
  active: version,
  inReview: null,
  rejection: null,
});

/**
 * Makes a version the one that selects: at once where no review is asked for or it was approved before, else it waits for
 * its review. Repeating it changes nothing. Throws `conflict` while another version waits, `no-scope`.
 */
export const activate = (
  rule: Rule,
  version: RuleVersion,
  actor: Actor,
  { now, review }: { now: number; review: boolean },
): Step => {
  demandWriter(actor);
  const stands = rule.state === 'active' && rule.active === version.version && rule.inReview === null;
  if (stands || rule.inReview === version.version) return { rule, version: null };
  if (rule.inReview !== null)
    throw new AppError('conflict', `version ${rule.inReview} waits for its review; pausing the rule takes it back`);
  if (!review || version.approvedBy !== null) return { rule: activated(rule, version.version, now), version: null };
  return { rule: { ...touched(rule, now), inReview: version.version, rejection: null }, version: null };
};

/**
 * What tuning makes of the version that selects: the next one, which selects at once. It has the approval of the version before,
 * because what may be moved, and how far, was reviewed with that. Throws `conflict` when another version selects or waits.
 */
export const move = (rule: Rule, from: RuleVersion, content: RuleContent, actor: Actor, now: number): Step => {
  demandWriter(actor);
  demandSelecting(rule, from.version);
  const next = { ...activated(rule, rule.latest + 1, now), latest: rule.latest + 1 };
  return { rule: next, version: { ...versionOf(next, content, actor, now), approvedBy: from.approvedBy } };
};

/** Takes a move back: the version before selects again, which is what it was. Throws `conflict` like `move`. */
export const moveBack = (rule: Rule, from: RuleVersion, to: RuleVersion, actor: Actor, now: number): Step => {
  demandWriter(actor);
  demandSelecting(rule, from.version);
  return { rule: activated(rule, to.version, now), version: null };
};

const demandSelecting = (rule: Rule, version: number): void => {
  if (rule.inReview !== null)
    throw new AppError('conflict', `version ${rule.inReview} waits for its review; decide on that first`);
  if (rule.state !== 'active' || rule.active !== version)
    throw new AppError('conflict', `the rule has changed since: version ${version} does not select any more`);
};

const waiting = (rule: Rule): number => {
  if (rule.inReview === null) throw new AppError('wrong-state', 'no version of this rule waits for its review');
  return rule.inReview;
};

/** The one approval that a version needs, by a reviewer who did not write it; makes it active. Throws `wrong-state`, `own-work`, `no-scope`. */
export const approve = (rule: Rule, version: RuleVersion, actor: Actor, now: number): Step => {
  const number = waiting(rule);
  demandOther(version.writer, actor);
  demandReviewer(actor);
  return { rule: activated(rule, number, now), version: { ...version, approvedBy: actor.staff } };
};

/** Refuses the version that waits, with a reason; what was active stays so. Throws `wrong-state`, `no-scope`. */
export const reject = (rule: Rule, reason: string, actor: Actor, now: number): Step => {
  demandReviewer(actor);
  waiting(rule);
  return { rule: { ...touched(rule, now), inReview: null, rejection: reason }, version: null };
};

/** Selects nobody from now on; a version that waits for its review is taken back. Throws `wrong-state` for a draft that waits for nothing, `no-scope`. */
export const pause = (rule: Rule, actor: Actor, now: number): Step => {
  demandWriter(actor);
  if (rule.state === 'draft' && rule.inReview === null)
    throw new AppError('wrong-state', 'a rule that was never activated cannot be paused');
  if (rule.state === 'paused' && rule.inReview === null) return { rule, version: null };
  const state = rule.state === 'draft' ? 'draft' : 'paused';
  return { rule: { ...touched(rule, now), state, inReview: null }, version: null };
};
