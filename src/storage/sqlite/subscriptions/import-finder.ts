import type { ImportedPerson } from '../../../subscriptions/subscription-store.ts';
import { type AddressOwner, type FoundPerson, findPerson, type LinePerson } from '../../import-line.ts';
import type { Row, SqliteDatabase } from '../database.ts';
import { packedQuery } from '../packed.ts';
import { consentColumns, toConsents } from './people.ts';

/** How many steps of "merged into" are followed: merges of merges, never a loop. */
const mergesMost = 10;

type Finder = {
  find(line: ImportedPerson): FoundPerson;
  /** Whether somebody has that externalId, merged people too. */
  isNamed(externalId: string): boolean;
};

const toPerson = (row: Row): LinePerson => ({
  ordinal: Number(row.ordinal),
  externalId: row.external_id === null ? null : String(row.external_id),
  stoppedAll: row.stopped_all === 1,
  timeZone: row.time_zone === null ? null : String(row.time_zone),
  digestHour: row.digest_hour === null ? null : Number(row.digest_hour),
  consents: toConsents(row),
  refused: row.consent_refused === 1,
});

const columns = {
  ordinal: 'ordinal',
  external_id: 'external_id',
  stopped_all: 'stopped_all',
  time_zone: 'time_zone',
  digest_hour: 'digest_hour',
  merged_into: 'merged_into',
  consent_refused: 'consent_refused',
  ...Object.fromEntries(consentColumns.split(', ').map((name) => [name, name])),
};

/** Who imported lines are about: by externalId, else by address. Reads for all lines at once, inside a transaction. */
export const finderOver = (db: SqliteDatabase): ((lines: ImportedPerson[]) => Finder) => {
  const byExternalId = packedQuery(
    db,
    columns,
    'FROM json_each(?) AS wanted CROSS JOIN subscribers ON external_id = wanted.value',
  );
  const byLookup = packedQuery(
    db,
    { ...columns, lookup: 'lookup', owner: 'subscriber' },
    `FROM json_each(?) AS wanted CROSS JOIN addresses ON lookup = wanted.value
       LEFT JOIN subscribers ON ordinal = subscriber`,
  );
  const byOrdinal = db.prepare(`SELECT ${Object.values(columns)} FROM subscribers WHERE ordinal = ?`);

  const resolve = (row: Row | undefined): LinePerson | null => {
    let at = row;
    for (let step = 0; at && at.merged_into !== null && step < mergesMost; step++) at = byOrdinal.get(at.merged_into);
    return at ? toPerson(at) : null;
  };

  return (lines) => {
    const names = lines.flatMap(({ externalId }) => externalId ?? []);
    const lookups = lines.flatMap(({ addresses }) => addresses.map(({ lookup }) => lookup));
    const named = new Map(byExternalId(JSON.stringify(names)).map((row) => [String(row.external_id), row]));
    const owners = new Map(byLookup(JSON.stringify(lookups)).map((row) => [String(row.lookup), row]));

    const ownerOf = (lookup: string): AddressOwner | undefined => {
      const row = owners.get(lookup);
      return row && { owner: Number(row.owner), present: () => resolve(row) };
    };
    const find = (line: ImportedPerson): FoundPerson =>
      findPerson(line, line.externalId === null ? null : resolve(named.get(line.externalId)), ownerOf);
    return { find, isNamed: (externalId) => named.has(externalId) };
  };
};
