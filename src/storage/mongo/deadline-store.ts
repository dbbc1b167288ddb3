import type { mongo } from 'mongoose';
import type { DeadlineStore, FormedItem } from '../../reports/deadline-store.ts';
import { fromItemDocument, type ItemDocument } from './item-documents.ts';
import { itemCollections } from './item-store.ts';
import { insertMissing, slices } from './writes.ts';

type Warning = { _id: string; at: number };

const keysInOneRead = 2_000;

/** What is read of an item: of its versions the first one's time alone. */
const fields = {
  ...{ state: 1, version: 1, revision: 1, scheduledFor: 1, updatedAt: 1, content: 1, facts: 1 },
  'versions.1.at': 1,
} as const;

const formedOf = (found: ItemDocument): FormedItem => {
  const { id, state, content, writer } = fromItemDocument(found);
  return {
    ...{ id, state, writer, title: content.title },
    formedOn: content.formedAt ?? '',
    publishedAt: found.versions['1']?.at ?? null,
    departments: content.departments ?? [],
  };
};

/** The report of time limits over MongoDB. */
export const mongoDeadlineStore = (db: mongo.Db): DeadlineStore => {
  const { items } = itemCollections(db);
  const warnings = db.collection<Warning>('deadline_warnings');
  return {
    formed: async (from, to, { unpublished, limit }) => {
      const asked = { formedAt: { $gte: from, $lte: to }, visibility: 'public' as const };
      const found = await items
        .find({ ...asked, ...(unpublished ? { version: 0 } : {}) }, { projection: fields })
        .sort({ formedAt: 1, _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(formedOf);
    },
    unwarned: async (keys) => {
      const given = new Set<string>();
      for (const part of slices(keys, keysInOneRead))
        for (const { _id } of await warnings.find({ _id: { $in: part } }).toArray()) given.add(_id);
      return keys.filter((key) => !given.has(key));
    },
    warned: (keys, at) =>
      insertMissing(
        warnings,
        [...new Set(keys)].map((_id) => ({ _id, at })),
      ),
  };
};
