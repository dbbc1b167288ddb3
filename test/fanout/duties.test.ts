import { unpackOrdinals } from '../../src/fanout/ordinals.ts';
import type { PushStore } from '../../src/fanout/push-store.ts';
import { makeDuties } from '../../src/fanout/worker/duties.ts';
import { makePlanner } from '../../src/fanout/worker/planner.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const content: ItemContent = {
  title: 'Water is off',
  summary: 'On Wednesday.',
  language: 'en',
  topics: ['services'],
  urgency: 'routine',
  visibility: 'public',
};
const resident = (name: string, overrides: object = {}): object => ({
  externalId: name,
  email: `${name}@example.org`,
  verified: true,
  timeZone: 'Europe/London',
  follow: [{ topic: 'services' }],
  ...overrides,
});

let town: Town;
beforeEach(async () => {
  town = await makeTown();
});
afterEach(() => town.close());

const publish = async (): Promise<{ item: string; push: string }> => {
  const item = await town.publishing.create(content, null, publisher);
  return { item: item.id, push: (await town.fanout.publish(item.id, publisher)).push.id };
};
const personOf = async (externalId: string) => {
  const person = await town.stores.subscriptions.subscriber({ externalId });
  if (!person) throw new Error(`there is no ${externalId}`);
  return person;
};

/** The duties of the town over its own store, with some verbs of the pushes in the test's hand. */
const dutiesWith = (verbs: Partial<PushStore>) => {
  const stores = { ...town.stores, pushes: { ...town.stores.pushes, ...verbs } };
  const planner = makePlanner(stores, { edges: town.edges, matchItem: town.matcher.matchItem });
  return makeDuties(stores, { planner, edges: town.edges, log: town.log, announceLost: town.fanout.announceLost });
};

describe('planning', () => {
  it('freezes what one try has found, and nothing of a try that failed before it', async () => {
    await town.people([resident('ana'), resident('ben')]);
    const { push } = await publish();
    const failing = dutiesWith({
      freeze: async () => {
        throw new Error('the process dies before the plan is frozen');
      },
    });
    await failing.tick();
    expect((await town.stores.pushes.get(push))?.plan).toBeNull();
    await town.subscriptions.stop((await personOf('ana')).id, 'all');
    await town.parts.duties.tick();
    const [source] = await town.stores.pushes.sources(push);
    expect(unpackOrdinals(source?.ordinals ?? new Uint8Array())).toEqual([(await personOf('ben')).ordinal]);
    expect((await town.fanout.get(push))?.matched).toBe(1);
  });
});
