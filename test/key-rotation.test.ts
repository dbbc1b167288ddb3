import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realEdges } from '../src/edges.ts';
import { rotateKeys, sealedPlaces } from '../src/key-rotation.ts';
import { sealedUnder } from '../src/keyring.ts';
import { projectRoot } from '../src/project-root.ts';
import type { Actor } from '../src/publishing/item.ts';
import { sealContexts } from '../src/seal-contexts.ts';
import { loadKeyring, sealingKeysName } from '../src/secret.ts';
import { openMongoStorage } from '../src/storage/mongo/mongo-storage.ts';
import { openSqliteStorage } from '../src/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../src/storage/storage.ts';
import { lookupOf, openContact, sealContact } from '../src/subscriptions/address.ts';
import { onEachEngine } from './helpers/engines.ts';
import { runCommand } from './helpers/run-command.ts';
import { makeTown, type Town } from './helpers/town.ts';

const secret = 'a secret for tests only';
const clerk: Actor = { staff: 'clerk', roles: ['publisher', 'admin'], departments: [] };

/** Every sealed value of a store, by the key that it is under. */
const keysIn = async (stores: Pick<Storage, 'sealed'>): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const place of sealedPlaces)
    for (const { sealed } of await stores.sealed.sealedValues(place, '', 100_000))
      counts[sealedUnder(sealed)] = (counts[sealedUnder(sealed)] ?? 0) + 1;
  return counts;
};

onEachEngine('a rotation of keys', ({ town: storage }) => {
  let town: Town;
  beforeEach(async () => {
    town = await makeTown({ ...storage, env: { LOCALE: 'en' } });
  });
  afterEach(() => town.close());

  const rotate = (pause: () => Promise<void> = async () => undefined) =>
    rotateKeys(town.stores, { secret, keyring: town.keyring, contexts: sealContexts, pause });

  /** One value in every place where something is sealed. */
  const fillEveryPlace = async (): Promise<void> => {
    await town.people([{ externalId: 'a', email: 'ann@example.org', verified: true, follow: [{ topic: 'services' }] }]);
    const nothing = { region: null, timeZone: null };
    const follow = [{ target: { topic: 'services' }, regions: [], pace: 'immediate' as const, channels: [] }];
    const contact = { channel: 'email' as const, email: 'new@example.org' };
    await town.signUps.request({ contact, follow, locale: 'en', ...nothing } as never);
    await town.access.openCall('call', 'hash');
    await town.access.closeCall('call', 201, '{"key":"x"}');
    await town.webhooks.add('https://hooks.example.org/x', []);
    const applicant = { email: 'ask@example.org' };
    await town.applications.register({ applicant, text: 'What does it cost?', receivedAt: town.now() }, clerk);
    const person = await town.subscriptions.person({ externalId: 'a' });
    const item = await town.publishing.create(
      {
        ...{ title: 'T', summary: 'S', language: 'en', topics: ['services'] },
        ...{ urgency: 'routine', visibility: 'public' },
      },
      null,
      clerk,
    );
    await town.publishing.publish(item.id, clerk);
    const writer = person?.person.ordinal ?? 0;
    await town.opinions.receive({ person: writer, item: item.id, kind: 'question', text: 'Why?', at: town.now() });
    const { id } = await town.access.addStaff({ email: 'b@example.org', name: 'B', roles: ['admin'], departments: [] });
    const totp = { sealed: town.keyring.seal('SECRET', `staff-totp:${id}`), step: 1, recovery: [] };
    await town.stores.staffSignIns.setSecondStep(id, totp, 0);
    const key = town.keyring.seal('a token', 'account:weibo');
    await town.stores.accounts.connect('weibo', { sealed: key, expiresAt: town.now() + 1 });
  };

  it('seals what is in every place anew, opens all of it, and forgets the old key', async () => {
    await fillEveryPlace();
    const places: [string, number][] = [];
    for (const place of sealedPlaces)
      places.push([place, (await town.stores.sealed.sealedValues(place, '', 10)).length > 0 ? 1 : 0]);
    expect(places.filter(([, some]) => some === 0)).toEqual([]);
    const [before = ''] = Object.keys(await keysIn(town.stores));
    const { key, resealed, unreadable } = await rotate();
    expect([resealed, unreadable, key === before]).toEqual([expect.any(Number), 0, false]);
    expect(await keysIn(town.stores)).toEqual({ [key]: resealed });
    const fresh = await loadKeyring(town.stores.access, secret);
    expect(fresh.sealingKey()).toBe(key);
    for (const place of sealedPlaces)
      for (const { bound, sealed } of await town.stores.sealed.sealedValues(place, '', 100))
        expect(fresh.open(sealed, sealContexts[place](bound))).not.toBe('');
    // again: another key, and the one before is nowhere any more
    const second = await rotate();
    expect(Object.keys(await keysIn(town.stores))).toEqual([second.key]);
    const old = (await loadKeyring(town.stores.access, secret)).open;
    expect(() => old(`v1.${key}.AAAA`, 'x')).toThrow('unknown key');
  });

  it('finds what running processes seal meanwhile, and these open what is sealed anew', async () => {
    await town.people([{ externalId: 'a', email: 'ann@example.org', verified: true, follow: [{ topic: 'services' }] }]);
    const [other, late] = [
      await loadKeyring(town.stores.access, secret),
      await loadKeyring(town.stores.access, secret),
    ];
    const lookup = lookupOf(other, { channel: 'email', email: 'ann@example.org' });
    const read = async () => (await town.stores.addresses.find(lookup)) ?? { lookup, sealed: '' };
    let waits = 0;
    const { key } = await rotate(async () => {
      waits += 1;
      // a process that looked late has written under the key it knew
      if (waits <= 3) {
        const { sealed: from } = await read();
        const { sealed: to } = sealContact(late, { channel: 'email', email: 'ann@example.org' });
        await town.stores.sealed.reseal('addresses', [{ id: lookup, from, to }]);
      }
      other.learn((await town.stores.access.setting(sealingKeysName)) ?? '');
      expect(openContact(other, await read())).toMatchObject({ email: 'ann@example.org' });
    });
    expect(Object.keys(await keysIn(town.stores))).toEqual([key]);
    expect(waits).toBeGreaterThan(3);
  });

  it('keeps the old key for what was altered, and says so', async () => {
    await town.people([{ externalId: 'a', email: 'ann@example.org', verified: true, follow: [{ topic: 'services' }] }]);
    const [one] = await town.stores.sealed.sealedValues('addresses', '', 1);
    const from = one?.sealed ?? '';
    await town.stores.sealed.reseal('addresses', [{ id: one?.id ?? '', from, to: `${from.slice(0, -2)}xx` }]);
    expect(await rotate()).toMatchObject({ unreadable: 1 });
    expect(Object.keys(await keysIn(town.stores))).toContain(sealedUnder(from));
    expect(() => town.keyring.open(from, sealContexts.addresses(one?.bound ?? ''))).not.toThrow();
  });

  it('changes nothing but what it read: a value that moved on meanwhile stays', async () => {
    await town.people([{ externalId: 'a', email: 'ann@example.org', verified: true, follow: [{ topic: 'services' }] }]);
    const [one] = await town.stores.sealed.sealedValues('addresses', '', 1);
    const id = one?.id ?? '';
    await town.stores.sealed.reseal('addresses', [{ id, from: 'something else', to: 'x' }]);
    expect((await town.stores.sealed.sealedValues('addresses', '', 1))[0]?.sealed).toBe(one?.sealed);
    expect(await town.stores.sealed.sealedValues('addresses', id, 1)).toEqual([]);
  });
});

onEachEngine('npm run keys:rotate', ({ name, database, some }) => {
  it('goes on where it was killed, until everything is under one new key and opens', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'bellman-keys-'));
    const { env: own, drop } = database();
    const env = { SECRET: secret, ...own, DATA_DIR: dataDir };
    const open = (): Promise<Storage> =>
      name === 'SQLite'
        ? openSqliteStorage(join(dataDir, 'bellman.db'))
        : openMongoStorage(String((own as Record<string, string>).DATABASE_URL), realEdges);
    const count = some(600, 150);
    const stores = await open();
    const keyring = await loadKeyring(stores.access, secret);
    for (let n = 0; n < count; n += 1) {
      const sealed = sealContact(keyring, { channel: 'email', email: `p${n}@example.org` });
      await stores.addresses.claim({ ...sealed, subscriber: n + 1, verifiedAt: 1, suppressed: null });
    }
    await killedInTheMiddle(env);
    const half = await keysIn(stores);
    expect(Object.keys(half)).toHaveLength(2);
    const { code, out } = await runCommand('keys-rotate', ['--stopped'], env);
    expect([code, out]).toEqual([0, expect.stringContaining('sealed anew')]);
    const fresh = await loadKeyring(stores.access, secret);
    expect(await keysIn(stores)).toEqual({ [fresh.sealingKey()]: count });
    // the rotation that was killed and the one that ended it made one key between them
    expect(Object.keys(half)).toContain(fresh.sealingKey());
    for (const { id, sealed } of await stores.sealed.sealedValues('addresses', '', count))
      expect(openContact(fresh, { lookup: id, sealed })).toMatchObject({ email: expect.any(String), channel: 'email' });
    await stores.close();
    await drop();
    rmSync(dataDir, { recursive: true, force: true });
  }, 120_000);
});

/** Runs the command and kills it (-9) as soon as it says that it has begun to seal anew. */
const killedInTheMiddle = (env: Record<string, string>): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(projectRoot, 'dist/scripts/keys-rotate.js'), '--stopped'], {
      env: { PATH: process.env.PATH, ...env },
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => text.includes('so far') && child.kill('SIGKILL'));
    child.once('error', reject);
    child.once('close', () => resolve());
  });
