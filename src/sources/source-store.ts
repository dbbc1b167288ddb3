import type { AfterPoll, Source, SourceHandling } from './source.ts';

/** Which sources a claim is about: those that are due, or one whatever its time. */
type WhichSources = { limit: number } | { id: string };

/** Sources, and who polls them. */
export type SourceStore = {
  /** Inserts a source; answers false where its id, which is its address's, is taken. */
  insert(source: Source): Promise<boolean>;
  get(id: string): Promise<Source | null>;
  /** All of them, oldest first. */
  list(): Promise<Source[]>;
  /**
   * Changes what staff say of a source; what its server said of its version is forgotten, so that the next poll reads it whole.
   * Answers whether it was there.
   */
  change(id: string, handling: SourceHandling): Promise<boolean>;
  /** Pauses a source, or lets it go on: then it is due at `dueAt`. Answers whether it was there. */
  pause(id: string, paused: boolean, dueAt: number): Promise<boolean>;
  /** Removes a source; answers whether it was there. */
  remove(id: string): Promise<boolean>;
  /**
   * Leases sources to `token` until `now + leaseMs`: up to `limit` that are due and not paused, longest due first, or one by its id.
   * None is leased to two at once. `token` is new at every call.
   */
  claim(token: string, which: WhichSources, now: number, leaseMs: number): Promise<Source[]>;
  /** Records a poll while `token` holds the source; answers whether it did. */
  settle(id: string, token: string, to: AfterPoll): Promise<boolean>;
};
