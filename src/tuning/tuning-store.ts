import type { PublishedArms } from '../rules/arms.ts';
import type { Change, ClosedExposure, Closing, Exposure, Tally } from './tuning.ts';

type Page = { cursor: string | null; limit: number };
type ExposureKey = Pick<Exposure, 'push' | 'ordinal'>;

/** What tuning keeps: the arms of each day, whom they were drawn for and what came of it, tallies, and changes of rules. */
export type TuningStore = {
  /** Publishes arms; those of a rule version and day that are there stay as they are, because people were drawn from them. */
  publishArms(list: PublishedArms[]): Promise<void>;
  /** Of each rule version the newest arms published for a day from `from` to `to`, in no order; those without are left out. */
  armsOf(ids: { rule: string; version: number }[], from: string, to: string): Promise<PublishedArms[]>;

  /** Keeps exposures; of a push and person that are there the first stays. */
  expose(list: Exposure[]): Promise<void>;
  /** Exposures from before `before` (ms) that are not closed, by (push, person). */
  openExposures(before: number, page: Page): Promise<{ rows: Exposure[]; next: string | null }>;
  /** Closes exposures; repeating it changes nothing, unknown ones are left out. */
  closeExposures(list: Closing[]): Promise<void>;
  /** Forgets exposures of messages that never left. */
  dropExposures(list: ExposureKey[]): Promise<void>;
  /** Closed exposures of from <= at < to (ms), of one rule or all (null), by (at, push, person). */
  closedExposures(
    of: { rule: string | null; from: number; to: number },
    page: Page,
  ): Promise<{ rows: ClosedExposure[]; next: string | null }>;

  /** Puts these tallies in the place of all of their days (since 1970) from `from` to `to`. */
  putTallies(from: number, to: number, tallies: Tally[]): Promise<void>;
  /** The tallies of one rule's lineage from a day on, in no order. */
  talliesOf(rule: string, lineage: string, from: number): Promise<Tally[]>;

  /** Keeps a change whose id is new; one that is proposed still gets the newer evidence and time. Answers whether it was new. */
  propose(change: Change): Promise<boolean>;
  change(id: string): Promise<Change | null>;
  /** Newest first. Throws `invalid` for a cursor it did not make. */
  changes(page: Page): Promise<{ rows: Change[]; next: string | null }>;
  /** The changes of one rule, newest first. */
  changesOf(rule: string, limit: number): Promise<Change[]>;
  /** Moves a change that still is in `from`; answers whether it was. */
  decide(
    id: string,
    from: Change['state'],
    to: Pick<Change, 'state' | 'by'> & Partial<Pick<Change, 'fromVersion' | 'toVersion'>>,
  ): Promise<boolean>;

  /** Forgets exposures and arms from before `before` (ms), and tallies from before that day. */
  forgetBefore(before: number): Promise<void>;
};
