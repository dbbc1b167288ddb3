import type { mongo } from 'mongoose';
import type { ItemDocument } from './item-documents.ts';
import { itemCollections } from './item-store.ts';
import { bulk } from './writes.ts';

const atOnce = 500;

/** Gives items that were stored before there were time limits the day they were formed on as a field; may be repeated. */
export const bringForward = async (db: mongo.Db): Promise<void> => {
  const { items } = itemCollections(db);
  const old = { formedAt: { $exists: false } };
  for (;;) {
    const found = await items
      .find(old, { projection: { content: 1 } })
      .limit(atOnce)
      .toArray();
    if (found.length === 0) return;
    await bulk(
      items,
      found.map(({ _id, content }) => {
        const { formedAt = null } = JSON.parse(content) as { formedAt?: string };
        // one that was written meanwhile has it
        const filter = { _id, ...old } as mongo.Filter<ItemDocument>;
        return { updateOne: { filter, update: { $set: { formedAt } } } };
      }),
    );
  }
};
