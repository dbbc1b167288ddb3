import type { mongo } from 'mongoose';
import { unpackOrdinals } from '../../fanout/ordinals.ts';
import { dimensions, spansOf } from '../../reports/counters.ts';
import type { DueBatch, PersonGroup, Progress, ReportStore, Views } from '../../reports/report-store.ts';
import { readEvent } from '../profile-content.ts';
import { type PersonDocument, peopleCollections } from './people/documents.ts';
import { profileCollections } from './profiles/keeper.ts';
import { fromBinary, pushCollections } from './push-documents.ts';
import { bulk, insertMissing, slices } from './writes.ts';

/** When a batch is to be counted; `never` where nothing changed, so that the earlier of two times is the smaller. */
type QueueDocument = { _id: string; dueAt: number; mark: number };
const never = 8_640_000_000_000_000;
/** `cells` is JSON: names of fields may not be anything. */
type PartDocument = { _id: string; day: string; cells: string };
type SumDocument = { _id: string; dimension: string; size: number; span: string; cells: string };
/** `size`: of the span, days are longer than months. */
type StaleDocument = { _id: string; size: number; stale: boolean; mark: number };
type OpensDocument = { _id: string; opens: number };
type ProgressDocument = { _id: string } & Progress;

const progressName = 'progress';
const peopleInOneRead = 2_000;
const mergesMost = 5;

type Queue = Pick<ReportStore, 'soil' | 'soilPeople' | 'due' | 'setPart' | 'leave'>;
type Sums = Pick<ReportStore, 'staleSpans' | 'partsOf' | 'setSums' | 'sums' | 'setOpens' | 'opens'>;
type People = Pick<ReportStore, 'people' | 'views'>;

/** Read models of reports over MongoDB: each write sets what a document is, so that it may be repeated. */
export const mongoReportStore = (db: mongo.Db): ReportStore => {
  const progress = db.collection<ProgressDocument>('report_progress');
  return {
    ...queueOver(db),
    ...sumsOver(db),
    ...peopleOver(db),
    progress: async () => {
      const found = await progress.findOne({ _id: progressName });
      const { followedTo = 0, countedAt = null, revision = 0 } = found ?? {};
      return { followedTo, countedAt, revision };
    },
    setProgress: async ({ followedTo, countedAt, revision }) => {
      await progress.updateOne({ _id: progressName }, { $set: { followedTo, countedAt, revision } }, { upsert: true });
    },
  };
};

const queueOver = (db: mongo.Db): Queue => {
  const { batches } = pushCollections(db);
  const queue = db.collection<QueueDocument>('report_queue');
  const parts = db.collection<PartDocument>('report_parts');
  const stale = db.collection<StaleDocument>('report_stale');

  const soil = async (names: string[], dueAt: number): Promise<void> => {
    await insertMissing(
      queue,
      names.map((_id) => ({ _id, dueAt: never, mark: 0 })),
    );
    await bulk(
      queue,
      names.map((_id) => ({ updateOne: { filter: { _id }, update: { $inc: { mark: 1 }, $min: { dueAt } } } })),
    );
  };

  const spoil = async (spans: string[]): Promise<void> => {
    await insertMissing(
      stale,
      spans.map((_id) => ({ _id, size: _id.length, stale: true, mark: 0 })),
    );
    await stale.updateMany({ _id: { $in: spans } }, { $set: { stale: true }, $inc: { mark: 1 } });
  };

  return {
    soil,
    soilPeople: async (push, ordinals, dueAt) => {
      if (ordinals.length === 0) return;
      const stretches = await batches
        .find({ push, kind: { $in: ['plan', 'late'] } }, { projection: { first: 1, last: 1 } })
        .toArray();
      const touched = stretches.filter(({ first, last }) => ordinals.some((one) => first <= one && one <= last));
      await soil(
        touched.map(({ _id }) => _id),
        dueAt,
      );
    },
    due: async (now, limit) => {
      // to the server a limit of 0 is none
      if (limit === 0) return [];
      const found = await queue
        .find({ dueAt: { $lte: now } })
        .sort({ dueAt: 1, _id: 1 })
        .limit(limit)
        .toArray();
      const there = await batches.find({ _id: { $in: found.map(({ _id }) => _id) } }).toArray();
      const byId = new Map(there.map((batch) => [batch._id, batch]));
      // what no batch is behind any more would stand before all others for ever
      const lost = found.map(({ _id }) => _id).filter((id) => !byId.has(id));
      if (lost.length > 0) await queue.deleteMany({ _id: { $in: lost } });
      return found.flatMap(({ _id, mark }): DueBatch[] => {
        const batch = byId.get(_id);
        if (!batch?.ordinals || batch.push === null) return [];
        return [{ batch: _id, push: batch.push, ordinals: unpackOrdinals(fromBinary(batch.ordinals)), mark }];
      });
    },
    leave: async (batch, mark) => {
      await queue.updateOne({ _id: batch, mark }, { $set: { dueAt: never } });
    },
    // the part before the day, the day before the queue: a crash between them leaves what is done again
    setPart: async ({ batch, day, cells }, mark, again) => {
      const before = await parts.findOneAndUpdate(
        { _id: batch },
        { $set: { day, cells: JSON.stringify(cells) } },
        { upsert: true, returnDocument: 'before' },
      );
      await spoil(spansOf(day, before?.day ?? day));
      await queue.updateOne({ _id: batch, mark }, { $set: { dueAt: again ?? never } });
    },
  };
};

const sumsOver = (db: mongo.Db): Sums => {
  const parts = db.collection<PartDocument>('report_parts');
  const stale = db.collection<StaleDocument>('report_stale');
  const sums = db.collection<SumDocument>('report_sums');
  const opens = db.collection<OpensDocument>('report_opens');
  return {
    staleSpans: async (limit) => {
      const found = await stale.find({ stale: true }).sort({ size: -1, _id: -1 }).limit(limit).toArray();
      return found.map(({ _id, mark }) => ({ span: _id, mark }));
    },
    partsOf: async (day, after, limit) => {
      const found = await parts
        .find({ day, _id: { $gt: after ?? '' } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(({ _id, cells }) => ({ batch: _id, day, cells: JSON.parse(cells) }));
    },
    setSums: async (span, cells, mark) => {
      for (const dimension of dimensions) {
        const _id = `${dimension} ${span}`;
        const keys = cells[dimension];
        const fields = { dimension, size: span.length, span, cells: JSON.stringify(keys) };
        if (keys) await sums.updateOne({ _id }, { $set: fields }, { upsert: true });
        else await sums.deleteOne({ _id });
      }
      await stale.updateOne({ _id: span, mark }, { $set: { stale: false } });
    },
    sums: async (dimension, from, to) => {
      const found = await sums
        .find({ dimension, size: from.length, span: { $gte: from, $lte: to } })
        .sort({ span: 1 })
        .toArray();
      return found.map(({ span, cells }) => ({ span, cells: JSON.parse(cells) }));
    },
    setOpens: async (day, count) => {
      await opens.updateOne({ _id: day }, { $set: { opens: count } }, { upsert: true });
    },
    opens: async (from, to) => {
      const found = await opens.find({ _id: { $gte: from, $lte: to } }).toArray();
      return found.reduce((sum, one) => sum + one.opens, 0);
    },
  };
};

const groupOf = (ordinal: number, found: PersonDocument): PersonGroup => {
  const erased = found.erasedAt !== null;
  const { birthYear } = JSON.parse(found.attributes) as { birthYear?: unknown };
  return {
    ordinal,
    heir: found._id,
    region: erased ? null : found.region,
    locale: erased ? null : found.locale,
    birthYear: typeof birthYear === 'number' ? birthYear : null,
  };
};

const peopleOver = (db: mongo.Db): People => {
  const { subscribers } = peopleCollections(db);
  const { events, visitors } = profileCollections(db);

  const heirOf = async (person: PersonDocument): Promise<PersonDocument> => {
    let heir = person;
    for (let steps = 0; heir.mergedInto !== null && steps < mergesMost; steps += 1) {
      const next = await subscribers.findOne({ _id: heir.mergedInto });
      if (!next) return heir;
      heir = next;
    }
    return heir;
  };

  return {
    people: async (ordinals) => {
      const groups: PersonGroup[] = [];
      for (const part of slices(ordinals, peopleInOneRead))
        for (const person of await subscribers.find({ _id: { $in: part }, pending: { $exists: false } }).toArray())
          groups.push(groupOf(person._id, await heirOf(person)));
      return groups;
    },
    views: async (ordinals, from, to) => {
      const found = new Map<number, Views>();
      const viewsBy = (ordinal: number): Views => {
        const there = found.get(ordinal) ?? { ordinal, tiedAt: null, viewed: [] };
        found.set(ordinal, there);
        return there;
      };
      for (const part of slices(ordinals, peopleInOneRead)) {
        for (const { subscriber, tiedAt } of await visitors.find({ subscriber: { $in: part } }).toArray()) {
          const views = viewsBy(subscriber);
          views.tiedAt = Math.min(views.tiedAt ?? tiedAt, tiedAt);
        }
        const seen = events.find({ subscriber: { $in: part }, at: { $gte: from, $lt: to } });
        for (const { subscriber, at, content } of await seen.toArray()) {
          const { kind, item, topics } = readEvent(subscriber, at, JSON.parse(content));
          if (kind === 'view') viewsBy(subscriber).viewed.push({ item, topics });
        }
      }
      return [...found.values()];
    },
  };
};
