import { AppError } from '../../../errors.ts';
import type { Recipient, Subscriber } from '../../../subscriptions/subscriber.ts';
import { erasedReason, type SubscriptionStore } from '../../../subscriptions/subscription-store.ts';
import { addressesOfPeople } from '../address-store.ts';
import { inChunks } from '../chunks.ts';
import type { Row, SqliteDatabase, SqlValue } from '../database.ts';
import { packedQuery } from '../packed.ts';

const peopleInOneRead = 2_000;

const text = (value: SqlValue | undefined): string | null => (value == null ? null : String(value));
const integer = (value: SqlValue | undefined): number | null => (value == null ? null : Number(value));

const person = (row: Row): Omit<Subscriber, 'attributes' | 'externalId' | 'createdAt'> => ({
  ordinal: Number(row.ordinal),
  id: String(row.id),
  locale: String(row.locale) as Subscriber['locale'],
  region: text(row.region),
  timeZone: text(row.time_zone),
  quietHours: row.quiet_hours === null ? null : JSON.parse(String(row.quiet_hours)),
  consents: { personalisation: row.personalisation === 1 },
  mergedInto: integer(row.merged_into),
  erasedAt: integer(row.erased_at),
});

const toSubscriber = (row: Row): Subscriber => ({
  ...person(row),
  externalId: text(row.external_id),
  attributes: JSON.parse(String(row.attributes)),
  createdAt: Number(row.created_at),
});

const isUniqueClash = (error: unknown): boolean => /UNIQUE constraint failed/.test(String(error));

/** Runs a write that may meet a taken id or externalId. */
const orConflict = async <T>(write: Promise<T>): Promise<T> => {
  try {
    return await write;
  } catch (error) {
    if (isUniqueClash(error)) throw new AppError('conflict', 'That externalId or id is taken');
    throw error;
  }
};

const recipientColumns = {
  ordinal: 'ordinal',
  id: 'subscribers.id',
  locale: 'locale',
  region: 'region',
  time_zone: 'time_zone',
  quiet_hours: 'quiet_hours',
  personalisation: 'personalisation',
  merged_into: 'merged_into',
  erased_at: 'erased_at',
};

type People = Pick<
  SubscriptionStore,
  'insertSubscriber' | 'subscriber' | 'updateSubscriber' | 'erase' | 'merge' | 'recipients'
>;

/** The people of `sqliteSubscriptionStore`. */
export const peopleOver = (db: SqliteDatabase): People => {
  const insert = db.prepare(
    `INSERT INTO subscribers (id, external_id, locale, region, time_zone, quiet_hours, attributes, personalisation, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const byId = db.prepare('SELECT * FROM subscribers WHERE id = ?');
  const byOrdinal = db.prepare('SELECT * FROM subscribers WHERE ordinal = ?');
  const byExternalId = db.prepare('SELECT * FROM subscribers WHERE external_id = ?');
  const update = db.prepare(
    `UPDATE subscribers SET locale = ?, region = ?, time_zone = ?, quiet_hours = ?, attributes = ?, external_id = ?,
       personalisation = ? WHERE ordinal = ?`,
  );
  const markWithdrawn = db.prepare('UPDATE subscribers SET consent_withdrawn = ? WHERE ordinal = ?');
  const many = packedQuery(
    db,
    recipientColumns,
    'FROM json_each(?) AS wanted JOIN subscribers ON ordinal = wanted.value ORDER BY ordinal',
  );
  const addressesOf = addressesOfPeople(db);
  const markMerged = db.prepare(
    'UPDATE subscribers SET merged_into = ? WHERE ordinal = ? AND merged_into IS NULL AND ordinal <> ?1',
  );
  const erasures = [
    `INSERT INTO suppressions (lookup, reason) SELECT lookup, '${erasedReason}' FROM addresses WHERE subscriber = ?
       ON CONFLICT (lookup) DO NOTHING`,
    'DELETE FROM sign_ups WHERE lookup IN (SELECT lookup FROM addresses WHERE subscriber = ?)',
    'DELETE FROM addresses WHERE subscriber = ?',
    'DELETE FROM subscriptions WHERE subscriber = ?',
  ].map((sql) => db.prepare(sql));
  const clear = db.prepare(
    `UPDATE subscribers SET external_id = NULL, region = NULL, time_zone = NULL, quiet_hours = NULL, attributes = '{}',
       personalisation = 0, erased_at = coalesce(erased_at, ?) WHERE ordinal = ?`,
  );

  const one = (row: Row | undefined): Subscriber | null => (row ? toSubscriber(row) : null);

  const readRecipients = (ordinals: number[]): Recipient[] => {
    const people = new Map<number, Recipient>(
      many(JSON.stringify(ordinals)).map((row) => [Number(row.ordinal), { ...person(row), addresses: [] }]),
    );
    for (const address of addressesOf(ordinals)) people.get(address.subscriber)?.addresses.push(address);
    return [...people.values()];
  };

  return {
    insertSubscriber: (fresh) =>
      orConflict(
        db.write(() => {
          const quietHours = fresh.quietHours && JSON.stringify(fresh.quietHours);
          const { id, externalId, locale, region, timeZone, attributes, consents, createdAt } = fresh;
          const facts = [JSON.stringify(attributes), consents.personalisation, createdAt];
          insert.run(id, externalId, locale, region, timeZone, quietHours, ...facts);
          return toSubscriber(byId.get(id) as Row);
        }),
      ),
    subscriber: (by) =>
      db.read(() => {
        if ('id' in by) return one(byId.get(by.id));
        return one('ordinal' in by ? byOrdinal.get(by.ordinal) : byExternalId.get(by.externalId));
      }),
    updateSubscriber: (ordinal, fields) =>
      orConflict(
        db.write(() => {
          const before = one(byOrdinal.get(ordinal));
          if (!before) return null;
          const after = { ...before, ...fields };
          const { locale, region, timeZone, quietHours, attributes, externalId, consents } = after;
          const json = [quietHours && JSON.stringify(quietHours), JSON.stringify(attributes)];
          update.run(locale, region, timeZone, ...json, externalId, consents.personalisation, ordinal);
          if (fields.consents) markWithdrawn.run(!consents.personalisation, ordinal);
          return after;
        }),
      ),
    erase: (ordinal, at) =>
      db.write(() => {
        if (!byOrdinal.get(ordinal)) return;
        for (const step of erasures) step.run(ordinal);
        clear.run(at, ordinal);
      }),
    merge: (from, to) =>
      db.write(() => {
        markMerged.run(to, from);
      }),
    recipients: async (ordinals) =>
      (await inChunks([...new Set(ordinals)], peopleInOneRead, (part) => db.read(() => readRecipients(part)))).flat(),
  };
};
