import { demandOwn, demandWholeOffice } from '../../../src/access/departments.ts';
import { makeTown, type Town } from '../../helpers/town.ts';

const water = { staff: 'wu', roles: ['publisher'], departments: ['Water', 'Drains'] };
const roads = { staff: 'lu', roles: ['publisher'], departments: ['Roads'] };
const office = { staff: 'office', roles: ['publisher'], departments: [] };
const admin = { staff: 'boss', roles: ['publisher', 'admin'], departments: ['Roads'] };

const allowed = (work: () => void): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

describe('whose things are', () => {
  it.each([
    [water, ['Water'], true],
    [water, ['Roads', 'Drains'], true],
    [water, ['Roads'], false],
    [water, [], false],
    [office, ['Roads'], true],
    [office, [], true],
    [admin, ['Water'], true],
    [admin, [], true],
  ])('%j writes what belongs to %j: %j', (actor, owners, may) => {
    expect(allowed(() => demandOwn(actor, owners))).toBe(may);
  });

  it('is the whole office’s what an import brings', () => {
    expect([water, office, admin].map((one) => allowed(() => demandWholeOffice(one)))).toEqual([false, true, true]);
  });
});

describe('an account of a department', () => {
  let town: Town;
  beforeAll(async () => {
    town = await makeTown();
  });
  afterAll(() => town.close());
  const content = (departments: string[]) => ({
    ...{ title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'], departments },
    ...{ urgency: 'routine' as const, visibility: 'public' as const },
  });
  const refused = { code: 'no-scope' };

  it('writes items of its own, and no others', async () => {
    const { publishing, fanout } = town;
    await expect(publishing.create(content(['Roads']), null, water)).rejects.toMatchObject(refused);
    await expect(publishing.create(content([]), null, water)).rejects.toMatchObject(refused);
    const { id } = await publishing.create(content(['Water']), null, water);
    await expect(publishing.revise(id, { departments: ['Roads'] }, water)).rejects.toMatchObject(refused);
    expect((await publishing.revise(id, { title: 'Water is back' }, water)).content.title).toBe('Water is back');
    const change = { change: 'major' as const, note: 'x', fields: { title: 'y' } };
    for (const work of [
      () => publishing.submit(id, roads),
      () => publishing.schedule(id, town.now() + 1, roads),
      () => publishing.publish(id, roads),
      () => publishing.withdraw(id, 'x', roads),
    ])
      await expect(work()).rejects.toMatchObject(refused);
    await fanout.publish(id, water);
    await expect(publishing.publish(id, roads)).rejects.toMatchObject(refused);
    await expect(publishing.correct(id, change, roads)).rejects.toMatchObject(refused);
    const away = { ...change, fields: { departments: ['Roads'] } };
    await expect(publishing.correct(id, away, water)).rejects.toMatchObject(refused);
    const push = { item: id, audience: { kind: 'people' as const, subscribers: [] }, channels: null, note: 'x' };
    await expect(fanout.push(push, roads)).rejects.toMatchObject(refused);
    expect((await publishing.correct(id, change, admin)).item.content.title).toBe('y');
    const feed = { format: 'rss' as const, content: '<rss/>', topics: [], publish: false, notify: false };
    await expect(publishing.importItems(feed, water)).rejects.toMatchObject(refused);
  });

  it('writes rules of its own, and no others', async () => {
    const { rules } = town;
    const rule = {
      name: 'Parents',
      explanation: { en: 'For parents', 'zh-CN': '致家长' },
      when: { item: 'topics' as const, has: ['services'] },
      who: { person: 'follows' as const, topic: 'services' },
      deliver: { channels: ['email' as const], pace: 'immediate' as const, priority: 5 },
      holdout: 0,
      tune: {},
    };
    const { id } = (await rules.create(rule, water)).rule;
    expect((await rules.get(id))?.rule.departments).toEqual(['Water', 'Drains']);
    for (const work of [
      () => rules.put(id, rule, null, roads),
      () => rules.activate(id, null, roads),
      () => rules.pause(id, roads),
    ])
      await expect(work()).rejects.toMatchObject(refused);
    expect((await rules.activate(id, null, water)).rule.state).toBe('active');
    expect((await rules.pause(id, office)).rule.state).toBe('paused');
    const central = (await rules.create(rule, office)).rule.id;
    await expect(rules.put(central, rule, null, water)).rejects.toMatchObject(refused);
  });
});
