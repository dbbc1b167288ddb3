import type { mongo } from 'mongoose';
import type { Application } from '../../applications/application.ts';
import type { ApplicationStore } from '../../applications/application-store.ts';
import { decodeCursor, encodeCursor } from '../../cursor.ts';

type ApplicationDocument = Omit<Application, 'id'> & { _id: string };

export const applicationsIn = (db: mongo.Db): mongo.Collection<ApplicationDocument> =>
  db.collection<ApplicationDocument>('applications');

/** Forgets who applied and what they wrote, in whatever applications the filter finds; those that wait are `forgotten`. */
export const forgetApplications = async (
  applications: mongo.Collection<ApplicationDocument>,
  which: mongo.Filter<ApplicationDocument>,
): Promise<void> => {
  await applications.updateMany(
    { $and: [which, { state: { $in: ['received', 'postponed'] } }] },
    { $set: { state: 'forgotten' }, $inc: { beat: 1 } },
  );
  const forgotten = { applicant: null, written: null, lookup: null, owes: null };
  await applications.updateMany(which, { $set: forgotten, $inc: { beat: 1 } });
};

// those that were registered before they had numbers are called by their id
const fromDocument = ({ _id, ...rest }: ApplicationDocument): Application => ({
  ...{ id: _id, number: _id },
  ...rest,
});

/** Applications over MongoDB. */
export const mongoApplicationStore = (db: mongo.Db): ApplicationStore => {
  const applications = applicationsIn(db);
  const read = async (
    filter: mongo.Filter<ApplicationDocument>,
    sort: Record<string, 1 | -1>,
    limit: number,
  ): Promise<Application[]> => (await applications.find(filter).sort(sort).limit(limit).toArray()).map(fromDocument);

  return {
    insert: async ({ id, ...application }) => {
      await applications.insertOne({ _id: id, ...application });
    },
    get: async (id) => {
      const found = await applications.findOne({ _id: id });
      return found && fromDocument(found);
    },
    replace: async ({ id, beat, ...next }) =>
      (await applications.updateOne({ _id: id, beat }, { $set: next, $inc: { beat: 1 } })).matchedCount === 1,
    list: async (state, { cursor, limit }) => {
      const [at, id] = decodeCursor(cursor, [Number.MAX_SAFE_INTEGER, '\u{10ffff}'] as [number, string]);
      const before = { $or: [{ createdAt: { $lt: at } }, { createdAt: at, _id: { $lt: id } }] };
      const rows = await read({ ...before, ...(state ? { state } : {}) }, { createdAt: -1, _id: -1 }, limit + 1);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), next: last ? encodeCursor([last.createdAt, last.id]) : null };
    },
    openBetween: (from, to, limit) => {
      const within = { $gte: from, $lte: to };
      const which = { state: { $in: ['received', 'postponed'] }, $or: [{ dueOn: within }, { firstDueOn: within }] };
      return read(which as mongo.Filter<ApplicationDocument>, { dueOn: 1, _id: 1 }, limit);
    },
    received: (from, to, limit) => read({ receivedOn: { $gte: from, $lte: to } }, { receivedOn: 1, _id: 1 }, limit),
    ofApplicant: (ordinal, limit) => read({ applicant: ordinal }, { createdAt: -1, _id: -1 }, limit),
    answeredBy: (item) => read({ 'answer.item': item }, { createdAt: 1, _id: 1 }, 1_000),
    owing: (limit) => read({ owes: { $in: ['letter', 'push'] } }, { createdAt: 1 }, limit),
    paid: async (id, debt) => {
      await applications.updateOne({ _id: id, owes: debt }, { $set: { owes: null }, $inc: { beat: 1 } });
    },
    forget: (id) => forgetApplications(applications, { _id: id }),
    opened: async (id, at) => {
      await applications.updateOne({ _id: id, openedAt: null }, { $set: { openedAt: at }, $inc: { beat: 1 } });
    },
  };
};
