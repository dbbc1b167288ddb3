import type { AccountStore } from '../../../src/accounts/account-store.ts';
import { eachPair, type Pair } from './pair.ts';

type Opened = { store: AccountStore; close: () => Promise<void> };

const now = Date.parse('2026-03-02T08:00:00.123Z');
const leaseMs = 15_000;
const token = { sealed: 'v1.abc.密封', expiresAt: now + 7_200_123 };
const fault = { at: now, code: '40037', words: 'invalid template_id 模板' };

/** What every store of accounts keeps. `openTwo` gives two handles on one store. */
export const describeAccountStore = (
  name: string,
  open: () => Promise<Opened>,
  openTwo: () => Promise<Pair<AccountStore>>,
): unknown =>
  describe(`account store: ${name}`, () => {
    let store: AccountStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(() => close());

    it('knows nothing of an account that nobody used', async () => {
      expect(await store.token('wechat')).toBeNull();
      expect(await store.health('wechat')).toEqual({ workedAt: null, fault: null, quietUntil: null });
    });

    it('lets one asker fetch the key that comes next, and keeps it to the millisecond', async () => {
      expect(await store.leaseToken('wechat', 0, 'a', now, leaseMs)).toBe(true);
      expect(await store.leaseToken('wechat', 0, 'b', now + leaseMs - 1, leaseMs)).toBe(false);
      expect(await store.leaseToken('weibo', 0, 'b', now, leaseMs)).toBe(true);
      expect(await store.putToken('wechat', 'b', token)).toBeNull();
      expect(await store.putToken('wechat', 'a', token)).toBe(1);
      expect(await store.token('wechat')).toEqual({ ...token, serial: 1 });
      expect(await store.token('weibo')).toBeNull();
    });

    it('lets nobody fetch what is there already', async () => {
      await store.leaseToken('wechat', 0, 'a', now, leaseMs);
      await store.putToken('wechat', 'a', token);
      expect(await store.leaseToken('wechat', 0, 'b', now, leaseMs)).toBe(false);
      expect(await store.leaseToken('wechat', 1, 'b', now, leaseMs)).toBe(true);
    });

    it('gives the lease of who fell silent to another, and takes nothing from the first any more', async () => {
      await store.leaseToken('wechat', 0, 'a', now, leaseMs);
      expect(await store.leaseToken('wechat', 0, 'b', now + leaseMs, leaseMs)).toBe(true);
      expect(await store.putToken('wechat', 'a', { ...token, sealed: 'late' })).toBeNull();
      expect(await store.putToken('wechat', 'b', token)).toBe(1);
    });

    it('gives a lease back', async () => {
      await store.leaseToken('wechat', 0, 'a', now, leaseMs);
      await store.freeToken('wechat', 'b');
      expect(await store.leaseToken('wechat', 0, 'b', now, leaseMs)).toBe(false);
      await store.freeToken('wechat', 'a');
      expect(await store.leaseToken('wechat', 0, 'b', now, leaseMs)).toBe(true);
    });

    it('connects an account anew, whoever is fetching, and disconnects it', async () => {
      await store.failed('weibo', fault, now + 5);
      await store.leaseToken('weibo', 0, 'a', now, leaseMs);
      await store.connect('weibo', token);
      expect(await store.token('weibo')).toEqual({ ...token, serial: 1 });
      expect((await store.health('weibo')).fault).toBeNull();
      expect(await store.putToken('weibo', 'a', { ...token, sealed: 'late' })).toBeNull();
      await store.disconnect('weibo');
      expect(await store.token('weibo')).toBeNull();
      await store.connect('weibo', { ...token, sealed: 'again' });
      expect(await store.token('weibo')).toMatchObject({ sealed: 'again', serial: 3 });
    });

    it('keeps how an account fares', async () => {
      await store.worked('wechat', now);
      await store.failed('wechat', fault, now + 60_000);
      expect(await store.health('wechat')).toEqual({ workedAt: now, fault, quietUntil: now + 60_000 });
      await store.worked('wechat', now + 1, ['45009', fault.code]);
      expect(await store.health('wechat')).toEqual({ workedAt: now + 1, fault, quietUntil: now + 60_000 });
      await store.worked('wechat', now + 1, ['45009']);
      expect(await store.health('wechat')).toEqual({ workedAt: now + 1, fault: null, quietUntil: null });
    });

    it('knows a call that came before, and one that only looks like it', async () => {
      expect(await store.called('call 1')).toBe(false);
      expect(await store.once('call 1', 'body 甲', now)).toBe('new');
      expect(await store.called('call 1')).toBe(true);
      expect(await store.once('call 1', 'body 甲', now + 9)).toBe('same');
      expect(await store.once('call 1', 'body 乙', now + 9)).toBe('other');
      expect(await store.once('call 2', 'body 甲', now + 1)).toBe('new');
      await store.forgetCalls(now + 1);
      expect(await store.once('call 1', 'body 乙', now + 9)).toBe('new');
      expect(await store.once('call 2', 'body 甲', now)).toBe('same');
    });

    it('takes each message that somebody allowed once', async () => {
      await store.allowOne('lookup', 7);
      await store.allowOne('lookup', 7);
      await store.allowOne('lookup', 3);
      await store.allowOne('other', 1);
      expect(await store.takeOne('lookup')).toBe(3);
      expect(await store.takeOne('lookup')).toBe(7);
      expect(await store.takeOne('lookup')).toBeNull();
      expect(await store.takeOne('other')).toBe(1);
    });

    describe('two handles at once', () => {
      let first: AccountStore;
      let second: AccountStore;
      eachPair(openTwo, (stores) => {
        [first, second] = stores;
      });

      it('let one of them fetch the key, and know one call', async () => {
        const leases = await Promise.all([
          first.leaseToken('wechat', 0, 'a', now, leaseMs),
          second.leaseToken('wechat', 0, 'b', now, leaseMs),
        ]);
        expect(leases.filter(Boolean)).toHaveLength(1);
        const calls = await Promise.all([first.once('k', 'x', now), second.once('k', 'x', now)]);
        expect(calls.sort()).toEqual(['new', 'same']);
        await first.allowOne('l', 1);
        const taken = await Promise.all([first.takeOne('l'), second.takeOne('l')]);
        expect(taken.filter((one) => one !== null)).toEqual([1]);
      });
    });
  });
