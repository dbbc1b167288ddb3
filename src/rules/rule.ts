import type { Bilingual } from '../catalogue/topic.ts';
import type { ChannelName, Pace } from '../subscriptions/follow.ts';
import type { Condition } from './condition.ts';

export const ruleStates = ['draft', 'active', 'paused'] as const;
type RuleState = (typeof ruleStates)[number];

/**
 * What a publisher writes. `deliver.weight` (1 unless said) is how much the rule counts beside others that selected the same
 * person; `deliver.hour` whether its messages wait for the hour at which a person reacts (they do where tuning may choose,
 * unless said). `holdout` is the share that is left out for measurement. `tune` bounds what tuning may move; `apply`: it
 * moves by itself, else it only proposes; `floor`: the share of useful messages below which the rule is paused.
 */
export type RuleContent = {
  name: string;
  explanation: Bilingual;
  when: Condition;
  who: Condition;
  deliver: {
    channels: ChannelName[];
    pace: Pace;
    priority: number;
    weight?: number | undefined;
    hour?: 'at-once' | 'preferred' | undefined;
  };
  holdout: number;
  tune: {
    threshold?: [number, number] | undefined;
    weight?: [number, number] | undefined;
    channels?: boolean | undefined;
    hour?: boolean | undefined;
    apply?: boolean | undefined;
    floor?: number | undefined;
  };
};

/**
 * One version of a rule. Its content never changes, used or not: every change makes the next version, so that what was
 * reviewed is what selects, and a reason that names a version can always be looked up. `usedAt`: when a push first used it.
 */
export type RuleVersion = {
  rule: string;
  version: number;
  content: RuleContent;
  writer: string;
  approvedBy: string | null;
  createdAt: number;
  usedAt: number | null;
};

/** **rule**: a publisher's strategy. `active` names the version that selects people now; `latest` the newest written. */
export type Rule = {
  id: string;
  /** Whose it is (access/departments.ts): the departments of who wrote it first. */
  departments: string[];
  state: RuleState;
  /** The version that selects while `state` is active (and that a paused rule goes back to); null before the first activation. */
  active: number | null;
  latest: number;
  /** A version that waits for its review before it becomes the active one; null where none does. */
  inReview: number | null;
  /** Why the last review refused; null once the rule went on. */
  rejection: string | null;
  createdAt: number;
  updatedAt: number;
};

/** The label of a rule in sources and reasons. */
export const ruleSource = (rule: string, version: number): string => `rule:${rule}@${version}`;

/** The rule and version that a source is of, or null for sources of other kinds. */
export const ruleOfSource = (source: string): { rule: string; version: number } | null => {
  const [, rule, version] = /^rule:([\w-]+)@(\d+)$/.exec(source) ?? [];
  return rule === undefined ? null : { rule, version: Number(version) };
};
