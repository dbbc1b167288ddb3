import { demandOwn } from '../access/departments.ts';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import { type Edges, newId } from '../edges.ts';
import { AppError, type Fault } from '../errors.ts';
import type { Actor } from '../publishing/item.ts';
import type { Storage } from '../storage/storage.ts';
import { ruleFaults } from './check-condition.ts';
import type { Rule, RuleContent, RuleVersion } from './rule.ts';
import * as workflow from './rule-workflow.ts';

/** A rule and one version of it: the newest, where no other was asked for. */
export type RuleView = { rule: Rule; version: RuleVersion };

export type RuleService = {
  /**
   * A draft with version 1. Throws `no-scope`, `conflict` (id taken), `invalid` naming every fault with the nearest known name. `id`
   * is the caller's where a form may be sent twice.
   */
  create(content: RuleContent, actor: Actor, id?: string): Promise<RuleView>;
  /** Null for an unknown rule or version. */
  get(id: string, version?: number): Promise<RuleView | null>;
  /** By creation, newest first. Throws `invalid` for a cursor it did not make. */
  list(page: { cursor: string | null; limit: number }): Promise<{ rows: RuleView[]; next: string | null }>;
  /** The versions that select now, of all active rules. */
  active(): Promise<RuleVersion[]>;
  /** Newest first. */
  versions(id: string, limit: number): Promise<RuleVersion[]>;
  /** Every fault of a rule that is not stored: for previews and dry runs of what is being written. */
  faults(content: Pick<RuleContent, 'when' | 'who' | 'tune'>): Promise<Fault[]>;
  /**
   * Writes the next version, always: no version ever changes, used or not. `basedOn`: the version that the change was made
   * from, null if that does not matter. Throws `not-found`, `no-scope`, `invalid`, `conflict` (a newer one is there).
   */
  put(id: string, content: RuleContent, basedOn: number | null, actor: Actor): Promise<RuleView>;
  /**
   * Makes a version (the newest unless said) the one that selects; with REVIEW=on it first waits for approval, unless it
   * was approved before. Throws `not-found`, `no-scope`, `conflict` (another version waits).
   */
  activate(id: string, version: number | null, actor: Actor): Promise<RuleView>;
  /** Throws `not-found`, `wrong-state`, `own-work`, `no-scope`. */
  approve(id: string, actor: Actor): Promise<RuleView>;
  reject(id: string, reason: string, actor: Actor): Promise<RuleView>;
  /**
   * Makes of the version that selects (`from`) another one that selects at once, within what `from` lets tuning move. Throws
   * `not-found`, `no-scope`, `conflict` (another version selects or waits for its review).
   */
  move(id: string, from: number, content: RuleContent, actor: Actor): Promise<Rule>;
  /** Takes `move` back: version `to` selects again in the place of `from`. Throws like `move`. */
  moveBack(id: string, from: number, to: number, actor: Actor): Promise<Rule>;
  /** Throws `not-found`, `wrong-state`, `no-scope`. */
  pause(id: string, actor: Actor): Promise<RuleView>;
};

export type RuleTools = { catalogue: Pick<CatalogueService, 'trees' | 'attributes'>; edges: Edges; review: boolean };

/** How often a step is tried anew when somebody else changed the rule meanwhile. */
const tries = 8;

const unknownRule = (): AppError => new AppError('not-found', 'there is no such rule');

/** Rules on their way: draft -> reviewed -> active -> paused. Each step reads, asks the pure workflow, writes by compare-and-set. */
export const makeRuleService = (
  { rules }: Pick<Storage, 'rules'>,
  { catalogue, edges, review }: RuleTools,
): RuleService => {
  const faults = async (content: Pick<RuleContent, 'when' | 'who' | 'tune'>): Promise<Fault[]> =>
    ruleFaults(content, { trees: await catalogue.trees(), attributes: await catalogue.attributes() });

  const demandFaultless = async (content: RuleContent): Promise<void> => {
    const found = await faults(content);
    if (found.length > 0) throw new AppError('invalid', 'The rule has faults; each is named.', { faults: found });
  };

  const versionOf = async (rule: string, version: number): Promise<RuleVersion> => {
    const [found] = await rules.versions([{ rule, version }]);
    if (!found) throw new AppError('not-found', 'there is no such version of this rule');
    return found;
  };

  const step = async (id: string, take: (rule: Rule) => workflow.Step | Promise<workflow.Step>): Promise<RuleView> => {
    for (let n = 0; n < tries; n++) {
      const was = await rules.get(id);
      if (!was) throw unknownRule();
      const next = await take(was);
      if (next.rule === was || (await rules.update(was, next.rule, next.version ?? undefined)))
        return { rule: next.rule, version: await versionOf(id, next.rule.latest) };
    }
    throw new AppError('conflict', 'the rule is being changed by others; try again');
  };

  /** A step that writes: the rule must be the actor's. */
  const write = (id: string, actor: Actor, take: (rule: Rule) => workflow.Step | Promise<workflow.Step>) =>
    step(id, (rule) => {
      demandOwn(actor, rule.departments);
      return take(rule);
    });

  return {
    faults,
    create: async (content, actor, id = newId(edges)) => {
      await demandFaultless(content);
      const made = workflow.create(id, content, actor, edges.now());
      await rules.insert(made.rule, made.version);
      return made;
    },
    get: async (id, wanted) => {
      const rule = await rules.get(id);
      if (!rule) return null;
      const [version] = await rules.versions([{ rule: id, version: wanted ?? rule.latest }]);
      return version ? { rule, version } : null;
    },
    list: async (page) => {
      const { rows, next } = await rules.list(page);
      const newest = await rules.versions(rows.map(({ id, latest }) => ({ rule: id, version: latest })));
      const byRule = new Map(newest.map((version) => [version.rule, version]));
      const views = rows.flatMap((rule): RuleView[] => {
        const version = byRule.get(rule.id);
        return version ? [{ rule, version }] : [];
      });
      return { rows: views, next };
    },
    active: () => rules.active(),
    versions: (id, limit) => rules.versionsOf(id, limit),
    put: async (id, content, basedOn, actor) => {
      await demandFaultless(content);
      return write(id, actor, (rule) => workflow.revise(rule, content, basedOn, actor, edges.now()));
    },
    activate: (id, version, actor) =>
      write(id, actor, async (rule) => {
        const wanted = await versionOf(id, version ?? rule.latest);
        return workflow.activate(rule, wanted, actor, { now: edges.now(), review });
      }),
    approve: (id, actor) =>
      step(id, async (rule) => {
        const waiting = await versionOf(id, rule.inReview ?? rule.latest);
        return workflow.approve(rule, waiting, actor, edges.now());
      }),
    reject: (id, reason, actor) => step(id, (rule) => workflow.reject(rule, reason, actor, edges.now())),
    move: async (id, from, content, actor) => {
      const moved = await versionOf(id, from);
      return (await write(id, actor, (rule) => workflow.move(rule, moved, content, actor, edges.now()))).rule;
    },
    moveBack: async (id, from, to, actor) => {
      const [moved, before] = [await versionOf(id, from), await versionOf(id, to)];
      return (await write(id, actor, (rule) => workflow.moveBack(rule, moved, before, actor, edges.now()))).rule;
    },
    pause: (id, actor) => write(id, actor, (rule) => workflow.pause(rule, actor, edges.now())),
  };
};
