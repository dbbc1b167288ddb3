import type { ArmValues, Parameter } from '../rules/arms.ts';
import type { ChannelName } from '../subscriptions/follow.ts';

/**
 * **exposure**: one person whom a tuned rule would have told of one item, with what was drawn for them. `level`: the highest
 * threshold at which the rule selects them (null: its threshold does not move). `drawn`: the value of each parameter that had a part
 * in it; `propensity`: the probability of drawing those;
 * `pass`: that of being told at all, by this rule or `others` (the probability that other rules would have told them).
 * `withheld`: the drawn threshold was above their level. `day` names the arms. Never for what must be delivered. Times in ms.
 */
export type Exposure = {
  push: string;
  ordinal: number;
  rule: string;
  version: number;
  lineage: string;
  day: string;
  level: number | null;
  drawn: Partial<ArmValues>;
  propensity: number;
  pass: number;
  others: number;
  withheld: boolean;
  at: number;
};

/** What an exposure came to: sent when and how (null: withheld), and what that earned within 72 hours. */
export type Closing = {
  push: string;
  ordinal: number;
  channel: ChannelName | null;
  sentAt: number | null;
  reward: 0 | 1;
  unwanted: boolean;
};
export type ClosedExposure = Exposure & Closing;

/**
 * **counts** of people: would have been told (`eligible`), were told and 72 hours are over (`sent`), found it useful, said that
 * they did not want it. Fractions where the old counts less.
 */
export type Counts = { eligible: number; sent: number; useful: number; unwanted: number };

/**
 * **tally**: the counts of one day (days since 1970 UTC) for one arm of a parameter over one channel (null: withheld). Of the
 * threshold the "arm" is the level of the people, whichever threshold they drew; `all` counts every message of the rule once.
 */
export type Tally = Counts & {
  rule: string;
  lineage: string;
  day: number;
  parameter: Parameter | 'all';
  arm: string;
  channel: ChannelName | null;
};

/** A share of useful messages, half the width of its 95 % interval, and of how many. */
export type Share = { share: number; half: number; n: number };

/**
 * Why tuning moves a parameter, or pauses a rule: people above the threshold against those below it; one choice against the
 * other; the rule's worth against its floor. `probability` that it is so.
 */
export type Evidence =
  | { kind: 'raise' | 'lower'; above: Share; below: Share; n: number; probability: number }
  | { kind: 'choice'; better: Share; worse: Share; n: number; probability: number }
  | { kind: 'worth'; worth: Share; floor: number; n: number; probability: number };

/** A move of one parameter within what its publisher allowed. */
export type Move = { parameter: Parameter; from: ArmValues[Parameter]; to: ArmValues[Parameter]; evidence: Evidence };

export const changeStates = ['proposed', 'applied', 'undone'] as const;
type ChangeState = (typeof changeStates)[number];

/**
 * **change**: a move of a rule, or its pause (`parameter` "state"), with its evidence. `fromVersion` is the rule's version it was
 * found on, `toVersion` the one that it made (null unless applied).
 */
export type Change = {
  id: string;
  rule: string;
  lineage: string;
  parameter: Parameter | 'state';
  from: ArmValues[Parameter] | 'active';
  to: ArmValues[Parameter] | 'paused';
  evidence: Evidence;
  at: number;
  state: ChangeState;
  fromVersion: number;
  toVersion: number | null;
  /** Staff who decided last, `tuning` where it was the night's run; null for a proposal. */
  by: string | null;
};
