import { mongo } from 'mongoose';

const duplicateKey = 11000;

/** Whether a write failed only because its `_id` is taken. */
const isTaken = (error: unknown): boolean => error instanceof mongo.MongoServerError && error.code === duplicateKey;

/** Inserts one document unless its `_id` is taken; answers whether it did. */
export const insertIfFree = async <T extends mongo.Document>(
  collection: mongo.Collection<T>,
  document: mongo.OptionalUnlessRequiredId<T>,
): Promise<boolean> => {
  try {
    await collection.insertOne(document);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
};

/** Inserts the documents whose `_id` is free and leaves the others as they are. */
export const insertMissing = async <T extends mongo.Document>(
  collection: mongo.Collection<T>,
  documents: mongo.OptionalUnlessRequiredId<T>[],
): Promise<void> => {
  for (const part of slices(documents, 1_000)) {
    try {
      await collection.insertMany(part, { ordered: false });
    } catch (error) {
      const faults = error instanceof mongo.MongoBulkWriteError ? [error.writeErrors].flat() : [];
      if (faults.length === 0 || faults.some((fault) => fault.code !== duplicateKey)) throw error;
    }
  }
};

/** A bulk write in no order; nothing to do is no call. */
export const bulk = async <T extends mongo.Document>(
  collection: mongo.Collection<T>,
  operations: mongo.AnyBulkWriteOperation<T>[],
): Promise<void> => {
  for (const part of slices(operations, 1_000)) await collection.bulkWrite(part, { ordered: false });
};

/** The list in parts of at most `size`. */
export const slices = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size));
