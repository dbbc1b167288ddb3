import type { mongo } from 'mongoose';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { AppError } from '../../errors.ts';
import { fold } from '../../publishing/fold.ts';
import type { Item, ItemVersion } from '../../publishing/item.ts';
import { type ItemFilter, type ItemStore, markedItems, markOf } from '../../publishing/item-store.ts';
import {
  fromItemDocument,
  fromVersion,
  type ItemDocument,
  namesOf,
  toItemFields,
  toVersion,
  withoutVersions,
} from './item-documents.ts';
import { insertIfFree, slices } from './writes.ts';

type NameDocument = { _id: string; item: string };

const idsInOneRead = 2_000;

export const itemCollections = (db: mongo.Db) => ({
  items: db.collection<ItemDocument>('items'),
  names: db.collection<NameDocument>('item_names'),
});

type Names = {
  /** Gives these names to the item unless one of them is another's; answers whether it has them all now. */
  claim(item: string, wanted: string[]): Promise<boolean>;
  /** Whether the item still has them. */
  holds(item: string, wanted: string[]): Promise<boolean>;
};

/**
 * Names of items. A name is claimed before the item is written; one whose item does not bear it was left by a process that
 * died between the two, and whoever wants it takes it over. Both sides look again after their second step, so that of two
 * who meet there one gives way.
 */
const namesOver = (db: mongo.Db): Names => {
  const { items, names } = itemCollections(db);
  const isBorne = async (name: string, item: string): Promise<boolean> =>
    (await items.findOne({ _id: item, names: name }, { projection: { _id: 1 } })) !== null;

  const claimOne = async (item: string, name: string): Promise<boolean> => {
    if (await insertIfFree(names, { _id: name, item })) return true;
    const there = await names.findOne({ _id: name });
    if (!there) return claimOne(item, name);
    if (there.item === item) return true;
    if (await isBorne(name, there.item)) return false;
    const taken = await names.updateOne({ _id: name, item: there.item }, { $set: { item } });
    if (taken.matchedCount === 0) return claimOne(item, name);
    if (!(await isBorne(name, there.item))) return true;
    await names.updateOne({ _id: name, item }, { $set: { item: there.item } });
    return false;
  };
  return {
    claim: async (item, wanted) => {
      for (const name of wanted) if (!(await claimOne(item, name))) return false;
      return true;
    },
    holds: async (item, wanted) =>
      (await names.find({ _id: { $in: wanted }, item }).toArray()).length === wanted.length,
  };
};

type Writes = {
  insert(item: Item, versions: ItemVersion[]): Promise<boolean>;
  replace(was: Item, item: Item, versions: ItemVersion[]): Promise<boolean>;
};

const writesOver = (db: mongo.Db): Writes => {
  const { items } = itemCollections(db);
  const names = namesOver(db);
  return {
    insert: async (item, versions) => {
      const wanted = namesOf(item);
      if (await items.findOne({ _id: item.id }, { projection: { _id: 1 } })) return false;
      if (!(await names.claim(item.id, wanted))) return false;
      const inserted = await insertIfFree(items, {
        _id: item.id,
        ...toItemFields(item),
        sortAt: item.updatedAt,
        versions: Object.fromEntries(versions.map((one) => [one.version, toVersion(one)])),
        unannounced: versions.filter(({ announce }) => announce).map(({ version }) => version),
      });
      if (!inserted) return false;
      if (wanted.length === 0 || (await names.holds(item.id, wanted))) return true;
      await items.deleteOne({ _id: item.id, version: item.version, updatedAt: item.updatedAt });
      return false;
    },
    replace: async (was, item, versions) => {
      const before = new Set(namesOf(was));
      const added = namesOf(item).filter((name) => !before.has(name));
      if (!(await names.claim(item.id, added))) return false;
      const { id, state, version, revision, updatedAt } = was;
      const moved = versions.length > 0 || state !== item.state || item.version === 0;
      const rows = Object.fromEntries(versions.map((one) => [`versions.${one.version}`, toVersion(one)]));
      const owed = versions.filter(({ announce }) => announce).map((one) => one.version);
      const settled = versions.filter(({ announce }) => !announce).map((one) => one.version);
      const replaced = await items.updateOne(
        { _id: id, state, version, revision, updatedAt },
        {
          $set: { ...toItemFields(item), ...rows, ...(moved ? { sortAt: item.updatedAt } : {}) },
          ...(owed.length > 0 ? { $addToSet: { unannounced: { $each: owed } } } : {}),
          ...(owed.length === 0 && settled.length === 1 ? { $pull: { unannounced: settled[0] as number } } : {}),
        },
      );
      return replaced.matchedCount > 0;
    },
  };
};

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const filterOf = ({ state, visibility, published, topics, department, q }: ItemFilter, cursor: string | null) => {
  const all: mongo.Filter<ItemDocument>[] = [];
  if (state) all.push({ state });
  if (visibility) all.push({ visibility });
  if (published) all.push({ state: { $in: ['published', 'withdrawn'] }, version: { $gt: 0 } });
  if (topics) all.push({ topics: { $in: topics } });
  if (department !== undefined) all.push({ departments: department });
  const text = fold(q ?? '');
  if (text) all.push({ search: { $regex: escaped(text) } });
  if (cursor !== null) {
    const [sortAt, id] = decodeCursor(cursor, [0, '']);
    all.push({ $or: [{ sortAt: { $lt: sortAt } }, { sortAt, _id: { $lt: id } }] });
  }
  return all.length > 0 ? { $and: all } : {};
};

type Lists = Pick<ItemStore, 'list' | 'publicMark' | 'topicsSince' | 'heads' | 'due'>;

const listsOver = (db: mongo.Db): Lists => {
  const { items } = itemCollections(db);
  return {
    list: async (filter, { cursor, limit }) => {
      const rows = await items
        .find(filterOf(filter, cursor), { projection: withoutVersions })
        .sort({ sortAt: -1, _id: -1 })
        .limit(limit + 1)
        .toArray();
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        rows: rows.slice(0, limit).map(fromItemDocument),
        next: last ? encodeCursor([last.sortAt, last._id]) : null,
      };
    },
    publicMark: async () => {
      const newest = await items
        .find(filterOf({ visibility: 'public', published: true }, null), { projection: { version: 1, revision: 1 } })
        .sort({ sortAt: -1, _id: -1 })
        .limit(markedItems)
        .toArray();
      return markOf(newest.map(({ _id: id, version, revision }) => ({ id, version, revision })));
    },
    topicsSince: async (since, limit) =>
      (
        await items
          .find(
            { $and: [{ sortAt: { $gte: since } }, { state: 'published', visibility: 'public', version: { $gt: 0 } }] },
            { projection: { topics: 1 } },
          )
          .sort({ sortAt: -1, _id: -1 })
          .limit(limit)
          .toArray()
      ).map(({ topics }) => topics),
    heads: async (ids) => {
      const found = new Map<string, Pick<Item, 'state' | 'version' | 'revision'>>();
      const projection = { state: 1, version: 1, revision: 1 };
      for (const part of slices([...new Set(ids)], idsInOneRead))
        for (const { _id, state, version, revision } of await items
          .find({ _id: { $in: part } }, { projection })
          .toArray())
          found.set(_id, { state, version, revision });
      return found;
    },
    due: async (now, limit) =>
      (
        await items
          .find({ state: 'scheduled', scheduledFor: { $lte: now } }, { projection: withoutVersions })
          .sort({ scheduledFor: 1, _id: 1 })
          .limit(limit)
          .toArray()
      ).map(fromItemDocument),
  };
};

/** Items over MongoDB: an item with its versions is one document, its names lie beside it. */
export const mongoItemStore = (db: mongo.Db): ItemStore => {
  const { items, names } = itemCollections(db);
  const { insert, replace } = writesOver(db);

  return {
    ...listsOver(db),
    insert: async (item) => {
      if (!(await insert(item, [])))
        throw new AppError('conflict', 'an item with this externalId is there already', {
          faults: [{ path: 'externalId', message: 'is taken' }],
        });
    },
    get: async (by) => {
      const id = 'id' in by ? by.id : (await names.findOne({ _id: by.externalId }))?.item;
      const found = id === undefined ? null : await items.findOne({ _id: id }, { projection: withoutVersions });
      if (!found || ('externalId' in by && !found.names.includes(by.externalId))) return null;
      return fromItemDocument(found);
    },
    replace: (was, item, version) => replace(was, item, version ? [version] : []),
    bring: async (changes) => {
      const done: boolean[] = [];
      for (const { was, item, versions } of changes)
        done.push(await (was === null ? insert(item, versions) : replace(was, item, versions)));
      return done;
    },
    version: async (item, version) => {
      const found = await items.findOne({ _id: item }, { projection: { [`versions.${version}`]: 1, unannounced: 1 } });
      const row = found?.versions?.[version];
      return found && row ? fromVersion(row, found.unannounced.includes(version)) : null;
    },
    unannounced: async (limit) => {
      // few at any time: each waits only for the push that is written right after it
      const found = await items
        .find({ unannounced: { $gt: 0 } })
        .limit(limit)
        .toArray();
      const owed = found.flatMap(({ versions, unannounced }) =>
        unannounced.flatMap((no) => (versions[no] ? [fromVersion(versions[no], true)] : [])),
      );
      const order = (a: ItemVersion, b: ItemVersion): number =>
        a.at - b.at || (a.item < b.item ? -1 : a.item > b.item ? 1 : a.version - b.version);
      return owed.sort(order).slice(0, limit);
    },
    announced: async (item, version) => {
      await items.updateOne({ _id: item }, { $pull: { unannounced: version } });
    },
  };
};
