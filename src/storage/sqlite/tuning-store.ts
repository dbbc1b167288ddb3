import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { PublishedArms } from '../../rules/arms.ts';
import type { Change, ClosedExposure, Exposure, Tally } from '../../tuning/tuning.ts';
import type { TuningStore } from '../../tuning/tuning-store.ts';
import { inChunks } from './chunks.ts';
import type { Row, SqliteDatabase } from './database.ts';

const armsOfRow = (row: Row): PublishedArms => ({
  rule: String(row.rule),
  version: Number(row.version),
  day: String(row.day),
  arms: JSON.parse(String(row.arms)),
  at: Number(row.at),
});

const exposureOf = (row: Row): Exposure => ({
  push: String(row.push),
  ordinal: Number(row.ordinal),
  rule: String(row.rule),
  version: Number(row.version),
  lineage: String(row.lineage),
  day: String(row.day),
  level: row.level as number | null,
  drawn: JSON.parse(String(row.drawn)),
  propensity: Number(row.propensity),
  pass: Number(row.pass),
  others: Number(row.others),
  withheld: row.withheld === 1,
  at: Number(row.at),
});

const closedOf = (row: Row): ClosedExposure => ({
  ...exposureOf(row),
  channel: row.channel as ClosedExposure['channel'],
  sentAt: row.sent_at as number | null,
  reward: row.reward === 1 ? 1 : 0,
  unwanted: row.unwanted === 1,
});

const tallyOf = (row: Row): Tally => ({
  day: Number(row.day),
  rule: String(row.rule),
  lineage: String(row.lineage),
  parameter: row.parameter as Tally['parameter'],
  arm: String(row.arm),
  channel: row.channel === '' ? null : (row.channel as Tally['channel']),
  eligible: Number(row.eligible),
  sent: Number(row.sent),
  useful: Number(row.useful),
  unwanted: Number(row.unwanted),
});

const changeOf = (row: Row): Change => JSON.parse(String(row.content));

const inOneWrite = 500;
const forgottenAtOnce = 2_000;
const dayMs = 86_400_000;
/** Above every key of a change. */
const newest: [number, string] = [Number.MAX_SAFE_INTEGER, '\u{10ffff}'];
/** Below every key of an exposure. */
const firstKey: [string, number] = ['', -1];
const firstByTime: [number, string, number] = [-1, '', -1];

type Exposures = Pick<
  TuningStore,
  'expose' | 'openExposures' | 'closeExposures' | 'dropExposures' | 'closedExposures' | 'forgetBefore'
>;

const exposuresOver = (db: SqliteDatabase): Exposures => {
  const insert = db.prepare(
    `INSERT INTO tuning_exposures (push, ordinal, rule, version, lineage, day, level, drawn, propensity, pass, others, withheld, at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const open = db.prepare(
    `SELECT * FROM tuning_exposures WHERE closed = 0 AND (push, ordinal) > (?, ?) AND at < ?
     ORDER BY push, ordinal LIMIT ?`,
  );
  const close = db.prepare(
    `UPDATE tuning_exposures SET closed = 1, channel = ?, sent_at = ?, reward = ?, unwanted = ?
     WHERE push = ? AND ordinal = ? AND closed = 0`,
  );
  const drop = db.prepare('DELETE FROM tuning_exposures WHERE push = ? AND ordinal = ?');
  const closed = `SELECT * FROM tuning_exposures WHERE closed = 1 AND (at, push, ordinal) > (?, ?, ?) AND at >= ? AND at < ?`;
  const inOrder = 'ORDER BY at, push, ordinal LIMIT ?';
  const closedOfAll = db.prepare(`${closed} ${inOrder}`);
  const closedOfRule = db.prepare(`${closed} AND rule = ? ${inOrder}`);
  const forget = [
    db.prepare(
      `DELETE FROM tuning_exposures WHERE (push, ordinal) IN
         (SELECT push, ordinal FROM tuning_exposures WHERE at < ? LIMIT ${forgottenAtOnce})`,
    ),
    db.prepare('DELETE FROM tuning_arms WHERE at < ?'),
  ];
  const forgetTallies = db.prepare('DELETE FROM tuning_tallies WHERE day < ?');

  return {
    expose: async (list) => {
      await inChunks(list, inOneWrite, (part) =>
        db.write(() => {
          for (const one of part) {
            const { push, ordinal, rule, version, lineage, day, level, propensity, pass, others, withheld, at } = one;
            const drawn = JSON.stringify(one.drawn);
            insert.run(
              push,
              ordinal,
              rule,
              version,
              lineage,
              day,
              level,
              drawn,
              propensity,
              pass,
              others,
              withheld,
              at,
            );
          }
        }),
      );
    },
    openExposures: async (before, { cursor, limit }) => {
      const after = decodeCursor(cursor, firstKey);
      const rows = (await db.read(() => open.all(...after, before, limit + 1))).map(exposureOf);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), next: last ? encodeCursor([last.push, last.ordinal]) : null };
    },
    closeExposures: async (list) => {
      await inChunks(list, inOneWrite, (part) =>
        db.write(() => {
          for (const { push, ordinal, channel, sentAt, reward, unwanted } of part)
            close.run(channel, sentAt, reward, unwanted, push, ordinal);
        }),
      );
    },
    dropExposures: async (list) => {
      await inChunks(list, inOneWrite, (part) =>
        db.write(() => {
          for (const { push, ordinal } of part) drop.run(push, ordinal);
        }),
      );
    },
    closedExposures: async ({ rule, from, to }, { cursor, limit }) => {
      const after = decodeCursor(cursor, firstByTime);
      const run = () =>
        rule === null
          ? closedOfAll.all(...after, from, to, limit + 1)
          : closedOfRule.all(...after, from, to, rule, limit + 1);
      const rows = (await db.read(run)).map(closedOf);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), next: last ? encodeCursor([last.at, last.push, last.ordinal]) : null };
    },
    forgetBefore: async (before) => {
      for (const statement of forget) while ((await db.write(() => statement.run(before))).changes > 0);
      await db.write(() => forgetTallies.run(Math.floor(before / dayMs)));
    },
  };
};

type Changes = Pick<TuningStore, 'propose' | 'change' | 'changes' | 'changesOf' | 'decide'>;

const changesOver = (db: SqliteDatabase): Changes => {
  const insert = db.prepare(
    'INSERT INTO tuning_changes (id, rule, at, state, content) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const renew = db.prepare("UPDATE tuning_changes SET at = ?, content = ? WHERE id = ? AND state = 'proposed'");
  const one = db.prepare('SELECT content FROM tuning_changes WHERE id = ?');
  const page = db.prepare(
    'SELECT content FROM tuning_changes WHERE (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?',
  );
  const ofRule = db.prepare('SELECT content FROM tuning_changes WHERE rule = ? ORDER BY at DESC, id DESC LIMIT ?');
  const decide = db.prepare('UPDATE tuning_changes SET state = ?, content = ? WHERE id = ? AND state = ?');
  const found = (id: string): Change | null => {
    const row = one.get(id);
    return row ? changeOf(row) : null;
  };

  return {
    propose: (change) =>
      db.write(() => {
        const { id, rule, at, state } = change;
        if (insert.run(id, rule, at, state, JSON.stringify(change)).changes > 0) return true;
        if (state === 'proposed') renew.run(at, JSON.stringify(change), id);
        return false;
      }),
    change: (id) => db.read(() => found(id)),
    changes: async ({ cursor, limit }) => {
      const before = decodeCursor(cursor, newest);
      const rows = (await db.read(() => page.all(...before, limit + 1))).map(changeOf);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), next: last ? encodeCursor([last.at, last.id]) : null };
    },
    changesOf: async (rule, limit) => (await db.read(() => ofRule.all(rule, limit))).map(changeOf),
    decide: (id, from, to) =>
      db.write(() => {
        const change = found(id);
        return change !== null && decide.run(to.state, JSON.stringify({ ...change, ...to }), id, from).changes > 0;
      }),
  };
};

/** What tuning keeps, over SQLite. */
export const sqliteTuningStore = (db: SqliteDatabase): TuningStore => {
  const publish = db.prepare(
    'INSERT INTO tuning_arms (rule, version, day, arms, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const arms = db.prepare(
    'SELECT * FROM tuning_arms WHERE rule = ? AND version = ? AND day BETWEEN ? AND ? ORDER BY day DESC LIMIT 1',
  );
  const dropTallies = db.prepare('DELETE FROM tuning_tallies WHERE day BETWEEN ? AND ?');
  const putTally = db.prepare('INSERT INTO tuning_tallies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const tallies = db.prepare('SELECT * FROM tuning_tallies WHERE rule = ? AND lineage = ? AND day >= ?');

  return {
    publishArms: async (list) => {
      await db.write(() => {
        for (const one of list) publish.run(one.rule, one.version, one.day, JSON.stringify(one.arms), one.at);
      });
    },
    armsOf: async (ids, from, to) => {
      const rows = await db.read(() => ids.map(({ rule, version }) => arms.get(rule, version, from, to)));
      return rows.flatMap((row) => (row ? [armsOfRow(row)] : []));
    },
    ...exposuresOver(db),
    // few: arms and channels of the rules that are tuned
    putTallies: async (from, to, list) => {
      await db.write(() => {
        dropTallies.run(from, to);
        for (const { day, rule, lineage, parameter, arm, channel, eligible, sent, useful, unwanted } of list)
          putTally.run(day, rule, lineage, parameter, arm, channel ?? '', eligible, sent, useful, unwanted);
      });
    },
    talliesOf: async (rule, lineage, from) => (await db.read(() => tallies.all(rule, lineage, from))).map(tallyOf),
    ...changesOver(db),
  };
};
