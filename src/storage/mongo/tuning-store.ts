import type { mongo } from 'mongoose';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { PublishedArms } from '../../rules/arms.ts';
import type { Change, ClosedExposure, Exposure, Tally } from '../../tuning/tuning.ts';
import type { TuningStore } from '../../tuning/tuning-store.ts';
import { bulk, insertIfFree, insertMissing, slices } from './writes.ts';

/** `arms` as JSON, so that nothing of it has to be a field's name. */
type ArmsDocument = Omit<PublishedArms, 'arms'> & { _id: string; arms: string };
type ExposureDocument = ClosedExposure & { _id: string; closed: boolean };
type TallyDocument = Tally & { _id: string };
type ChangeDocument = Omit<Change, 'id'> & { _id: string };

const keyOf = ({ push, ordinal }: Pick<Exposure, 'push' | 'ordinal'>): string => `${push} ${ordinal}`;

/** Fields are named one by one, so that nothing else a document may hold gets out. */
const exposureOf = (found: ExposureDocument): Exposure => ({
  push: found.push,
  ordinal: found.ordinal,
  rule: found.rule,
  version: found.version,
  lineage: found.lineage,
  day: found.day,
  level: found.level,
  drawn: found.drawn,
  propensity: found.propensity,
  pass: found.pass,
  others: found.others,
  withheld: found.withheld,
  at: found.at,
});

const closedOf = (found: ExposureDocument): ClosedExposure => ({
  ...exposureOf(found),
  channel: found.channel,
  sentAt: found.sentAt,
  reward: found.reward,
  unwanted: found.unwanted,
});

const tallyOf = ({ _id, ...tally }: TallyDocument): Tally => tally;
const changeOf = ({ _id, ...change }: ChangeDocument): Change => ({ id: _id, ...change });

const atOnce = 1_000;
/** FerretDB 1.24 on SQLite does not come back from a hundred updates in one command. */
const closedAtOnce = 50;
const dayMs = 86_400_000;
/** Above every key of a change. */
const newest: [number, string] = [Number.MAX_SAFE_INTEGER, '\u{10ffff}'];
const firstKey: [string, number] = ['', -1];
const firstByTime: [number, string, number] = [-1, '', -1];

type Exposures = Pick<TuningStore, 'expose' | 'openExposures' | 'closeExposures' | 'dropExposures' | 'closedExposures'>;

const exposuresOver = (exposures: mongo.Collection<ExposureDocument>): Exposures => ({
  expose: (list) =>
    insertMissing(
      exposures,
      list.map((one) => ({
        _id: keyOf(one),
        ...one,
        closed: false,
        channel: null,
        sentAt: null,
        reward: 0 as const,
        unwanted: false,
      })),
    ),
  openExposures: async (before, { cursor, limit }) => {
    const [push, ordinal] = decodeCursor(cursor, firstKey);
    const rows = await exposures
      .find({ closed: false, at: { $lt: before }, $or: [{ push: { $gt: push } }, { push, ordinal: { $gt: ordinal } }] })
      .sort({ push: 1, ordinal: 1 })
      .limit(limit + 1)
      .toArray();
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      rows: rows.slice(0, limit).map(exposureOf),
      next: last ? encodeCursor([last.push, last.ordinal]) : null,
    };
  },
  closeExposures: async (list) => {
    for (const part of slices(list, closedAtOnce))
      await bulk(
        exposures,
        part.map(({ push, ordinal, channel, sentAt, reward, unwanted }) => ({
          updateOne: {
            filter: { _id: keyOf({ push, ordinal }), closed: false },
            update: { $set: { closed: true, channel, sentAt, reward, unwanted } },
          },
        })),
      );
  },
  dropExposures: async (list) => {
    for (const part of slices(list, atOnce)) await exposures.deleteMany({ _id: { $in: part.map(keyOf) } });
  },
  closedExposures: async ({ rule, from, to }, { cursor, limit }) => {
    const [at, push, ordinal] = decodeCursor(cursor, firstByTime);
    const rows = await exposures
      .find({
        closed: true,
        ...(rule === null ? {} : { rule }),
        at: { $gte: Math.max(from, at), $lt: to },
        $or: [{ at: { $gt: at } }, { at, push: { $gt: push } }, { at, push, ordinal: { $gt: ordinal } }],
      })
      .sort({ at: 1, push: 1, ordinal: 1 })
      .limit(limit + 1)
      .toArray();
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      rows: rows.slice(0, limit).map(closedOf),
      next: last ? encodeCursor([last.at, last.push, last.ordinal]) : null,
    };
  },
});

type Changes = Pick<TuningStore, 'propose' | 'change' | 'changes' | 'changesOf' | 'decide'>;

const changesOver = (changes: mongo.Collection<ChangeDocument>): Changes => ({
  propose: async ({ id, ...change }) => {
    if (await insertIfFree(changes, { _id: id, ...change })) return true;
    if (change.state === 'proposed') await changes.updateOne({ _id: id, state: 'proposed' }, { $set: change });
    return false;
  },
  change: async (id) => {
    const found = await changes.findOne({ _id: id });
    return found && changeOf(found);
  },
  changes: async ({ cursor, limit }) => {
    const [at, id] = decodeCursor(cursor, newest);
    const rows = await changes
      .find({ $or: [{ at: { $lt: at } }, { at, _id: { $lt: id } }] })
      .sort({ at: -1, _id: -1 })
      .limit(limit + 1)
      .toArray();
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { rows: rows.slice(0, limit).map(changeOf), next: last ? encodeCursor([last.at, last._id]) : null };
  },
  changesOf: async (rule, limit) =>
    (await changes.find({ rule }).sort({ at: -1, _id: -1 }).limit(limit).toArray()).map(changeOf),
  decide: async (id, from, to) => (await changes.updateOne({ _id: id, state: from }, { $set: to })).matchedCount > 0,
});

/** What tuning keeps, over MongoDB. */
export const mongoTuningStore = (db: mongo.Db): TuningStore => {
  const published = db.collection<ArmsDocument>('tuning_arms');
  const exposures = db.collection<ExposureDocument>('tuning_exposures');
  const tallies = db.collection<TallyDocument>('tuning_tallies');

  return {
    publishArms: (list) =>
      insertMissing(
        published,
        list.map((one) => ({
          _id: `${one.rule} ${one.version} ${one.day}`,
          ...one,
          arms: JSON.stringify(one.arms),
        })),
      ),
    armsOf: async (ids, from, to) => {
      const found = await Promise.all(
        ids.map(({ rule, version }) =>
          published
            .find({ rule, version, day: { $gte: from, $lte: to } })
            .sort({ day: -1 })
            .limit(1)
            .toArray(),
        ),
      );
      return found
        .flat()
        .map(({ rule, version, day, arms, at }) => ({ rule, version, day, arms: JSON.parse(arms), at }));
    },
    ...exposuresOver(exposures),
    // a tally's name says which it is, so that a run which died half-way is put right by the next
    putTallies: async (from, to, list) => {
      await tallies.deleteMany({ day: { $gte: from, $lte: to } });
      await insertMissing(
        tallies,
        list.map((one) => ({
          _id: [one.day, one.rule, one.lineage, one.parameter, one.arm, one.channel ?? ''].join(' '),
          ...one,
        })),
      );
    },
    talliesOf: async (rule, lineage, from) =>
      (await tallies.find({ rule, lineage, day: { $gte: from } }).toArray()).map(tallyOf),
    ...changesOver(db.collection<ChangeDocument>('tuning_changes')),
    forgetBefore: async (before) => {
      await exposures.deleteMany({ at: { $lt: before } });
      await published.deleteMany({ at: { $lt: before } });
      await tallies.deleteMany({ day: { $lt: Math.floor(before / dayMs) } });
    },
  };
};
