import { makeTown, publisher, type Town } from '../helpers/town.ts';

let town: Town;
beforeAll(async () => {
  town = await makeTown();
});
afterAll(() => town.close());

describe('a large catalogue', () => {
  it('takes 10,000 topics, and a person who follows 2,000 of them is told once with every reason that matches', async () => {
    for (let n = 0; n < 10_000; n++)
      await town.catalogue.addTopic({
        slug: `t${n}`,
        title: { en: `Topic ${n}`, 'zh-CN': `主题${n}` },
        parent: n < 100 ? 'services' : `t${n % 100}`,
      });
    const follow = Array.from({ length: 2_000 }, (_, n) => ({ topic: `t${n}` }));
    const report = await town.people([{ externalId: 'ana', email: 'ana@example.org', verified: true, follow }]);
    expect(report).toMatchObject({ imported: 1, failed: 0 });
    const item = await town.publishing.create(
      {
        title: 'x',
        summary: 'y',
        language: 'en',
        topics: ['t1500', 't101', 't9999'],
        urgency: 'routine',
        visibility: 'public',
      },
      null,
      publisher,
    );
    const { push } = await town.fanout.publish(item.id, publisher);
    await town.drain();
    const [row, ...more] = (await town.fanout.deliveries(push.id, null, { cursor: null, limit: 10 })).rows;
    expect(more).toEqual([]);
    expect(row?.state).toBe('sent');
    expect(row?.reasons.map(({ source }) => source).sort()).toEqual(
      ['t0', 't1', 't101', 't1500', 't99'].map((slug) => `subscription:topic:${slug}`),
    );
  });
});
