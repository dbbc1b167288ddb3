import type { Rule, RuleVersion } from './rule.ts';

export type VersionId = { rule: string; version: number };

/** Rules and their versions. */
export type RuleStore = {
  /** Stores a rule with its first version; throws AppError `conflict` when the id is taken. */
  insert(rule: Rule, first: RuleVersion): Promise<void>;
  get(id: string): Promise<Rule | null>;
  /** By creation, newest first. Throws `invalid` for a cursor it did not make. */
  list(page: { cursor: string | null; limit: number }): Promise<{ rows: Rule[]; next: string | null }>;
  /**
   * Changes a rule if it still was updated at `before.updatedAt`, and with it adds a version or sets the approval of one
   * that is there, in one step. Answers false when somebody else was first: nothing is written then. Of a version that is
   * there content, writer and creation stay as they are, whatever is handed in.
   */
  update(before: Rule, after: Rule, version?: RuleVersion): Promise<boolean>;
  /** Those of these versions that are there, in no order. */
  versions(ids: VersionId[]): Promise<RuleVersion[]>;
  /** The versions of one rule, newest first. */
  versionsOf(rule: string, limit: number): Promise<RuleVersion[]>;
  /** Marks versions as used from now on; repeating it keeps the first time. */
  markUsed(ids: VersionId[], at: number): Promise<void>;
  /** The versions that select now, of all active rules, by rule. */
  active(): Promise<RuleVersion[]>;
};
