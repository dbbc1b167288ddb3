import { makeFanoutService } from '../../../src/fanout/make-fanout-service.ts';
import { packOrdinals } from '../../../src/fanout/ordinals.ts';
import type { PublishingService } from '../../../src/publishing/publishing-service.ts';
import { signLink } from '../../../src/signed-link.ts';
import {
  makeAttempt,
  makeBatch,
  makeDelivery,
  makeDeparture,
  makeNotice,
  makeOutcome,
} from '../../helpers/fanout-builders.ts';
import { makeTown, publisher, type Town } from '../../helpers/town.ts';

const content = {
  title: 'Water is off',
  summary: 'On Wednesday.',
  language: 'en',
  topics: ['services'],
  urgency: 'routine' as const,
  visibility: 'public' as const,
};

let town: Town;
beforeEach(async () => {
  town = await makeTown({ startAt: '2026-06-10T22:30:00Z' });
  await town.people([
    { externalId: 'ana', email: 'ana@example.org', verified: true, locale: 'en', follow: [{ topic: 'services' }] },
  ]);
});
afterEach(() => town.close());

const ana = async () => {
  const person = await town.stores.subscriptions.subscriber({ externalId: 'ana' });
  if (!person) throw new Error('ana was imported');
  return person;
};

/** A published item whose push has one claimed batch of one person, with a planned row and its notice. */
const planned = async () => {
  const { ordinal } = await ana();
  const { id } = await town.publishing.create(content, null, publisher);
  const { push } = await town.fanout.publish(id, publisher);
  const { pushes, ledger } = town.stores;
  const [follow] = await town.stores.subscriptions.subscriptionsOf(ordinal);
  const source = { source: 'subscription:topic:services', follow: follow?.follow ?? '' };
  await pushes.writeSources(push.id, 'plan', [{ ...source, facts: [], ordinals: packOrdinals([ordinal]) }]);
  await pushes.freeze(push.id, 'plan', { lane: 'at-once', matched: 1, bySource: [], plannedAt: town.now() });
  await pushes.setState(push.id, ['planning'], 'running');
  await pushes.insertBatches([makeBatch({ push: push.id, ordinals: [ordinal] })]);
  await pushes.claim('token', ['at-once']);
  const lease = { batch: `${push.id}:0`, token: 'token' };
  const notice = makeNotice({ item: id, ordinal });
  const departure = makeDeparture(ordinal, {
    key: { push: push.id, ordinal, channel: 'email' },
    notice,
    message: 'message-1',
  });
  await ledger.takeNotices(lease, push.id, [{ ...notice, class: 'must' }], town.now());
  await ledger.insertDeliveries(lease, [makeDelivery({ push: push.id, ordinal })]);
  const depart = () => ledger.depart(lease, [departure], town.now());
  return { item: id, push: push.id, ordinal, lease, departure, depart };
};

describe('withdrawing without telling', () => {
  const refused = { code: 'wrong-state' };

  it('is refused while a message is in flight, and when somebody was told', async () => {
    const { item, lease, departure, depart } = await planned();
    await depart();
    await expect(town.fanout.withdraw(item, 'Wrong.', false, publisher)).rejects.toMatchObject(refused);
    await town.stores.ledger.settle(lease, [makeOutcome(departure)]);
    await expect(town.fanout.withdraw(item, 'Wrong.', false, publisher)).rejects.toMatchObject(refused);
    expect((await town.publishing.get(item))?.state).toBe('published');
  });

  it('is allowed while nothing has left', async () => {
    const { item } = await planned();
    const { push } = await town.fanout.withdraw(item, 'Wrong.', false, publisher);
    expect(push).toBeNull();
    expect(await town.fanout.announceLost()).toBe(0);
  });

  it('tells all the same when a message leaves between the question and the withdrawal', async () => {
    const { item, depart } = await planned();
    const publishing: PublishingService = {
      ...town.publishing,
      withdraw: async (...asked) => {
        await depart();
        return town.publishing.withdraw(...asked);
      },
    };
    const fanout = makeFanoutService(town.stores, {
      ...town,
      publishing,
      wake: () => undefined,
      tell: town.webhooks.tell,
    });
    const { push } = await fanout.withdraw(item, 'Wrong.', false, publisher);
    expect(push).toMatchObject({ item, version: 2 });
  });
});

describe('a receipt for an SMS', () => {
  it('finds its message by our own id while the outcome that names its reference is not recorded', async () => {
    const { lease, departure, push, ordinal } = await planned();
    const { ledger } = town.stores;
    const key = { ...departure.key, channel: 'sms' as const };
    await ledger.changeDeliveries(lease, [
      { key: departure.key, from: ['planned'], to: { channel: 'sms', at: town.now() } },
    ]);
    const bySms = { ...departure, key, message: 'message-sms' };
    expect(await ledger.depart(lease, [bySms], town.now())).toEqual([true]);
    const of = { provider: 'twilio:x', reference: 'SM1', message: null };
    expect(await town.fanout.receipt(of, 'delivered', 'delivered')).toBe(false);
    expect(await town.fanout.receipt({ ...of, message: 'nobody' }, 'delivered', 'delivered')).toBe(false);
    expect(await town.fanout.receipt({ ...of, message: 'message-sms' }, 'delivered', 'delivered')).toBe(true);
    await ledger.settle(lease, [makeOutcome(bySms)]);
    expect((await ledger.deliveriesOf(push, [ordinal])).map((row) => row.state)).toEqual(['delivered']);
  });
});

describe('an unsubscribe link', () => {
  const token = () => signLink(town.keyring, 'unsubscribe', 'message-1');
  const live = async () => (await town.fanout.unsubscribeView(token())).sources.map((one) => one.live);

  it('works after the message failed over to another channel', async () => {
    const { lease, departure, depart, ordinal, push } = await planned();
    await depart();
    const to = { state: 'failed' as const, code: 'no-such-user', dueAt: null, attempts: 1 };
    const next = makeDelivery({ push, ordinal, channel: 'sms', state: 'deferred', dueAt: town.now() });
    await town.stores.ledger.settle(lease, [makeOutcome(departure, { to, next, attempt: makeAttempt({ ok: false }) })]);
    expect(await live()).toEqual([true]);
    expect(await town.fanout.unsubscribe(token(), false)).toBe(1);
    expect(await live()).toEqual([false]);
  });

  it('works when the row of its message has moved to another channel', async () => {
    const { lease, departure, depart, ordinal, push } = await planned();
    await depart();
    const to = { state: 'deferred' as const, code: 'retry', dueAt: town.now() + 1, attempts: 1 };
    const { ledger } = town.stores;
    await ledger.settle(lease, [makeOutcome(departure, { to, attempt: makeAttempt({ ok: false }) })]);
    const change = { channel: 'sms' as const, at: town.now() };
    await ledger.changeDeliveries(lease, [{ key: departure.key, from: ['deferred'], to: change }]);
    expect((await ledger.deliveriesOf(push, [ordinal])).map((row) => row.channel)).toEqual(['sms']);
    expect(await live()).toEqual([true]);
    expect(await town.fanout.unsubscribe(token(), false)).toBe(1);
  });

  it('works when its own row has lost its reasons', async () => {
    const { lease, departure, depart, ordinal, push } = await planned();
    await depart();
    const { ledger } = town.stores;
    await ledger.settle(lease, [makeOutcome(departure)]);
    await ledger.changeDeliveries(lease, [{ key: departure.key, from: ['sent'], to: { reasons: [], at: town.now() } }]);
    await ledger.insertDeliveries(lease, [makeDelivery({ push, ordinal, channel: 'sms', state: 'sent' })]);
    expect(await live()).toEqual([true]);
  });

  it('never expires, and is nobody else’s', async () => {
    const { depart } = await planned();
    await depart();
    town.pass(20 * 365 * 86_400_000);
    expect(await town.fanout.unsubscribe(token(), false)).toBe(1);
    for (const bad of ['', 'x.y.z', signLink(town.keyring, 'unsubscribe', 'message-2')])
      await expect(town.fanout.unsubscribe(bad, false)).rejects.toMatchObject({ code: 'bad-link' });
  });
});

describe('a push that is done while people wait', () => {
  const night = { timeZone: 'Europe/London', quietHours: { from: '22:00', to: '07:00' } };
  /** Ana is deferred to the morning, ben sent, cleo kept for the digest. */
  const published = async (follow: object = { topic: 'services' }) => {
    await town.people([
      { externalId: 'ana', email: 'ana@example.org', verified: true, locale: 'en', ...night, follow: [follow] },
    ]);
    const { id } = await town.publishing.create(content, null, publisher);
    const { push } = await town.fanout.publish(id, publisher);
    await town.drain();
    expect((await town.fanout.get(push.id))?.state).toBe('done');
    return push.id;
  };
  const summary = async (push: string) => {
    const view = await town.fanout.get(push);
    const people = Object.entries(view?.counts ?? {}).filter(([, number]) => number > 0);
    return { state: view?.state, finished: view?.finishedAt !== null, counts: Object.fromEntries(people) };
  };

  it.each([
    ['deferred', { topic: 'services' }],
    ['digested', { topic: 'services', pace: 'weekly' }],
  ])('is cancelled with those who are %s', async (state, follow) => {
    const push = await published(follow);
    expect((await summary(push)).counts).toEqual({ [state]: 1 });
    expect(await town.fanout.cancel(push, publisher)).toMatchObject({ state: 'cancelled', finishedAt: null });
    await town.drain();
    expect(await summary(push)).toEqual({ state: 'cancelled', finished: true, counts: { cancelled: 1 } });
    town.pass('2026-06-20T06:00:00Z');
    await town.drain();
    expect((await summary(push)).counts).toEqual({ cancelled: 1 });
  });

  it('holds them back while it is paused, and is done again when it goes on', async () => {
    const push = await published();
    expect(await town.fanout.pause(push, publisher)).toMatchObject({ state: 'paused', finishedAt: null });
    town.pass('2026-06-11T06:00:00Z');
    await town.drain();
    expect(await summary(push)).toEqual({ state: 'paused', finished: false, counts: { deferred: 1 } });
    expect((await town.fanout.resume(push, publisher)).state).toBe('running');
    await town.drain();
    expect(await summary(push)).toEqual({ state: 'done', finished: true, counts: { sent: 1 } });
  });

  it('is neither paused nor cancelled once nobody waits, and never resumed', async () => {
    const push = await published();
    await expect(town.fanout.resume(push, publisher)).rejects.toMatchObject({ code: 'wrong-state' });
    town.pass('2026-06-11T06:00:00Z');
    await town.drain();
    for (const act of [town.fanout.pause, town.fanout.cancel, town.fanout.resume])
      await expect(act(push, publisher)).rejects.toMatchObject({ code: 'wrong-state' });
    expect(await summary(push)).toEqual({ state: 'done', finished: true, counts: { sent: 1 } });
  });
});
