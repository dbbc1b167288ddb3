import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/project-root.ts';
import { makeResident } from '../helpers/published.ts';
import { publisher } from '../helpers/town.ts';
import { startWeb, type Web } from '../helpers/web.ts';
import { xmllint } from '../helpers/xmllint.ts';

const samples = join(projectRoot, 'samples');
const flood = readFileSync(join(samples, 'flood.cap.xml'), 'utf8');
const xsd = join(projectRoot, 'test', 'fixtures', 'cap', 'CAP-v1.2.xsd');

describe('alerts in and out', () => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb({
      env: { REGION_OUTLINES: join(samples, 'outlines'), PUBLIC_URL: 'https://notices.example.org' },
    });
    const declared = await web.api('POST', '/attributes', {
      name: 'place',
      type: 'place',
      title: { en: 'A place that you care about', 'zh-CN': '您关心的地点' },
    });
    expect(declared.status).toBe(201);
    const { rule } = await web.town.rules.create(
      {
        name: 'Where you live',
        explanation: { en: 'You live there.', 'zh-CN': '您住在那里。' },
        when: { item: 'urgency', atLeast: 'emergency' },
        who: {
          any: [
            { person: 'region', within: 'item.regions' },
            { person: 'place', within: 'item.areas' },
          ],
        },
        deliver: { channels: ['email'], pace: 'immediate', priority: 9 },
        holdout: 0,
        tune: {},
      },
      publisher,
    );
    await web.town.rules.activate(rule.id, null, publisher);
  });
  afterAll(() => web.close());

  const bring = async (content: string) =>
    web.api('POST', '/items/import', { format: 'cap', content, publish: true, notify: true });

  it('tell the people in whose region or at whose place the area lies, without consent, and nobody else', async () => {
    const { town } = web;
    for (const code of ['QS', 'QS-EAST', 'QS-EAST-1', 'QS-WEST'])
      await web.api('POST', '/regions', {
        code,
        name: { en: code, 'zh-CN': code },
        ...(code === 'QS' ? {} : { parent: code.replace(/-[^-]+$/, '') }),
      });
    const follow = [{ topic: 'budgets' }];
    const living = (region: string) => makeResident(region, { region, follow });
    const caring = (name: string, place: string) => makeResident(name, { follow, attributes: { place } });
    await town.people([
      ...['QS-EAST-1', 'QS-EAST', 'QS-WEST', '110000'].map(living),
      ...[caring('near', '30.0251,113.1333'), caring('far', '30.09,113.01')],
    ]);
    expect((await bring(flood)).body).toMatchObject({ created: 1, errors: [] });
    await town.audienceIndex.caughtUp();
    await town.drain();
    const [push] = (await town.fanout.list({ cursor: null, limit: 5 })).rows;
    const told = await town.fanout.deliveries(push?.id ?? '', null, { cursor: null, limit: 9 });
    const people = await Promise.all(told.rows.map(({ subscriber }) => town.subscriptions.person({ id: subscriber })));
    expect(people.map((one) => one?.person.externalId).sort()).toEqual(['QS-EAST-1', 'near']);
    const { body } = await web.api('GET', '/subscribers?externalId=near');
    expect(body.attributes).toEqual({ place: '30.03,113.13' });
    const reasons = told.rows.flatMap((row) => row.reasons.flatMap(({ facts }) => Object.keys(facts)));
    expect(reasons.sort()).toEqual(['place', 'region']);
  });

  it('are found by machines from the feeds, valid, and only where there was an emergency', async () => {
    const feed = await web.call('GET', '/feeds/search/atom.xml?all.urgency=emergency');
    const [, path = ''] = /href="https:\/\/notices\.example\.org(\/items\/[^"]+\/cap\.xml)"/.exec(feed.text) ?? [];
    const alert = await web.call('GET', path);
    expect(alert.headers.get('content-type')).toBe('application/cap+xml; charset=utf-8');
    expect(alert.text).toContain('<sender>notices.example.org</sender>');
    await xmllint(alert.text, { xsd });
    const again = await web.call('GET', path, { headers: { 'if-none-match': alert.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
    const { body } = await web.api('POST', '/items', { title: 'a', summary: 'b', language: 'en', topics: [] });
    expect((await web.call('GET', `/items/${body.id}/cap.xml`)).status).toBe(404);
    await web.api('POST', `/items/${body.id}/publish`);
    expect((await web.call('GET', `/items/${body.id}/cap.xml`)).status).toBe(404);
  });

  it('ask for a place only where that is declared, under its own name', async () => {
    const other = { name: 'home', type: 'place', title: { en: 'Home', 'zh-CN': '家' } };
    expect((await web.api('POST', '/attributes', other)).body).toMatchObject({ errors: [{ path: 'name' }] });
    const listed = { name: 'place', type: 'place', values: ['a'], title: other.title };
    expect((await web.api('POST', '/attributes', listed)).body).toMatchObject({ errors: [{ path: 'values' }] });
  });

  it('may be drawn by a publisher, too', async () => {
    const ring = [
      [113, 30],
      [113.1, 30],
      [113.1, 30.1],
      [113, 30],
    ];
    const body = { title: 'a', summary: 'b', language: 'en', topics: [], areas: [{ polygons: [ring] }] };
    expect((await web.api('POST', '/items', body)).body).toMatchObject({ areas: [{ polygons: [ring] }] });
    const open = { ...body, areas: [{ polygons: [[...ring.slice(0, 3), [113, 30.05]]] }] };
    expect((await web.api('POST', '/items', open)).body).toMatchObject({
      errors: [{ path: 'areas.0.polygons.0' }],
    });
  });
});
