import type { ChannelName } from '../subscriptions/follow.ts';
import type { FollowDefinition } from '../subscriptions/subscriber.ts';

/**
 * One person as the audience index takes them in. Follows and topics are numbers here (a distinct follow's, a topic's: dense,
 * never reused): a million people with ten of each are read in seconds. `interests` are pairs: topic number, level, …
 */
export type IndexedPerson = {
  ordinal: number;
  region: string | null;
  locale: string;
  attributes: Record<string, string | string[] | number>;
  personalisation: boolean;
  /** Those with an address that can be used; none for whoever has stopped everything. */
  channels: ChannelName[];
  /** Numbers of the live follows. */
  follows: number[];
  interests: number[];
  lastActiveDay: number | null;
};

export type NumberedFollow = FollowDefinition & { no: number };

/**
 * What the audience index is built from and follows. Every write to a subscriber, their addresses, follows or profile, and
 * every suppression of an address of theirs, gives that person a new change number, in order of visibility.
 */
export type AudienceStore = {
  /** The newest change number; 0 before the first change. */
  sequence(): Promise<number>;
  /** People with an ordinal above `after`, ascending; those merged or erased, and contacts, are left out. `last`: where to go on, null at the end. */
  scan(after: number, limit: number): Promise<{ people: IndexedPerson[]; last: number | null }>;
  /** These people as they are now; those unknown, merged or erased, and contacts, are left out. */
  people(ordinals: number[]): Promise<IndexedPerson[]>;
  /** Who changed after that number, each person once, with their newest change number, ascending. */
  changes(after: number, limit: number): Promise<{ seq: number; ordinal: number }[]>;
  /**
   * Drops what it keeps of changes older than a day beyond each person's newest, and tells again of people who may have been
   * written after whoever follows the changes had given the writer up (design D3); `now` in ms. Answers how many were told of.
   */
  sweepChanges(now: number): Promise<number>;
  /** The distinct follows with a number above `after`, ascending. */
  follows(after: number, limit: number): Promise<NumberedFollow[]>;
  /** Every topic's number by slug. */
  topicNumbers(): Promise<ReadonlyMap<string, number>>;
};
