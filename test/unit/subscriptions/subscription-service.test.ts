import { readLink } from '../../../src/signed-link.ts';
import { lookupOf } from '../../../src/subscriptions/address.ts';
import type { FollowRequest, Target } from '../../../src/subscriptions/follow.ts';
import { mergeSubscribers } from '../../../src/subscriptions/merge.ts';
import type { Subscriber } from '../../../src/subscriptions/subscriber.ts';
import { type Desk, email, openDesk, phone } from './desk.ts';

const wish = (target: Target, fields: Partial<FollowRequest> = {}): FollowRequest => ({
  target,
  regions: null,
  pace: 'immediate',
  channels: null,
  ...fields,
});
const housing = wish({ topic: 'housing' });
const services = wish({ topic: 'services' });

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.close());

/** Signs somebody up and confirms it; answers their id. */
const signUp = async (contact: ReturnType<typeof email>, follow = [housing]): Promise<string> => {
  await desk.signUps.request({ contact, follow, locale: 'en', region: null, timeZone: null });
  if (contact.channel === 'sms') return (await desk.signUps.confirmCode(contact.phone, desk.lastCode())).subscriber;
  return (await desk.signUps.confirm(desk.lastToken())).subscriber;
};
const live = async (id: string): Promise<string[]> =>
  ((await desk.subscriptions.person({ id }))?.follows ?? [])
    .filter(({ stoppedAt }) => stoppedAt === null)
    .map(({ definition, pace }) => `${definition.source} ${pace}`)
    .sort();
const known = async (id: string): Promise<Subscriber> => {
  const person = await desk.stores.subscriptions.subscriber({ id });
  if (!person) throw new Error(`there is no ${id}`);
  return person;
};

describe('a person', () => {
  it('is null where unknown or erased, and every change of them is not-found', async () => {
    const { subscriptions } = desk;
    const gone = await signUp(email('li@example.org'));
    await subscriptions.erase(gone);
    for (const id of ['unknown', '', gone]) {
      expect(await subscriptions.person({ id })).toBeNull();
      for (const act of [
        subscriptions.change(id, {}),
        subscriptions.erase(id),
        subscriptions.follow(id, housing),
        subscriptions.changeFollow(id, 'x', {}),
        subscriptions.stop(id, 'all'),
      ])
        await expect(act).rejects.toMatchObject({ code: 'not-found' });
    }
    expect(await subscriptions.person({ externalId: 'unknown' })).toBeNull();
  });

  it('changes what is named, and every fault is named', async () => {
    const id = await signUp(email('li@example.org'));
    await desk.subscriptions.change(id, { attributes: { birthYear: 1980, household: ['tenant'] } });
    const changed = await desk.subscriptions.change(id, {
      attributes: { household: ['couple'] },
      region: '110000',
      quietHours: { from: '22:00', to: '07:00' },
      consents: { personalisation: true },
    });
    expect(changed.person).toMatchObject({
      attributes: { birthYear: 1980, household: ['couple'] },
      region: '110000',
      consents: { personalisation: true },
    });
    await expect(
      desk.subscriptions.change(id, {
        region: 'x',
        timeZone: 'y',
        quietHours: { from: '24:00', to: '7:00' },
        attributes: { shoe: 44, birthYear: 'old' },
      }),
    ).rejects.toMatchObject({
      code: 'invalid',
      faults: [
        { path: 'region' },
        { path: 'timeZone' },
        { path: 'quietHours.from' },
        { path: 'quietHours.to' },
        { path: 'attributes.shoe' },
        { path: 'attributes.birthYear' },
      ],
    });
    expect((await desk.subscriptions.change(id, { region: null, quietHours: null })).person).toMatchObject({
      region: null,
      quietHours: null,
    });
  });

  it('follows, changes and stops one thing or all', async () => {
    const { subscriptions } = desk;
    const id = await signUp(email('li@example.org'));
    await subscriptions.follow(id, services);
    await expect(subscriptions.follow(id, wish({ topic: 'moon' }))).rejects.toMatchObject({ code: 'invalid' });
    const view = await subscriptions.person({ id });
    const one = view?.follows.find(({ definition }) => definition.source.endsWith('services'));
    await subscriptions.changeFollow(id, one?.id ?? '', { pace: 'weekly', channels: ['sms'] });
    expect(await live(id)).toEqual(['subscription:topic:housing immediate', 'subscription:topic:services weekly']);
    await expect(subscriptions.changeFollow(id, 'unknown', {})).rejects.toMatchObject({ code: 'not-found' });
    const counts = await subscriptions.topicFollowers(['services', 'housing', 'policies']);
    expect([...counts]).toEqual([
      ['services', 1],
      ['housing', 1],
      ['policies', 0],
    ]);
    expect(await subscriptions.stop(id, { subscription: one?.id ?? '' })).toBe(1);
    expect(await subscriptions.stop(id, { follows: [one?.follow ?? ''] })).toBe(0);
    expect(await subscriptions.stop(id, 'all')).toBe(1);
    expect(await live(id)).toEqual([]);
  });

  it('is stopped by STOP from their phone, whoever else has which number', async () => {
    const li = await signUp(phone('13800138000'), [housing, services]);
    const wang = await signUp(phone('13900139000'));
    expect(await desk.subscriptions.stopByContact({ channel: 'sms', phone: '13700137000' })).toBe(0);
    expect(await desk.subscriptions.stopByContact({ channel: 'sms', phone: 'nonsense' })).toBe(0);
    expect(await desk.subscriptions.stopByContact({ channel: 'sms', phone: '+86 138 0013 8000' })).toBe(2);
    expect(await desk.subscriptions.stopByContact({ channel: 'sms', phone: '13800138000' })).toBe(0);
    expect(await live(li)).toEqual([]);
    expect(await live(wang)).toHaveLength(1);
  });

  it('gets a link to manage only at their own address, an hour long, five an hour', async () => {
    const id = await signUp(email('li@example.org'));
    const before = desk.posted.length;
    await desk.subscriptions.requestManageLink(email('stranger@example.org'), 'en');
    expect(desk.posted).toHaveLength(before);
    await desk.subscriptions.requestManageLink(email(' LI@example.org'), 'zh-CN');
    expect(desk.posted).toHaveLength(before + 1);
    expect(desk.posted.at(-1)).toMatchObject({ to: email('li@example.org'), content: { locale: 'zh-CN' } });
    expect(desk.lastLink()).toContain('https://bell.example.org/manage/');
    expect(readLink(desk.keyring, 'manage', desk.lastToken(), desk.now())).toEqual({ ok: true, subject: id });
    expect(readLink(desk.keyring, 'manage', desk.lastToken(), desk.now() + 3_601_001).ok).toBe(false);
    for (let n = 0; n < 9; n++) await desk.subscriptions.requestManageLink(email('li@example.org'), 'en');
    expect(desk.posted.length - before).toBeLessThanOrEqual(5);
    await expect(desk.subscriptions.requestManageLink(email('nonsense'), 'en')).rejects.toMatchObject({
      code: 'invalid',
    });
  });
});

describe('merging two subscribers', () => {
  const merge = async (newer: string, older: string, stores: Parameters<typeof mergeSubscribers>[0] = desk.stores) =>
    mergeSubscribers(stores, await known(newer), await known(older), desk.now());

  it('unites follows, addresses and facts under the older', async () => {
    const older = await signUp(email('li@example.org'), [wish({ topic: 'housing' }, { pace: 'weekly' })]);
    const newer = await signUp(phone('13800138000'), [wish({ topic: 'housing' }, { pace: 'daily' }), services]);
    await desk.subscriptions.change(older, { region: '110000', consents: { personalisation: true } });
    await desk.subscriptions.change(newer, {
      region: '310000',
      digestHour: 0,
      timeZone: 'Asia/Tokyo',
      attributes: { birthYear: 1980 },
    });
    await merge(newer, older);
    await merge(newer, older);
    const view = await desk.subscriptions.person({ id: newer });
    expect(view?.person).toMatchObject({
      id: older,
      region: '110000',
      timeZone: 'Asia/Tokyo',
      digestHour: 0,
      attributes: { birthYear: 1980 },
      consents: { personalisation: false },
    });
    expect(view?.addresses.map(({ channel }) => channel).sort()).toEqual(['email', 'sms']);
    expect(await live(older)).toEqual(['subscription:topic:housing daily', 'subscription:topic:services immediate']);
    const { ordinal } = await known(newer);
    expect(await desk.stores.subscriptions.holding([view?.follows[0]?.follow ?? ''], [ordinal])).toEqual([]);
  });

  it('passes on what messages in flight come to, and waits for them only so long', async () => {
    const older = await signUp(email('li@example.org'), [housing]);
    const newer = await signUp(phone('13800138000'), [services]);
    for (const [answers, looks] of [
      [[2, 2, 1, 0], 4],
      [[], 22],
    ] as const) {
      const left = [...answers];
      let [asked, waited] = [0, 0];
      const moveNotices = async () => {
        asked += 1;
        return left.length > 0 ? (left.shift() ?? 0) : answers.length > 0 ? 0 : 1;
      };
      const pause = async (ms: number) => {
        waited += ms;
      };
      await mergeSubscribers(
        { ...desk.stores, ledger: { ...desk.stores.ledger, moveNotices } },
        await known(newer),
        await known(older),
        0,
        pause,
      );
      expect(asked).toBe(looks);
      expect(waited).toBeLessThanOrEqual(2_000);
    }
  });

  it('lets the later wish win over an earlier stop, and a later stop over an earlier wish', async () => {
    const older = await signUp(email('li@example.org'), [housing]);
    const newer = await signUp(phone('13800138000'), [services]);
    await desk.subscriptions.follow(older, services);
    desk.pass(1_000);
    await desk.subscriptions.stop(older, 'all');
    desk.pass(1_000);
    await desk.subscriptions.follow(newer, housing);
    await merge(newer, older);
    expect(await live(older)).toEqual(['subscription:topic:housing immediate']);
  });

  it('ends alike wherever the process died before', async () => {
    const verbs = [
      ['ledger', 'moveNotices'],
      ['subscriptions', 'putSubscription'],
      ['addresses', 'move'],
      ['subscriptions', 'updateSubscriber'],
      ['subscriptions', 'merge'],
      ['subscriptions', 'stop'],
    ] as const;
    for (const [n, [port, verb]] of verbs.entries()) {
      const older = await signUp(email(`li${n}@example.org`), [housing]);
      const newer = await signUp(phone(`1380013800${n}`), [services]);
      const dying = {
        ...desk.stores,
        [port]: {
          ...desk.stores[port],
          [verb]: () => Promise.reject(new Error('died')),
        },
      };
      await expect(merge(newer, older, dying)).rejects.toThrow('died');
      await merge(newer, older);
      expect(await live(older)).toHaveLength(2);
      const { ordinal } = await known(newer);
      const followed = await desk.stores.subscriptions.subscriptionsOf(ordinal);
      expect(followed.every(({ stoppedAt }) => stoppedAt !== null)).toBe(true);
      const address = await desk.stores.addresses.find(
        lookupOf(desk.keyring, { channel: 'sms', phone: `+861380013800${n}` }),
      );
      expect(address?.subscriber).toBe((await known(older)).ordinal);
    }
  });
});
