import { readOutbox } from '../../src/channels/outbox.ts';
import { mergeSubscribers } from '../../src/subscriptions/merge.ts';
import { makeResident, publishIn } from '../helpers/published.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const daily = { follow: [{ topic: 'services', pace: 'daily' }] };
const quietHours = { from: '22:00', to: '07:00' };

let town: Town;
beforeEach(async () => {
  town = await makeTown();
});
afterEach(() => town.close());

const personOf = async (externalId: string) => {
  const person = await town.stores.subscriptions.subscriber({ externalId });
  if (!person) throw new Error(`there is no ${externalId}`);
  return person;
};
const name = async (item: string, ...names: string[]): Promise<string> => {
  const subscribers = await Promise.all(names.map(async (one) => (await personOf(one)).id));
  const audience = { kind: 'people' as const, subscribers };
  return (await town.fanout.push({ item, audience, channels: null, note: 'x' }, publisher)).id;
};
const states = async (push: string): Promise<string[]> =>
  (await town.fanout.deliveries(push, null, { cursor: null, limit: 200 })).rows.map(
    ({ state, code }) => `${state} ${code}`,
  );
const told = async (): Promise<string[]> =>
  (await readOutbox(town.dataDir, { limit: 1000 })).map(({ to }) => to).reverse();

describe('a row that waits for its digest', () => {
  it('holds back no push by name: that one tells at once', async () => {
    await town.people([makeResident('ana', daily)]);
    const { item, push } = await publishIn(town);
    await town.drain();
    const named = await name(item, 'ana');
    await town.drain();
    expect(await states(push)).toEqual(['digested daily-digest']);
    expect(await states(named)).toEqual(['sent null']);
    expect(await told()).toEqual(['ana@example.org']);
  });

  it('is withheld at once where another push has told already', async () => {
    await town.people([makeResident('ana', daily)]);
    const { item, push } = await publishIn(town);
    await town.fanout.pause(push, publisher);
    await name(item, 'ana');
    await town.drain();
    await town.fanout.resume(push, publisher);
    await town.drain();
    expect(await states(push)).toEqual(['withheld already-told']);
    expect(await told()).toEqual(['ana@example.org']);
  });

  it('stays with its digest where another push is about to tell, instead of asking again and again', async () => {
    town.pass('2026-06-10T22:30:00Z');
    await town.people([makeResident('ana', { ...daily, quietHours })]);
    const { item, push } = await publishIn(town);
    await town.fanout.pause(push, publisher);
    const named = await name(item, 'ana');
    await town.drain();
    await town.fanout.resume(push, publisher);
    await town.drain();
    expect(await states(named)).toEqual(['deferred quiet-hours']);
    expect(await states(push)).toEqual(['digested daily-digest']);
  });

  it('lets go of a notice that it took while it was still to go at once', async () => {
    town.pass('2026-06-10T22:30:00Z');
    await town.people([makeResident('ana', { quietHours })]);
    const { item, push } = await publishIn(town);
    await town.drain();
    expect(await states(push)).toEqual(['deferred quiet-hours']);
    await town.people([makeResident('ana', { ...daily, quietHours })]);
    town.pass('2026-06-11T06:00:00Z');
    await town.drain();
    expect(await states(push)).toEqual(['digested daily-digest']);
    const named = await name(item, 'ana');
    await town.drain();
    expect(await states(named)).toEqual(['sent null']);
  });
});

describe('people who became one after the plan', () => {
  const merge = async (newer: string, older: string): Promise<void> =>
    mergeSubscribers(town.stores, await personOf(newer), await personOf(older), town.now());

  it('are told once, however often they were merged', async () => {
    await town.people([
      makeResident('ana', { follow: [{ topic: 'budgets' }] }),
      makeResident('ben', { email: undefined, phone: '+447700900123' }),
      makeResident('cleo', { email: undefined, phone: '+447700900124' }),
    ]);
    const { push } = await publishIn(town);
    await town.parts.duties.tick();
    await merge('cleo', 'ben');
    await merge('ben', 'ana');
    await town.drain();
    expect((await states(push)).sort()).toEqual(['sent null', 'withheld already-told']);
    expect(await told()).toEqual(['ana@example.org']);
  });

  it('do not keep a worker for ever where a fault of ours made a ring of them', async () => {
    await town.people([makeResident('ana'), makeResident('ben')]);
    const { push } = await publishIn(town);
    await town.parts.duties.tick();
    const [ana, ben] = [(await personOf('ana')).ordinal, (await personOf('ben')).ordinal];
    town.db.prepare('UPDATE subscribers SET merged_into = ? WHERE ordinal = ?').run(ben, ana);
    town.db.prepare('UPDATE subscribers SET merged_into = ? WHERE ordinal = ?').run(ana, ben);
    await town.drain();
    expect((await town.fanout.get(push))?.state).toBe('done');
  });
});
