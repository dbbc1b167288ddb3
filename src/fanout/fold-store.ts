import type { Push } from './push.ts';

/**
 * Folding: the rows of a push that was over long ago go, and what they count stays where it was counted. A push that is being
 * folded is recounted no more.
 */
export type FoldStore = {
  /** Pushes that are over, were made before then and are not folded yet, oldest first, by opaque cursor. */
  candidates(
    before: number,
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: Push[]; next: string | null }>;
  /** From now on nothing recounts the push; repeating it changes nothing. */
  begin(push: string): Promise<void>;
  /**
   * Drops up to `limit` rows that are settled; answers how many. Their messages keep what they were sent for (`Message.kept`), since
   * the links in them work for ever, and lose their attempts. Notices stay: they say who was told.
   */
  dropRows(push: string, limit: number): Promise<number>;
  /** The push is folded, unless rows are left; answers whether it is. */
  end(push: string): Promise<boolean>;
  /** Whether the push is folded or being folded. */
  isFolded(push: string): Promise<boolean>;
};
