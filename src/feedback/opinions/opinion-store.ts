import type { Opinion, OpinionState } from './opinion.ts';

/** Questions and opinions. They are forgotten with their writer (`SubscriptionStore.erase`), and move with a merge. */
export type OpinionStore = {
  /** Stores an opinion unless its id is there; answers whether it was new. */
  insert(opinion: Opinion): Promise<boolean>;
  get(id: string): Promise<Opinion | null>;
  /** Stores `next` with its beat moved on, if the stored beat still is `next.beat`; answers whether it was. */
  replace(next: Opinion): Promise<boolean>;
  /** Newest first, by opaque cursor. */
  list(
    filter: { state: OpinionState | null; item: string | null },
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: Opinion[]; next: string | null }>;
  /** The published ones of an item, first published first. */
  publishedOf(item: string, limit: number): Promise<Opinion[]>;
  /** What a person wrote, newest first. */
  ofWriter(writer: number, limit: number): Promise<Opinion[]>;
  /** How many a person wrote since then. */
  countOf(writer: number, since: number): Promise<number>;
  /** Those that owe a letter, oldest first. */
  owing(limit: number): Promise<Opinion[]>;
  /** The letter of an opinion is posted. */
  paid(id: string): Promise<void>;
};
