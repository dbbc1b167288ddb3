import type { AccessStore, Staff } from '../../../src/access/access-store.ts';
import type { StaffSession, StaffSignInStore } from '../../../src/access/staff-sign-in-store.ts';

type Opened = {
  access: Pick<AccessStore, 'insertStaff'>;
  store: StaffSignInStore;
  second: StaffSignInStore;
  close: () => Promise<void>;
};

const at = 1_790_000_000_123;
const staff: Staff = {
  id: 'staff-1',
  email: 'li@例子.cn',
  name: '李雷 – Duty officer 🏛',
  roles: ['publisher', 'admin'],
  departments: [],
  createdAt: at,
};
const makeSession = (overrides: Partial<StaffSession> = {}): StaffSession => ({
  hash: 'hash-1',
  staff: 'staff-1',
  epoch: 0,
  createdAt: at,
  expiresAt: at + 1,
  stage: 'in',
  ...overrides,
});
const malformed = ['', ' ', "'; DROP TABLE staff --", '\u0000', '无', 'x'.repeat(10_000)];

/** What every store of passwords, sessions and tries keeps. `second` is another handle on the same data. */
export const describeStaffSignInStore = (name: string, open: () => Promise<Opened>): unknown =>
  describe(`staff sign-in store: ${name}`, () => {
    let store: StaffSignInStore;
    let second: StaffSignInStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      const opened = await open();
      ({ store, second, close } = opened);
      await opened.access.insertStaff(staff);
    });
    afterEach(() => close());

    it('answers an account by id and by email, without a password at first', async () => {
      const fresh = { staff, password: null, epoch: 0, totp: null, recovery: [] };
      expect(await store.account({ id: 'staff-1' })).toEqual(fresh);
      expect(await second.account({ email: 'li@例子.cn' })).toEqual(fresh);
    });

    it.each(malformed)('knows nothing under a malformed id, email or hash (%#)', async (text) => {
      expect(await store.account({ id: text })).toBeNull();
      expect(await store.account({ email: text })).toBeNull();
      expect(await store.session(text)).toBeNull();
      expect(await store.setPassword(text, 'p', 0)).toBe(false);
      expect(await store.endSessions(text)).toBe(false);
      await store.endSession(text);
      expect(await store.setSecondStep(text, null, 0)).toBe(false);
      expect(await store.takeStep(text, 1)).toBe(false);
      expect(await store.takeRecovery('staff-1', text)).toBe(false);
    });

    it('sets the second step up once for each epoch, and takes it away with its codes', async () => {
      const second = { sealed: 'v1.密', step: 7, recovery: ['a', 'b'] };
      const set = await Promise.all([1, 2].map(() => store.setSecondStep('staff-1', second, 0)));
      expect(set.sort()).toEqual([false, true]);
      const kept = { totp: { sealed: 'v1.密', step: 7 }, recovery: ['a', 'b'], epoch: 1 };
      expect(await store.account({ id: 'staff-1' })).toMatchObject(kept);
      expect(await store.setSecondStep('staff-1', null, 1)).toBe(true);
      expect(await store.account({ id: 'staff-1' })).toMatchObject({ totp: null, recovery: [], epoch: 2 });
      expect(await store.takeStep('staff-1', 100)).toBe(false);
    });

    it('takes a time step and a recovery code once, also when two handles take them at once', async () => {
      await store.setSecondStep('staff-1', { sealed: 's', step: 7, recovery: ['a', 'b'] }, 0);
      const steps = await Promise.all([store.takeStep('staff-1', 8), second.takeStep('staff-1', 8)]);
      expect(steps.sort()).toEqual([false, true]);
      expect([await store.takeStep('staff-1', 7), await store.takeStep('staff-1', 9)]).toEqual([false, true]);
      const codes = await Promise.all([store.takeRecovery('staff-1', 'a'), second.takeRecovery('staff-1', 'a')]);
      expect(codes.sort()).toEqual([false, true]);
      expect((await store.account({ id: 'staff-1' }))?.recovery).toEqual(['b']);
    });

    it('sets a password once for each epoch, also when two handles set it at once', async () => {
      const set = await Promise.all([store.setPassword('staff-1', 'a', 0), second.setPassword('staff-1', 'b', 0)]);
      expect(set.sort()).toEqual([false, true]);
      const account = await store.account({ id: 'staff-1' });
      expect(['a', 'b']).toContain(account?.password);
      expect(account?.epoch).toBe(1);
      expect(await store.setPassword('staff-1', 'c', 0)).toBe(false);
      expect(await second.endSessions('staff-1')).toBe(true);
      expect(await store.account({ id: 'staff-1' })).toEqual({ ...account, epoch: 2 });
    });

    it('keeps a session whole until it is ended', async () => {
      await store.insertSession(makeSession());
      await store.insertSession(makeSession({ hash: 'hash-2', epoch: 3, expiresAt: at + 2 }));
      expect(await second.session('hash-1')).toEqual(makeSession());
      await second.endSession('hash-1');
      await store.endSession('hash-1');
      expect(await store.session('hash-1')).toBeNull();
      expect(await store.session('hash-2')).toMatchObject({ epoch: 3, expiresAt: at + 2 });
    });

    it('counts tries of one against its own, on two handles at once, and lets old ones go', async () => {
      const tries = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 ? store : second).takeTry('谁', at, at - 1_000, 5)),
      );
      expect(tries.filter(Boolean)).toHaveLength(5);
      expect(await store.takeTry('other', at, at - 1_000, 5)).toBe(true);
      expect(await store.takeTry('谁', at + 1_000, at, 5)).toBe(true);
      await second.clearTries('谁');
      await second.clearTries('nobody');
      expect(await store.takeTry('谁', at + 1_000, at - 1_000, 1)).toBe(true);
    });

    it('forgets what is over, and nothing else', async () => {
      for (let n = 0; n < 1_200; n += 1) await store.insertSession(makeSession({ hash: `old-${n}` }));
      await store.insertSession(makeSession({ hash: 'young', expiresAt: at + 10 }));
      await store.takeTry('谁', at, at - 1, 1);
      await store.forgetBefore(at);
      expect(await store.session('old-0')).not.toBeNull();
      expect(await store.takeTry('谁', at, at - 1, 1)).toBe(false);
      await store.forgetBefore(at + 10);
      expect(await second.session('old-1199')).toBeNull();
      expect(await second.session('young')).not.toBeNull();
      expect(await second.takeTry('谁', at, at - 1, 1)).toBe(true);
    });
  });
