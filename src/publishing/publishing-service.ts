import type { Actor, Item, ItemContent, ItemVersion } from './item.ts';
import type { ItemFilter, Page } from './item-store.ts';

/** An item whose publication (or correction, withdrawal) is now public, and the version row that notifies, if any does. */
export type Published = { item: Item; version: ItemVersion | null };

export type ItemImportReport = {
  created: number;
  updated: number;
  unchanged: number;
  failed: number;
  errors: { entry: number; id: string | null; message: string }[];
  /** Versions that are to be notified (only with `notify`). */
  notify: Published[];
};

export type PublishingService = {
  create(content: ItemContent, externalId: string | null, actor: Actor): Promise<Item>;
  get(id: string): Promise<Item | null>;
  version(id: string, version: number): Promise<ItemVersion | null>;
  list(filter: ItemFilter, page: { cursor: string | null; limit: number }): Promise<Page<Item>>;
  submit(id: string, actor: Actor): Promise<Item>;
  /** Throws `own-work`, `no-scope` (not a member of `as`), `wrong-state`, `conflict` (that department has approved). The last approval of a correction applies it. */
  approve(id: string, as: string | null, actor: Actor): Promise<Published>;
  reject(id: string, reason: string, actor: Actor): Promise<Item>;
  schedule(id: string, at: number, actor: Actor): Promise<Item>;
  /** Makes the item public as version 1 (in whose name its push was already written); repeating it answers the same. */
  publish(id: string, actor: Actor): Promise<Published>;
  /** The version number that publishing this item now would have; throws `wrong-state` when it may not be published. */
  nextVersion(id: string, actor: Actor): Promise<number>;
  /** With REVIEW=on the change waits for review (`version` null); with REVIEW=off it is applied. */
  correct(
    id: string,
    change: { change: 'major' | 'minor'; note: string; fields: Partial<ItemContent> },
    actor: Actor,
  ): Promise<Published>;
  withdraw(id: string, note: string, actor: Actor): Promise<Published>;
  importItems(
    input: {
      format: 'rss' | 'atom' | 'cap' | 'govuk';
      content: string;
      topics: string[];
      publish: boolean;
      notify: boolean;
    },
    actor: Actor,
  ): Promise<ItemImportReport>;
  /** Items whose scheduled time has come. */
  due(now: number): Promise<Item[]>;
};
