import { readOutbox } from '../../src/channels/outbox.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import { countsOf, makeItemContent, makeResident, publishIn } from '../helpers/published.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

let town: Town;
beforeEach(async () => {
  town = await makeTown();
});
afterEach(() => town.close());

const publish = async (overrides: Partial<ItemContent> = {}) => {
  const published = await publishIn(town, overrides);
  await town.drain();
  return published;
};

/** Who was told by what title, in the order it left. */
const told = async (): Promise<string[]> => {
  const messages = await readOutbox(town.dataDir, { limit: 1000 });
  return messages.map((message) => `${message.to} ${message.title}`).reverse();
};
const rows = async (push: string) =>
  (await town.fanout.deliveries(push, null, { cursor: null, limit: 200 })).rows.map(({ channel, state, code }) => ({
    channel,
    state,
    code,
  }));
const stateOf = async (push: string) => (await town.fanout.get(push))?.state;
const personId = async (externalId: string): Promise<string> =>
  (await town.stores.subscriptions.subscriber({ externalId }))?.id ?? '';

describe('publishing', () => {
  it('tells each follower once, however many of their follows match, and keeps every reason', async () => {
    await town.people([
      makeResident('ana', {
        follow: [
          { topic: 'services' },
          { search: { any: { keywords: ['water'] } } },
          { topic: 'services', regions: ['110000'] },
        ],
      }),
      makeResident('ben', { follow: [{ topic: 'budgets' }] }),
    ]);
    const { push } = await publish({ keywords: ['Water'], regions: ['110000'] });
    expect(await told()).toEqual(['ana@example.org Water is off']);
    const [row] = (await town.fanout.deliveries(push, null, { cursor: null, limit: 10 })).rows;
    expect(row?.reasons.map((reason) => reason.source.replace(/search:.*/, 'search')).sort()).toEqual([
      'subscription:search',
      'subscription:topic:services',
      'subscription:topic:services',
    ]);
    expect(await stateOf(push)).toBe('done');
    expect(
      (await town.fanout.get(push))?.bySource.find((one) => one.source === 'subscription:topic:services')?.people,
    ).toBe(1);
  });

  it('answers a second publish with the same push and tells nobody again', async () => {
    await town.people([makeResident('ana')]);
    const { item, push } = await publish();
    const again = await town.fanout.publish(item, publisher);
    await town.drain();
    expect(again.push.id).toBe(push);
    expect(await told()).toHaveLength(1);
  });

  it('finds a version whose process died before its push was written', async () => {
    await town.people([makeResident('ana')]);
    const item = await town.publishing.create(makeItemContent(), null, publisher);
    await town.publishing.publish(item.id, publisher);
    await town.drain();
    expect(await told()).toEqual(['ana@example.org Water is off']);
  });

  it('is done at once where nobody follows', async () => {
    const { push } = await publish({ topics: ['budgets'] });
    expect(await stateOf(push)).toBe('done');
    expect(await countsOf(town, push)).toEqual({});
  });
});

describe('what is not sent at once', () => {
  it('waits for the end of quiet hours, under the same push', async () => {
    town.pass('2026-06-10T22:30:00Z');
    await town.people([makeResident('ana', { quietHours: { from: '22:00', to: '07:00' } })]);
    const { push } = await publish();
    expect(await rows(push)).toEqual([{ channel: null, state: 'deferred', code: 'quiet-hours' }]);
    expect(await stateOf(push)).toBe('done');
    town.pass('2026-06-11T05:59:59Z');
    await town.drain();
    expect(await told()).toEqual([]);
    town.pass('2026-06-11T06:00:00Z');
    await town.drain();
    expect(await told()).toHaveLength(1);
    expect(await countsOf(town, push)).toEqual({ sent: 1 });
  });

  it('is kept for the digest at the slower pace, unless a faster follow matches too', async () => {
    await town.people([
      makeResident('ana', { follow: [{ topic: 'services', pace: 'daily' }] }),
      makeResident('ben', {
        follow: [
          { topic: 'services', pace: 'weekly' },
          { search: { any: { keywords: ['water'] } }, pace: 'immediate' },
        ],
      }),
    ]);
    const { push } = await publish({ keywords: ['water'] });
    expect(await told()).toEqual(['ben@example.org Water is off']);
    expect(await countsOf(town, push)).toEqual({ sent: 1, digested: 1 });
  });

  it('is withheld as expired when its time has passed by then', async () => {
    town.pass('2026-06-10T22:30:00Z');
    await town.people([makeResident('ana', { quietHours: { from: '22:00', to: '07:00' } })]);
    const { push } = await publish({ expiresAt: '2026-06-11T03:00:00Z' });
    town.pass('2026-06-11T06:00:00Z');
    await town.drain();
    expect(await rows(push)).toEqual([{ channel: null, state: 'withheld', code: 'expired' }]);
    expect(await told()).toEqual([]);
  });

  it('is withheld when the person stopped meanwhile', async () => {
    town.pass('2026-06-10T22:30:00Z');
    await town.people([makeResident('ana', { quietHours: { from: '22:00', to: '07:00' } })]);
    const { push } = await publish();
    await town.subscriptions.stop(await personId('ana'), 'all');
    town.pass('2026-06-11T06:00:00Z');
    await town.drain();
    expect(await rows(push)).toEqual([{ channel: null, state: 'withheld', code: 'opted-out' }]);
    expect(await told()).toEqual([]);
  });
});

describe('corrections', () => {
  it('reach exactly those who were told, in other words, and as a new item whoever matches now', async () => {
    await town.people([makeResident('ana'), makeResident('ben', { follow: [{ topic: 'budgets' }] })]);
    const { item } = await publish();
    await town.people([makeResident('cleo')]);
    await town.subscriptions.stop(await personId('ana'), 'all');
    const change = { change: 'major' as const, note: 'It is Thursday.', fields: { title: 'Water is off on Thursday' } };
    const { push } = await town.fanout.correct(item, change, publisher);
    await town.drain();
    const titles = await told();
    expect(titles).toHaveLength(3);
    expect(
      titles
        .slice(1)
        .map((line) => line.split(' ')[0])
        .sort(),
    ).toEqual(['ana@example.org', 'cleo@example.org']);
    const words = (name: string) =>
      titles
        .slice(1)
        .find((line) => line.startsWith(name))
        ?.split(' ')
        .slice(1)
        .join(' ');
    expect(words('ana')).not.toBe(words('cleo'));
    expect(await countsOf(town, push?.id ?? '')).toEqual({ sent: 2 });
  });

  it('replace what is unsent: the older version is superseded', async () => {
    town.pass('2026-06-10T22:30:00Z');
    await town.people([makeResident('ana', { quietHours: { from: '22:00', to: '07:00' } })]);
    const { item, push } = await publish();
    await town.fanout.correct(item, { change: 'major', note: 'Thursday.', fields: { title: 'Thursday' } }, publisher);
    await town.drain();
    expect(await rows(push)).toEqual([{ channel: null, state: 'withheld', code: 'superseded' }]);
    town.pass('2026-06-11T06:00:00Z');
    await town.drain();
    expect(await told()).toHaveLength(1);
    expect((await told())[0]).toContain('Thursday');
  });

  it('that are minor change the content of what is unsent, and tell nobody', async () => {
    town.pass('2026-06-10T22:30:00Z');
    await town.people([makeResident('ana', { quietHours: { from: '22:00', to: '07:00' } }), makeResident('ben')]);
    const { item } = await publish();
    const { push } = await town.fanout.correct(
      item,
      { change: 'minor', note: 'Spelling.', fields: { title: 'Water is off!' } },
      publisher,
    );
    expect(push).toBeNull();
    town.pass('2026-06-11T06:00:00Z');
    await town.drain();
    expect(await told()).toEqual(['ben@example.org Water is off', 'ana@example.org Water is off!']);
  });

  it('that withdraw tell those who were told, and need to', async () => {
    await town.people([makeResident('ana'), makeResident('ben', { follow: [{ topic: 'budgets' }] })]);
    const { item } = await publish();
    await expect(town.fanout.withdraw(item, 'It was wrong.', false, publisher)).rejects.toMatchObject({
      code: 'wrong-state',
    });
    await town.fanout.withdraw(item, 'It was wrong.', true, publisher);
    await town.drain();
    const titles = await told();
    expect(titles).toHaveLength(2);
    expect(titles[1]).toMatch(/^ana@example.org /);
  });
});

describe('a push to named people', () => {
  it('tells them whatever they follow, but nobody twice of one version', async () => {
    await town.people([makeResident('ana'), makeResident('ben', { follow: [{ topic: 'budgets' }] })]);
    const { item } = await publish();
    const audience = { kind: 'people' as const, subscribers: [await personId('ana'), await personId('ben')] };
    const push = await town.fanout.push({ item, audience, channels: null, note: 'You asked.' }, publisher);
    await town.drain();
    expect(await told()).toEqual(['ana@example.org Water is off', 'ben@example.org Water is off']);
    expect(await countsOf(town, push.id)).toEqual({ sent: 1, withheld: 1 });
    expect(await rows(push.id)).toContainEqual({ channel: null, state: 'withheld', code: 'already-told' });
  });

  it('waits behind a notice that another push is about to give, and is told when that one has', async () => {
    town.pass('2026-06-10T22:30:00Z');
    await town.people([makeResident('ana', { quietHours: { from: '22:00', to: '07:00' } })]);
    const { item } = await publish();
    const audience = { kind: 'people' as const, subscribers: [await personId('ana')] };
    const push = await town.fanout.push({ item, audience, channels: null, note: 'x' }, publisher);
    await town.drain();
    expect(await rows(push.id)).toEqual([{ channel: null, state: 'deferred', code: 'other-push' }]);
    town.pass('2026-06-11T06:00:00Z');
    await town.drain();
    town.pass(10_000);
    await town.drain();
    expect(await told()).toHaveLength(1);
    const both = [...(await rows(push.id))];
    expect(both).toHaveLength(1);
    expect(['withheld', 'sent']).toContain(both[0]?.state);
  });

  it('shows a targeted item to them alone, through a link of their own', async () => {
    await town.people([makeResident('ana'), makeResident('ben')]);
    const item = await town.publishing.create(makeItemContent({ visibility: 'targeted' }), null, publisher);
    await town.fanout.publish(item.id, publisher);
    const audience = { kind: 'people' as const, subscribers: [await personId('ana')] };
    await town.fanout.push({ item: item.id, audience, channels: null, note: 'Your application.' }, publisher);
    await town.drain();
    expect(await told()).toEqual(['ana@example.org Water is off']);
    const [mail] = await readOutbox(town.dataDir, { limit: 1 });
    expect(mail?.text).toMatch(new RegExp(`/items/${item.id}\\?key=[\\w.-]+`));
  });
});

describe('control', () => {
  it('cancels everybody who is left, and sends nothing more', async () => {
    town.pass('2026-06-10T22:30:00Z');
    await town.people([makeResident('ana', { quietHours: { from: '22:00', to: '07:00' } }), makeResident('ben')]);
    const { push } = await publish({ topics: ['budgets'] });
    await expect(town.fanout.cancel(push, publisher)).rejects.toMatchObject({ code: 'wrong-state' });
    await publish();
    const item = await town.publishing.create(makeItemContent({ title: 'Second' }), null, publisher);
    const second = await town.fanout.publish(item.id, publisher);
    await town.fanout.cancel(second.push.id, publisher);
    await town.drain();
    expect(await stateOf(second.push.id)).toBe('cancelled');
    expect(await told()).toEqual(['ben@example.org Water is off']);
  });

  it('pauses before anything is sent and goes on where it was', async () => {
    await town.people([makeResident('ana')]);
    const item = await town.publishing.create(makeItemContent(), null, publisher);
    const { push } = await town.fanout.publish(item.id, publisher);
    await town.parts.duties.tick();
    await town.fanout.pause(push.id, publisher);
    await town.drain();
    expect(await told()).toEqual([]);
    expect(await stateOf(push.id)).toBe('paused');
    await town.fanout.resume(push.id, publisher);
    await town.drain();
    expect(await told()).toHaveLength(1);
    expect(await stateOf(push.id)).toBe('done');
  });

  it('pauses before it is planned, too', async () => {
    await town.people([makeResident('ana')]);
    const item = await town.publishing.create(makeItemContent(), null, publisher);
    const { push } = await town.fanout.publish(item.id, publisher);
    expect((await town.fanout.pause(push.id, publisher)).state).toBe('paused');
    await town.drain();
    expect(await told()).toEqual([]);
    await town.fanout.resume(push.id, publisher);
    await town.drain();
    expect(await told()).toHaveLength(1);
    expect(await stateOf(push.id)).toBe('done');
  });

  it('settles whoever is left of a cancelled push as cancelled', async () => {
    await town.people([makeResident('ana'), makeResident('ben')]);
    const item = await town.publishing.create(makeItemContent(), null, publisher);
    const { push } = await town.fanout.publish(item.id, publisher);
    await town.parts.duties.tick();
    await town.fanout.cancel(push.id, publisher);
    await town.drain();
    expect(await countsOf(town, push.id)).toEqual({ cancelled: 2 });
    expect(await told()).toEqual([]);
  });
});

describe('people who change', () => {
  it('are withheld as erased when they asked to be forgotten after the plan', async () => {
    await town.people([makeResident('ana')]);
    const item = await town.publishing.create(makeItemContent(), null, publisher);
    const { push } = await town.fanout.publish(item.id, publisher);
    await town.parts.duties.tick();
    await town.subscriptions.erase(await personId('ana'));
    await town.drain();
    expect(await rows(push.id)).toEqual([{ channel: null, state: 'withheld', code: 'erased' }]);
    expect(await told()).toEqual([]);
  });
});
