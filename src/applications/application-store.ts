import type { Day } from '../calendar/working-day.ts';
import type { Application, ApplicationState } from './application.ts';

/** Applications. What their writers wrote is forgotten with the writer (`SubscriptionStore.erase`), and moves with a merge. */
export type ApplicationStore = {
  insert(application: Application): Promise<void>;
  get(id: string): Promise<Application | null>;
  /** Stores `next` with its beat moved on, if the stored beat still is `next.beat`; answers whether it was. */
  replace(next: Application): Promise<boolean>;
  /** Newest first, by opaque cursor. */
  list(
    state: ApplicationState | null,
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: Application[]; next: string | null }>;
  /**
   * Those that wait for their answer of which either day, the first that was due or the one that is due now, lies between two
   * days, both ends in; the most pressing first.
   */
  openBetween(from: Day, to: Day, limit: number): Promise<Application[]>;
  /** Those received from one day to another, both ends in, oldest first. */
  received(from: Day, to: Day, limit: number): Promise<Application[]>;
  /** Those of one person, by ordinal, newest first. */
  ofApplicant(ordinal: number, limit: number): Promise<Application[]>;
  /** Those that are answered by that item. */
  answeredBy(item: string): Promise<Application[]>;
  /** Those that owe a letter or a push, oldest first. */
  owing(limit: number): Promise<Application[]>;
  /** The debt of an application is paid, if it still is that one. */
  paid(id: string, debt: 'letter' | 'push'): Promise<void>;
  /** Keeps when the answer was opened, the first time; later ones change nothing. */
  opened(id: string, at: number): Promise<void>;
  /** Forgets who applied and what they wrote; one that waits is `forgotten`. */
  forget(id: string): Promise<void>;
};
