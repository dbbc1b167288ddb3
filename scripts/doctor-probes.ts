import { promises as dns } from 'node:dns';
import { existsSync, mkdtempSync, readFileSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dkimPublicKey } from '../src/channels/email/dkim.ts';
import { welcomeOf } from '../src/channels/email/smtp-pool.ts';
import { readSmtpUrl } from '../src/channels/email/smtp-url.ts';
import type { Config } from '../src/config.ts';
import type { ClockFact, DkimFact, ServiceFact, SmtpFact } from '../src/doctor/judge-outside.ts';
import type { DiskFact, MongoFact, SqliteFact } from '../src/doctor/judge-store.ts';
import { makeKeyring } from '../src/keyring.ts';
import { makeFolder } from '../src/make-folder.ts';
import { startFault } from '../src/start-fault.ts';
import { probeMongo } from '../src/storage/mongo/probe.ts';
import { probeSqlite } from '../src/storage/sqlite/probe.ts';

const limitMs = 10_000;

/** What was found in the store: the fact to judge, the wrapped key it keeps, its size, and its clock. */
type StoreFacts = {
  fact: { engine: 'sqlite'; is: SqliteFact } | { engine: 'mongo'; is: MongoFact };
  wrapped: string | null;
  bytes: number;
  clock: ClockFact[];
};

const faultText = (error: unknown, config: Config): string =>
  startFault(error, config) ?? (error instanceof Error ? error.message : String(error));

const sqliteFacts = (config: Config, file: string): StoreFacts => {
  const none = { wrapped: null, bytes: 0, clock: [] };
  try {
    const found = probeSqlite(file);
    if (!found) return { ...none, fact: { engine: 'sqlite', is: { kind: 'none' } } };
    const { wrapped, ...is } = found;
    return { ...none, wrapped, bytes: is.bytes, fact: { engine: 'sqlite', is: { kind: 'there', ...is } } };
  } catch (error) {
    return { ...none, fact: { engine: 'sqlite', is: { kind: 'fault', fault: faultText(error, config) } } };
  }
};

const mongoFacts = async (config: Config, url: string): Promise<StoreFacts> => {
  try {
    const { wrapped, localTime, ...is } = await probeMongo(url);
    const clock = localTime === null ? [] : [{ of: 'the database', aheadMs: localTime - Date.now() }];
    return { wrapped, bytes: 0, clock, fact: { engine: 'mongo', is: { kind: 'there', ...is } } };
  } catch (error) {
    const is = { kind: 'fault' as const, fault: faultText(error, config) };
    return { wrapped: null, bytes: 0, clock: [], fact: { engine: 'mongo', is } };
  }
};

export const storeFacts = async (config: Config): Promise<StoreFacts> =>
  config.database.kind === 'sqlite'
    ? sqliteFacts(config, config.database.file)
    : mongoFacts(config, config.database.url);

/** The secret as the service would read it; none is made here. */
export const keptSecret = ({ secret, dataDir }: Config): string | null => {
  const file = join(dataDir, 'secret');
  return secret ?? (existsSync(file) ? readFileSync(file, 'utf8').trim() : null);
};

/** Whether this secret opens what the store keeps; null where it keeps nothing yet. */
export const opens = (secret: string | null, wrapped: string | null): boolean | null => {
  if (wrapped === null) return null;
  try {
    makeKeyring(secret ?? '', wrapped);
    return true;
  } catch {
    return false;
  }
};

export const smtpFacts = (config: Config): Promise<SmtpFact[]> =>
  Promise.all(
    config.email.urls
      .filter((url) => !url.startsWith('outbox:'))
      .map(readSmtpUrl)
      .map(async (server) => {
        const place = { host: server.host, port: server.port };
        const welcome = await welcomeOf(server, limitMs);
        if (welcome.ok) return { ...place, ok: true, secure: welcome.secure, auth: server.auth !== null };
        const { code, response, message } = welcome.fault;
        return { ...place, ok: false, code: code ?? 'EUNKNOWN', message: response ?? message };
      }),
  );

/** DNS codes that say that the name has no such record; every other one says that nobody answered. */
const noRecord = new Set(['ENOTFOUND', 'ENODATA']);

export const dkimFact = async ({ email: { dkim } }: Config): Promise<DkimFact | null> => {
  if (!dkim) return null;
  const of = { name: `${dkim.selector}._domainkey.${dkim.domain}`, publicKey: dkimPublicKey(dkim.key) };
  try {
    const resolver = new dns.Resolver({ timeout: limitMs / 4, tries: 2 });
    return { ...of, kind: 'records', records: (await resolver.resolveTxt(of.name)).map((parts) => parts.join('')) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN';
    return noRecord.has(code) ? { ...of, kind: 'none' } : { ...of, kind: 'unreachable', code };
  }
};

/** Throws, and names the folder itself, where this user may not write. */
const tryWriting = (folder: string): void => {
  try {
    rmdirSync(mkdtempSync(join(folder, '.doctor-')));
  } catch (error) {
    throw Object.assign(error as Error, { path: folder });
  }
};

export const diskFact = (config: Config, databaseBytes: number): DiskFact => {
  try {
    makeFolder(config.dataDir);
    tryWriting(config.dataDir);
    const { bavail, blocks, bsize } = statfsSync(config.dataDir);
    const secret = statSync(join(config.dataDir, 'secret'), { throwIfNoEntry: false });
    return { kind: 'there', free: bavail * bsize, size: blocks * bsize, databaseBytes, mode: secret?.mode ?? null };
  } catch (error) {
    return { kind: 'fault', fault: faultText(error, config) };
  }
};

type Answer = { status: number; date: string } | null;

const readyz = async (base: string): Promise<Answer> => {
  try {
    const response = await fetch(`${base}/readyz`, { signal: AbortSignal.timeout(limitMs) });
    await response.body?.cancel();
    return { status: response.status, date: response.headers.get('date') ?? '' };
  } catch {
    return null;
  }
};

/** What /readyz of the service says, and by how much the clock in front of it differs. HTTP dates are whole seconds. */
export const serviceFact = async ({ publicUrl, port }: Config): Promise<ServiceFact & { clock: ClockFact[] }> => {
  const [outside, here] = await Promise.all([readyz(publicUrl), readyz(`http://127.0.0.1:${port}`)]);
  const fact = { publicUrl, port, status: outside?.status ?? null, here: here?.status ?? null };
  const aheadMs = Date.parse(outside?.date ?? '') - Date.now();
  const said = Number.isFinite(aheadMs) ? [{ of: publicUrl, aheadMs: Math.abs(aheadMs) < 1_500 ? 0 : aheadMs }] : [];
  // on this machine it is our own clock that answers
  const other = /^(localhost|127\.|\[::1\])/.test(new URL(publicUrl).hostname) ? [] : said;
  return { ...fact, clock: other };
};
