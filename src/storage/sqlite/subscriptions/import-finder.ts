import type { Consents } from '../../../subscriptions/consent.ts';
import type { ImportedPerson } from '../../../subscriptions/subscription-store.ts';
import type { Row, SqliteDatabase } from '../database.ts';
import { packedQuery } from '../packed.ts';
import { consentColumns, toConsents } from './people.ts';

/** How many steps of "merged into" are followed: merges of merges, never a loop. */
const mergesMost = 10;

/** Somebody whom an imported line is about, as they are now. */
export type Person = {
  ordinal: number;
  externalId: string | null;
  stoppedAll: boolean;
  consents: Consents;
  /** They said no themselves. */
  refused: boolean;
};

/**
 * Whom a line is about (null: somebody new), or the address that keeps it from being written; and everybody whom that leaned
 * on, since a line that changes one of them changes the answer.
 */
type Found = { person: Person | null; taken: string | null; leansOn: number[] };

type Finder = {
  find(line: ImportedPerson): Found;
  /** Whether somebody has that externalId, merged people too. */
  isNamed(externalId: string): boolean;
};

const toPerson = (row: Row): Person => ({
  ordinal: Number(row.ordinal),
  externalId: row.external_id === null ? null : String(row.external_id),
  stoppedAll: row.stopped_all === 1,
  consents: toConsents(row),
  refused: row.consent_refused === 1,
});

const columns = {
  ordinal: 'ordinal',
  external_id: 'external_id',
  stopped_all: 'stopped_all',
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

  const resolve = (row: Row | undefined): Person | null => {
    let at = row;
    for (let step = 0; at && at.merged_into !== null && step < mergesMost; step++) at = byOrdinal.get(at.merged_into);
    return at ? toPerson(at) : null;
  };

  return (lines) => {
    const names = lines.flatMap(({ externalId }) => externalId ?? []);
    const lookups = lines.flatMap(({ addresses }) => addresses.map(({ lookup }) => lookup));
    const named = new Map(byExternalId(JSON.stringify(names)).map((row) => [String(row.external_id), row]));
    const owners = new Map(byLookup(JSON.stringify(lookups)).map((row) => [String(row.lookup), row]));

    const find = ({ externalId, addresses }: ImportedPerson): Found => {
      const own = externalId === null ? null : resolve(named.get(externalId));
      let person = own;
      const leansOn = own ? [own.ordinal] : [];
      for (const { lookup } of addresses) {
        const row = owners.get(lookup);
        if (!row) continue;
        person ??= resolve(row);
        leansOn.push(Number(row.owner), ...(person ? [person.ordinal] : []));
        const strange = own === null && externalId !== null && person?.externalId != null;
        if (strange || person?.ordinal !== row.owner) return { person, taken: lookup, leansOn };
      }
      return { person, taken: null, leansOn };
    };
    return { find, isNamed: (externalId) => named.has(externalId) };
  };
};
