import { AppError } from '../../../errors.ts';
import type { Consents, ConsentWay } from '../../../subscriptions/consent.ts';
import type { Recipient, Subscriber } from '../../../subscriptions/subscriber.ts';
import { erasedReason, type SubscriptionStore } from '../../../subscriptions/subscription-store.ts';
import { addressesOfPeople } from '../address-store.ts';
import { changesOver } from '../changes.ts';
import { inChunks } from '../chunks.ts';
import type { Row, SqlInput, SqliteDatabase, SqlValue } from '../database.ts';
import { packedQuery } from '../packed.ts';
import { profileKeeperOver } from '../profiles/rows.ts';
import { writtenOver } from '../written.ts';

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
  digestHour: integer(row.digest_hour),
  consents: { personalisation: row.personalisation === 1 },
  mergedInto: integer(row.merged_into),
  erasedAt: integer(row.erased_at),
  ...(row.fewer === 1 ? { fewer: true } : {}),
  ...(row.plain_links === 1 ? { plainLinks: true } : {}),
  ...(row.leaves_at == null ? {} : { leavesAt: Number(row.leaves_at) }),
});

/** Consents of a row that has the columns of `consentColumns`. */
export const toConsents = (row: Row): Consents => {
  const [at, withdrawnAt] = [integer(row.consent_given_at), integer(row.consent_withdrawn_at)];
  const how = String(row.consent_how) as ConsentWay;
  return {
    personalisation: row.personalisation === 1,
    ...(at === null ? {} : { given: { at, how, wording: text(row.consent_wording) } }),
    ...(withdrawnAt === null ? {} : { withdrawnAt }),
  };
};

const toSubscriber = (row: Row): Subscriber => ({
  ...person(row),
  consents: toConsents(row),
  externalId: text(row.external_id),
  attributes: JSON.parse(String(row.attributes)),
  createdAt: Number(row.created_at),
  ...(row.contact === 1 ? { contact: true as const } : {}),
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

/** What is stored of consents, with `consentValues` in the same order. */
export const consentColumns = 'personalisation, consent_given_at, consent_how, consent_wording, consent_withdrawn_at';

export const consentValues = ({ personalisation, given, withdrawnAt }: Consents): SqlInput[] => [
  personalisation,
  given?.at,
  given?.how,
  given?.wording,
  withdrawnAt,
];

const recipientColumns = {
  ordinal: 'ordinal',
  id: 'subscribers.id',
  locale: 'locale',
  region: 'region',
  time_zone: 'time_zone',
  quiet_hours: 'quiet_hours',
  digest_hour: 'digest_hour',
  personalisation: 'personalisation',
  merged_into: 'merged_into',
  erased_at: 'erased_at',
  stopped_all: 'stopped_all',
  fewer: 'fewer',
  plain_links: 'plain_links',
  leaves_at: 'leaves_at',
};

/** A search that no item matches: what stands where nobody asks any more for what an erased person had written. */
const nothingAsked = JSON.stringify({ target: { search: {} }, regions: null, anchors: [] });

type People = Pick<
  SubscriptionStore,
  'insertSubscriber' | 'subscriber' | 'updateSubscriber' | 'erase' | 'leave' | 'leaving' | 'merge' | 'recipients'
>;

/** The people of `sqliteSubscriptionStore`. */
export const peopleOver = (db: SqliteDatabase): People => {
  const insert = db.prepare(
    `INSERT INTO subscribers (id, external_id, locale, region, time_zone, quiet_hours, digest_hour, attributes,
       created_at, contact, ${consentColumns})
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const byId = db.prepare('SELECT * FROM subscribers WHERE id = ? AND contact = ?');
  const byOrdinal = db.prepare('SELECT * FROM subscribers WHERE ordinal = ?');
  const byExternalId = db.prepare('SELECT * FROM subscribers WHERE external_id = ?');
  const update = db.prepare(
    `UPDATE subscribers SET locale = ?, region = ?, time_zone = ?, quiet_hours = ?, digest_hour = ?, attributes = ?,
       external_id = ?, fewer = ?, plain_links = ? WHERE ordinal = ?`,
  );
  const consent = db.prepare(
    `UPDATE subscribers SET (${consentColumns}) = (?1, ?2, ?3, ?4, ?5), consent_refused = 1 - ?1 WHERE ordinal = ?6`,
  );
  const many = packedQuery(
    db,
    recipientColumns,
    'FROM json_each(?) AS wanted JOIN subscribers ON ordinal = wanted.value ORDER BY ordinal',
  );
  const addressesOf = addressesOfPeople(db);
  const moveOptOuts = db.prepare(
    'INSERT OR IGNORE INTO rule_opt_outs (rule, subscriber, at) SELECT rule, ?, at FROM rule_opt_outs WHERE subscriber = ?',
  );
  const moveFeedback = db.prepare('UPDATE feedback SET ordinal = ? WHERE ordinal = ?');
  const moveSurvey = db.prepare(
    `INSERT INTO surveys (ordinal, name, at) SELECT ?1, name, at FROM surveys WHERE ordinal = ?2
     ON CONFLICT (ordinal) DO UPDATE SET name = excluded.name, at = excluded.at WHERE excluded.at > surveys.at`,
  );
  const joinWishes = db.prepare(
    `UPDATE subscribers SET (fewer, plain_links) = (SELECT max(fewer), max(plain_links) FROM subscribers
       WHERE ordinal IN (?1, ?2)) WHERE ordinal = ?1`,
  );
  const markMerged = db.prepare(
    'UPDATE subscribers SET merged_into = ? WHERE ordinal = ? AND merged_into IS NULL AND ordinal <> ?1',
  );
  const suppressErased = db.prepare(
    `INSERT INTO suppressions (lookup, reason, at) SELECT lookup, '${erasedReason}', ?2 FROM addresses WHERE subscriber = ?1
       ON CONFLICT (lookup) DO UPDATE SET reason = excluded.reason`,
  );
  const erasures = [
    'DELETE FROM sign_ups WHERE lookup IN (SELECT lookup FROM addresses WHERE subscriber = ?)',
    'DELETE FROM addresses WHERE subscriber = ?',
    'DELETE FROM subscriptions WHERE subscriber = ?',
    'DELETE FROM rule_opt_outs WHERE subscriber = ?',
    'UPDATE feedback SET comment = NULL WHERE ordinal = ?',
  ].map((sql) => db.prepare(sql));
  const followsOf = db.prepare('SELECT follow FROM subscriptions WHERE subscriber = ?');
  // the number stays taken: an index that knows it must not find another search behind it
  const forgetSearches = db.prepare(
    `UPDATE follows SET key = 'forgotten:' || no, source = 'subscription:forgotten', definition = '${nothingAsked}'
       WHERE no IN (SELECT value FROM json_each(?)) AND source LIKE 'subscription:search:%'
         AND NOT EXISTS (SELECT 1 FROM subscriptions WHERE follow = no)`,
  );
  const clear = db.prepare(
    `UPDATE subscribers SET external_id = NULL, region = NULL, time_zone = NULL, quiet_hours = NULL, digest_hour = NULL,
       attributes = '{}', personalisation = 0, consent_given_at = NULL, consent_how = NULL, consent_wording = NULL,
       consent_withdrawn_at = NULL, consent_refused = 0, fewer = 0,
       plain_links = 0, leaves_at = NULL, erased_at = coalesce(erased_at, ?) WHERE ordinal = ?`,
  );

  const leave = db.prepare(
    'UPDATE subscribers SET leaves_at = ? WHERE ordinal = ? AND merged_into IS NULL AND erased_at IS NULL',
  );
  const leaving = db.prepare(
    'SELECT ordinal FROM subscribers WHERE leaves_at < ? AND merged_into IS NULL ORDER BY leaves_at, ordinal LIMIT ?',
  );

  const profiles = profileKeeperOver(db);
  const written = writtenOver(db);
  const changes = changesOver(db);

  const one = (row: Row | undefined): Subscriber | null => (row ? toSubscriber(row) : null);

  const readRecipients = (ordinals: number[]): Recipient[] => {
    const people = new Map<number, Recipient>(
      many(JSON.stringify(ordinals)).map((row) => [
        Number(row.ordinal),
        { ...person(row), stoppedAll: row.stopped_all === 1, addresses: [] },
      ]),
    );
    for (const address of addressesOf(ordinals)) people.get(address.subscriber)?.addresses.push(address);
    return [...people.values()];
  };

  return {
    insertSubscriber: (fresh) =>
      orConflict(
        db.write(() => {
          const quietHours = fresh.quietHours && JSON.stringify(fresh.quietHours);
          const { id, externalId, locale, region, timeZone, digestHour, attributes, consents, createdAt } = fresh;
          const facts = [
            digestHour,
            JSON.stringify(attributes),
            createdAt,
            fresh.contact === true,
            ...consentValues(consents),
          ];
          insert.run(id, externalId, locale, region, timeZone, quietHours, ...facts);
          const person = toSubscriber(byId.get(id, fresh.contact === true) as Row);
          changes.touch(person.ordinal);
          return person;
        }),
      ),
    subscriber: (by) =>
      db.read(() => {
        if ('id' in by) return one(byId.get(by.id, false));
        if ('contact' in by) return one(byId.get(by.contact, true));
        return one('ordinal' in by ? byOrdinal.get(by.ordinal) : byExternalId.get(by.externalId));
      }),
    updateSubscriber: (ordinal, fields) =>
      orConflict(
        db.write(() => {
          const before = one(byOrdinal.get(ordinal));
          if (!before) return null;
          const after = { ...before, ...fields };
          const { locale, region, timeZone, quietHours, digestHour, attributes, externalId, consents } = after;
          const times = [quietHours && JSON.stringify(quietHours), digestHour];
          const wishes = [after.fewer ?? false, after.plainLinks ?? false];
          update.run(locale, region, timeZone, ...times, JSON.stringify(attributes), externalId, ...wishes, ordinal);
          if (fields.consents) consent.run(...consentValues(consents), ordinal);
          if (fields.consents && !consents.personalisation) profiles.forget(ordinal);
          changes.touch(ordinal);
          return after;
        }),
      ),
    erase: (ordinal, at) =>
      db.write(() => {
        if (!byOrdinal.get(ordinal)) return;
        const all = [...written.contactsOf(ordinal), ordinal];
        for (const person of all) {
          written.forget(person);
          suppressErased.run(person, at);
          const asked = followsOf.all(person).map(({ follow }) => Number(follow));
          for (const step of erasures) step.run(person);
          forgetSearches.run(JSON.stringify(asked));
          clear.run(at, person);
          profiles.forget(person);
          changes.touch(person);
        }
      }),
    leave: (ordinal, at) =>
      db.write(() => {
        const isThere = leave.run(at, ordinal).changes > 0;
        if (isThere) changes.touch(ordinal);
        return isThere;
      }),
    leaving: (before, limit) => db.read(() => leaving.all(before, limit).map((row) => Number(row.ordinal))),
    merge: (from, to) =>
      db.write(() => {
        markMerged.run(to, from);
        moveOptOuts.run(to, from);
        moveFeedback.run(to, from);
        moveSurvey.run(to, from);
        joinWishes.run(to, from);
        profiles.join(from, to);
        written.join(from, to);
        changes.touch(from);
        changes.touch(to);
      }),
    recipients: async (ordinals) =>
      (await inChunks([...new Set(ordinals)], peopleInOneRead, (part) => db.read(() => readRecipients(part)))).flat(),
  };
};
