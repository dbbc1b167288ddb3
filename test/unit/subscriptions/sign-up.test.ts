import { signLink } from '../../../src/signed-link.ts';
import { lookupOf } from '../../../src/subscriptions/address.ts';
import type { FollowRequest, Target } from '../../../src/subscriptions/follow.ts';
import { makeSignUpService } from '../../../src/subscriptions/sign-up-service.ts';
import type { Contact } from '../../../src/subscriptions/subscriber.ts';
import { type Desk, email, makeItem, openDesk, phone, webPush } from './desk.ts';

const wish = (target: Target, fields: Partial<FollowRequest> = {}): FollowRequest => ({
  target,
  regions: null,
  pace: 'immediate',
  channels: null,
  ...fields,
});
const housing = wish({ topic: 'housing' });
const services = wish({ topic: 'services' }, { pace: 'daily' });

describe('signing up', () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = await openDesk();
  });
  afterEach(() => desk.close());

  const ask = (contact: Contact, follow = [housing], fields = {}) =>
    desk.signUps.request({ contact, follow, locale: 'en', region: null, timeZone: null, ...fields });
  const person = async (id: string) => desk.subscriptions.person({ id });
  const sources = async (id: string) =>
    (await person(id))?.follows
      .filter(({ stoppedAt }) => stoppedAt === null)
      .map(({ definition }) => definition.source);

  it('by email sends a link, and makes nobody a subscriber before it is confirmed', async () => {
    await ask(email(' Li@Example.org '), [housing, wish({ search: { any: { keywords: ['flat'] } } })]);
    expect(desk.posted).toHaveLength(1);
    expect(desk.posted[0]?.to).toEqual(email('li@example.org'));
    expect(desk.posted[0]?.content.text).toContain('Housing');
    expect(desk.posted[0]?.content.text).toContain('flat');
    expect(desk.lastLink()).toMatch(/^https:\/\/bell\.example\.org\/confirm\/[\w.-]+$/);
    expect(await desk.stores.subscriptions.recipients([1])).toEqual([]);
    expect(await desk.signUps.preview(desk.lastToken())).toEqual({
      masked: 'l…@example.org',
      channel: 'email',
      follow: [housing, wish({ search: { any: { keywords: ['flat'] } } })],
      confirmed: false,
      locale: 'en',
    });
    expect(await desk.stores.subscriptions.recipients([1])).toEqual([]);
  });

  it('is confirmed by the link, and repeating it answers the same', async () => {
    await ask(email('li@example.org'), [housing, services], { region: '110000', timeZone: 'Asia/Tokyo' });
    const { subscriber } = await desk.signUps.confirm(desk.lastToken());
    expect(await desk.signUps.confirm(desk.lastToken())).toEqual({ subscriber });
    expect((await desk.signUps.preview(desk.lastToken())).confirmed).toBe(true);
    const view = await person(subscriber);
    expect(view?.person).toMatchObject({ locale: 'en', region: '110000', timeZone: 'Asia/Tokyo' });
    expect(view?.addresses).toEqual([{ channel: 'email', masked: 'l…@example.org', suppressed: null }]);
    expect(view?.follows.map(({ definition, pace }) => [definition.source, pace])).toEqual(
      expect.arrayContaining([
        ['subscription:topic:housing', 'immediate'],
        ['subscription:topic:services', 'daily'],
      ]),
    );
    expect(await desk.stores.subscriptions.recipients([1, 2])).toHaveLength(1);
  });

  it('of a known address says and sends the same, and adds to its owner', async () => {
    await ask(email('li@example.org'));
    const { subscriber } = await desk.signUps.confirm(desk.lastToken());
    await ask(email('LI@example.org'), [services], { region: '310000' });
    expect(desk.posted).toHaveLength(2);
    expect(desk.posted[1]?.content.title).toBe(desk.posted[0]?.content.title);
    expect(await desk.signUps.confirm(desk.lastToken())).toEqual({ subscriber });
    expect((await sources(subscriber))?.sort()).toEqual(['subscription:topic:housing', 'subscription:topic:services']);
    expect((await person(subscriber))?.person.region).toBe('310000');
  });

  it('names every fault and sends nothing', async () => {
    await expect(
      ask(email('nonsense'), [wish({ topic: 'moon' }), wish({ item: 'none' })], { region: 'x', timeZone: 'Mars/1' }),
    ).rejects.toMatchObject({
      code: 'invalid',
      faults: [
        { path: 'email', message: 'is not an email address' },
        { path: 'follow.0.topic', message: 'unknown topic: moon' },
        { path: 'follow.1.item', message: 'unknown item: none' },
        { path: 'region', message: 'unknown region: x' },
        { path: 'timeZone', message: 'unknown time zone: Mars/1' },
      ],
    });
    await expect(ask(email('li@example.org'), [])).rejects.toMatchObject({ faults: [{ path: 'follow' }] });
    expect(desk.posted).toEqual([]);
  });

  it('follows only items that everybody may read', async () => {
    const targeted = makeItem();
    await desk.stores.items.insert(makeItem());
    await desk.stores.items.insert({
      ...targeted,
      id: 'secret',
      content: { ...targeted.content, visibility: 'targeted' },
    });
    await desk.stores.items.insert(makeItem({ id: 'draft', state: 'draft' }));
    await ask(email('li@example.org'), [wish({ item: 'item-1' })]);
    expect(desk.posted[0]?.content.text).toContain('A new bridge');
    for (const item of ['secret', 'draft'])
      await expect(ask(email('li@example.org'), [wish({ item })])).rejects.toMatchObject({ code: 'invalid' });
  });

  it('takes no token that was altered, made for something else, or has expired', async () => {
    await ask(email('li@example.org'));
    const token = desk.lastToken();
    const id = token.split('.')[0] ?? '';
    const strange = signLink(desk.keyring, 'unsubscribe', id);
    for (const bad of ['', 'x', `${token}x`, token.replace(id, 'AAAAAAAAAAAAAAAAAAAAAA'), strange])
      await expect(desk.signUps.confirm(bad)).rejects.toMatchObject({ code: 'bad-link' });
    desk.pass(7 * 24 * 3_600_000 + 1_001);
    await expect(desk.signUps.confirm(token)).rejects.toMatchObject({ code: 'link-expired' });
    await expect(desk.signUps.preview(token)).rejects.toMatchObject({ code: 'link-expired' });
  });

  it('floods nobody: five messages an hour to an address, then silence', async () => {
    for (let n = 0; n < 8; n++) await ask(email('li@example.org'));
    expect(desk.posted).toHaveLength(5);
    await ask(email('wang@example.org'));
    expect(desk.posted).toHaveLength(6);
    desk.pass(3_600_001);
    await ask(email('li@example.org'));
    expect(desk.posted).toHaveLength(7);
  });

  it('sends nothing to a suppressed address', async () => {
    await desk.stores.addresses.suppress(lookupOf(desk.keyring, email('li@example.org')), 'complaint', 0);
    await ask(email('li@example.org'));
    expect(desk.posted).toEqual([]);
  });

  it('by SMS sends a code, which works once', async () => {
    await ask(phone('138 0013 8000'));
    expect(desk.posted[0]?.to).toEqual(phone('+8613800138000'));
    const code = desk.lastCode();
    expect(code).toMatch(/^\d{6}$/);
    const { subscriber } = await desk.signUps.confirmCode('+86 13800138000', code);
    expect(await sources(subscriber)).toEqual(['subscription:topic:housing']);
    await expect(desk.signUps.confirmCode('13800138000', code)).rejects.toMatchObject({ code: 'wrong-code' });
    expect(JSON.stringify(desk.db.prepare('SELECT * FROM sign_ups').all())).not.toContain(code);
  });

  it('takes a code for ten minutes and five tries, and never says what is wrong', async () => {
    await ask(phone('13800138000'));
    const code = desk.lastCode();
    const wrong = code === '000000' ? '000001' : '000000';
    const refusals: unknown[] = [];
    const refused = async (number: string, given: string) => {
      const error = await desk.signUps.confirmCode(number, given).catch((one: unknown) => one);
      expect(error).toMatchObject({ code: 'wrong-code' });
      refusals.push((error as Error).message);
    };
    for (let n = 0; n < 5; n++) await refused('13800138000', wrong);
    await refused('13800138000', code);
    await refused('13900139000', code);
    await refused('nonsense', code);
    await ask(phone('13800138000'));
    desk.pass(10 * 60_000 + 1);
    await refused('13800138000', desk.lastCode());
    expect(new Set(refusals).size).toBe(1);
  });

  it('takes the last try if it is right', async () => {
    await ask(phone('13800138000'));
    const code = desk.lastCode();
    const wrong = code === '000000' ? '000001' : '000000';
    for (let n = 0; n < 4; n++)
      await expect(desk.signUps.confirmCode('13800138000', wrong)).rejects.toMatchObject({ code: 'wrong-code' });
    await expect(desk.signUps.confirmCode('13800138000', code)).resolves.toBeDefined();
  });

  it('by web push sends the token inside the first push', async () => {
    await ask(webPush());
    const token = desk.posted[0]?.content.data?.confirm ?? '';
    expect(desk.posted[0]?.to).toEqual(webPush());
    const { subscriber } = await desk.signUps.confirm(token);
    expect((await person(subscriber))?.addresses).toMatchObject([{ channel: 'webPush', masked: 'push.example.org' }]);
  });

  it('makes one person of two confirmations at once', async () => {
    await ask(email('li@example.org'), [housing]);
    const first = desk.lastToken();
    await ask(email('li@example.org'), [services]);
    const second = desk.lastToken();
    const answers = await Promise.all([first, second, first, second].map((token) => desk.signUps.confirm(token)));
    const owner = await desk.stores.addresses.find(lookupOf(desk.keyring, email('li@example.org')));
    const view = await person(answers[0]?.subscriber ?? '');
    expect(view?.person.ordinal).toBe(owner?.subscriber);
    for (const { subscriber } of answers) expect((await person(subscriber))?.person.id).toBe(view?.person.id);
    expect((await sources(view?.person.id ?? ''))?.sort()).toEqual([
      'subscription:topic:housing',
      'subscription:topic:services',
    ]);
  });

  it('is finished by the same link wherever the process died before', async () => {
    const verbs = {
      subscriptions: ['insertSubscriber', 'putFollows', 'putSubscription', 'updateSubscriber'],
      addresses: ['claim', 'lift'],
      signUps: ['confirm'],
    } as const;
    const deaths = Object.entries(verbs).flatMap(([port, names]) =>
      names.flatMap((verb) => [true, false].map((before) => ({ port, verb, before }))),
    );
    for (const [n, { port, verb, before }] of deaths.entries()) {
      const address = email(`person${n}@example.org`);
      const base = desk.stores[port as keyof typeof verbs] as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const dying = async (...args: unknown[]) => {
        if (!before) await base[verb]?.(...args);
        throw new Error('died');
      };
      const half = { ...desk.stores, [port]: { ...base, [verb]: dying } };
      await ask(address, [housing, services]);
      const token = desk.lastToken();
      await expect(makeSignUpService(half, desk.tools).confirm(token)).rejects.toThrow('died');
      const { subscriber } = await desk.signUps.confirm(token);
      expect(await desk.signUps.confirm(token)).toEqual({ subscriber });
      expect(await sources(subscriber)).toHaveLength(2);
      const owner = await desk.stores.addresses.find(lookupOf(desk.keyring, address));
      expect((await person(subscriber))?.person.ordinal).toBe(owner?.subscriber);
    }
    const people = desk.db.prepare('SELECT count(*) AS people FROM subscribers').get();
    expect(people?.people).toBe(deaths.length);
  });

  it('brings nobody back by an old link, but by a fresh one', async () => {
    await ask(email('li@example.org'));
    const old = desk.lastToken();
    const { subscriber } = await desk.signUps.confirm(old);
    await desk.subscriptions.erase(subscriber);
    await expect(desk.signUps.confirm(old)).rejects.toMatchObject({ code: 'link-expired' });
    expect(await person(subscriber)).toBeNull();
    await ask(email('li@example.org'));
    const again = await desk.signUps.confirm(desk.lastToken());
    expect(again.subscriber).not.toBe(subscriber);
    expect((await person(again.subscriber))?.addresses).toMatchObject([{ suppressed: null }]);
  });

  it('revives what the person had stopped, for they ask for it themselves', async () => {
    await ask(email('li@example.org'));
    const { subscriber } = await desk.signUps.confirm(desk.lastToken());
    expect(await desk.subscriptions.stop(subscriber, 'all')).toBe(1);
    await ask(email('li@example.org'));
    await desk.signUps.confirm(desk.lastToken());
    expect(await sources(subscriber)).toEqual(['subscription:topic:housing']);
  });
});
