import { type Consents, giveConsent, withdrawConsent } from '../../../subscriptions/consent.ts';
import type { ImportedPerson, ImportOutcome, SubscriptionStore } from '../../../subscriptions/subscription-store.ts';
import { changesOver } from '../changes.ts';
import { inChunks } from '../chunks.ts';
import type { Row, SqliteDatabase } from '../database.ts';
import { profileKeeperOver } from '../profiles/rows.ts';
import { originCode, paceCode } from './follows.ts';
import { consentColumns, consentValues, toConsents } from './people.ts';

/** About ten rows a person; a write of this many stays well under 20 ms. */
const peopleInOneWrite = 100;

/** How many steps of "merged into" are followed: merges of merges, never a loop. */
const mergesMost = 10;

type Person = {
  ordinal: number;
  externalId: string | null;
  stoppedAll: boolean;
  consents: Consents;
  /** They said no themselves. */
  refused: boolean;
};
type Found = { person: Person | null } | { taken: string };

const toPerson = (row: Row): Person => ({
  ordinal: Number(row.ordinal),
  externalId: row.external_id === null ? null : String(row.external_id),
  stoppedAll: row.stopped_all === 1,
  consents: toConsents(row),
  refused: row.consent_refused === 1,
});

/** Who an imported line is about: by externalId, else by address. Runs inside a transaction. */
const finderOver = (db: SqliteDatabase): ((line: ImportedPerson) => Found) => {
  const columns = `ordinal, external_id, stopped_all, merged_into, consent_refused, ${consentColumns}`;
  const byExternalId = db.prepare(`SELECT ${columns} FROM subscribers WHERE external_id = ?`);
  const byOrdinal = db.prepare(`SELECT ${columns} FROM subscribers WHERE ordinal = ?`);
  const ownerOf = db.prepare('SELECT subscriber FROM addresses WHERE lookup = ?');

  const resolve = (row: Row | undefined): Person | null => {
    let at = row;
    for (let step = 0; at && at.merged_into !== null && step < mergesMost; step++) at = byOrdinal.get(at.merged_into);
    return at ? toPerson(at) : null;
  };

  return ({ externalId, addresses }) => {
    const named = externalId === null ? null : resolve(byExternalId.get(externalId));
    let person = named;
    for (const { lookup } of addresses) {
      const owner = ownerOf.get(lookup)?.subscriber;
      if (owner === undefined) continue;
      person ??= resolve(byOrdinal.get(owner));
      const strange = named === null && externalId !== null && person?.externalId != null;
      if (strange || person?.ordinal !== owner) return { taken: lookup };
    }
    return { person };
  };
};

/** Consents after a line that says `personalisation`; what the person refused themselves stays refused. */
const consentsAfter = (there: Person | null, personalisation: boolean | undefined, at: number): Consents => {
  const before = there?.consents ?? { personalisation: false };
  if (personalisation === undefined || there?.refused) return before;
  return personalisation ? giveConsent(before, { how: 'import', wording: null }, at) : withdrawConsent(before, at);
};

/** Writes what a line tells of a person and answers their ordinal; `there` is null for a new one. */
const writerOver = (db: SqliteDatabase): ((line: ImportedPerson, there: Person | null) => number) => {
  const insert = db.prepare(
    `INSERT INTO subscribers (id, external_id, locale, region, time_zone, quiet_hours, attributes, created_at,
       ${consentColumns})
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING ordinal`,
  );
  const update = db.prepare(
    `UPDATE subscribers SET external_id = coalesce(external_id, ?), locale = coalesce(?, locale), region = coalesce(?, region),
       time_zone = coalesce(?, time_zone), quiet_hours = coalesce(?, quiet_hours),
       attributes = json_patch(attributes, coalesce(?, '{}'))
     WHERE ordinal = ?`,
  );
  const consent = db.prepare(`UPDATE subscribers SET (${consentColumns}) = (?, ?, ?, ?, ?) WHERE ordinal = ?`);
  const claim = db.prepare(
    `INSERT INTO addresses (lookup, subscriber, channel, sealed, verified_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (lookup) DO UPDATE SET sealed = excluded.sealed, verified_at = excluded.verified_at`,
  );

  const profiles = profileKeeperOver(db);
  const named = db.prepare('SELECT 1 FROM subscribers WHERE external_id = ?');
  const nameIsFree = (externalId: string | null): boolean => externalId !== null && !named.get(externalId);

  return ({ id, externalId, defaultLocale, fields, addresses, createdAt }, there) => {
    const { locale, region, timeZone, quietHours, attributes, consents } = fields;
    const hours = quietHours && JSON.stringify(quietHours);
    const facts = attributes && JSON.stringify(attributes);
    let ordinal = there?.ordinal ?? 0;
    // the name may still be on a row that was merged into this one
    const adopted = there && nameIsFree(externalId) ? externalId : null;
    const said = consentsAfter(there, consents?.personalisation, createdAt);
    if (there) update.run(adopted, locale, region, timeZone, hours, facts, ordinal);
    else {
      const told = [locale ?? defaultLocale, region, timeZone, hours, facts ?? '{}', createdAt];
      ordinal = Number(insert.get(id, externalId, ...told, ...consentValues(said))?.ordinal);
    }
    if (there && said !== there.consents) consent.run(...consentValues(said), ordinal);
    if (there?.consents.personalisation && !said.personalisation) profiles.forget(ordinal);
    for (const { lookup, channel, sealed, verifiedAt } of addresses)
      claim.run(lookup, ordinal, channel, sealed, verifiedAt);
    return ordinal;
  };
};

type FollowWriter = (
  ordinal: number,
  line: ImportedPerson,
  nos: ReadonlyMap<string, number>,
  was: Person | null,
) => void;

/** Replaces a person's imported follows by the line's. What they asked for or stopped themselves is left alone. */
const followsOver = (db: SqliteDatabase): FollowWriter => {
  const ofPerson = db.prepare(
    'SELECT follow, pace, channels, origin, stopped_at FROM subscriptions WHERE subscriber = ?',
  );
  const insert = db.prepare(
    `INSERT INTO subscriptions (follow, subscriber, id, pace, channels, origin, created_at, stopped_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, NULL)`,
  );
  const update = db.prepare('UPDATE subscriptions SET pace = ?, channels = ? WHERE follow = ? AND subscriber = ?');
  const remove = db.prepare('DELETE FROM subscriptions WHERE follow = ? AND subscriber = ?');
  const imported = originCode('import');

  return (ordinal, { follows, createdAt }, nos, was) => {
    const rows = was ? ofPerson.all(ordinal) : [];
    const there = new Map(rows.map((row) => [Number(row.follow), row]));
    const wanted = new Map(follows.map((one) => [Number(nos.get(one.key)), one]));
    for (const [no, row] of there)
      if (row.origin === imported && row.stopped_at === null && !wanted.has(no)) remove.run(no, ordinal);
    for (const [no, { id, pace, channels }] of wanted) {
      const wish = [paceCode(pace), channels && JSON.stringify(channels)];
      const row = there.get(no);
      if (!row && !was?.stoppedAll) insert.run(no, ordinal, id, ...wish, imported, createdAt);
      if (row?.origin !== imported || row.stopped_at !== null) continue;
      if (row.pace !== wish[0] || row.channels !== wish[1]) update.run(...wish, no, ordinal);
    }
  };
};

/** The import of `sqliteSubscriptionStore`. */
export const importsOver = (db: SqliteDatabase): Pick<SubscriptionStore, 'importPeople'> => {
  const find = finderOver(db);
  const write = writerOver(db);
  const replaceFollows = followsOver(db);
  const changes = changesOver(db);
  const nosOf = db.prepare(
    'SELECT follows.key, no FROM json_each(?) AS wanted CROSS JOIN follows ON follows.key = wanted.value',
  );

  const importOne = (line: ImportedPerson, nos: ReadonlyMap<string, number>): ImportOutcome => {
    const found = find(line);
    if ('taken' in found) return { outcome: 'taken', lookup: found.taken };
    const ordinal = write(line, found.person);
    replaceFollows(ordinal, line, nos, found.person);
    changes.touch(ordinal);
    if (!found.person) return { outcome: 'imported' };
    const withdrew = found.person.consents.personalisation && line.fields.consents?.personalisation === false;
    return { outcome: 'updated', ...(withdrew ? { withdrawn: ordinal } : {}) };
  };

  return {
    importPeople: async (people) => {
      const outcomes = await inChunks(people, peopleInOneWrite, (part) =>
        db.write(() => {
          const keys = [...new Set(part.flatMap(({ follows }) => follows.map(({ key }) => key)))];
          const nos = new Map(nosOf.all(JSON.stringify(keys)).map((row) => [String(row.key), Number(row.no)]));
          if (nos.size < keys.length) throw new Error('an import needs stored follows');
          return part.map((line) => importOne(line, nos));
        }),
      );
      return outcomes.flat();
    },
  };
};
