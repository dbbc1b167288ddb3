import type { Item, ItemVersion } from './item.ts';

export type ItemFilter = {
  state?: Item['state'];
  topics?: string[];
  q?: string;
  visibility?: 'public';
  published?: true;
};
export type Page<T> = { rows: T[]; next: string | null };

/** Items and their versions. */
export type ItemStore = {
  /** Stores a new item; throws AppError `conflict` when the externalId is taken. */
  insert(item: Item): Promise<void>;
  /** One item by id or externalId; null if unknown. */
  get(by: { id: string } | { externalId: string }): Promise<Item | null>;
  /**
   * Replaces the item if state, version, revision and updatedAt are still `was`'s, and with it stores or replaces the
   * version row, in one step. Answers false when somebody else was first: nothing is written then.
   */
  replace(was: Item, item: Item, version?: ItemVersion): Promise<boolean>;
  /** A version row, or null. Version rows of one item are 1, 2, 3 … */
  version(item: string, version: number): Promise<ItemVersion | null>;
  /** Newest first (published or changed); `q` is matched NFKC case-folded in title, summary, keywords and translations; `topics` any of. */
  list(filter: ItemFilter, page: { cursor: string | null; limit: number }): Promise<Page<Item>>;
  /** The state, version and revision of these items now, in one read: what workers check before a send. */
  heads(ids: string[]): Promise<Map<string, Pick<Item, 'state' | 'version' | 'revision'>>>;
  /** Items scheduled for `now` or earlier, oldest first. */
  due(now: number, limit: number): Promise<Item[]>;
};
