import { type AudienceIndexTools, makeAudienceIndex } from '../../../src/audience/audience-index.ts';
import { makeIndexReader } from '../../../src/audience/index/index-reader.ts';
import { makeOracleCheck } from '../../../src/audience/oracle-check.ts';
import { realEdges } from '../../../src/edges.ts';
import { makeTown, publisher, type Town } from '../../helpers/town.ts';

let town: Town;
const everybody = Array.from({ length: 60 }, (_, at) => at + 1);

beforeAll(async () => {
  town = await makeTown();
  await town.people(
    everybody.map((n) => ({
      externalId: `p${n}`,
      email: `p${n}@example.org`,
      verified: true,
      locale: n % 3 === 0 ? 'en' : 'zh-CN',
      region: n % 2 === 0 ? '110000' : '310000',
      attributes: n % 5 === 0 ? {} : { birthYear: 1940 + n },
      consents: { personalisation: n % 4 !== 0 },
      follow: [
        { topic: n % 2 === 0 ? 'services' : 'budgets' },
        { search: { any: { keywords: [n % 3 === 0 ? 'water' : 'school'] } } },
      ],
    })),
  );
  const view = { when: { all: [] }, explanation: { en: 'e', 'zh-CN': '因' }, tune: {}, holdout: 0, name: 'r' };
  const deliver = { channels: ['email' as const], pace: 'immediate' as const, priority: 5 };
  for (const who of [
    { person: 'region' as const, within: ['110000'] },
    { not: { person: 'age' as const, from: 18, to: 40 } },
    { any: [{ person: 'interest' as const, topic: 'item.topics', atLeast: 0.1 }] },
  ]) {
    const { rule } = await town.rules.create({ ...view, deliver, who }, publisher);
    await town.rules.activate(rule.id, null, publisher);
  }
  const item = await town.publishing.create(
    {
      title: 'Water',
      summary: 'is off',
      language: 'en',
      topics: ['services'],
      keywords: ['water'],
      urgency: 'routine',
      visibility: 'public',
    },
    null,
    publisher,
  );
  await town.fanout.publish(item.id, publisher);
  const at = town.now();
  await town.browsing.record(
    everybody.map((n) => ({ subscriber: { ordinal: n }, kind: 'download', item: { id: item.id }, at })),
  );
});
afterAll(() => town.close());

const filled = async (): Promise<AudienceIndexTools> => {
  const tools = makeAudienceIndex();
  const reader = makeIndexReader(town.stores.audience, new AbortController().signal);
  await reader.fill(tools);
  await reader.follow(tools, await town.stores.audience.sequence());
  tools.setTopics(await town.stores.audience.topicNumbers());
  return tools;
};

/** Checks with other questions each time; answers how many of them found somebody. */
const alarms = async (tools: AudienceIndexTools): Promise<number> => {
  let found = 0;
  for (let round = 0; round < 10; round++) {
    const check = makeOracleCheck(town.stores, {
      catalogue: town.catalogue,
      edges: { now: town.now, random: realEdges.random },
      timeZone: 'Asia/Shanghai',
    });
    const questions = await check.draw(everybody);
    if ((await questions(tools, everybody)).length > 0) found += 1;
  }
  return found;
};

describe('the index held against the evaluator', () => {
  it('raises no alarm over a true index', async () => {
    expect(await alarms(await filled())).toBe(0);
  });

  it.each<[string, (tools: AudienceIndexTools) => Promise<void>]>([
    [
      'topics that have got mixed up',
      async (tools) => {
        const numbers = [...(await town.stores.audience.topicNumbers())];
        tools.setTopics(new Map(numbers.map(([slug], at) => [slug, numbers.at(at - 1)?.[1] ?? 0])));
      },
    ],
    [
      'a person who is gone',
      async (tools) => {
        tools.remove(6);
        tools.remove(12);
      },
    ],
    [
      'people with the facts of others',
      async (tools) => {
        for (const person of await town.stores.audience.people(everybody))
          tools.put({ ...person, ordinal: (person.ordinal % everybody.length) + 1 });
      },
    ],
    [
      'follows that are gone',
      async (tools) => {
        for (const person of await town.stores.audience.people(everybody)) tools.put({ ...person, follows: [] });
      },
    ],
  ])('finds %s', async (_what, spoil) => {
    const tools = await filled();
    await spoil(tools);
    expect(await alarms(tools)).toBe(10);
  });
});
