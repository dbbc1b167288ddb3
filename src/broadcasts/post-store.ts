import type { AfterPosting, Post } from './post.ts';

/** Posts: one row for each version of an item that is to be posted. */
export type PostStore = {
  /** Stores a post; one of that item and version is left as it is. */
  enqueue(post: Post): Promise<void>;
  /** Leases up to `limit` due posts to `token` until `now + leaseMs`, earliest first; whose lease has run out are due again. */
  claim(token: string, now: number, leaseMs: number, limit: number): Promise<Post[]>;
  /**
   * Notes that the provider is about to be asked: from now on it may hold the post, whoever dies. An earlier doubt stands. Answers whether
   * `token` still holds the post at `now`; without it, the provider must not be asked.
   */
  beginAsking(post: Pick<Post, 'item' | 'version'>, token: string, now: number): Promise<boolean>;
  /** Which of the provider's ids are those of posts that are here. */
  known(references: readonly string[]): Promise<Set<string>>;
  /** Keeps what an attempt came to and ends the lease, if `token` still holds the post; answers whether it did. */
  settle(post: Pick<Post, 'item' | 'version'>, token: string, to: AfterPosting): Promise<boolean>;
  /** Marks as superseded what waits of an item's versions before this one; what is leased at `now` is under way and
   * stays, and so does what is in doubt. */
  supersede(item: string, before: number, now: number): Promise<void>;
  /** An item's posts, oldest version first. */
  ofItem(item: string): Promise<Post[]>;
  /** All posts, newest first. Throws `invalid` for a cursor it did not make. */
  page(page: { cursor: string | null; limit: number }): Promise<{ rows: Post[]; next: string | null }>;
  /** Makes a post due again that failed or was off, without doubt: somebody has looked. Answers whether it was one. */
  again(post: Pick<Post, 'item' | 'version'>, now: number, giveUpAt: number): Promise<boolean>;
  /** Switches posts of an item off or on (they are on until switched off). */
  switchItem(item: string, on: boolean): Promise<void>;
  isOff(item: string): Promise<boolean>;
};
