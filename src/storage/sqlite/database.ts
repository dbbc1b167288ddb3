import Database from 'libsql';
import { AppError } from '../../errors.ts';
import { makeOwnFile } from './own-file.ts';
import { keepWal } from './wal-keeper.ts';

/** What SQLite stores. */
export type SqlValue = number | string | null | Uint8Array | ArrayBuffer;
export type SqlInput = SqlValue | boolean | Date | undefined | bigint;
export type Row = Record<string, SqlValue>;

export type Statement = {
  run(...values: SqlInput[]): { changes: number };
  get(...values: SqlInput[]): Row | undefined;
  all(...values: SqlInput[]): Row[];
};

/**
 * The binding layer over libsql: a bound boolean would abort the process, numbers would bind as REAL, and `get` would add
 * `_metadata`. `read` and `write` retry SQLITE_BUSY with jitter for `busyMs`, because libsql is synchronous and a waiting
 * lock would stop the event loop.
 */
export type SqliteDatabase = {
  prepare(sql: string): Statement;
  exec(sql: string): void;
  /** Runs a synchronous read, retried while the database is locked. */
  read<T>(work: () => T): Promise<T>;
  /** Runs a synchronous transaction (BEGIN IMMEDIATE), retried while the database is locked, and syncs it; keep it under 20 ms. */
  write<T>(work: () => T): Promise<T>;
  /** The same without the sync: it has survived a power cut once a `durable` that is asked for later resolves. */
  commit<T>(work: () => T): Promise<T>;
  durable(): Promise<void>;
  close(): Promise<void>;
};

/** A BLOB column as bytes (libsql answers an ArrayBuffer). */
export const bytes = (value: SqlValue | undefined): Uint8Array =>
  value instanceof Uint8Array ? value : new Uint8Array((value ?? new ArrayBuffer(0)) as ArrayBuffer);

/** Turns a value into what SQLite stores: booleans to 0/1, whole numbers kept whole, dates to ms, undefined to NULL. */
export const bind = (value: SqlInput): SqlValue | bigint => {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value instanceof Date) return BigInt(value.getTime());
  if (typeof value === 'number') {
    if (Number.isNaN(value)) throw new TypeError('NaN cannot be stored');
    return Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  return value;
};

const codeOf = (error: unknown): string => String((error as { code?: unknown })?.code ?? '');
const isBusy = (error: unknown): boolean =>
  /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error)) || /database is locked/.test(String(error));
const isUnavailable = (error: unknown): boolean =>
  /^SQLITE_(FULL|READONLY|IOERR|CANTOPEN|CORRUPT|NOTADB)/.test(codeOf(error)) ||
  /disk is full|readonly database|disk I\/O error/.test(String(error));

export type OpenOptions = { busyMs?: number; random?: () => number };

/** After so many pages (64 MB) a commit itself writes into the database what the WAL's keeper has not, so that the WAL starts anew. */
const checkpointPages = 16_000;

/**
 * Opens (and makes) the file (`:memory:`: none). A transaction has survived a power cut once its `write` resolves: it is committed
 * with synchronous=NORMAL, and the WAL is synced beside the event loop.
 */
export const openSqlite = (file: string, options: OpenOptions = {}): SqliteDatabase => {
  if (file !== ':memory:') makeOwnFile(file);
  const raw = new Database(file);
  // several processes may be making the same file: at the start there is nobody yet whom waiting would hold up
  raw.exec('PRAGMA busy_timeout = 5000');
  raw.exec('PRAGMA journal_mode = WAL');
  raw.exec('PRAGMA busy_timeout = 50');
  raw.exec('PRAGMA synchronous = NORMAL');
  raw.exec('PRAGMA foreign_keys = ON');
  // what was erased does not stay behind in pages that are written anyway; FAST costs no write of its own
  raw.exec('PRAGMA secure_delete = FAST');
  raw.exec('PRAGMA temp_store = MEMORY');
  // 128 MB at most, taken as pages are read: on a file of 20,000 profiles an eighth more events a second than with 32 MB
  raw.exec('PRAGMA cache_size = -128000');
  raw.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  const keeper = file === ':memory:' ? null : keepWal(file);
  const busyMs = options.busyMs ?? 30_000;
  const random = options.random ?? Math.random;

  const prepare = (sql: string): Statement => {
    // prepared when first used: the stores have hundreds, of which most processes need few
    let prepared: Database.Statement | undefined;
    const statement = (): Database.Statement => {
      prepared ??= raw.prepare(sql);
      return prepared;
    };
    return {
      // always as one list: a lone null or BLOB would itself be taken for the list of parameters
      run: (...values) => ({ changes: Number(statement().run(values.map(bind)).changes) }),
      get: (...values) => {
        const row = statement().get(values.map(bind)) as (Row & { _metadata?: unknown }) | undefined;
        if (row) delete row._metadata;
        return row;
      },
      all: (...values) => statement().all(values.map(bind)) as Row[],
    };
  };

  const begin = raw.prepare('BEGIN IMMEDIATE');
  const commit = raw.prepare('COMMIT');
  const rollback = raw.prepare('ROLLBACK');

  const transaction = <T>(work: () => T): T => {
    begin.run();
    try {
      const result = work();
      commit.run();
      return result;
    } catch (error) {
      try {
        rollback.run();
      } catch {
        // SQLite has already rolled back (a full disk, an I/O error)
      }
      throw error;
    }
  };

  const retried = async <T>(work: () => T): Promise<T> => {
    const giveUpAt = performance.now() + busyMs;
    for (let pause = 2; ; pause = Math.min(pause * 2, 100)) {
      try {
        return work();
      } catch (error) {
        if (isUnavailable(error))
          throw new AppError('store-unavailable', `the database refuses: ${codeOf(error) || String(error)}`);
        if (!isBusy(error)) throw error;
        if (performance.now() > giveUpAt)
          throw new AppError('store-unavailable', 'the database stayed locked', { retryAfterSeconds: 5 });
        await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + random())));
      }
    }
  };

  const committed = <T>(work: () => T): Promise<T> => retried(() => transaction(work));
  const durable = async (): Promise<void> => keeper?.durable();

  return {
    prepare,
    exec: (sql) => raw.exec(sql),
    read: (work) => retried(work),
    write: async (work) => {
      const result = await committed(work);
      await durable();
      return result;
    },
    commit: committed,
    durable,
    close: async () => {
      await keeper?.close();
      raw.close();
    },
  };
};
