import type { Rule, RuleVersion } from './rule.ts';

/** Rules and their versions. */
export type RuleStore = {
  /** Stores a rule with its first version; throws AppError `conflict` when the id is taken. */
  insert(rule: Rule, first: RuleVersion): Promise<void>;
  get(id: string): Promise<Rule | null>;
  /** By creation, newest first, by opaque cursor. */
  list(page: { cursor: string | null; limit: number }): Promise<{ rows: Rule[]; next: string | null }>;
  /** Changes a rule if it still was updated at `before.updatedAt` (else answers false): nobody overwrites what they have not seen. */
  update(before: Rule, after: Rule): Promise<boolean>;
  /** Stores a version, or replaces one that no push has used; answers false when that version has been used. */
  putVersion(version: RuleVersion): Promise<boolean>;
  versions(ids: { rule: string; version: number }[]): Promise<RuleVersion[]>;
  versionsOf(rule: string): Promise<RuleVersion[]>;
  /** Marks versions as used from now on; repeating it keeps the first time. */
  markUsed(ids: { rule: string; version: number }[], at: number): Promise<void>;
  /** The versions that select now, of all active rules. */
  active(): Promise<RuleVersion[]>;
};
