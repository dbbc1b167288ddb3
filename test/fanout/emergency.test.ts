import { type AudienceSource, makeAudienceMatcher, makeSelection } from '../../src/audience/audience-matcher.ts';
import { readOutbox } from '../../src/channels/outbox.ts';
import { AppError } from '../../src/errors.ts';
import { makeDuties } from '../../src/fanout/worker/duties.ts';
import { makePlanner } from '../../src/fanout/worker/planner.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import type { Condition } from '../../src/rules/condition.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const inBeijing: Condition = { person: 'region', within: ['110000'] };
const flood: ItemContent = {
  title: 'Flood',
  summary: 'Leave the ground floor.',
  language: 'en',
  topics: ['services'],
  urgency: 'emergency',
  visibility: 'public',
};
const resident = (name: string, overrides: object = {}): object => ({
  externalId: name,
  email: `${name}@example.org`,
  verified: true,
  locale: 'en',
  region: '110000',
  follow: [{ topic: 'budgets' }],
  ...overrides,
});

let town: Town;
beforeEach(async () => {
  town = await makeTown();
  const { rule } = await town.rules.create(
    {
      name: 'Beijing',
      explanation: { en: 'You live in Beijing.', 'zh-CN': '您住在北京。' },
      when: { item: 'urgency', atLeast: 'emergency' },
      who: inBeijing,
      deliver: { channels: ['email'], pace: 'immediate', priority: 9 },
      holdout: 0,
      tune: {},
    },
    publisher,
  );
  await town.rules.activate(rule.id, null, publisher);
});
afterEach(() => town.close());

const published = async (overrides: Partial<ItemContent> = {}) => {
  const item = await town.publishing.create({ ...flood, ...overrides }, null, publisher);
  return { item: item.id, push: (await town.fanout.publish(item.id, publisher)).push.id };
};
const told = async (): Promise<string[]> =>
  (await readOutbox(town.dataDir, { limit: 1000 })).map((message) => message.to.replace('@example.org', '')).sort();
const rows = async (push: string) => (await town.fanout.deliveries(push, null, { cursor: null, limit: 200 })).rows;

/** Duties of which the index, asked to catch up, does what the test says; as it stands it is the town's own. */
const dutiesWhere = (caughtUp: AudienceSource['caughtUp'], verbs: Partial<Storage['pushes']> = {}) => {
  const stores = { ...town.stores, pushes: { ...town.stores.pushes, ...verbs } };
  const selection = makeSelection(stores, { catalogue: town.catalogue, edges: town.edges, timeZone: 'Asia/Shanghai' });
  const audience = makeAudienceMatcher(selection, { ...town.audienceIndex, caughtUp });
  const planner = makePlanner(stores, { edges: town.edges, audience });
  const { edges, log, fanout, webhooks } = town;
  return makeDuties(stores, { planner, edges, log, announceLost: fanout.announceLost, tell: webhooks.tell });
};
const never = (): Promise<never> => new Promise(() => undefined);

describe('an emergency', () => {
  it('is planned at once from the index as it stands, though that will not catch up', async () => {
    await town.people([resident('ana')]);
    await town.audienceIndex.follow();
    await town.people([resident('ben')]);
    const { push } = await published();
    expect(await dutiesWhere(never).urgent()).toBe(1);
    expect(await town.fanout.get(push)).toMatchObject({ state: 'running', matched: 1 });
  });

  it('does not wait for an ordinary push that waits for the index', async () => {
    await town.people([resident('ana')]);
    await town.audienceIndex.follow();
    const routine = await published({ urgency: 'routine' });
    const duties = dutiesWhere(never);
    // stands still in the planning of the routine one
    void duties.tick();
    await until(async () => (await town.stores.items.unannounced(1)).length === 0);
    const { push } = await published();
    await duties.urgent();
    expect((await town.fanout.get(push))?.state).toBe('running');
    expect((await town.fanout.get(routine.push))?.state).toBe('planning');
  });

  it('is joined in a late batch by those who changed meanwhile, with their reasons, each once', async () => {
    await town.people([resident('ana'), resident('ben')]);
    await town.audienceIndex.follow();
    // moves there, follows, comes new: the index knows none of it yet
    await town.people([
      resident('cai', { region: '310000' }),
      resident('dan', { region: '310000', follow: [{ topic: 'services' }] }),
      resident('eve'),
    ]);
    const { push } = await published();
    await dutiesWhere(never).urgent();
    expect((await town.fanout.get(push))?.matched).toBe(2);
    await town.drain();
    expect(await told()).toEqual(['ana', 'ben', 'dan', 'eve']);
    const view = await town.fanout.get(push);
    expect(view).toMatchObject({ state: 'done', matched: 4, counts: { sent: 4 } });
    expect(
      Object.fromEntries(view?.bySource.map(({ source, people }) => [source.split(':')[0], people]) ?? []),
    ).toEqual({ rule: 3, subscription: 1 });
    const kinds = await town.stores.pushes.batchesOf(push);
    expect(kinds.map(({ kind, people }) => [kind, people])).toEqual([
      ['plan', 2],
      ['late', 2],
    ]);
    for (const row of await rows(push)) expect(row.reasons).toHaveLength(1);
    const facts = (await rows(push)).flatMap(({ reasons }) =>
      reasons.map((reason) => Object.keys(reason.facts).join()),
    );
    expect(facts.sort()).toEqual(['follow', 'region', 'region', 'region']);
  });

  it('that a publisher pushes to a condition is joined, too', async () => {
    await town.people([resident('ana')]);
    await town.audienceIndex.follow();
    const { item } = await published({ urgency: 'emergency', visibility: 'targeted' });
    await town.people([resident('ben')]);
    const audience = { kind: 'condition' as const, who: inBeijing };
    const push = await town.fanout.push({ item, audience, channels: null, note: 'Floods.' }, publisher);
    await town.drain();
    expect(await told()).toEqual(['ana', 'ben']);
    expect((await town.fanout.get(push.id))?.bySource).toEqual([{ source: `push:${push.id}`, people: 2 }]);
    expect((await rows(push.id)).map(({ state, reasons }) => [state, reasons.length])).toEqual([
      ['sent', 1],
      ['sent', 1],
    ]);
  });

  it('corrected, tells those who joined late of the correction', async () => {
    await town.people([resident('ana')]);
    await town.audienceIndex.follow();
    await town.people([resident('ben')]);
    const { item } = await published();
    await town.drain();
    await town.fanout.correct(
      item,
      { change: 'major', note: 'Stay inside.', fields: { title: 'Flood over' } },
      publisher,
    );
    await town.drain();
    expect(await told()).toEqual(['ana', 'ana', 'ben', 'ben']);
  });

  it('loses nobody when its planner dies between the sources of late people and their batches', async () => {
    await town.audienceIndex.follow();
    await town.people([resident('ana'), resident('ben')]);
    const { push } = await published();
    const dying = dutiesWhere(town.audienceIndex.caughtUp, {
      insertBatches: async () => {
        throw new Error('the process dies');
      },
    });
    await dying.tick();
    await dying.tick();
    expect((await town.stores.pushes.sources(push)).length).toBeGreaterThan(0);
    expect(await town.stores.pushes.batchesOf(push)).toEqual([]);
    await town.drain();
    expect(await told()).toEqual(['ana', 'ben']);
    for (const row of await rows(push)) expect(row.reasons).toHaveLength(1);
  });

  it('is planned, and ends once the index can be asked again', async () => {
    await town.people([resident('ana')]);
    await town.audienceIndex.follow();
    const { push } = await published();
    const building = async (): Promise<never> => {
      throw new AppError('index-building', 'The audience index is being built.');
    };
    const duties = dutiesWhere(building);
    await duties.tick();
    await duties.tick();
    expect((await town.fanout.get(push))?.state).toBe('running');
    await town.drain();
    expect([await told(), (await town.fanout.get(push))?.state]).toEqual([['ana'], 'done']);
  });
});

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('it did not come true');
};
