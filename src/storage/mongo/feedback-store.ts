import type { mongo } from 'mongoose';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { Feedback } from '../../feedback/feedback.ts';
import type { ClickToJudge, FeedbackStore, SurveyAsk } from '../../feedback/feedback-store.ts';
import type { LinkVisit } from '../../feedback/machine-clicks.ts';
import { bulk, insertIfFree, insertMissing, slices } from './writes.ts';

export type FeedbackDocument = Omit<Feedback, 'id'> & { _id: string };
type VisitDocument = LinkVisit & { _id: string };
type OpenDocument = { _id: string; at: number };
type ClickDocument = Omit<ClickToJudge, 'id'> & { _id: string };
type SurveyDocument = { _id: number; name: string; at: number };

const feedbackOf = ({ _id, ...found }: FeedbackDocument): Feedback => ({
  id: _id,
  kind: found.kind,
  rating: found.rating,
  comment: found.comment,
  push: found.push,
  item: found.item,
  version: found.version,
  ordinal: found.ordinal,
  channel: found.channel,
  message: found.message,
  at: found.at,
  machine: found.machine,
});

const visitId = ({ message, at, link, head }: LinkVisit): string => `${message} ${at} ${link} ${head}`;
const asksInOneWrite = 500;

/** Where feedback lies; also for whoever erases or merges people. */
export const feedbackCollection = (db: mongo.Db) => db.collection<FeedbackDocument>('feedback');

/** Whom was asked when; also for whoever merges people. */
export const surveyCollection = (db: mongo.Db) => db.collection<SurveyDocument>('surveys');

/** Feedback over MongoDB: every document is known by what it is about, so that each write may be repeated. */
export const mongoFeedbackStore = (db: mongo.Db): FeedbackStore => {
  const feedbacks = feedbackCollection(db);
  const visits = db.collection<VisitDocument>('link_visits');
  const opens = db.collection<OpenDocument>('opens');
  const clicks = db.collection<ClickDocument>('clicks_to_judge');
  const surveys = surveyCollection(db);

  const newest = async (filter: { message: string } | { ordinal: number }, limit: number): Promise<Feedback[]> =>
    (await feedbacks.find(filter).sort({ at: -1, _id: -1 }).limit(limit).toArray()).map(feedbackOf);

  const visitsOf = async (message: string): Promise<LinkVisit[]> => {
    const found = await visits.find({ message }).sort({ at: 1, _id: 1 }).toArray();
    return found.map(({ link, head, at }) => ({ message, link, head, at }));
  };

  const forget = async <T extends { _id: string; at: number }>(
    collection: mongo.Collection<T>,
    before: number,
    limit: number,
  ): Promise<number> => {
    const old = { at: { $lt: before } } as mongo.Filter<T>;
    const found = await collection
      .find(old, { projection: { _id: 1 } })
      .limit(limit)
      .toArray();
    if (found.length === 0) return 0;
    const ids = { _id: { $in: found.map((one) => one._id) } } as mongo.Filter<T>;
    return (await collection.deleteMany(ids)).deletedCount;
  };

  const takeAll = async (asks: SurveyAsk[], pauseMs: number): Promise<boolean[]> => {
    await insertMissing(
      surveys,
      asks.map(({ ordinal, of, at }) => ({ _id: ordinal, name: of, at })),
    );
    await bulk(
      surveys,
      asks.map(({ ordinal, of, at }) => ({
        updateOne: {
          filter: { _id: ordinal, name: { $ne: of }, at: { $lte: at - pauseMs } },
          update: { $set: { name: of, at } },
        },
      })),
    );
    const found = await surveys.find({ _id: { $in: asks.map(({ ordinal }) => ordinal) } }).toArray();
    const names = new Map(found.map(({ _id, name }) => [_id, name]));
    return asks.map(({ ordinal, of }) => names.get(ordinal) === of);
  };

  return {
    record: async ({ id, ...feedback }) => {
      if (await insertIfFree(feedbacks, { _id: id, ...feedback })) return true;
      const { rating, comment, at, machine } = feedback;
      await feedbacks.updateOne({ _id: id }, { $set: { rating, comment, at, machine } });
      return false;
    },
    between: async (from, to, { cursor, limit }) => {
      const [at, id] = decodeCursor(cursor, [-1, ''] as [number, string]);
      const rows = await feedbacks
        .find({
          machine: null,
          at: { $gte: Math.max(from, at), $lt: to },
          $or: [{ at: { $gt: at } }, { at, _id: { $gt: id } }],
        })
        .sort({ at: 1, _id: 1 })
        .limit(limit + 1)
        .toArray();
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        feedback: rows.slice(0, limit).map(feedbackOf),
        next: last ? encodeCursor([last.at, last._id]) : null,
      };
    },
    said: async ({ cursor, limit }) => {
      const [at, id] = decodeCursor(cursor, [Number.MAX_SAFE_INTEGER, ''] as [number, string]);
      const rows = await feedbacks
        .find({
          machine: null,
          at: { $lte: at },
          $and: [
            { $or: [{ comment: { $ne: null } }, { kind: 'complaint' }] },
            { $or: [{ at: { $lt: at } }, { at, _id: { $lt: id } }] },
          ],
        })
        .sort({ at: -1, _id: -1 })
        .limit(limit + 1)
        .toArray();
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        feedback: rows.slice(0, limit).map(feedbackOf),
        next: last ? encodeCursor([last.at, last._id]) : null,
      };
    },
    ofMessage: (message) => newest({ message }, 0),
    ofPerson: (ordinal, limit) => newest({ ordinal }, limit),
    ofPush: async (push, first, last) =>
      (await feedbacks.find({ push, ordinal: { $gte: first, $lte: last }, machine: null }).toArray()).map(feedbackOf),
    visited: async (visit, most) => {
      if ((await visits.countDocuments({ message: visit.message }, { limit: most })) < most)
        await insertIfFree(visits, { _id: visitId(visit), ...visit });
      return visitsOf(visit.message);
    },
    rememberClick: async ({ id, message, at }) => {
      const fresh = await insertIfFree(clicks, { _id: id, message, at });
      if (!fresh) await clicks.updateOne({ _id: id }, { $set: { at } });
    },
    clicksBefore: async (before, limit) => {
      const found = await clicks
        .find({ at: { $lt: before } })
        .sort({ at: 1, _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(({ _id, message, at }) => ({ id: _id, message, at }));
    },
    forgetClicks: async (judged) => {
      await bulk(
        clicks,
        judged.map(({ id, at }) => ({ deleteOne: { filter: { _id: id, at } } })),
      );
    },
    opened: async (message, at) => {
      await insertIfFree(opens, { _id: message, at });
    },
    opens: (from, to) => opens.countDocuments({ at: { $gte: from, $lt: to } }),
    forgetVisits: async (before, limit) => {
      const gone = await forget(visits, before, limit);
      return gone < limit ? gone + (await forget(opens, before, limit - gone)) : gone;
    },
    takeSurveys: async (asks, pauseMs) => {
      const taken: boolean[] = [];
      for (const part of slices(asks, asksInOneWrite)) taken.push(...(await takeAll(part, pauseMs)));
      return taken;
    },
  };
};
