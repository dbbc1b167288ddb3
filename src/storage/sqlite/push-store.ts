import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { AppError } from '../../errors.ts';
import { packOrdinals, unionOf, unpackOrdinals } from '../../fanout/ordinals.ts';
import { type Batch, lanes, noCounts, type Push } from '../../fanout/push.ts';
import type { BatchView, Claim, LeaseView, PushSource, PushStore } from '../../fanout/push-store.ts';
import { factRows, factsOfRows } from '../source-facts.ts';
import { bytes, type Row, type SqliteDatabase } from './database.ts';
import { laneOf, pushOf } from './push-rows.ts';

const batchOf = (row: Row): Batch => ({
  id: String(row.id),
  kind: row.kind as Batch['kind'],
  push: row.push_id as string | null,
  lane: laneOf(row),
  ordinals: row.kind === 'due' ? [] : unpackOrdinals(bytes(row.ordinals)),
  rows: JSON.parse(String(row.keys)),
});

/** Pushes, batches and leases over SQLite: each verb is one short write transaction. */
export const sqlitePushStore = (db: SqliteDatabase): PushStore => {
  const insertPush = db.prepare(
    `INSERT INTO pushes (id, item, version, lane, state, audience, channels, note, plan, matched, by_source, created_at, planned_at, finished_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const byId = db.prepare('SELECT * FROM pushes WHERE id = ?');
  const page = db.prepare('SELECT * FROM pushes WHERE no < ? ORDER BY no DESC LIMIT ?');
  const byItem = db.prepare('SELECT * FROM pushes WHERE item = ? ORDER BY no');
  const unfinished = db.prepare('SELECT * FROM pushes WHERE finished_at IS NULL ORDER BY lane, no LIMIT ?');
  const setState = db.prepare(
    'UPDATE pushes SET state = ?, finished_at = NULL WHERE id = ? AND state IN (SELECT value FROM json_each(?))',
  );
  const finish = db.prepare(
    `UPDATE pushes SET state = iif(state = 'running', 'done', state), finished_at = ?, end_untold = 1
     WHERE id = ? AND state = ? AND state IN ('running', 'cancelled') AND finished_at IS NULL`,
  );
  const endUntold = db.prepare(
    'SELECT * FROM pushes WHERE end_untold = 1 AND finished_at IS NOT NULL ORDER BY no LIMIT ?',
  );
  const endTold = db.prepare('UPDATE pushes SET end_untold = 0 WHERE id = ? AND finished_at = ?');
  const insertSource = db.prepare(
    `INSERT INTO push_sources (push, plan, position, source, follow, ordinals)
     SELECT no, ?, ?, ?, ?, ? FROM pushes WHERE id = ? ON CONFLICT DO NOTHING`,
  );
  const insertFact = db.prepare(
    `INSERT INTO push_facts (push, plan, position, no, leaf, ordinals)
     SELECT no, ?, ?, ?, ?, ? FROM pushes WHERE id = ? ON CONFLICT DO NOTHING`,
  );
  const facts = db.prepare(
    `SELECT f.position, f.leaf, f.ordinals FROM push_facts f JOIN pushes p ON p.no = f.push AND p.plan = f.plan
     WHERE p.id = ? ORDER BY f.position, f.no`,
  );
  const setBySource = db.prepare('UPDATE pushes SET by_source = ? WHERE id = ?');
  const freeze = db.prepare(
    'UPDATE pushes SET plan = ?, lane = ?, matched = ?, by_source = ?, planned_at = ? WHERE id = ? AND plan IS NULL',
  );
  const sources = db.prepare(
    `SELECT s.position, s.source, s.follow, s.ordinals FROM push_sources s JOIN pushes p ON p.no = s.push AND p.plan = s.plan
     WHERE p.id = ? ORDER BY s.position`,
  );
  const insertBatch = db.prepare(
    `INSERT INTO batches (id, kind, push, lane, ordinals, first, last, people, keys, counts)
     VALUES (?, ?, (SELECT no FROM pushes WHERE id = ?), ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const people = db.prepare('SELECT b.ordinals FROM batches b JOIN pushes p ON p.no = b.push WHERE p.id = ?');
  const batchesOf = db.prepare(
    `SELECT b.id, b.kind, b.open, b.dirty, b.people, b.counts FROM batches b JOIN pushes p ON p.no = b.push
     WHERE p.id = ? ORDER BY b.no`,
  );
  const nextFree = `SELECT b.no FROM batches b LEFT JOIN pushes p ON p.no = b.push
     WHERE b.open = 1 AND b.token IS NULL AND b.lane IN (SELECT value FROM json_each(?))
       AND (b.push IS NULL OR p.state IN ('running', 'cancelled'))
     ORDER BY b.lane, b.no LIMIT 1`;
  const free = db.prepare(nextFree);
  const claim = db.prepare(`UPDATE batches SET token = ?, beat = beat + 1 WHERE no = (${nextFree}) RETURNING no`);
  const oneBatch = db.prepare(
    'SELECT b.*, p.id AS push_id FROM batches b LEFT JOIN pushes p ON p.no = b.push WHERE b.no = ?',
  );
  const leased = db.prepare('SELECT id, token, beat, lane FROM batches WHERE token IS NOT NULL ORDER BY no');
  const steal = db.prepare(
    'UPDATE batches SET token = ?, beat = beat + 1 WHERE id = ? AND token = ? AND beat = ? RETURNING no',
  );
  const renew = db.prepare('UPDATE batches SET beat = beat + 1 WHERE id = ? AND token = ? RETURNING beat');
  const close = db.prepare(
    'UPDATE batches SET open = 0, token = NULL, dirty = 1, marks = marks + 1 WHERE id = ? AND token = ?',
  );
  const drop = db.prepare("DELETE FROM batches WHERE id = ? AND kind = 'due' AND open = 0");
  const release = db.prepare('UPDATE batches SET token = NULL WHERE id = ? AND token = ?');
  const dirty = db.prepare(
    `SELECT b.*, p.id AS push_id FROM batches b JOIN pushes p ON p.no = b.push
     WHERE b.dirty = 1 AND b.push NOT IN (SELECT push FROM push_folds) ORDER BY b.no LIMIT ?`,
  );
  const soil = db.prepare(
    `UPDATE batches SET dirty = 1, marks = marks + 1
     WHERE open = 0 AND kind <> 'due' AND push = (SELECT no FROM pushes WHERE id = ?)`,
  );
  const recounted = db.prepare('UPDATE batches SET counts = ?, dirty = 0 WHERE id = ? AND marks = ?');
  const counted = db.prepare('UPDATE batches SET counts = ? WHERE id = ? AND open = 1');
  const putLease = db.prepare('INSERT INTO leases VALUES (?, ?, 1) ON CONFLICT (name) DO NOTHING');
  const beatLease = db.prepare('UPDATE leases SET beat = beat + 1 WHERE name = ? AND token = ?');
  const lease = db.prepare('SELECT name AS id, token, beat FROM leases WHERE name = ?');
  const takeLease = db.prepare(
    'UPDATE leases SET token = ?, beat = beat + 1 WHERE name = ? AND token = ? AND beat = ?',
  );
  const dropLease = db.prepare('DELETE FROM leases WHERE name = ? AND token = ?');

  const claimed = (row: Row | undefined): Claim | null => {
    const found = row && oneBatch.get(row.no);
    return found ? { batch: batchOf(found), beat: Number(found.beat) } : null;
  };
  const view = (row: Row): BatchView => ({
    id: String(row.id),
    kind: row.kind as BatchView['kind'],
    open: row.open === 1,
    dirty: row.dirty === 1,
    people: Number(row.people),
    counts: JSON.parse(String(row.counts)),
  });
  const seen = (row: Row): LeaseView => ({ id: String(row.id), token: String(row.token), beat: Number(row.beat) });
  const get = async (id: string): Promise<Push | null> => {
    const row = await db.read(() => byId.get(id));
    return row ? pushOf(row) : null;
  };

  /** Sources are whole or not there; one write each, because each may be large. */
  const writeSource = (push: string, plan: string, position: number, one: PushSource): void => {
    insertSource.run(plan, position, one.source, one.follow, one.ordinals, push);
    for (const [no, fact] of factRows(one).entries())
      insertFact.run(plan, position, no, fact.leaf, fact.ordinals, push);
  };

  return {
    insert: async (push) => {
      await db.write(() =>
        insertPush.run(
          push.id,
          push.item,
          push.version,
          lanes.indexOf(push.lane),
          push.state,
          JSON.stringify(push.audience),
          push.channels && JSON.stringify(push.channels),
          push.note,
          push.plan,
          push.matched,
          JSON.stringify(push.bySource),
          push.createdAt,
          push.plannedAt,
          push.finishedAt,
        ),
      );
      return (await get(push.id)) as Push;
    },
    get,
    list: async ({ cursor, limit }) => {
      const [before] = decodeCursor(cursor, [Number.MAX_SAFE_INTEGER]);
      const rows = await db.read(() => page.all(before, limit + 1));
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit).map(pushOf), next: last ? encodeCursor([Number(last.no)]) : null };
    },
    ofItem: async (item) => (await db.read(() => byItem.all(item))).map(pushOf),
    unfinished: async (limit) => (await db.read(() => unfinished.all(limit))).map(pushOf),
    setState: async (id, from, to) => (await db.write(() => setState.run(to, id, JSON.stringify(from)))).changes > 0,
    finish: async (id, from, at) => {
      await db.write(() => finish.run(at, id, from));
    },
    endUntold: async (limit) => (await db.read(() => endUntold.all(limit))).map(pushOf),
    endTold: async (id, finishedAt) => {
      await db.write(() => endTold.run(id, finishedAt));
    },

    writeSources: async (push, plan, list) => {
      for (const [position, source] of list.entries()) await db.write(() => writeSource(push, plan, position, source));
    },
    addSources: async (push, from, list, bySource) => {
      const plan = (await get(push))?.plan;
      if (plan == null) return;
      for (const [at, source] of list.entries()) await db.write(() => writeSource(push, plan, from + at, source));
      await db.write(() => setBySource.run(JSON.stringify(bySource), push));
    },
    freeze: async (push, plan, facts) =>
      db.write(() => {
        const { lane, matched, bySource, plannedAt } = facts;
        freeze.run(plan, lanes.indexOf(lane), matched, JSON.stringify(bySource), plannedAt, push);
        const standing = byId.get(push)?.plan;
        if (standing == null) throw new AppError('not-found', `There is no push ${push}.`);
        return String(standing);
      }),
    sources: async (push) => {
      const [rows, used] = await db.read(() => [sources.all(push), facts.all(push)]);
      return rows.map((row) => ({
        source: String(row.source),
        follow: row.follow as string | null,
        ...factsOfRows(
          used
            .filter((fact) => fact.position === row.position)
            .map((fact) => ({ leaf: String(fact.leaf), ordinals: bytes(fact.ordinals) })),
        ),
        ordinals: bytes(row.ordinals),
      }));
    },
    insertBatches: async (list) => {
      for (let at = 0; at < list.length; at += 20) {
        await db.write(() => {
          for (const batch of list.slice(at, at + 20)) {
            const people = batch.ordinals.length;
            insertBatch.run(
              batch.id,
              batch.kind,
              batch.push,
              lanes.indexOf(batch.lane),
              packOrdinals(batch.ordinals),
              batch.ordinals[0] ?? 0,
              batch.ordinals[people - 1] ?? 0,
              people,
              JSON.stringify(batch.rows),
              JSON.stringify({ ...noCounts(), planned: people }),
            );
          }
        });
      }
    },
    peopleOf: async (push) => unionOf((await db.read(() => people.all(push))).map((row) => bytes(row.ordinals))),
    batchesOf: async (push) => (await db.read(() => batchesOf.all(push))).map(view),

    claim: async (token, wanted) => {
      const codes = JSON.stringify(wanted.map((lane) => lanes.indexOf(lane)));
      // an idle worker polls often: it looks before it takes the write lock
      if (!(await db.read(() => free.get(codes)))) return null;
      return db.write(() => claimed(claim.get(token, codes)));
    },
    leases: async () => (await db.read(() => leased.all())).map((row) => ({ ...seen(row), lane: laneOf(row) })),
    steal: (was, token) => db.write(() => claimed(steal.get(token, was.id, was.token, was.beat))),
    renew: async (id, token) => {
      const row = await db.write(() => renew.get(id, token));
      return row ? Number(row.beat) : null;
    },
    close: (id, token) =>
      db.write(() => {
        const closed = close.run(id, token).changes > 0;
        drop.run(id);
        return closed;
      }),
    release: async (id, token) => {
      await db.write(() => release.run(id, token));
    },

    soil: async (push) => {
      await db.write(() => soil.run(push));
    },
    dirty: async (limit) =>
      (await db.read(() => dirty.all(limit))).map((row) => ({ batch: batchOf(row), mark: Number(row.marks) })),
    setCounts: async (id, counts, mark) => {
      const text = JSON.stringify(counts);
      await db.write(() => (mark === null ? counted.run(text, id) : recounted.run(text, id, mark)));
    },

    hold: async (name, token) => {
      // whoever waits for a lease polls it: it looks before it takes the write lock
      const there = await db.read(() => lease.get(name));
      if (there && there.token !== token) return { held: false, seen: seen(there) };
      return db.write(() => {
        if (beatLease.run(name, token).changes === 0) putLease.run(name, token);
        const now = seen(lease.get(name) as Row);
        return now.token === token ? { held: true, beat: now.beat } : { held: false, seen: now };
      });
    },
    takeOver: async (was, token) =>
      (await db.write(() => takeLease.run(token, was.id, was.token, was.beat))).changes > 0,
    letGo: async (name, token) => {
      await db.write(() => dropLease.run(name, token));
    },
  };
};
