import { staffVisitor } from '../../helpers/staff-visitor.ts';
import { plainVisitor } from '../../helpers/visitor.ts';
import { startWeb, type Web } from '../../helpers/web.ts';

const hidden = (html: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';

const names = {
  ...{ name: 'Tenants in Beijing', 'explanation-en': 'You rent in Beijing.', 'explanation-zh-CN': '您在北京租房。' },
  ...{ pace: 'immediate', priority: '5', 'channel-0': 'email', 'channel-1': 'webPush' },
};
/** A rule as the form sends it: notices of a topic; people in a region who rent, or are at least 60. */
const sentences = {
  ...{ 'when.kind': 'all', 'when.count': '1', 'when.0.about': 'item.topics', 'when.0.text': 'Public services' },
  ...{ 'who.kind': 'all', 'who.count': '2', 'who.0.about': 'person.region', 'who.0.values': 'named' },
  ...{ 'who.0.text': 'Beijing', 'who.1.kind': 'any', 'who.1.count': '2' },
  ...{ 'who.1.0.about': 'person.attributes.household', 'who.1.0.values': ['tenant', 'couple'] },
  ...{ 'who.1.1.about': 'person.age', 'who.1.1.from': '60', 'who.1.1.not': 'yes' },
};

describe('the pages on which rules are built', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb({ env: { REVIEW: 'on' } });
    const person = (n: number, facts: object) => ({
      ...{ externalId: `p${n}`, email: `p${n}@x.org`, verified: true, follow: [], consents: { personalisation: true } },
      ...facts,
    });
    await web.town.people([
      ...Array.from({ length: 12 }, (_, n) => person(n, { region: '110000', attributes: { household: ['tenant'] } })),
      person(20, { region: '310000', attributes: { household: ['tenant'] } }),
      person(21, { region: '110000', attributes: { birthYear: 1940 } }),
    ]);
  });
  afterEach(() => web.close());

  const writer = (language = 'en') => staffVisitor(web, { name: `Li${language}`, roles: ['publisher'], language });
  const build = async (visitor: Awaited<ReturnType<typeof writer>>, fields: object = {}) => {
    const once = hidden((await visitor.get('/staff/rules/new')).html, 'once');
    const seen = await visitor.send('/staff/rules/new', { once, do: 'save', ...names, ...sentences, ...fields });
    return { seen, once, path: seen.path.split('?')[0] ?? '', id: seen.path.split('?')[0]?.split('/').at(-1) ?? '' };
  };

  it('grow sentence by sentence without scripts, and count the audience', async () => {
    const li = await writer();
    const first = (await li.get('/staff/rules/new')).html;
    expect(first).toContain('Nothing is asked: all of them.');
    const added = (await li.send('/staff/rules/new', { 'who.kind': 'all', 'who.count': '0', do: 'add:who' })).html;
    expect([added.includes('name="who.0.about"'), added.includes('Finish each sentence')]).toEqual([true, true]);
    const chosen = { 'who.kind': 'all', 'who.count': '1', 'who.0.about': 'person.region', 'who.0.text': '北京市' };
    const counted = (await li.send('/staff/rules/new', { ...chosen, do: 'refresh' })).html;
    expect(counted).toMatch(/<strong>13<\/strong>\s+people/);
    expect(counted).toMatch(/Beijing<\/dt><dd>13/);
    const nested = (await li.send('/staff/rules/new', { ...chosen, do: 'group:who' })).html;
    for (const name of ['who.1.kind', 'who.1.0.about']) expect(nested).toContain(`name="${name}"`);
    expect(nested).toContain('value="北京市"');
    const gone = (await li.send('/staff/rules/new', { ...chosen, do: 'remove:who.0' })).html;
    expect(gone).not.toContain('name="who.0.about"');
  });

  it('save what the sentences say, once for a form that is sent twice', async () => {
    const li = await writer();
    const { seen, once, path, id } = await build(li, { holdout: '10', 'tune-channels': 'yes', floor: '2.5' });
    expect(seen.html).toContain('The version is saved.');
    const view = await web.town.rules.get(id);
    expect(view?.version.content).toMatchObject({
      when: { item: 'topics', has: ['services'] },
      who: {
        all: [
          { person: 'region', within: ['110000'] },
          { any: [{ person: 'attributes.household', in: ['tenant', 'couple'] }, { not: { person: 'age', from: 60 } }] },
        ],
      },
      deliver: { channels: ['email', 'webPush'], pace: 'immediate', priority: 5 },
      ...{ holdout: 0.1, tune: { channels: true, floor: 0.025 } },
    });
    await li.get('/staff/rules/new');
    await li.send('/staff/rules/new', {
      once,
      do: 'save',
      ...names,
      ...sentences,
      holdout: '10',
      'tune-channels': 'yes',
      floor: '2.5',
    });
    expect((await web.town.rules.versions(id, 10)).length).toBe(1);
    const page = (await li.get(path)).html;
    for (const words of [
      'At least one of these holds:',
      'The person: region lies in Beijing',
      'Tenant',
      'is not between 60–…',
      '12',
    ])
      expect(page).toContain(words);
  });

  it('keep every kind of condition through the form', async () => {
    const li = await writer();
    const everything = {
      all: [
        { item: 'topics', has: ['services', 'other'] },
        { item: 'regions', has: ['110000'] },
        { item: 'urgency', atLeast: 'important' },
        { item: 'text', contains: ['bus', 'tram'] },
        { item: 'category', in: ['roads'] },
        {
          not: {
            any: [
              { person: 'region', within: 'item.regions' },
              { person: 'age', from: 18, to: 30 },
            ],
          },
        },
        {
          not: {
            all: [
              { person: 'follows', topic: 'item.topics' },
              { person: 'activeWithin', days: 30 },
            ],
          },
        },
        { person: 'place', within: 'item.areas' },
        { person: 'interest', topic: 'other', atLeast: 0.35 },
        { not: { person: 'channel', has: ['email', 'sms'] } },
        { person: 'language', in: ['zh', 'en-GB'] },
        { person: 'attributes.birthYear', in: [1980, 1990] },
        { person: 'attributes.occupation', in: ['teacher'] },
        {
          any: [
            {
              all: [
                { item: 'keywords', has: ['x'] },
                { item: 'audiences', has: ['y'] },
              ],
            },
          ],
        },
      ],
    };
    const content = {
      ...{ name: 'All', explanation: { en: 'x', 'zh-CN': 'x' }, when: { all: [] }, who: everything },
      ...{ deliver: { channels: ['sms'], pace: 'weekly', priority: 9, weight: 2 }, holdout: 0.125 },
      tune: { threshold: [0.2, 0.5], weight: [0.5, 2] },
    };
    await web.api('POST', '/attributes', { name: 'place', type: 'place', title: { en: 'Place', 'zh-CN': '地点' } });
    const made = await web.api('POST', '/rules', content);
    expect(made.status).toBe(201);
    const path = `/staff/rules/${made.body.id}/edit`;
    const { html } = await li.get(path);
    const fields: Record<string, string[]> = {};
    const form = html.slice(html.indexOf('<form class="bm-builder"'), html.indexOf('</form>'));
    const keep = (name: string, value: string) => {
      fields[name] = [...(fields[name] ?? []), value];
    };
    for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(tag)?.[1];
      const isBox = /type="(checkbox|radio)"/.test(tag);
      if (name && (!isBox || / checked/.test(tag))) keep(name, /value="([^"]*)"/.exec(tag)?.[1] ?? '');
    }
    for (const [, name = '', inner = ''] of form.matchAll(/<select[^>]* name="([^"]*)"[^>]*>([\s\S]*?)<\/select>/g))
      keep(name, /value="([^"]*)" selected/.exec(inner)?.[1] ?? '');
    for (const [, name = '', inner = ''] of form.matchAll(/<textarea[^>]* name="([^"]*)"[^>]*>([\s\S]*?)<\/textarea>/g))
      keep(name, inner);
    const saved = await li.send(path, { ...fields, do: 'save' });
    expect(saved.html).toContain('The version is saved.');
    const [second] = await web.town.rules.versions(String(made.body.id), 1);
    expect(second?.content).toEqual(content);
  });

  it('name every fault where it stands', async () => {
    const li = await writer();
    const { seen } = await build(li, {
      ...{ name: '', 'explanation-en': '', 'channel-0': '', 'channel-1': '', holdout: '90', 'who.0.text': 'Beijng' },
      ...{ 'who.1.1.from': 'old', 'when.0.text': '', 'threshold-from': '0.2' },
    });
    expect(seen.status).toBe(400);
    for (const id of [
      'name',
      'explanation-en',
      'channel-0',
      'holdout',
      'who.0.text',
      'who.1.1.from',
      'when.0.text',
      'threshold-from',
    ])
      expect(seen.html).toContain(`href="#${id}"`);
    expect(seen.html).toContain('Do you mean “Beijing');
    expect(seen.html).toContain('value="Beijng"');
  });

  it('count as one types, with few people hidden, for whoever is signed in and holds the token', async () => {
    const li = await writer();
    await li.get('/staff/rules/new');
    const live = await li.send('/staff/rules/audience', { ...names, ...sentences });
    const answer = JSON.parse(live.html.replaceAll('\\"', "'")) as { html: string; faults: object };
    expect([live.status, answer.html.includes('<strong>12</strong>'), answer.faults]).toEqual([200, true, {}]);
    await li.get('/staff/rules/new');
    const few = await li.send('/staff/rules/audience', { ...sentences, 'who.0.text': 'Shanghai' });
    expect([few.html.includes('fewer than 10'), few.html.includes('<strong>1<')]).toEqual([true, false]);
    const boss = await staffVisitor(web, { name: 'Boss', roles: ['admin'] });
    await boss.get('/staff/rules/new');
    expect((await boss.send('/staff/rules/audience', { ...sentences, 'who.0.text': 'Shanghai' })).html).toContain(
      '<strong>1<',
    );
    expect(web.rows("SELECT 1 FROM audit WHERE action = 'previewAudience'")).toHaveLength(1);
    await boss.get('/staff');
    const shown = await boss.send('/staff/rules/new', {
      ...names,
      ...sentences,
      'who.0.text': 'Shanghai',
      do: 'sample',
    });
    expect([shown.html.includes('p…@x.org'), shown.html.includes('p20@x.org')]).toEqual([true, false]);
    expect(web.rows("SELECT 1 FROM audit WHERE action = 'previewAudience'")).toHaveLength(2);
    expect((await li.send('/staff/rules/audience', { ...sentences, _csrf: 'guessed' })).status).toBe(403);
  });

  it('go through review, select, pause, and explain themselves', async () => {
    const { body } = await web.api('POST', '/items', {
      title: 'Rent',
      summary: 'x',
      language: 'en',
      topics: ['services'],
    });
    await web.api('POST', `/items/${body.id}/submit`);
    const li = await writer();
    const { path, id } = await build(li);
    expect((await li.send(`${path}/steps/activate`, {})).html).toContain('waits for its review');
    expect((await li.get(path)).html).toContain('somebody else has to approve');
    const wang = await staffVisitor(web, { name: 'Wang', roles: ['reviewer'] });
    await wang.get(path);
    const blind = await wang.send(`${path}/steps/approve`, { version: '9' });
    expect([blind.status, blind.html.includes('Somebody else was faster')]).toEqual([409, true]);
    expect((await wang.send(`${path}/steps/approve`, { version: '1' })).html).toContain('selects from now on');
    expect((await web.town.rules.get(id))?.rule.active).toBe(1);

    const people = web.rows("SELECT id FROM subscribers WHERE external_id IN ('p1', 'p20') ORDER BY external_id");
    await li.get(path);
    const asked = async (subscriber: string) =>
      (await li.send(`${path}/why`, { subscriber, item: String(body.id) })).html;
    expect(await asked(String(people[0]?.id))).toContain('This rule selects the person');
    expect(await asked(String(people[1]?.id))).toContain('does not select the person');
    expect((await li.send(`${path}/why`, { subscriber: 'nobody', item: String(body.id) })).status).toBe(404);
    expect(web.rows("SELECT 1 FROM audit WHERE action = 'explainMatch'")).toHaveLength(2);

    await li.get(`${path}/edit`);
    const change = { ...names, ...sentences, basedOn: '1', 'who.0.text': 'Shanghai' };
    const dry = (await li.send(`${path}/edit`, { ...change, do: 'dry-run' })).html;
    expect(dry).toContain('fewer than 10 people more, 12 fewer, 0 as before.');
    await li.send(`${path}/edit`, { ...change, do: 'save' });
    await li.get(`${path}/edit`);
    const stale = await li.send(`${path}/edit`, { ...change, 'who.0.text': '天津市', do: 'save' });
    expect([stale.status, stale.html.includes('newer version meanwhile'), stale.html.includes('天津市')]).toEqual([
      409,
      true,
      true,
    ]);
    await li.get(path);
    expect((await li.send(`${path}/steps/pause`, {})).html).toContain('selects nobody from now on');
    await li.get(path);
    expect((await li.send(`${path}/steps/activate`, { version: '1' })).html).toContain(
      'The version selects from now on.',
    );
  });

  it('speak Chinese, and are for the desk alone', async () => {
    const li = await writer('zh-CN');
    const { seen, path } = await build(li, { 'when.0.text': '公共服务' });
    expect(seen.html).toContain('版本已保存');
    const page = (await li.get(path)).html;
    expect([page.includes('个人：地区位于北京市'), /publisher:|rules\.\w/.test(page.replace(/<script.*/, ''))]).toEqual(
      [true, false],
    );
    expect((await li.get('/staff/rules')).html).toContain('您在北京租房。');
    expect((await plainVisitor(web.url).get('/staff/rules')).path).toBe('/staff/sign-in');
    const analyst = await staffVisitor(web, { name: 'Ana', roles: ['analyst'] });
    expect((await analyst.get('/staff/rules')).status).toBe(403);
    const wang = await staffVisitor(web, { name: 'Wu', roles: ['reviewer'] });
    expect([(await wang.get(path)).status, (await wang.get(`${path}/edit`)).status]).toEqual([200, 403]);
  });
});
