import { lookupOf } from '../../../src/subscriptions/address.ts';
import type { FollowRequest, Target } from '../../../src/subscriptions/follow.ts';
import { makeSignUpService } from '../../../src/subscriptions/sign-up-service.ts';
import type { Contact } from '../../../src/subscriptions/subscriber.ts';
import { type Desk, email, openDesk, phone, webPush } from './desk.ts';

const wish = (target: Target): FollowRequest => ({ target, regions: null, pace: 'immediate', channels: null });
const housing = wish({ topic: 'housing' });
const services = wish({ topic: 'services' });

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.close());

const signUp = async (contact: Contact, follow = [housing]): Promise<string> => {
  await desk.signUps.request({ contact, follow, locale: 'en', region: null, timeZone: null });
  const done = contact.channel === 'sms' ? desk.signUps.confirmCode(contact.phone, desk.lastCode()) : confirmLast();
  const { subscriber } = await done;
  desk.pass(1_000);
  return subscriber;
};
const confirmLast = () => desk.signUps.confirm(desk.posted.at(-1)?.content.data?.confirm ?? desk.lastToken());
/** Asks for an address to be added; answers the link's token. */
const asked = async (id: string, contact: Contact): Promise<string> => {
  await desk.signUps.add(id, contact, 'en');
  return desk.lastToken();
};
const masked = async (id: string) => (await desk.subscriptions.person({ id }))?.addresses.map((one) => one.masked);
const live = async (id: string) =>
  (await desk.subscriptions.person({ id }))?.follows
    .filter(({ stoppedAt }) => stoppedAt === null)
    .map(({ definition }) => definition.source)
    .sort();
const ownerOf = async (contact: Contact) =>
  (await desk.stores.addresses.find(lookupOf(desk.keyring, contact)))?.subscriber;

describe('adding an address', () => {
  it('asks there first, and says who asks; then it is theirs, and the follows stay', async () => {
    const li = await signUp(email('li@example.org'));
    const token = await asked(li, email(' New@Example.org '));
    expect(desk.posted.at(-1)?.to).toEqual(email('new@example.org'));
    expect(desk.posted.at(-1)?.content.text).toContain('wants them at this address too');
    expect(await masked(li)).toEqual(['l…@example.org']);
    expect(await desk.signUps.preview(token)).toMatchObject({
      masked: 'n…@example.org',
      confirmed: false,
      addsTo: ['l…@example.org'],
    });
    expect(await desk.signUps.confirm(token)).toEqual({ subscriber: li });
    expect(await masked(li)).toEqual(['l…@example.org', 'n…@example.org']);
    expect(await live(li)).toEqual(['subscription:topic:housing']);
    expect((await desk.signUps.preview(token)).confirmed).toBe(true);
  });

  it('takes a phone by its code and a browser by its push', async () => {
    const li = await signUp(email('li@example.org'));
    await desk.signUps.add(li, phone('13800138000'), 'en');
    expect(await desk.signUps.confirmCode('13800138000', desk.lastCode())).toEqual({ subscriber: li });
    desk.pass(1_000);
    await desk.signUps.add(li, webPush(), 'zh-CN');
    await desk.signUps.confirm(desk.posted.at(-1)?.content.data?.confirm ?? '');
    expect(await masked(li)).toEqual(['l…@example.org', '+86 *** 8000', 'push.example.org']);
  });

  it('names a fault, and takes nobody unknown', async () => {
    const li = await signUp(email('li@example.org'));
    await expect(desk.signUps.add(li, email('li@'), 'en')).rejects.toMatchObject({ faults: [{ path: 'email' }] });
    await expect(desk.signUps.add('nobody', email('x@example.org'), 'en')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('sends the same to an address that is known and to one that is not', async () => {
    const li = await signUp(email('li@example.org'));
    await signUp(email('known@example.org'));
    await asked(li, email('known@example.org'));
    await asked(li, email('unknown@example.org'));
    const [known, unknown] = desk.posted.slice(-2);
    expect(known?.content).toEqual(unknown?.content);
  });

  it('confirmed twice answers the same, also after the address was taken away again', async () => {
    const li = await signUp(email('li@example.org'));
    const token = await asked(li, email('new@example.org'));
    await desk.signUps.confirm(token);
    expect(await desk.signUps.confirm(token)).toEqual({ subscriber: li });
    const [, added] = await desk.subscriptions.addressesOf(li);
    await desk.subscriptions.removeAddress(li, added?.id ?? '');
    expect(await desk.signUps.confirm(token)).toEqual({ subscriber: li });
    expect(await masked(li)).toEqual(['l…@example.org']);
  });

  it('comes to nothing once whoever asked is erased', async () => {
    const li = await signUp(email('li@example.org'));
    const token = await asked(li, email('new@example.org'));
    await desk.subscriptions.erase(li);
    await expect(desk.signUps.preview(token)).rejects.toMatchObject({ code: 'link-expired' });
    await expect(desk.signUps.confirm(token)).rejects.toMatchObject({ code: 'link-expired' });
    expect(await ownerOf(email('new@example.org'))).toBeUndefined();
  });

  it('takes an address whose owner was erased, and it may be written to again', async () => {
    const li = await signUp(email('li@example.org'));
    const gone = await signUp(email('gone@example.org'));
    const token = await asked(li, email('gone@example.org'));
    await desk.subscriptions.erase(gone);
    await expect(desk.signUps.confirm(token)).rejects.toMatchObject({ code: 'link-expired' });
    expect(await desk.signUps.confirm(await asked(li, email('gone@example.org')))).toEqual({ subscriber: li });
    expect((await desk.subscriptions.person({ id: li }))?.addresses).toMatchObject([
      { suppressed: null },
      { masked: 'g…@example.org', suppressed: null },
    ]);
  });

  it('sends nothing to a suppressed address, and nothing more than five messages an hour', async () => {
    const li = await signUp(email('li@example.org'));
    await desk.stores.addresses.suppress(lookupOf(desk.keyring, email('bad@example.org')), 'complaint', 0);
    const before = desk.posted.length;
    await desk.signUps.add(li, email('bad@example.org'), 'en');
    expect(desk.posted).toHaveLength(before);
    for (let n = 0; n < 8; n++) await desk.signUps.add(li, email('new@example.org'), 'en');
    expect(desk.posted).toHaveLength(before + 5);
  });

  it('that is suppressed before it is confirmed leaves it so', async () => {
    const li = await signUp(email('li@example.org'));
    const token = await asked(li, email('new@example.org'));
    await desk.stores.addresses.suppress(lookupOf(desk.keyring, email('new@example.org')), 'complaint', 0);
    await desk.signUps.confirm(token);
    expect((await desk.subscriptions.person({ id: li }))?.addresses[1]).toMatchObject({ suppressed: 'complaint' });
  });
});

describe('adding an address that is somebody else’s', () => {
  it.each(['older', 'newer'])('makes both one under the older id, asked for by the %s', async (asker) => {
    const older = await signUp(email('li@example.org'), [housing]);
    const newer = await signUp(email('wang@example.org'), [services]);
    const token =
      asker === 'older' ? await asked(older, email('wang@example.org')) : await asked(newer, email('li@example.org'));
    expect(await live(older)).toEqual(['subscription:topic:housing']);
    expect(await desk.signUps.confirm(token)).toEqual({ subscriber: older });
    expect(await desk.signUps.confirm(token)).toEqual({ subscriber: older });
    expect((await desk.subscriptions.person({ id: newer }))?.person.id).toBe(older);
    expect((await masked(older))?.sort()).toEqual(['l…@example.org', 'w…@example.org']);
    expect(await live(older)).toEqual(['subscription:topic:housing', 'subscription:topic:services']);
  });

  it('leaves nothing that tells who the newer was, once the older is erased', async () => {
    const older = await signUp(email('li@example.org'));
    const newer = await signUp(email('wang@example.org'));
    await desk.subscriptions.change(newer, { region: '110000', attributes: { birthYear: 1980 } });
    await desk.signUps.confirm(await asked(older, email('wang@example.org')));
    expect((await desk.subscriptions.person({ id: older }))?.person).toMatchObject({ attributes: { birthYear: 1980 } });
    await desk.subscriptions.erase(older);
    const rows = JSON.stringify(desk.db.prepare('SELECT region, attributes FROM subscribers').all());
    expect(rows).not.toMatch(/110000|1980/);
    expect(desk.db.prepare('SELECT * FROM addresses').all()).toEqual([]);
  });

  it('ends alike when both ask for the other’s at once, and each link is pressed twice', async () => {
    const older = await signUp(email('li@example.org'), [housing]);
    const newer = await signUp(email('wang@example.org'), [services]);
    const tokens = [await asked(older, email('wang@example.org')), await asked(newer, email('li@example.org'))];
    const answers = await Promise.all([...tokens, ...tokens].map((token) => desk.signUps.confirm(token)));
    expect(new Set(answers.map(({ subscriber }) => subscriber))).toEqual(new Set([older]));
    expect((await masked(older))?.sort()).toEqual(['l…@example.org', 'w…@example.org']);
    expect(await live(older)).toHaveLength(2);
  });

  it('makes one of three, when two prove the third’s address at once', async () => {
    const first = await signUp(email('li@example.org'), [housing]);
    const second = await signUp(email('wang@example.org'), [services]);
    await signUp(email('zhao@example.org'), [wish({ topic: 'budgets' })]);
    const tokens = [await asked(second, email('zhao@example.org')), await asked(first, email('zhao@example.org'))];
    await Promise.all(tokens.map((token) => desk.signUps.confirm(token)));
    expect((await masked(first))?.sort()).toEqual(['l…@example.org', 'w…@example.org', 'z…@example.org']);
    expect(await live(first)).toHaveLength(3);
    expect((await desk.subscriptions.person({ id: second }))?.person.id).toBe(first);
  });

  it('is finished by the same link wherever the process died before', async () => {
    const verbs = [
      ['addresses', 'claim'],
      ['addresses', 'move'],
      ['addresses', 'lift'],
      ['ledger', 'moveNotices'],
      ['subscriptions', 'putSubscription'],
      ['subscriptions', 'updateSubscriber'],
      ['subscriptions', 'merge'],
      ['subscriptions', 'stop'],
      ['signUps', 'confirm'],
    ] as const;
    for (const [n, [port, verb]] of verbs.entries())
      for (const before of [true, false]) {
        const older = await signUp(email(`li${n}${before}@example.org`), [housing]);
        const newer = await signUp(email(`wang${n}${before}@example.org`), [services]);
        const token = await asked(newer, email(`li${n}${before}@example.org`));
        const base = desk.stores[port] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
        const dying = async (...args: unknown[]) => {
          if (!before) await base[verb]?.(...args);
          throw new Error('died');
        };
        const half = { ...desk.stores, [port]: { ...base, [verb]: dying } };
        await expect(makeSignUpService(half, desk.tools).confirm(token)).rejects.toThrow('died');
        expect(await desk.signUps.confirm(token)).toEqual({ subscriber: older });
        expect(await masked(newer)).toHaveLength(2);
        expect(await live(older)).toHaveLength(2);
      }
  });
});

describe('taking an address away', () => {
  const idOf = async (id: string, at: number) => (await desk.subscriptions.addressesOf(id))[at]?.id ?? '';

  it('leaves the others; an import does not bring it back, a fresh confirmation does', async () => {
    const li = await signUp(email('li@example.org'));
    await desk.signUps.confirm(await asked(li, email('new@example.org')));
    await desk.subscriptions.removeAddress(li, await idOf(li, 0));
    expect(await masked(li)).toEqual(['n…@example.org']);
    expect(await ownerOf(email('li@example.org'))).toBeUndefined();
    expect(await desk.stores.addresses.suppression(lookupOf(desk.keyring, email('li@example.org')))).toBe('erased');
    await desk.signUps.confirm(await asked(li, email('li@example.org')));
    expect((await desk.subscriptions.person({ id: li }))?.addresses).toHaveLength(2);
    expect(await desk.stores.addresses.suppression(lookupOf(desk.keyring, email('li@example.org')))).toBeNull();
  });

  it('is refused for the last one while anything is followed, and for another person’s', async () => {
    const li = await signUp(email('li@example.org'));
    const wang = await signUp(email('wang@example.org'));
    await expect(desk.subscriptions.removeAddress(li, await idOf(li, 0))).rejects.toMatchObject({
      code: 'wrong-state',
    });
    await expect(desk.subscriptions.removeAddress(li, await idOf(wang, 0))).rejects.toMatchObject({
      code: 'not-found',
    });
    await desk.subscriptions.stop(li, 'all');
    await desk.subscriptions.removeAddress(li, await idOf(li, 0));
    expect(await masked(li)).toEqual([]);
  });

  it('counts only what can be used; what cannot may always go', async () => {
    const li = await signUp(email('li@example.org'));
    await desk.signUps.confirm(await asked(li, email('new@example.org')));
    await desk.stores.addresses.suppress(lookupOf(desk.keyring, email('new@example.org')), 'hard-bounce', 0);
    await expect(desk.subscriptions.removeAddress(li, await idOf(li, 0))).rejects.toMatchObject({
      code: 'wrong-state',
    });
    await desk.subscriptions.removeAddress(li, await idOf(li, 1));
    expect(await masked(li)).toEqual(['l…@example.org']);
  });

  it('leaves one of two that are taken away at once', async () => {
    const li = await signUp(email('li@example.org'));
    await desk.signUps.confirm(await asked(li, email('new@example.org')));
    const ids = (await desk.subscriptions.addressesOf(li)).map(({ id }) => id);
    await Promise.allSettled(ids.map((id) => desk.subscriptions.removeAddress(li, id)));
    expect((await masked(li))?.length).toBeGreaterThan(0);
  });
});
