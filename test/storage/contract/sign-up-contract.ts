import type { SignUp, SignUpStore } from '../../../src/subscriptions/subscription-store.ts';
import { eachPair, type Pair } from './pair.ts';

const at = Date.parse('2026-03-01T08:30:00.123Z');

const makeSignUp = (fields: Partial<SignUp> = {}): SignUp => ({
  id: 'sign-up-1',
  lookup: 'look-up-1',
  channel: 'email',
  sealed: 'v1.key.seal',
  request: '{"follow":[],"region":"北京"}',
  codeMac: null,
  triesLeft: 5,
  createdAt: at,
  expiresAt: at + 1000,
  confirmedAt: null,
  ...fields,
});

/** What every sign-up store keeps. */
export const describeSignUpStore = (name: string, open: () => Promise<Pair<SignUpStore>>): unknown =>
  describe(`sign-up store: ${name}`, () => {
    let store: SignUpStore;
    let other: SignUpStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    it('keeps a sign-up; inserting it twice leaves the first', async () => {
      await store.insert(makeSignUp());
      await other.insert(makeSignUp({ sealed: 'another' }));
      expect(await other.get('sign-up-1')).toEqual(makeSignUp());
      await store.insert(makeSignUp({ id: 'sms', channel: 'sms', codeMac: 'mac' }));
      expect((await store.get('sms'))?.codeMac).toBe('mac');
    });

    it('knows nothing of unknown and malformed ids', async () => {
      for (const id of ['unknown', '', "'; --", '$ne']) {
        expect(await store.get(id)).toBeNull();
        expect(await store.confirm(id, at)).toBe(false);
        expect(await store.waiting(id, at)).toEqual([]);
        expect(await store.takeTry(id, at)).toBe(0);
      }
    });

    it('lists what waits at an address, newest first, neither expired nor confirmed', async () => {
      await store.insert(makeSignUp({ id: 'old', createdAt: at - 10 }));
      await store.insert(makeSignUp({ id: 'new', createdAt: at }));
      await store.insert(makeSignUp({ id: 'tie', createdAt: at }));
      await store.insert(makeSignUp({ id: 'expired', expiresAt: at + 5 }));
      await store.insert(makeSignUp({ id: 'confirmed' }));
      await store.insert(makeSignUp({ id: 'elsewhere', lookup: 'look-up-2' }));
      await store.confirm('confirmed', at);
      expect((await store.waiting('look-up-1', at + 5)).map(({ id }) => id)).toEqual(['tie', 'new', 'old']);
    });

    it('confirms once', async () => {
      await store.insert(makeSignUp());
      const answers = await Promise.all([store, other, store, other].map((one) => one.confirm('sign-up-1', at + 7)));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect((await store.get('sign-up-1'))?.confirmedAt).toBe(at + 7);
    });

    it('takes five tries and no more, though many try at once', async () => {
      await store.insert(makeSignUp());
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, n) => (n % 2 ? store : other).takeTry('look-up-1', at)),
      );
      expect(answers.sort((a, b) => b - a)).toEqual([5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0]);
      expect((await store.get('sign-up-1'))?.triesLeft).toBe(0);
    });

    it('takes a try from each waiting sign-up that has one', async () => {
      await store.insert(makeSignUp({ id: 'spent', triesLeft: 0 }));
      await store.insert(makeSignUp({ id: 'fresh' }));
      await store.insert(makeSignUp({ id: 'late', expiresAt: at }));
      expect(await store.takeTry('look-up-1', at)).toBe(5);
      const left = await Promise.all(['spent', 'fresh', 'late'].map(async (id) => (await store.get(id))?.triesLeft));
      expect(left).toEqual([0, 4, 5]);
    });

    it('lets a limited number of messages go to an address', async () => {
      const ask = (now: number, lookup = 'a') => store.takeMessage(lookup, now, now - 100, 2);
      expect(await ask(at)).toBe(true);
      expect(await ask(at + 1)).toBe(true);
      expect(await ask(at + 2)).toBe(false);
      expect(await ask(at + 2, 'b')).toBe(true);
      expect(await ask(at + 100)).toBe(true);
      expect(await ask(at + 100)).toBe(false);
      const race = await Promise.all([store, other, store, other].map((one) => one.takeMessage('c', at, at - 1, 2)));
      expect(race.filter(Boolean)).toHaveLength(2);
    });

    it('deletes what expired', async () => {
      await store.insert(makeSignUp({ id: 'a', expiresAt: at - 1 }));
      await store.insert(makeSignUp({ id: 'b', expiresAt: at }));
      expect(await store.deleteExpired(at)).toBe(1);
      expect(await store.deleteExpired(at)).toBe(0);
      expect(await store.get('a')).toBeNull();
      expect(await store.get('b')).not.toBeNull();
    });
  });
