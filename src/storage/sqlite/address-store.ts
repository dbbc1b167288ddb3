import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { Address } from '../../subscriptions/subscriber.ts';
import { type AddressStore, erasedReason } from '../../subscriptions/subscription-store.ts';
import { changesOver } from './changes.ts';
import { inChunks } from './chunks.ts';
import type { Row, SqliteDatabase } from './database.ts';
import { packedQuery } from './packed.ts';

const ownersInOneRead = 2_000;
const beforeAllSuppressions: [number, string] = [Number.MAX_SAFE_INTEGER, ''];

/** The columns that `toAddress` reads, of `addresses` joined to `suppressions`. */
const addressColumns = {
  lookup: 'addresses.lookup',
  subscriber: 'subscriber',
  channel: 'channel',
  sealed: 'sealed',
  verified_at: 'verified_at',
  reason: 'reason',
};

/** A reply address is suppressed with the plain one, unless that was erased. */
const suppressionsOfAddresses = `LEFT JOIN suppressions ON suppressions.lookup = coalesce(addresses.plain, addresses.lookup)
  AND (addresses.plain IS NULL OR suppressions.reason <> '${erasedReason}')`;

/** The addresses of people whose ordinals are bound as a JSON list, in the order they were verified. */
export const addressesOfPeople = (db: SqliteDatabase): ((ordinals: number[]) => Address[]) => {
  const query = packedQuery(
    db,
    addressColumns,
    `FROM json_each(?) AS wanted CROSS JOIN addresses ON subscriber = wanted.value
     ${suppressionsOfAddresses} ORDER BY verified_at, addresses.lookup`,
  );
  return (ordinals) => query(JSON.stringify(ordinals)).map(toAddress);
};

const toAddress = (row: Row): Address => ({
  lookup: String(row.lookup),
  subscriber: Number(row.subscriber),
  channel: String(row.channel) as Address['channel'],
  sealed: String(row.sealed),
  verifiedAt: Number(row.verified_at),
  suppressed: row.reason === null ? null : String(row.reason),
});

/** Addresses over SQLite. Suppressions are rows of their own, because they outlive the address. */
export const sqliteAddressStore = (db: SqliteDatabase): AddressStore => {
  const insert = db.prepare(
    `INSERT INTO addresses (lookup, subscriber, channel, sealed, verified_at, plain) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (lookup) DO NOTHING`,
  );
  const refresh = db.prepare('UPDATE addresses SET sealed = ?, verified_at = ? WHERE lookup = ? AND subscriber = ?');
  const owner = db.prepare('SELECT subscriber FROM addresses WHERE lookup = ?');
  const select = packedQuery(
    db,
    addressColumns,
    `FROM addresses ${suppressionsOfAddresses} WHERE addresses.lookup = ?`,
  );
  const plain = db.prepare('SELECT plain FROM addresses WHERE lookup = ?');
  const plainOf = (lookup: string): string => String(plain.get(lookup)?.plain ?? lookup);
  const ofPeople = addressesOfPeople(db);
  const changes = changesOver(db);
  const move = db.prepare('UPDATE addresses SET subscriber = ? WHERE subscriber = ?');
  const suppress = db.prepare(
    `INSERT INTO suppressions (lookup, reason, at) VALUES (?, ?, ?) ON CONFLICT (lookup)
     DO UPDATE SET reason = excluded.reason WHERE excluded.reason = '${erasedReason}' AND reason <> excluded.reason`,
  );
  const list = db.prepare(
    `SELECT lookup, reason, at FROM suppressions
     WHERE (?1 IS NULL OR reason = ?1) AND (at < ?2 OR (at = ?2 AND lookup > ?3)) ORDER BY at DESC, lookup LIMIT ?4`,
  );
  const since = db.prepare('SELECT at FROM suppressions WHERE lookup = ?');
  const suppression = db.prepare('SELECT reason FROM suppressions WHERE lookup = ?');
  const lift = db.prepare('DELETE FROM suppressions WHERE lookup = ? AND reason = ?');
  const remove = db.prepare('DELETE FROM addresses WHERE lookup = ? AND subscriber = ?');

  return {
    claim: ({ lookup, subscriber, channel, sealed, verifiedAt, plain }) =>
      db.write(() => {
        if (insert.run(lookup, subscriber, channel, sealed, verifiedAt, plain).changes === 1) {
          changes.touch(subscriber);
          return { outcome: 'added' };
        }
        if (refresh.run(sealed, verifiedAt, lookup, subscriber).changes === 1) return { outcome: 'kept' };
        return { outcome: 'taken', subscriber: Number(owner.get(lookup)?.subscriber) };
      }),
    find: (lookup) =>
      db.read(() => {
        const [row] = select(lookup);
        return row ? toAddress(row) : null;
      }),
    ofSubscribers: async (ordinals) => {
      const parts = await inChunks([...new Set(ordinals)], ownersInOneRead, (part) => db.read(() => ofPeople(part)));
      const before = (a: Address, b: Address): boolean =>
        a.verifiedAt !== b.verifiedAt ? a.verifiedAt < b.verifiedAt : a.lookup < b.lookup;
      return parts.flat().sort((a, b) => (before(a, b) ? -1 : 1));
    },
    move: (from, to) =>
      db.write(() => {
        if (move.run(to, from).changes === 0) return;
        changes.touch(from);
        changes.touch(to);
      }),
    suppress: (lookup, reason, at) =>
      db.write(() => {
        const plain = plainOf(lookup);
        const changed = suppress.run(plain, reason, at).changes === 1;
        if (changed) changes.touchOwner(plain);
        return changed;
      }),
    suppression: (lookup) =>
      db.read(() => {
        const row = suppression.get(plainOf(lookup));
        return row ? String(row.reason) : null;
      }),
    suppressedSince: (lookup) =>
      db.read(() => {
        const row = since.get(plainOf(lookup));
        return row ? Number(row.at) : null;
      }),
    lift: (lookup, reason) =>
      db.write(() => {
        const plain = plainOf(lookup);
        const lifted = lift.run(plain, reason).changes === 1;
        if (lifted) changes.touchOwner(plain);
        return lifted;
      }),
    suppressions: async (reason, { cursor, limit }) => {
      const [at, lookup] = decodeCursor(cursor, beforeAllSuppressions);
      const found = await db.read(() => list.all(reason, at, lookup, limit + 1));
      const rows = found.slice(0, limit).map((row) => ({
        lookup: String(row.lookup),
        reason: String(row.reason),
        at: Number(row.at),
      }));
      const last = rows.at(-1);
      return { rows, next: found.length > limit && last ? encodeCursor([last.at, last.lookup]) : null };
    },
    remove: (lookup, subscriber) =>
      db.write(() => {
        const removed = remove.run(lookup, subscriber).changes === 1;
        if (removed) changes.touch(subscriber);
        return removed;
      }),
  };
};
