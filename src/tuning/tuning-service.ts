import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Actor } from '../publishing/item.ts';
import { type ArmValues, allowedValues, lineageOf, type Parameter, settingOf, withValue } from '../rules/arms.ts';
import type { Rule, RuleContent, RuleVersion } from '../rules/rule.ts';
import type { RuleService } from '../rules/rule-service.ts';
import type { Storage } from '../storage/storage.ts';
import { seededRandom } from './statistics/seeded-random.ts';
import type { Change, ClosedExposure } from './tuning.ts';
import { type WhatIf, whatIf } from './what-if.ts';

/** Who moves rules where their publishers let tuning apply. */
export const tuningActor: Actor = { staff: 'tuning', roles: ['publisher'], departments: [] };

export type TuningService = {
  /** Newest first. Throws `invalid` for a cursor it did not make. */
  changes(page: { cursor: string | null; limit: number }): Promise<{ rows: Change[]; next: string | null }>;
  /**
   * Makes a proposed change: the rule's next version, which selects at once. Throws `not-found`, `wrong-state` (applied or
   * undone before), `conflict` (the rule has changed since, or waits for a review).
   */
  apply(id: string, actor: Actor): Promise<Change>;
  /**
   * Takes an applied change back: the version before it selects again; where the rule moved on since, a version with that one
   * value as it was. Tuning does not make the change by itself again. Throws like `apply`.
   */
  undo(id: string, actor: Actor): Promise<Change>;
  /**
   * What another threshold would have come to in the last 30 days; `threshold` is the next one that was tried. Throws
   * `not-found`, `invalid` (the rule's threshold does not move).
   */
  whatIf(rule: string, threshold: number): Promise<{ threshold: number; current: number; found: WhatIf }>;
};

type Stores = Pick<Storage, 'tuning' | 'rules'>;
type Tools = { edges: Pick<Edges, 'now'>; rules: Pick<RuleService, 'move' | 'moveBack' | 'activate'> };

const whatIfDays = 30;
const dayMs = 24 * 60 * 60 * 1000;
/** More would not narrow the intervals by much, and an answer is waited for. */
const mostExposures = 20_000;

const changed = (): AppError =>
  new AppError('conflict', 'The rule has changed since: this change does not fit it any more.');

const isMove = (
  change: Change,
): change is Change & { parameter: Parameter; from: ArmValues[Parameter]; to: ArmValues[Parameter] } =>
  change.parameter !== 'state';

/** Changes of rules by tuning, and questions to what it logged. */
export const makeTuningService = ({ tuning, rules: store }: Stores, { edges, rules }: Tools): TuningService => {
  const known = async (id: string): Promise<Change> => {
    const change = await tuning.change(id);
    if (!change) throw new AppError('not-found', 'There is no such change.');
    return change;
  };

  const demandState = ({ state }: Change, wanted: Change['state']): void => {
    if (state !== wanted) throw new AppError('wrong-state', `The change is ${state}, not ${wanted}.`);
  };

  const ruleOf = async (id: string): Promise<Rule> => {
    const rule = await store.get(id);
    if (!rule) throw new AppError('not-found', 'There is no such rule.');
    return rule;
  };

  const versionOf = async (rule: string, version: number): Promise<RuleVersion> => {
    const [found] = await store.versions([{ rule, version }]);
    if (!found) throw new AppError('not-found', 'There is no such version of the rule.');
    return found;
  };

  /** The version that selects now, if what was learned still holds for it. */
  const selecting = async (change: Change): Promise<{ version: number; content: RuleContent }> => {
    const rule = await ruleOf(change.rule);
    if (rule.state !== 'active' || rule.active === null) throw changed();
    const { version, content } = await versionOf(rule.id, rule.active);
    if (lineageOf(content) !== change.lineage) throw changed();
    return { version, content };
  };

  /** Moves one parameter of the rule from a value to another; answers the version that has it, also if it has it already. */
  const moveTo = async (
    change: Change & { parameter: Parameter },
    values: { from: ArmValues[Parameter]; to: ArmValues[Parameter] },
    actor: Actor,
  ): Promise<{ from: number; to: number }> => {
    const { version, content } = await selecting(change);
    const now = settingOf(content, change.parameter);
    // a crash came between the version and its change
    if (now === values.to) return { from: change.fromVersion, to: version };
    if (now !== values.from) throw changed();
    const moved = await rules.move(change.rule, version, withValue(content, change.parameter, values.to), actor);
    return { from: version, to: moved.active ?? moved.latest };
  };

  const recorded = async (
    id: string,
    from: Change['state'],
    to: Parameters<Stores['tuning']['decide']>[2],
  ): Promise<Change> => {
    await tuning.decide(id, from, to);
    return known(id);
  };

  const undoPause = async (change: Change, actor: Actor): Promise<void> => {
    const rule = await ruleOf(change.rule);
    if (rule.state === 'active') return;
    if (rule.state !== 'paused' || rule.active !== change.fromVersion) throw changed();
    await rules.activate(rule.id, change.fromVersion, actor);
  };

  const undoMove = async (change: Change, actor: Actor): Promise<void> => {
    if (!isMove(change)) return undoPause(change, actor);
    const rule = await ruleOf(change.rule);
    if (rule.state === 'active' && rule.active === change.fromVersion) return;
    if (change.toVersion !== null && rule.state === 'active' && rule.active === change.toVersion)
      await rules.moveBack(rule.id, change.toVersion, change.fromVersion, actor);
    else await moveTo(change, { from: change.to, to: change.from }, actor);
  };

  /** The newest exposures of a rule's present lineage, day by day backwards. */
  const exposuresOf = async (rule: string, lineage: string): Promise<ClosedExposure[]> => {
    const found: ClosedExposure[] = [];
    const now = edges.now();
    for (let day = 0; day < whatIfDays && found.length < mostExposures; day++) {
      const span = { rule, from: now - (day + 1) * dayMs, to: now - day * dayMs };
      const { rows } = await tuning.closedExposures(span, { cursor: null, limit: mostExposures - found.length });
      found.push(...rows.filter((one) => one.lineage === lineage && one.level !== null));
    }
    return found;
  };

  return {
    changes: tuning.changes,
    apply: async (id, actor) => {
      const change = await known(id);
      demandState(change, 'proposed');
      if (!isMove(change)) throw changed();
      const { from, to } = await moveTo(change, change, actor);
      return recorded(id, 'proposed', { state: 'applied', by: actor.staff, fromVersion: from, toVersion: to });
    },
    undo: async (id, actor) => {
      const change = await known(id);
      demandState(change, 'applied');
      await undoMove(change, actor);
      return recorded(id, 'applied', { state: 'undone', by: actor.staff });
    },
    whatIf: async (id, threshold) => {
      const rule = await ruleOf(id);
      const { content } = await versionOf(id, rule.active ?? rule.latest);
      const tried = allowedValues(content, 'threshold');
      const current = settingOf(content, 'threshold');
      const next = tried.find((value) => value >= threshold) ?? tried.at(-1);
      if (next === undefined || current === null)
        throw new AppError('invalid', 'The threshold of this rule does not move.', {
          faults: [{ path: 'rule', message: 'its publisher does not let tuning move its threshold' }],
        });
      const exposures = await exposuresOf(id, lineageOf(content));
      return { threshold: next, current, found: whatIf(exposures, next, seededRandom(`${id} ${next}`)) };
    },
  };
};
