import { makeAccessService } from '../../../src/access/access-service.ts';
import type { AccessStore } from '../../../src/access/access-store.ts';
import { realEdges } from '../../../src/edges.ts';
import { makeKeyring, newWrappedLookupKey } from '../../../src/keyring.ts';
import { sqliteAccessStore } from '../../../src/storage/sqlite/access-store.ts';
import type { SqliteDatabase } from '../../../src/storage/sqlite/database.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';

const secret = 'a secret of enough length';
const adminApiKey = 'admin-key-of-the-test';
const account = { email: 'li@example.org', name: 'Li', roles: ['publisher' as const], departments: ['housing'] };

describe('access', () => {
  let db: SqliteDatabase;
  let store: AccessStore;
  let now = 1_790_000_000_000;
  const edges = { ...realEdges, now: () => now };
  const service = (key: string | undefined = adminApiKey) =>
    makeAccessService(
      { access: store },
      { edges, keyring: makeKeyring(secret, newWrappedLookupKey(secret)), adminApiKey: key },
    );
  beforeEach(async () => {
    db = await openMemory();
    store = sqliteAccessStore(db);
  });
  afterEach(() => db.close());

  describe('keys', () => {
    it('lets a key act as its account, until it expires', async () => {
      const access = service();
      const staff = await access.addStaff(account);
      const { id, key } = await access.addKey({ staff: staff.id, scopes: ['publish'], expiresAt: now + 10 });
      const caller = {
        actor: { staff: staff.id, roles: ['publisher'], departments: ['housing'] },
        scopes: ['publish'],
        key: id,
      };
      expect(await access.authenticate(`Bearer ${key}`)).toEqual(caller);
      expect(await access.authenticate(`bearer   ${key}`)).toEqual(caller);
      now += 10;
      await expect(access.authenticate(`Bearer ${key}`)).rejects.toMatchObject({ code: 'no-key' });
    });

    it('does not administer the office for an account of a department', async () => {
      const access = service();
      const staff = await access.addStaff(account);
      const wanted = { staff: staff.id, scopes: ['publish' as const, 'admin' as const], expiresAt: null };
      await expect(access.addKey(wanted)).rejects.toMatchObject({ code: 'invalid', faults: [{ path: 'scopes' }] });
      await access.changeStaff(staff.id, { ...account, departments: [] }, 'admin');
      const { key } = await access.addKey(wanted);
      expect((await access.authenticate(`Bearer ${key}`))?.scopes).toEqual(['publish', 'admin']);
      // moved to a department since
      await access.changeStaff(staff.id, account, 'admin');
      expect((await access.authenticate(`Bearer ${key}`))?.scopes).toEqual(['publish']);
    });

    it('keeps no secret, and has 256 bits of it', async () => {
      const access = service();
      const { key } = await access.addKey({ staff: 'admin', scopes: ['admin'], expiresAt: null });
      const [id = '', kept = ''] = key.split('.');
      expect(Buffer.from(kept, 'base64url')).toHaveLength(32);
      expect(JSON.stringify(await store.key(id))).not.toContain(kept);
    });

    it('refuses revoked, altered and unknown keys and other schemes alike', async () => {
      const access = service();
      const { id, key } = await access.addKey({ staff: 'admin', scopes: ['admin'], expiresAt: null });
      const other = await access.addKey({ staff: 'admin', scopes: ['admin'], expiresAt: null });
      await access.revokeKey(id);
      const wrong = [key, `${other.id}.${'x'.repeat(43)}`, `${other.id}.`, `${other.id}`, 'unknown.secret', '.', 'x'];
      for (const text of wrong)
        await expect(access.authenticate(`Bearer ${text}`)).rejects.toMatchObject({ code: 'no-key' });
      for (const header of ['', 'Bearer', 'Bearer ', `Basic ${other.key}`, other.key])
        await expect(access.authenticate(header)).rejects.toMatchObject({ code: 'no-key' });
      expect(await access.authenticate(undefined)).toBeNull();
      await expect(access.revokeKey(id)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('takes ADMIN_API_KEY as the built-in admin with every scope, and nothing else when it is unset', async () => {
      const caller = await service().authenticate(`Bearer ${adminApiKey}`);
      expect(caller?.actor.staff).toBe('admin');
      expect(caller?.scopes).toEqual(['publish', 'analyse', 'events', 'admin']);
      const without = makeAccessService(
        { access: store },
        { edges, keyring: makeKeyring(secret, newWrappedLookupKey(secret)) },
      );
      for (const text of [adminApiKey, 'undefined', 'null'])
        await expect(without.authenticate(`Bearer ${text}`)).rejects.toMatchObject({ code: 'no-key' });
    });

    it('makes no key for an unknown account', async () => {
      const wanted = { staff: 'nobody', scopes: ['publish' as const], expiresAt: null };
      await expect(service().addKey(wanted)).rejects.toMatchObject({ code: 'not-found', faults: [{ path: 'staff' }] });
    });
  });

  describe('audit', () => {
    it('verifies an untouched log of several pages', async () => {
      const access = service();
      expect(await access.verifyAudit()).toEqual({ ok: true, entries: 0, head: null });
      for (let n = 0; n < 2_001; n += 1)
        await access.audit({ actor: 'admin', action: 'person.read', subject: `s${n}`, details: { b: 1, a: [n] } });
      expect(await access.verifyAudit()).toMatchObject({ ok: true, entries: 2_001, head: { n: 2_001 } });
    });
  });

  describe('calls under an Idempotency-Key', () => {
    it('seals the answer that it keeps, and replays it', async () => {
      const access = service();
      expect(await access.openCall('c', 'hash')).toEqual({ run: true });
      await expect(access.openCall('c', 'hash')).rejects.toMatchObject({ code: 'still-running' });
      await expect(access.openCall('c', 'other')).rejects.toMatchObject({ code: 'key-reused' });
      await access.closeCall('c', 201, '{"key":"plain-text-secret"}');
      expect(JSON.stringify(db.prepare('SELECT * FROM idempotent_calls').all())).not.toContain('plain-text');
      expect(await access.openCall('c', 'hash')).toEqual({
        run: false,
        status: 201,
        body: '{"key":"plain-text-secret"}',
      });
      await expect(access.openCall('c', 'other')).rejects.toMatchObject({ code: 'key-reused' });
    });

    it('takes over what a dead process left running', async () => {
      const access = service();
      await access.openCall('c', 'hash');
      now += 60_001;
      expect(await access.openCall('c', 'hash')).toEqual({ run: true });
      await access.closeCall('c', 200, '1');
      now += 24 * 3_600_000 - 1;
      expect(await access.openCall('c', 'hash')).toMatchObject({ run: false });
    });
  });
});
