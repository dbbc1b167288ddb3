import type { ImportedPerson, ImportOutcome, SubscriptionStore } from '../../../subscriptions/subscription-store.ts';
import { consentsAfter, type LinePerson, writtenOutcome } from '../../import-line.ts';
import { changesOver } from '../changes.ts';
import { inChunks } from '../chunks.ts';
import type { SqlInput, SqliteDatabase } from '../database.ts';
import { profileKeeperOver } from '../profiles/rows.ts';
import { finderOver } from './import-finder.ts';
import { followsOver } from './import-follows.ts';
import { consentColumns, consentValues } from './people.ts';

/** About ten rows a person; a write of this many stays well under 20 ms. */
const peopleInOneWrite = 150;

/** A line and whom it is about; null: somebody new. */
type Known = { line: ImportedPerson; person: LinePerson | null };

/** JSON knows no undefined, and SQLite no boolean. */
const storable = (value: SqlInput): string | number | null =>
  typeof value === 'boolean' ? Number(value) : ((value ?? null) as string | number | null);

type Facts = (string | number | boolean | null)[];

/** What a line tells of a person, in the order in which both statements read it; what it leaves out is null. */
const factsOf = ({ locale, region, timeZone, quietHours, digestHour, attributes }: ImportedPerson['fields']): Facts => [
  locale ?? null,
  region ?? null,
  timeZone ?? null,
  quietHours ? JSON.stringify(quietHours) : null,
  digestHour ?? null,
  attributes ? JSON.stringify(attributes) : null,
];

/** Writes what lines tell of people and answers their ordinals, in the lines' order. */
const writerOver = (db: SqliteDatabase): ((lines: Known[], isNamed: (externalId: string) => boolean) => number[]) => {
  const insert = db.prepare(
    `INSERT INTO subscribers (id, external_id, created_at, locale, region, time_zone, quiet_hours, digest_hour,
       attributes, ${consentColumns})
     SELECT value->>0, value->>1, value->>2, coalesce(value->>4, value->>3), value->>5, value->>6, value->>7,
       value->>8, coalesce(value->>9, '{}'), value->>10, value->>11, value->>12, value->>13, value->>14 FROM json_each(?)
     RETURNING id, ordinal`,
  );
  const update = db.prepare(
    `UPDATE subscribers SET external_id = coalesce(external_id, value->>1), locale = coalesce(value->>2, locale),
       region = coalesce(value->>3, region), time_zone = coalesce(value->>4, time_zone),
       quiet_hours = coalesce(value->>5, quiet_hours), digest_hour = coalesce(value->>6, digest_hour),
       attributes = json_patch(attributes, coalesce(value->>7, '{}')),
       (${consentColumns}) = (value->>8, value->>9, value->>10, value->>11, value->>12)
     FROM json_each(?) WHERE ordinal = value->>0`,
  );
  const claim = db.prepare(
    `INSERT INTO addresses (subscriber, lookup, channel, sealed, verified_at)
     SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(?) WHERE true
     ON CONFLICT (lookup) DO UPDATE SET sealed = excluded.sealed`,
  );

  const profiles = profileKeeperOver(db);

  const insertNew = (lines: ImportedPerson[]): Map<string, number> => {
    const rows = lines.map((line) => [
      ...[line.id, line.externalId, line.createdAt, line.defaultLocale],
      ...factsOf(line.fields),
      ...consentValues(consentsAfter(line, null)).map(storable),
    ]);
    return new Map(insert.all(JSON.stringify(rows)).map((row) => [String(row.id), Number(row.ordinal)]));
  };

  return (lines, isNamed) => {
    const fresh = lines.filter(({ person }) => person === null);
    const added = fresh.length > 0 ? insertNew(fresh.map(({ line }) => line)) : new Map<string, number>();
    const told = lines.flatMap(({ line, person }) => {
      const { externalId, fields } = line;
      // the name may still be on a row that was merged into this one
      const adopted = externalId !== null && !isNamed(externalId) ? externalId : null;
      if (!person) return [];
      const consents = consentsAfter(line, person);
      if (person.consents.personalisation && !consents.personalisation) profiles.forget(person.ordinal);
      return [[person.ordinal, adopted, ...factsOf(fields), ...consentValues(consents).map(storable)]];
    });
    if (told.length > 0) update.run(JSON.stringify(told));
    const ordinals = lines.map(({ line, person }) => person?.ordinal ?? added.get(line.id) ?? 0);
    const claims = lines.flatMap(({ line }, n) =>
      line.addresses.map(({ lookup, channel, sealed, verifiedAt }) => [
        ...[ordinals[n], lookup, channel, sealed, verifiedAt],
      ]),
    );
    claim.run(JSON.stringify(claims));
    return ordinals;
  };
};

/** The first of these lines that name different people, by what they are called. */
const namedApart = (lines: ImportedPerson[]): ImportedPerson[] => {
  const seen = new Set<string>();
  const again = lines.findIndex(({ externalId, addresses }) => {
    const names = addresses.map(({ lookup }) => `address ${lookup}`);
    if (externalId !== null) names.push(`externalId ${externalId}`);
    if (names.some((name) => seen.has(name))) return true;
    for (const name of names) seen.add(name);
    return false;
  });
  return again < 0 ? lines : lines.slice(0, again);
};

/** The import of `sqliteSubscriptionStore`: one statement a table for all lines that are about different people. */
export const importsOver = (db: SqliteDatabase): Pick<SubscriptionStore, 'importPeople'> => {
  const finder = finderOver(db);
  const write = writerOver(db);
  const follows = followsOver(db);
  const changes = changesOver(db);

  /** Imports as many of the lines as are about different people, one at least. */
  const importApart = (lines: ImportedPerson[], nos: ReadonlyMap<string, number>): ImportOutcome[] => {
    const apart = namedApart(lines);
    const { find, isNamed } = finder(apart);
    const outcomes: ImportOutcome[] = [];
    const known: Known[] = [];
    const touched = new Set<number>();
    for (const line of apart) {
      const { person, taken, leansOn } = find(line);
      // what an earlier line is about to change must be read anew
      if (leansOn.some((ordinal) => touched.has(ordinal))) break;
      outcomes.push(taken === null ? writtenOutcome(line, person) : { outcome: 'taken', lookup: taken });
      if (taken !== null) continue;
      known.push({ line, person });
      if (person) touched.add(person.ordinal);
    }
    const ordinals = write(known, isNamed);
    changes.touchAll(ordinals);
    follows.replace(
      known.map(({ line, person }, n) => ({ ordinal: ordinals[n] ?? 0, line, was: person })),
      nos,
    );
    return outcomes;
  };

  return {
    importPeople: async (people) => {
      const outcomes = await inChunks(people, peopleInOneWrite, (part) =>
        db.write(() => {
          const nos = follows.nosOf(part);
          const done: ImportOutcome[] = [];
          while (done.length < part.length) done.push(...importApart(part.slice(done.length), nos));
          return done;
        }),
      );
      return outcomes.flat();
    },
  };
};
