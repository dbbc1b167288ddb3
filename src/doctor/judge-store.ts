import { type Finding, fail, ok, warn } from './finding.ts';

const check = 'storage';

/** A fault as the start of the service words it: what is wrong, and in its last sentence what to do. */
const ofFault = (of: string, fault: string): Finding => {
  const [, text = fault, advice = 'The log of the service says more'] = /^(.+)\. ([A-Z][^.]+)$/s.exec(fault) ?? [];
  return fail(of, text, `${advice}.`);
};

/** What was found at the place of an SQLite database. `fault`: why it could not be opened or read. */
export type SqliteFact =
  | { kind: 'none' }
  | { kind: 'fault'; fault: string }
  | { kind: 'there'; bytes: number; version: number; newest: number; quickCheck: string };

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;

/** Judges an SQLite database: whether it is there, sound, and of this program's schema. */
export const judgeSqlite = (fact: SqliteFact): Finding => {
  if (fact.kind === 'none') return ok(check, 'there is no database yet; the first start makes it');
  if (fact.kind === 'fault') return ofFault(check, fact.fault);
  if (fact.quickCheck !== 'ok')
    return fail(
      check,
      `the database is damaged: ${fact.quickCheck}`,
      'Stop the service and put back a backup (npm run restore).',
    );
  if (fact.version > fact.newest)
    return fail(
      check,
      `the database is of a newer version (schema ${fact.version}, this program knows ${fact.newest})`,
      'Start the newer program, or put back a backup that was made before it.',
    );
  if (fact.version < fact.newest)
    return warn(
      check,
      `the schema is at ${fact.version} of ${fact.newest}`,
      'The next start brings it forward; take a backup before (npm run backup).',
    );
  return ok(check, `SQLite, ${megabytes(fact.bytes)}, sound, schema ${fact.version}`);
};

/** What a MongoDB server said. `setName` is null where it is no member of a replica set. */
export type MongoFact =
  | { kind: 'fault'; fault: string }
  | { kind: 'there'; setName: string | null; sharded: boolean; writable: boolean };

/** Judges a MongoDB server: whether it answers, can be written, and loses nothing when one machine does. */
export const judgeMongo = (fact: MongoFact): Finding => {
  if (fact.kind === 'fault') return ofFault(check, fact.fault);
  if (!fact.writable)
    return fail(check, 'the server takes no writes', 'Name every member of the replica set in DATABASE_URL.');
  if (fact.setName === null && !fact.sharded)
    return warn(
      check,
      'the server stands alone: what it loses is lost',
      'Run a replica set of three (compose.yaml shows one).',
    );
  return ok(check, fact.sharded ? 'MongoDB, sharded' : `MongoDB, replica set ${fact.setName}`);
};

/** Judges whether SECRET opens what the store keeps. `null`: the store keeps nothing yet; `unread`: nobody could look. */
export const judgeSecret = (opens: boolean | null | 'unread'): Finding => {
  if (opens === 'unread')
    return warn(
      'secret',
      'nobody can tell whether SECRET fits while the store cannot be read',
      'Mend the store first.',
    );
  if (opens === null) return ok('secret', 'nothing is sealed yet');
  return opens
    ? ok('secret', 'SECRET opens the store')
    : fail(
        'secret',
        'SECRET does not open the store: it was made with another one',
        'Set SECRET (or put back DATA_DIR/secret) as it was last; without it every address is lost. Was a change of it interrupted? Run npm run secret:change again.',
      );
};

/** Room where the data lies; `mode` is that of DATA_DIR/secret, null where there is none. */
export type DiskFact =
  | { kind: 'fault'; fault: string }
  | { kind: 'there'; free: number; size: number; databaseBytes: number; mode: number | null };

const gigabyte = 1e9;

/** Judges the disk: a full one stops everything, and a backup needs as much room again as the database. */
export const judgeDisk = (fact: DiskFact): Finding[] => {
  if (fact.kind === 'fault') return [ofFault('disk', fact.fault)];
  const share = `${megabytes(fact.free)} free of ${megabytes(fact.size)}`;
  const room =
    fact.free < gigabyte / 2
      ? fail('disk', share, 'Make room: on a full disk nothing can be recorded, so nothing is sent.')
      : fact.free < Math.max(2 * gigabyte, fact.databaseBytes)
        ? warn('disk', share, 'Make room: a backup needs as much again as the database.')
        : ok('disk', share);
  if (fact.mode === null || (fact.mode & 0o077) === 0) return [room];
  return [
    room,
    warn('disk', 'others may read DATA_DIR/secret', 'chmod 600 it: whoever has it and a backup has every address.'),
  ];
};
