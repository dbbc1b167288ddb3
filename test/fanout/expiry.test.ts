import { readOutbox } from '../../src/channels/outbox.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import { countsOf, makeResident, publishIn } from '../helpers/published.ts';
import { startSmtpSink } from '../helpers/smtp-sink.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const quietHours = { from: '22:00', to: '07:00' };
const daily = { follow: [{ topic: 'services', pace: 'daily' }] };

let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});
const openTown = async (options: Parameters<typeof makeTown>[0] = {}): Promise<Town> => {
  const town = await makeTown({ startAt: '2026-06-10T22:30:00Z', ...options });
  closing.push(town.close);
  return town;
};

const publish = async (town: Town, overrides: Partial<ItemContent>): Promise<{ item: string; push: string }> => {
  const published = await publishIn(town, overrides);
  await town.drain();
  return published;
};
const states = async (town: Town, push: string): Promise<string[]> =>
  (await town.fanout.deliveries(push, null, { cursor: null, limit: 200 })).rows.map(
    ({ state, code }) => `${state} ${code}`,
  );

describe('what is unsent when its item expires', () => {
  const expiresAt = '2026-06-11T01:00:00+01:00';
  const atExpiry = '2026-06-11T00:00:00Z';

  it.each([
    ['quiet hours', { quietHours }, 'deferred quiet-hours'],
    ['a daily digest', daily, 'digested daily-digest'],
    ['a weekly digest', { follow: [{ topic: 'services', pace: 'weekly' }] }, 'digested weekly-digest'],
  ])('is withheld then, and does not wait for the end of %s', async (_what, fields, waiting) => {
    const town = await openTown();
    await town.people([makeResident('ana', fields)]);
    const { push } = await publish(town, { expiresAt });
    expect(await states(town, push)).toEqual([waiting]);
    town.pass('2026-06-10T23:59:59Z');
    await town.drain();
    expect(await states(town, push)).toEqual([waiting]);
    town.pass(atExpiry);
    await town.drain();
    expect(await states(town, push)).toEqual(['withheld expired']);
    expect(await countsOf(town, push)).toEqual({ withheld: 1 });
    expect(await readOutbox(town.dataDir, { limit: 10 })).toEqual([]);
  });

  it('is withheld then, and not tried again', async () => {
    const probe = await startSmtpSink();
    await probe.close();
    const town = await openTown({ env: { EMAIL_URL: `smtp://127.0.0.1:${probe.port}?pool=1` } });
    await town.people([makeResident('ana')]);
    const { push } = await publish(town, { expiresAt: '2026-06-10T22:30:05Z' });
    expect(await states(town, push)).toEqual(['deferred retry']);
    town.pass(5_000);
    await town.drain();
    expect(await states(town, push)).toEqual(['withheld expired']);
  });

  it('goes on waiting where a minor change has moved the end', async () => {
    const town = await openTown();
    await town.people([makeResident('ana', { quietHours }), makeResident('ben', daily)]);
    const { item, push } = await publish(town, { expiresAt });
    const change = { change: 'minor' as const, note: 'It lasts longer', fields: { expiresAt: '2026-06-12T00:00:00Z' } };
    await town.fanout.correct(item, change, publisher);
    town.pass(atExpiry);
    await town.drain();
    expect(await states(town, push)).toEqual(['deferred quiet-hours', 'digested daily-digest']);
    expect(await countsOf(town, push)).toEqual({ deferred: 1, digested: 1 });
    town.pass('2026-06-11T06:00:00Z');
    await town.drain();
    expect(await states(town, push)).toEqual(['sent null', 'digested daily-digest']);
  });
});

describe('a row whose digest slot has come', () => {
  it('meets the policy again: who has stopped is withheld, the others are told', async () => {
    const town = await openTown();
    await town.people([makeResident('ana', daily), makeResident('ben', daily)]);
    const { push } = await publish(town, {});
    const ben = (await town.stores.subscriptions.subscriber({ externalId: 'ben' }))?.id ?? '';
    await town.subscriptions.stop(ben, 'all');
    town.pass('2026-06-11T07:00:00Z');
    await town.drain();
    expect(await states(town, push)).toEqual(['sent null', 'withheld opted-out']);
    expect(await countsOf(town, push)).toEqual({ sent: 1, withheld: 1 });
  });
});
