import { readOutbox } from '../../src/channels/outbox.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import { mergeSubscribers } from '../../src/subscriptions/merge.ts';
import { dieInFlight } from '../helpers/dying-worker.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { makeItemContent, makeResident, publishIn } from '../helpers/published.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

onEachEngine('what a worker left when it died', (engine) => {
  const quietHours = { from: '22:00', to: '07:00' };

  let town: Town;
  beforeEach(async () => {
    town = await makeTown(engine.town);
  });
  afterEach(() => town.close());

  /** Publishes, and a worker dies with the messages of the first batch in flight. */
  const publishAndDie = async (overrides: Partial<ItemContent> = {}): Promise<{ item: string; push: string }> => {
    const published = await publishIn(town, overrides);
    await town.parts.duties.tick();
    await dieInFlight(town);
    return published;
  };
  const rows = async (push: string) =>
    (await town.fanout.deliveries(push, null, { cursor: null, limit: 200 })).rows.map(({ channel, state, code }) => ({
      channel,
      state,
      code,
    }));
  const told = async (): Promise<string[]> =>
    (await readOutbox(town.dataDir, { limit: 1000 })).map(({ to, title }) => `${to} ${title}`).reverse();
  const personOf = async (externalId: string) => {
    const person = await town.stores.subscriptions.subscriber({ externalId });
    if (!person) throw new Error(`there is no ${externalId}`);
    return person;
  };
  const nameOnly = async (item: string, ...names: string[]): Promise<string> => {
    const subscribers = await Promise.all(names.map(async (name) => (await personOf(name)).id));
    const audience = { kind: 'people' as const, subscribers };
    const push = await town.fanout.push({ item, audience, channels: null, note: 'x' }, publisher);
    await town.drain();
    return push.id;
  };

  describe('a message in flight when its worker died', () => {
    it('goes again, and its row is settled once', async () => {
      await town.people([makeResident('ana')]);
      const { push } = await publishAndDie();
      await town.drain();
      expect(await told()).toEqual(['ana@example.org Water is off']);
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'sent', code: null }]);
    });

    it('waits like any other where quiet hours have begun, and goes when they end', async () => {
      town.pass('2026-06-10T20:59:00Z');
      await town.people([makeResident('ana', { quietHours })]);
      const { push } = await publishAndDie();
      town.pass('2026-06-10T22:30:00Z');
      await town.drain();
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'deferred', code: 'quiet-hours' }]);
      town.pass('2026-06-11T06:00:00Z');
      await town.drain();
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'sent', code: null }]);
      expect(await told()).toHaveLength(1);
    });

    it('is kept for the digest where the person has slowed down', async () => {
      await town.people([makeResident('ana')]);
      const { push } = await publishAndDie();
      await town.people([makeResident('ana', { follow: [{ topic: 'services', pace: 'daily' }] })]);
      await town.drain();
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'digested', code: 'daily-digest' }]);
    });

    it('is put back with its batch while the push is paused, and goes when it goes on', async () => {
      town.pass('2026-06-10T22:30:00Z');
      await town.people([makeResident('ana', { quietHours }), makeResident('ben', { quietHours })]);
      const item = await town.publishing.create(makeItemContent(), null, publisher);
      const { push } = await town.fanout.publish(item.id, publisher);
      await town.drain();
      town.pass('2026-06-11T06:00:00Z');
      await town.parts.duties.tick();
      await dieInFlight(town);
      await town.stores.pushes.setState(push.id, ['done', 'running'], 'paused');
      await town.drain();
      const waiting = { channel: 'email', state: 'deferred', code: 'paused' };
      expect(await rows(push.id)).toEqual([waiting, waiting]);
      await town.stores.pushes.setState(push.id, ['paused'], 'running');
      await town.drain();
      expect(await told()).toHaveLength(2);
      expect((await rows(push.id)).map((row) => row.state)).toEqual(['sent', 'sent']);
    });

    it('counts as sent when the push was cancelled: nobody knows, and a correction has to reach its reader', async () => {
      await town.people([makeResident('ana')]);
      const { item, push } = await publishAndDie();
      await town.fanout.cancel(push, publisher);
      await town.drain();
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'sent', code: null }]);
      await town.subscriptions.stop((await personOf('ana')).id, 'all');
      await town.fanout.correct(item, { change: 'major', note: 'x', fields: { title: 'Thursday' } }, publisher);
      await town.drain();
      expect(await told()).toHaveLength(1);
      expect((await told())[0]).toMatch(/^ana@example.org .*Thursday/);
    });

    it('counts as sent when the person has stopped meanwhile', async () => {
      await town.people([makeResident('ana')]);
      const { item, push } = await publishAndDie();
      await town.subscriptions.stop((await personOf('ana')).id, 'all');
      await town.drain();
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'sent', code: null }]);
      expect(await rows(await nameOnly(item, 'ana'))).toEqual([
        { channel: null, state: 'withheld', code: 'already-told' },
      ]);
      expect(await told()).toEqual([]);
    });

    it('counts as sent when the version was superseded, and the correction goes to whoever had it', async () => {
      await town.people([makeResident('ana')]);
      const { item, push } = await publishAndDie();
      await town.subscriptions.stop((await personOf('ana')).id, 'all');
      await town.fanout.correct(item, { change: 'major', note: 'x', fields: { title: 'Thursday' } }, publisher);
      await town.drain();
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'sent', code: null }]);
      expect((await told()).map((line) => line.split(' ')[0])).toEqual(['ana@example.org']);
    });

    it('never goes over another channel the second time', async () => {
      await town.people([makeResident('ana', { phone: '+447700900123' })]);
      const { push } = await publishAndDie();
      await town.people([
        makeResident('ana', { phone: '+447700900123', follow: [{ topic: 'services', channels: ['sms'] }] }),
      ]);
      await town.drain();
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'sent', code: null }]);
      expect(await told()).toEqual(['ana@example.org Water is off']);
    });
  });

  describe('a message in flight of a person who became one with another', () => {
    const merge = async (newer: string, older: string): Promise<void> =>
      mergeSubscribers(town.stores, await personOf(newer), await personOf(older), town.now());

    it('is told to that one, when it counts as sent', async () => {
      await town.people([makeResident('ana', { follow: [{ topic: 'budgets' }] }), makeResident('ben')]);
      const { item, push } = await publishAndDie();
      await merge('ben', 'ana');
      await town.fanout.cancel(push, publisher);
      await town.drain();
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'sent', code: null }]);
      expect(await rows(await nameOnly(item, 'ana'))).toEqual([
        { channel: null, state: 'withheld', code: 'already-told' },
      ]);
    });

    it('waits under that one’s name, and goes to them', async () => {
      town.pass('2026-06-10T20:59:00Z');
      await town.people([makeResident('ana', { quietHours, follow: [{ topic: 'budgets' }] }), makeResident('ben')]);
      const { item, push } = await publishAndDie();
      await merge('ben', 'ana');
      town.pass('2026-06-10T22:30:00Z');
      await town.drain();
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'deferred', code: 'quiet-hours' }]);
      town.pass('2026-06-11T06:00:00Z');
      await town.drain();
      expect(await rows(push)).toEqual([{ channel: 'email', state: 'sent', code: null }]);
      expect(await rows(await nameOnly(item, 'ana'))).toEqual([
        { channel: null, state: 'withheld', code: 'already-told' },
      ]);
      expect(new Set((await told()).map((line) => line.replace(/^\S+ /, '')))).toEqual(new Set(['Water is off']));
    });
  });
});
