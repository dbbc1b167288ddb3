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
  await countMissing(collection, documents);
};

/** `insertMissing`, answering how many were free. */
export const countMissing = async <T extends mongo.Document>(
  collection: mongo.Collection<T>,
  documents: mongo.OptionalUnlessRequiredId<T>[],
): Promise<number> => {
  let inserted = 0;
  for (const part of slices(documents, 1_000)) {
    try {
      inserted += (await collection.insertMany(part, { ordered: false })).insertedCount;
    } catch (error) {
      const clashes = clashesOf(error);
      if (clashes === null) throw error;
      inserted += part.length - clashes.length;
    }
  }
  return inserted;
};

/** The places of the documents whose `_id` was taken, if a bulk insert failed for nothing else; otherwise null. */
const clashesOf = (error: unknown): number[] | null => {
  const faults = error instanceof mongo.MongoBulkWriteError ? [error.writeErrors].flat() : [];
  if (faults.length === 0 || faults.some((fault) => fault.code !== duplicateKey)) return null;
  return faults.map((fault) => fault.index);
};

type Numbered = { _id: number };

/**
 * Inserts documents under the next free numbers and answers these. A number is only taken when the one before it is there, so
 * that numbers have no holes and become visible in their order; whoever clashes goes on from what is there by then.
 */
export const append = async <T extends Numbered>(
  collection: mongo.Collection<T>,
  documents: Omit<T, '_id'>[],
): Promise<number[]> => {
  const numbers: number[] = [];
  while (numbers.length < documents.length) {
    const [last] = await collection
      .find({}, { projection: { _id: 1 } })
      .sort({ _id: -1 })
      .limit(1)
      .toArray();
    const next = Number(last?._id ?? 0) + 1;
    const part = documents.slice(numbers.length, numbers.length + 1_000);
    const numbered = part.map((document, place) => ({ ...document, _id: next + place }));
    let inserted = part.length;
    try {
      await collection.insertMany(numbered as unknown as mongo.OptionalUnlessRequiredId<T>[], { ordered: true });
    } catch (error) {
      const [first] = clashesOf(error) ?? [];
      if (first === undefined) throw error;
      inserted = first;
    }
    for (let place = 0; place < inserted; place++) numbers.push(next + place);
  }
  return numbers;
};

type Counter = { _id: string; value: number };

/** Takes the next numbers of that name, which nobody else gets; answers the first. One that is not used leaves a hole. */
export const takeNumbers = async (db: mongo.Db, name: string, count: number): Promise<number> => {
  const counters = db.collection<Counter>('counters');
  try {
    const after = await counters.findOneAndUpdate(
      { _id: name },
      { $inc: { value: count } },
      { upsert: true, returnDocument: 'after' },
    );
    return (after?.value ?? count) - count + 1;
  } catch (error) {
    // two made the counter at once
    if (isTaken(error)) return takeNumbers(db, name, count);
    throw error;
  }
};

/** The last number of that name that was taken; 0 before the first. */
export const lastNumber = async (db: mongo.Db, name: string): Promise<number> =>
  (await db.collection<Counter>('counters').findOne({ _id: name }))?.value ?? 0;

type Tally = { _id: string; at: number[]; newest: number; beat: number };

/**
 * Counts one thing that `who` did at `now`, unless `most` were counted after `since`; answers whether it was counted. Times of
 * before `since` are dropped on the way.
 */
export const takeTurn = async (
  tallies: mongo.Collection<Tally>,
  who: string,
  { now, since, most }: { now: number; since: number; most: number },
): Promise<boolean> => {
  const there = await tallies.findOne({ _id: who });
  const kept = (there?.at ?? []).filter((at) => at > since);
  if (kept.length >= most) return false;
  const after = { at: [...kept, now], newest: Math.max(now, ...kept) };
  const counted = there
    ? (await tallies.updateOne({ _id: who, beat: there.beat }, { $set: after, $inc: { beat: 1 } })).matchedCount > 0
    : await insertIfFree(tallies, { _id: who, ...after, beat: 1 });
  // somebody else was counted meanwhile: look again
  return counted || takeTurn(tallies, who, { now, since, most });
};

/** Where `takeTurn` counts. */
export const talliesOf = (db: mongo.Db, name: string): mongo.Collection<Tally> => db.collection<Tally>(name);

/**
 * Updates in one call. FerretDB 1.24 opens a connection to SQLite for each and closes them all at the end; it has a hundred, and
 * stands still for ever at the hundredth update of a call.
 */
const updatesInOneCall = 90;

/** A bulk write in no order; nothing to do is no call. */
export const bulk = async <T extends mongo.Document>(
  collection: mongo.Collection<T>,
  operations: mongo.AnyBulkWriteOperation<T>[],
): Promise<void> => {
  await countBulk(collection, operations);
};

/** `bulk`, answering how many documents its filters found. */
export const countBulk = async <T extends mongo.Document>(
  collection: mongo.Collection<T>,
  operations: mongo.AnyBulkWriteOperation<T>[],
): Promise<number> => {
  let matched = 0;
  for (const part of slices(operations, updatesInOneCall))
    matched += (await collection.bulkWrite(part, { ordered: false })).matchedCount;
  return matched;
};

/** The list in parts of at most `size`. */
export const slices = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size));
