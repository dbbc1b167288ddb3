import type { mongo } from 'mongoose';
import type { ItemContent } from '../../publishing/item.ts';
import type { ItemDocument } from './item-documents.ts';
import { itemCollections } from './item-store.ts';
import { bulk } from './writes.ts';

const atOnce = 500;

/**
 * Gives items that were stored before there were time limits and feeds what these look for as fields: the day they were formed
 * on, their departments. May be repeated.
 */
export const bringForward = async (db: mongo.Db): Promise<void> => {
  const { items } = itemCollections(db);
  const old = { $or: [{ formedAt: { $exists: false } }, { departments: { $exists: false } }] };
  for (;;) {
    const found = await items
      .find(old, { projection: { content: 1 } })
      .limit(atOnce)
      .toArray();
    if (found.length === 0) return;
    await bulk(
      items,
      found.map(({ _id, content }) => {
        const { formedAt = null, departments = [] } = JSON.parse(content) as Pick<
          ItemContent,
          'formedAt' | 'departments'
        >;
        // one that was written meanwhile has them
        const filter = { _id, ...old } as mongo.Filter<ItemDocument>;
        return { updateOne: { filter, update: { $set: { formedAt, departments: [...new Set(departments)] } } } };
      }),
    );
  }
};
