import { searchText } from '../../publishing/fold.ts';
import type { Item, ItemVersion } from '../../publishing/item.ts';

/** A version without its content, which is JSON: names in it may be anything. */
type StoredVersion = Omit<ItemVersion, 'content'> & { content: string };

/**
 * An item with all its versions in one document, so that an item and its version row change in one step. `unannounced`: the
 * versions whose push is not written yet. Content and facts are JSON, as SQLite keeps them.
 */
export type ItemDocument = {
  _id: string;
  state: Item['state'];
  version: number;
  revision: number;
  visibility: Item['content']['visibility'];
  scheduledFor: number | null;
  formedAt: string | null;
  updatedAt: number;
  sortAt: number;
  search: string;
  names: string[];
  topics: string[];
  departments: string[];
  keywords: string[];
  content: string;
  facts: string;
  versions: Record<string, StoredVersion>;
  unannounced: number[];
};

/** What a list reads of an item. */
export const withoutVersions = { versions: 0, search: 0 } as const;

export const namesOf = (item: Item): string[] => [
  ...new Set([...(item.externalId === null ? [] : [item.externalId]), ...(item.aliases ?? [])]),
];

/** The fields of an item that a write sets. */
export const toItemFields = (item: Item) => {
  const { id: _, state, version, revision, content, scheduledFor, updatedAt, ...facts } = item;
  return {
    ...{ state, version, revision, scheduledFor, updatedAt },
    visibility: content.visibility,
    formedAt: content.formedAt ?? null,
    search: searchText(content),
    names: namesOf(item),
    topics: [...new Set(content.topics)],
    departments: [...new Set(content.departments ?? [])],
    keywords: content.keywords ?? [],
    content: JSON.stringify(content),
    facts: JSON.stringify(facts),
  };
};

export const fromItemDocument = (found: Omit<ItemDocument, 'versions' | 'search'>): Item => ({
  ...JSON.parse(found.facts),
  id: found._id,
  state: found.state,
  version: found.version,
  revision: found.revision,
  content: JSON.parse(found.content),
  scheduledFor: found.scheduledFor,
  updatedAt: found.updatedAt,
});

export const toVersion = ({ content, ...rest }: ItemVersion): StoredVersion => ({
  ...rest,
  content: JSON.stringify(content),
});
export const fromVersion = (
  { item, version, revision, kind, content, note, at }: StoredVersion,
  announce: boolean,
): ItemVersion => ({ item, version, revision, kind, content: JSON.parse(content), note, at, announce });
