import type { Item, ItemVersion } from './item.ts';

/** `published`: only what has been public and is published or withdrawn now. */
export type ItemFilter = {
  state?: Item['state'];
  topics?: string[];
  /** One of the item's departments, to the letter. */
  department?: string;
  q?: string;
  visibility?: 'public';
  published?: true;
};

/** How many of the newest public items the mark is made of: an item written a little late is not missed. */
export const markedItems = 10;

/** The mark of what is public, from its newest items. */
export const markOf = (newest: Pick<Item, 'id' | 'version' | 'revision'>[]): string =>
  newest.map(({ id, version, revision }) => `${id} ${version}.${revision}`).join(';');

export type Page<T> = { rows: T[]; next: string | null };

/** What an import brought of one item: a new one (`was` null) or the next state of one that was there. */
export type ItemChange = { was: Item | null; item: Item; versions: ItemVersion[] };

/** Items and their versions. */
export type ItemStore = {
  /** Stores a new item; throws AppError `conflict` when the id, externalId or an alias is taken. */
  insert(item: Item): Promise<void>;
  /** One item by id or by externalId (or alias); null if unknown. */
  get(by: { id: string } | { externalId: string }): Promise<Item | null>;
  /**
   * Replaces the item if state, version, revision and updatedAt are still `was`'s, and with it stores or replaces the
   * version row, in one step. Answers false when somebody else was first: nothing is written then.
   */
  replace(was: Item, item: Item, version?: ItemVersion): Promise<boolean>;
  /** Applies each change as `insert` and `replace` would, and answers which were; the others (a taken name, a lost race) are left. */
  bring(changes: ItemChange[]): Promise<boolean[]>;
  /** A version row, or null. Version rows of one item are 1, 2, 3 … */
  version(item: string, version: number): Promise<ItemVersion | null>;
  /**
   * Newest first, by the last insertion, change of state or version row; `q` is matched as a substring, both sides folded
   * (fold.ts), in title, summary, keywords and translations; `topics` any of. Throws `invalid` for a cursor it did not make.
   */
  list(filter: ItemFilter, page: { cursor: string | null; limit: number }): Promise<Page<Item>>;
  /**
   * A word that changes whenever an item is published, corrected (in a small way, too) or withdrawn in public, made of the few
   * that were last: what tells cheaply that a copy of what is public is old. Equal on every handle.
   */
  publicMark(): Promise<string>;
  /**
   * Of each item that the public sees and that was published or corrected since then (ms): its own topics. The newest `limit`
   * items; withdrawn ones are left out.
   */
  topicsSince(since: number, limit: number): Promise<string[][]>;
  /** The state, version and revision of these items now; unknown ones are left out: what workers check before a send. */
  heads(ids: string[]): Promise<Map<string, Pick<Item, 'state' | 'version' | 'revision'>>>;
  /** Versions whose push is not written yet (a process died between), oldest first. */
  unannounced(limit: number): Promise<ItemVersion[]>;
  /** Marks a version as announced; repeating it changes nothing. */
  announced(item: string, version: number): Promise<void>;
  /** Items scheduled for `now` or earlier, oldest first. */
  due(now: number, limit: number): Promise<Item[]>;
};
