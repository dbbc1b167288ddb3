import { createHash } from 'node:crypto';
import type { Condition } from '../rules/condition.ts';
import type { ChannelName } from '../subscriptions/follow.ts';

/**
 * **push**: one fan-out of one item version. planning -> running -> done; planning, running <-> paused; any of them ->
 * cancelled, which is over once everybody is settled. People who are deferred or digested settle later under a push that is
 * done: while there are any it can still be paused (and resumed: running, then done again) or cancelled.
 */
export const pushStates = ['planning', 'running', 'paused', 'done', 'cancelled'] as const;
export type PushState = (typeof pushStates)[number];

/** Lanes, most urgent first; the emergency lane never waits behind the others. */
export const lanes = ['emergency', 'at-once', 'digest', 'bulk'] as const;
export type Lane = (typeof lanes)[number];

/** States of a person in a push (design D5). Rank: with several rows for a person the best state counts. */
export const deliveryStates = [
  'cancelled',
  'withheld',
  'failed',
  'bounced',
  'digested',
  'deferred',
  'planned',
  'sending',
  'sent',
  'delivered',
] as const;
export type DeliveryState = (typeof deliveryStates)[number];
export const rankOf = (state: DeliveryState): number => deliveryStates.indexOf(state);

export type Counts = Record<DeliveryState, number>;
export const noCounts = (): Counts => Object.fromEntries(deliveryStates.map((state) => [state, 0])) as Counts;
export const addCounts = (a: Counts, b: Counts): Counts =>
  Object.fromEntries(deliveryStates.map((state) => [state, a[state] + b[state]])) as Counts;

/**
 * Whom a push is for: everybody an item version matches, people named by a publisher, whoever a condition is true of, or the one
 * applicant (by ordinal: a contact has no other name) whose application the item answers.
 */
export type PushAudience =
  | { kind: 'match' }
  | { kind: 'people'; subscribers: string[] }
  | { kind: 'applicant'; ordinal: number }
  | { kind: 'condition'; who: Condition };

export type Push = {
  id: string;
  item: string;
  version: number;
  lane: Lane;
  state: PushState;
  audience: PushAudience;
  channels: ChannelName[] | null;
  note: string | null;
  /** Token of the plan that won, null until frozen. */
  plan: string | null;
  matched: number;
  bySource: { source: string; people: number }[];
  createdAt: number;
  plannedAt: number | null;
  finishedAt: number | null;
};

/** How many people a planned or late batch holds at most. */
export const batchSize = 1000;

/**
 * **batch**: the unit of claiming. `plan` and `late` batches hold people of their push (ascending ordinals) and carry its
 * counts; a `due` batch is only a lease over rows that left their batch and are due again.
 */
export type Batch = {
  id: string;
  kind: 'plan' | 'late' | 'due';
  push: string | null;
  lane: Lane;
  ordinals: number[];
  rows: DeliveryKey[];
};

/** **delivery**: the ledger row's key. `channel` is null until the policy chose one. */
export type DeliveryKey = { push: string; ordinal: number; channel: ChannelName | null };

const hash = (...parts: (string | number)[]): string =>
  createHash('sha256').update(parts.join('\u0000')).digest('base64url').slice(0, 22);

/** The publish push's id (design D5): the same version can never be fanned out twice. */
export const pushIdOf = (item: string, version: number): string => hash('push', item, version);

export const planBatchId = (push: string, k: number): string => `${push}:${k}`;
export const lateBatchId = (push: string, j: number): string => `${push}:late:${j}`;
