import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { realEdges } from '../src/edges.ts';
import { rotateKeys } from '../src/key-rotation.ts';
import { makeReturnPaths, returnPathKey } from '../src/return-path.ts';
import { sealContexts } from '../src/seal-contexts.ts';
import { loadKeyring, loadSecret } from '../src/secret.ts';
import { changeSecret } from '../src/secret-change.ts';
import { type LinkPurpose, readLink, signLink } from '../src/signed-link.ts';
import { openMongoStorage } from '../src/storage/mongo/mongo-storage.ts';
import { openSqliteStorage } from '../src/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../src/storage/storage.ts';
import { openContact, sealContact } from '../src/subscriptions/address.ts';
import { onEachEngine } from './helpers/engines.ts';
import { linkIn, type OutboxMessage } from './helpers/outbox.ts';
import { runCommand } from './helpers/run-command.ts';
import { makeTown, type Town } from './helpers/town.ts';
import { startWeb } from './helpers/web.ts';

const first = 'a secret for tests only';
const second = 'the secret that came after it';
const third = 'and yet another one after that';
const now = Date.parse('2026-06-10T04:00:00Z');

/** libsql lets go of a closed file when the statements are collected; a service that ended holds none. */
const letGo = async (): Promise<void> => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let n = 0; n < 3; n += 1) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** What must come out the same under every secret. */
const namesOf = (keyring: Town['keyring']): string[] => [
  keyring.mac('message', 'push:1:email').toString('hex'),
  keyring.lookup('ann@example.org'),
  makeReturnPaths('bounces.example.org', returnPathKey(keyring)).addressFor('AbCdEfGhIjKlMnOpQrStUg', 'a@b.example'),
];

onEachEngine('a change of SECRET', ({ town: storage }) => {
  let town: Town;
  beforeEach(async () => {
    town = await makeTown(storage);
  });
  afterEach(() => town.close());

  const access = () => town.stores.access;
  it('leaves names, addresses and sealed values as they are, twice over, before and after a rotation of keys', async () => {
    const before = town.keyring;
    const contact = { channel: 'email' as const, email: 'ann@example.org' };
    const [names, sealed] = [namesOf(before), sealContact(before, contact)];
    await changeSecret(access(), first, second);
    const then = await loadKeyring(access(), second);
    expect(namesOf(then)).toEqual(names);
    expect(openContact(then, sealed)).toEqual(contact);
    const tools = { secret: second, keyring: then, contexts: sealContexts, pause: async () => undefined };
    const { key } = await rotateKeys(town.stores, tools);
    await changeSecret(access(), second, third);
    const last = await loadKeyring(access(), third);
    expect([namesOf(last), last.sealingKey()]).toEqual([names, key]);
    for (const old of [first, second]) await expect(loadKeyring(access(), old)).rejects.toThrow('does not open');
  });

  it.each<[LinkPurpose, boolean]>([
    ['unsubscribe', true],
    ['item', true],
    ['feedback', true],
    ['report', true],
    ['confirm', true],
    ['stay', true],
    ['session', false],
    ['manage', false],
    ['csrf', false],
    ['visitor', false],
    ['staff-set-up', false],
    ['staff-first', false],
    ['wechat-bind', false],
  ])('a link to %s that was signed before goes on: %j', async (purpose, goesOn) => {
    const old = signLink(town.keyring, purpose, 'subject');
    await changeSecret(access(), first, second);
    const middle = signLink(await loadKeyring(access(), second), purpose, 'subject');
    await changeSecret(access(), second, third);
    const keyring = await loadKeyring(access(), third);
    const fresh = signLink(keyring, purpose, 'subject');
    expect([old, middle, fresh].map((link) => readLink(keyring, purpose, link, now).ok)).toEqual([
      goesOn,
      goesOn,
      true,
    ]);
    // what is made now is worth nothing to whoever has an old secret
    expect(readLink(town.keyring, purpose, fresh, now).ok).toBe(false);
  });

  it('goes on where it was stopped, at each of its writes; between, nothing starts', async () => {
    const tools = { secret: first, keyring: town.keyring, contexts: sealContexts, pause: async () => undefined };
    await rotateKeys(town.stores, tools);
    const names = namesOf(town.keyring);
    for (let [at, from, to] = [0, first, second]; at < 3; at += 1, [from, to] = [to, `${to}+`]) {
      let writes = 0;
      const stopping = {
        setting: access().setting,
        replaceSetting: async (...args: Parameters<Storage['access']['replaceSetting']>) => {
          if (writes === at) throw new Error('killed');
          writes += 1;
          return access().replaceSetting(...args);
        },
      };
      await expect(changeSecret(stopping, from, to)).rejects.toThrow('killed');
      if (at > 0)
        for (const one of [from, to]) await expect(loadKeyring(access(), one)).rejects.toThrow('does not open');
      await changeSecret(access(), from, to);
      expect(namesOf(await loadKeyring(access(), to))).toEqual(names);
    }
  });

  it('changes nothing under a wrong secret', async () => {
    await expect(changeSecret(access(), 'not the secret at all', second)).rejects.toThrow('opens neither');
    expect(namesOf(await loadKeyring(access(), first))).toEqual(namesOf(town.keyring));
  });
});

onEachEngine('npm run secret:change', ({ name, database }) => {
  let dataDir: string;
  let own: ReturnType<typeof database>;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'bellman-secret-'));
    own = database();
  });
  afterEach(async () => {
    await own.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const open = (): Promise<Storage> =>
    name === 'SQLite'
      ? openSqliteStorage(join(dataDir, 'bellman.db'))
      : openMongoStorage(String((own.env as Record<string, string>).DATABASE_URL), realEdges);
  const linkUnder = async (secret: string): Promise<string> => {
    const stores = await open();
    const link = signLink(await loadKeyring(stores.access, secret), 'unsubscribe', 'message');
    await stores.close();
    return link;
  };
  const readUnder = async (secret: string, link: string) => {
    const stores = await open();
    const reading = readLink(await loadKeyring(stores.access, secret), 'unsubscribe', link, now);
    await stores.close();
    return reading;
  };

  it('takes the new one from NEW_SECRET, and may be run again', async () => {
    const env = { ...own.env, DATA_DIR: dataDir, SECRET: first };
    const link = await linkUnder(first);
    await letGo();
    expect((await runCommand('secret-change', [], env)).code).toBe(2);
    for (let n = 0; n < 2; n += 1)
      expect(await runCommand('secret-change', [], { ...env, NEW_SECRET: second })).toMatchObject({ code: 0 });
    expect(await readUnder(second, link)).toEqual({ ok: true, subject: 'message' });
    const wrong = await runCommand('secret-change', [], { ...env, SECRET: 'not the secret at all', NEW_SECRET: third });
    expect(wrong).toMatchObject({ code: 1, errors: expect.stringContaining('SECRET is not changed') });
  }, 120_000);
});

describe('npm run secret:change, where the secret is kept in DATA_DIR', () => {
  it('puts a new one there, goes on where it was killed, and keeps the one before for older backups', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'bellman-secret-'));
    const env = { DATA_DIR: dataDir };
    const secret = () => readFileSync(join(dataDir, 'secret'), 'utf8');
    const inStore = async <T>(work: (access: Storage['access']) => Promise<T>): Promise<T> => {
      const stores = await openSqliteStorage(join(dataDir, 'bellman.db'));
      try {
        return await work(stores.access);
      } finally {
        await stores.close();
      }
    };
    expect((await runCommand('secret-change', [], env)).code).toBe(1);
    const old = loadSecret({ secret: undefined, dataDir });
    const names = await inStore(async (access) => {
      const found = namesOf(await loadKeyring(access, old));
      // as long as somebody has the database open
      const refused = await runCommand('secret-change', [], env);
      expect(refused).toMatchObject({ code: 1, errors: expect.stringContaining('stop the service first') });
      expect(secret()).toBe(old);
      return found;
    });
    await letGo();
    expect(await runCommand('secret-change', [], env)).toMatchObject({ code: 0 });
    const [before = ''] = readdirSync(dataDir).filter((file) => file.startsWith('secret.before-'));
    expect(readFileSync(join(dataDir, before), 'utf8')).toBe(old);
    expect(secret()).not.toBe(old);
    expect(existsSync(join(dataDir, 'secret.next'))).toBe(false);
    // killed when the store was under the new one, and the file was not
    writeFileSync(join(dataDir, 'secret.next'), third);
    await inStore(async (access) => {
      await changeSecret(access, secret(), third);
      await expect(loadKeyring(access, secret())).rejects.toThrow('SECRET does not open');
    });
    await letGo();
    expect(await runCommand('secret-change', [], env)).toMatchObject({ code: 0 });
    expect(secret()).toBe(third);
    expect(await inStore(async (access) => namesOf(await loadKeyring(access, third)))).toEqual(names);
    rmSync(dataDir, { recursive: true, force: true });
  }, 120_000);
});

describe('under a new SECRET', () => {
  it('an old mail still unsubscribes with one click, and nobody stays signed in', async () => {
    const web = await startWeb();
    await web.town.people([
      { externalId: 'a', email: 'ann@example.org', verified: true, follow: [{ topic: 'services' }] },
    ]);
    const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
    const { id } = (await web.api('POST', '/items', item)).body;
    await web.api('POST', `/items/${id}/publish`);
    await web.town.drain();
    const person = await web.town.subscriptions.person({ externalId: 'a' });
    const session = signLink(web.town.keyring, 'session', String(person?.person.id), web.town.now() + 60_000);
    const [mail] = (await web.call('GET', '/dev/outbox', { headers: { accept: 'application/json' } })).body
      .messages as [OutboxMessage];
    const link = linkIn(mail, 'u');
    await changeSecret(web.town.stores.access, first, second);
    const stores = web.town.stores;
    const later = await startWeb({
      env: { SECRET: second },
      storage: async () => ({ ...stores, close: async () => undefined }),
    });
    const page = await later.call('GET', '/my', { headers: { cookie: `bellman-session=${session}` } });
    expect([page.status, page.headers.get('location')]).toEqual([303, '/manage']);
    expect((await later.call('GET', link)).status).toBe(200);
    expect((await later.call('POST', link, { body: 'List-Unsubscribe=One-Click' })).status).toBe(200);
    const after = await later.town.subscriptions.person({ externalId: 'a' });
    expect(after?.follows.map(({ stoppedAt }) => stoppedAt !== null)).toEqual([true]);
    await later.close();
    await web.close();
  });
});
