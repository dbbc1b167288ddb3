import type { AccessStore, ApiKey, Staff } from '../../../src/access/access-store.ts';
import { eachPair, type Pair } from './pair.ts';

const at = 1_790_000_000_123;
const makeStaff = (overrides: Partial<Staff> = {}): Staff => ({
  id: 'staff-1',
  email: 'li@example.org',
  name: '李雷 – Duty officer 🏛',
  roles: ['publisher', 'reviewer'],
  departments: ['housing', '住建局'],
  createdAt: at,
  ...overrides,
});
const makeKey = (overrides: Partial<ApiKey> = {}): ApiKey => ({
  id: 'key-1',
  hash: 'h',
  staff: 'staff-1',
  scopes: ['publish', 'analyse'],
  createdAt: at,
  expiresAt: null,
  revokedAt: null,
  ...overrides,
});
const malformed = ['', ' ', "'; DROP TABLE staff --", '\u0000', '无', 'x'.repeat(10_000)];

/** What every access store keeps. */
export const describeAccessStore = (name: string, open: () => Promise<Pair<AccessStore>>): unknown =>
  describe(`access store: ${name}`, () => {
    let store: AccessStore;
    let second: AccessStore;
    eachPair(open, (stores) => {
      [store, second] = stores;
    });

    const append = (handle: AccessStore, subject: string | null = null) =>
      handle.appendAudit({ at, actor: 'admin', action: 'x', subject, details: '{"说明":"ok"}' }, (n, before) =>
        `${before}>${n}`.slice(-40),
      );

    describe('staff and keys', () => {
      it('keeps an account whole, and an email or id only once', async () => {
        await store.insertStaff(makeStaff());
        expect(await second.staff('staff-1')).toEqual(makeStaff());
        await expect(store.insertStaff(makeStaff({ id: 'staff-2' }))).rejects.toMatchObject({ code: 'conflict' });
        await expect(store.insertStaff(makeStaff({ email: 'b@x' }))).rejects.toMatchObject({ code: 'conflict' });
        expect(await store.staff('staff-2')).toBeNull();
        await store.insertStaff(makeStaff({ id: 'staff-2', email: 'aa@x' }));
        expect(await second.allStaff()).toEqual([makeStaff({ id: 'staff-2', email: 'aa@x' }), makeStaff()]);
      });

      it('keeps a key whole, with null told from a time', async () => {
        await store.insertKey(makeKey());
        await store.insertKey(makeKey({ id: 'key-2', expiresAt: at + 1, scopes: [] }));
        expect(await second.key('key-1')).toEqual(makeKey());
        expect(await second.key('key-2')).toEqual(makeKey({ id: 'key-2', expiresAt: at + 1, scopes: [] }));
        await expect(store.insertKey(makeKey({ hash: 'other' }))).rejects.toMatchObject({ code: 'conflict' });
        expect(await store.key('key-1')).toEqual(makeKey());
      });

      it('changes what an account may do, and nothing else of it', async () => {
        await store.insertStaff(makeStaff());
        const to = { name: '韩梅梅', roles: [], departments: ['水务局'] };
        expect(await second.changeStaff('staff-1', to)).toBe(true);
        expect(await store.staff('staff-1')).toEqual(makeStaff(to));
        expect(await store.changeStaff('staff-2', to)).toBe(false);
      });

      it('lists every key, newest first, revoked ones too', async () => {
        expect(await store.allKeys()).toEqual([]);
        await store.insertKey(makeKey({ id: 'b' }));
        await store.insertKey(makeKey({ id: 'a', revokedAt: at }));
        await store.insertKey(makeKey({ id: 'c', createdAt: at + 1 }));
        expect((await second.allKeys()).map(({ id }) => id)).toEqual(['c', 'a', 'b']);
        expect((await second.allKeys())[1]).toEqual(makeKey({ id: 'a', revokedAt: at }));
      });

      it('revokes once, and keeps the first time', async () => {
        await store.insertKey(makeKey());
        const answers = await Promise.all([store.revokeKey('key-1', at + 5), second.revokeKey('key-1', at + 5)]);
        expect(answers.sort()).toEqual([false, true]);
        expect(await store.revokeKey('key-1', at + 9)).toBe(false);
        expect(await store.key('key-1')).toEqual(makeKey({ revokedAt: at + 5 }));
      });

      it.each(malformed)('knows nothing under a malformed id (%#)', async (id) => {
        await store.insertStaff(makeStaff());
        await store.insertKey(makeKey());
        expect(await store.staff(id)).toBeNull();
        expect(await store.key(id)).toBeNull();
        expect(await store.revokeKey(id, at)).toBe(false);
        expect(await store.setting(id)).toBeNull();
      });
    });

    describe('audit log', () => {
      it('is read backwards from its end, or from before an entry', async () => {
        expect(await store.auditBefore(null, 10)).toEqual([]);
        for (let count = 0; count < 5; count += 1) await append(store);
        expect((await second.auditBefore(null, 2)).map(({ n }) => n)).toEqual([5, 4]);
        expect((await second.auditBefore(4, 10)).map(({ n }) => n)).toEqual([3, 2, 1]);
        expect(await store.auditBefore(1, 10)).toEqual([]);
        expect(await store.auditBefore(null, 0)).toEqual([]);
      });

      it('starts empty and counts from one, each hash made of the one before', async () => {
        expect(await store.audit(1, 10)).toEqual([]);
        const first = await append(store, 'item-1');
        const next = await append(second);
        expect(first).toEqual({
          n: 1,
          at,
          actor: 'admin',
          action: 'x',
          subject: 'item-1',
          details: '{"说明":"ok"}',
          hash: '>1',
        });
        expect(next).toMatchObject({ n: 2, subject: null, hash: '>1>2' });
        expect(await store.audit(1, 10)).toEqual([first, next]);
        expect(await store.audit(2, 10)).toEqual([next]);
        expect(await store.audit(1, 1)).toEqual([first]);
        expect(await store.audit(3, 10)).toEqual([]);
        expect(await second.auditOf('item-1')).toEqual([first]);
        expect(await second.auditOf('item')).toEqual([]);
      });

      it('loses and doubles nothing while two handles append at once', async () => {
        await Promise.all(Array.from({ length: 60 }, (_, i) => append(i % 2 ? store : second)));
        const entries = await store.audit(1, 100);
        expect(entries.map((entry) => entry.n)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
        for (const [i, entry] of entries.entries())
          expect(entry.hash).toBe(`${entries[i - 1]?.hash ?? ''}>${i + 1}`.slice(-40));
      });
    });

    describe('idempotent calls', () => {
      const open1 = (handle: AccessStore, body = 'a', now = at) => handle.openCall('call', body, now, now - 60_000);

      it('opens once among many at once on two handles', async () => {
        const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => open1(i % 2 ? store : second)));
        expect(answers.filter((answer) => answer === null)).toHaveLength(1);
        expect(answers.find((answer) => answer !== null)).toEqual({ state: 'running', bodyHash: 'a', startedAt: at });
      });

      it('answers what was kept, whatever body is asked with', async () => {
        await open1(store);
        await store.closeCall('call', 201, '{"名":"é"}');
        const done = { state: 'done', bodyHash: 'a', status: 201, body: '{"名":"é"}' };
        expect(await open1(second)).toEqual(done);
        expect(await open1(second, 'b', at + 1e9)).toEqual(done);
      });

      it('takes over a stale call of the same body, by one caller only', async () => {
        await open1(store);
        expect(await open1(second, 'a', at + 60_000)).toMatchObject({ state: 'running' });
        expect(await open1(second, 'b', at + 60_001)).toMatchObject({ state: 'running', bodyHash: 'a' });
        const late = await Promise.all([open1(store, 'a', at + 60_001), open1(second, 'a', at + 60_001)]);
        expect(late.filter((answer) => answer === null)).toHaveLength(1);
        expect(late.find((answer) => answer !== null)).toMatchObject({ startedAt: at + 60_001 });
      });

      it('drops an open call, never a closed one', async () => {
        await open1(store);
        await second.dropCall('call');
        expect(await open1(store)).toBeNull();
        await store.closeCall('call', 200, '');
        await store.dropCall('call');
        expect(await open1(store)).toMatchObject({ state: 'done', body: '' });
        await store.closeCall('unknown', 200, '');
        await store.dropCall('unknown');
        expect(await store.openCall('unknown', 'a', at, at)).toBeNull();
      });

      it('forgets by age', async () => {
        await open1(store);
        await store.closeCall('call', 200, 'x');
        await store.openCall('young', 'a', at + 10, at);
        expect(await store.deleteCallsBefore(at)).toBe(0);
        expect(await store.deleteCallsBefore(at + 10)).toBe(1);
        expect(await open1(store)).toBeNull();
        expect(await store.openCall('young', 'a', at + 10, at)).toMatchObject({ state: 'running' });
      });
    });

    describe('settings', () => {
      it('keeps the first value, also when two handles put at once', async () => {
        expect(await store.setting('钥匙')).toBeNull();
        const [one, two] = await Promise.all([store.putSetting('钥匙', 'a'), second.putSetting('钥匙', 'b')]);
        expect(one).toBe(two);
        expect(await store.putSetting('钥匙', 'c')).toBe(one);
        expect(await second.setting('钥匙')).toBe(one);
        expect(await store.putSetting('empty', '')).toBe('');
        expect(await store.setting('empty')).toBe('');
      });
    });
  });
