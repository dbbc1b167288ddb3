import type { mongo } from 'mongoose';
import type { Attribute, CatalogueStore } from '../../catalogue/catalogue-store.ts';
import type { Region } from '../../catalogue/region.ts';
import type { Topic } from '../../catalogue/topic.ts';
import { countMissing, insertIfFree, slices, takeNumbers } from './writes.ts';

/** `no` keeps the order in which things were added, and is a topic's number in the audience index. */
type Kept<T, K extends keyof T> = Omit<T, K> & { _id: string; no: number };
export type TopicDocument = Kept<Topic, 'slug'>;

const namesInOneRead = 2_000;

/** The catalogue over MongoDB. Nothing is ever removed from it, so the number of documents is the revision. */
export const mongoCatalogueStore = (db: mongo.Db): CatalogueStore => {
  const topics = db.collection<TopicDocument>('topics');
  const regions = db.collection<Kept<Region, 'code'>>('regions');
  const attributes = db.collection<Kept<Attribute, 'name'>>('attributes');

  const regionsMissing = async (wanted: Region[]): Promise<Region[]> => {
    const known = new Set<string>();
    for (const part of slices(wanted, namesInOneRead))
      for (const { _id } of await regions.find({ _id: { $in: part.map(({ code }) => code) } }).toArray())
        known.add(_id);
    const missing = new Map(wanted.filter(({ code }) => !known.has(code)).map((region) => [region.code, region]));
    return [...missing.values()];
  };

  return {
    topics: async () =>
      (await topics.find().sort({ no: 1 }).toArray()).map(({ _id, title, parent }) => ({ slug: _id, title, parent })),
    insertTopic: async ({ slug, title, parent }) => {
      // a number that is taken for nothing would leave a hole
      if (await topics.findOne({ _id: slug })) return false;
      return insertIfFree(topics, { _id: slug, no: await takeNumbers(db, 'topics', 1), title, parent });
    },
    regions: async () =>
      (await regions.find().sort({ no: 1 }).toArray()).map(({ _id, name, parent }) => ({ code: _id, name, parent })),
    insertRegions: async (wanted) => {
      const missing = await regionsMissing(wanted);
      if (missing.length === 0) return 0;
      const first = await takeNumbers(db, 'regions', missing.length);
      const documents = missing.map(({ code, name, parent }, place) => ({
        _id: code,
        no: first + place,
        name,
        parent,
      }));
      return countMissing(regions, documents);
    },
    attributes: async () =>
      (await attributes.find().sort({ no: 1 }).toArray()).map(({ _id, type, values, title }) => ({
        name: _id,
        type,
        values,
        title,
      })),
    insertAttribute: async ({ name, type, values, title }) => {
      if (await attributes.findOne({ _id: name })) return false;
      return insertIfFree(attributes, { _id: name, no: await takeNumbers(db, 'attributes', 1), type, values, title });
    },
    revision: async () => {
      const counts = await Promise.all([topics, regions, attributes].map((one) => one.estimatedDocumentCount()));
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
};
