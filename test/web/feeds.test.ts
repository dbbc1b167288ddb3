import { XMLParser } from 'fast-xml-parser';
import type { ItemContent } from '../../src/publishing/item.ts';
import { makeItemContent } from '../helpers/published.ts';
import { publisher } from '../helpers/town.ts';
import { startWeb, type Web } from '../helpers/web.ts';
import { xmllint } from '../helpers/xmllint.ts';

type Node = Record<string, unknown>;
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  htmlEntities: true,
});
const list = (value: unknown): Node[] => [value ?? []].flat() as Node[];
const textOf = (value: unknown): unknown => (typeof value === 'object' ? (value as Node)['#text'] : value);
const atom = (xml: string) => {
  const feed = (parser.parse(xml) as { feed: Node }).feed;
  return { feed, entries: list(feed.entry), titles: list(feed.entry).map((entry) => textOf(entry.title)) };
};

describe('feeds', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb();
  });
  afterEach(() => web.close());

  const publish = async (overrides: Partial<ItemContent> = {}): Promise<string> => {
    const { town } = web;
    const item = await town.publishing.create(makeItemContent(overrides), null, publisher);
    await town.fanout.publish(item.id, publisher);
    town.pass(60_000);
    return item.id;
  };
  const get = (path: string, headers: Record<string, string> = {}) => web.call('GET', path, { headers });
  const services = '/feeds/topics/services/atom.xml';

  it('tell what is new of a topic and what lies below it, and of nothing else', async () => {
    await web.api('POST', '/topics', { slug: 'water', title: { en: 'Water', 'zh-CN': '供水' }, parent: 'services' });
    await publish({ title: 'Water & <pipes>', body: 'One\n\nTwo & 三\u0007', url: 'https://example.org/a?b=1&c=2' });
    await publish({ title: 'Below', topics: ['water'], departments: ['Water office'] });
    await publish({ title: 'Elsewhere', topics: ['budgets'] });
    await publish({ title: 'Secret', visibility: 'targeted' });
    const answer = await get(services);
    expect(answer.headers.get('content-type')).toBe('application/atom+xml; charset=utf-8');
    const { feed, entries, titles } = atom(answer.text);
    expect(titles).toEqual(['Below', 'Water & <pipes>']);
    expect(feed['@xml:lang']).toBe('en');
    expect(list(feed.link)).toContainEqual(
      expect.objectContaining({
        '@rel': 'self',
        '@href': 'http://localhost:3000/feeds/topics/services/atom.xml?lang=en',
      }),
    );
    expect(entries[1]).toMatchObject({
      id: expect.stringMatching(/^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      category: expect.objectContaining({ '@term': 'services' }),
    });
    expect(textOf(entries[1]?.content)).toContain('<p>Two &amp; 三</p>');
    expect(list(entries[1]?.link).map((link) => link['@href'])).toContain('https://example.org/a?b=1&c=2');
    expect(list(entries[0]?.author)).toEqual([{ name: 'Water office' }]);
    await xmllint(answer.text);
  });

  it('say the same as JSON Feed', async () => {
    await publish({ title: 'A "b" <c>', topics: ['services'], departments: ['Water office'] });
    const { text, headers } = await get('/feeds/topics/services/feed.json');
    expect(headers.get('content-type')).toBe('application/feed+json; charset=utf-8');
    const feed = JSON.parse(text) as Node;
    const [entry] = atom((await get(services)).text).entries;
    expect(feed).toMatchObject({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'Notices: Public services',
      feed_url: 'http://localhost:3000/feeds/topics/services/feed.json?lang=en',
      home_page_url: 'http://localhost:3000/topics/services',
      items: [
        {
          id: entry?.id,
          title: 'A "b" <c>',
          content_html: '<p>On Wednesday from eight to four.</p>',
          date_published: entry?.published,
          date_modified: entry?.updated,
          language: 'en',
          authors: [{ name: 'Water office' }],
        },
      ],
    });
  });

  it('keep an entry’s id through corrections and its withdrawal, and say what happened', async () => {
    const { town } = web;
    const id = await publish({ title: 'Road closed' });
    const first = atom((await get(services)).text).entries[0] as Node;
    await town.fanout.correct(id, { change: 'minor', note: 'Spelling', fields: { summary: 'Mended.' } }, publisher);
    const minor = atom((await get(services)).text).entries[0] as Node;
    expect(minor).toMatchObject({ id: first.id, updated: first.updated });
    expect(textOf(minor.summary)).toBe('Mended.');
    town.pass(60_000);
    await town.fanout.correct(id, { change: 'major', note: 'Other road', fields: { title: 'Road open' } }, publisher);
    const major = atom((await get(services)).text).entries[0] as Node;
    expect(major).toMatchObject({ id: first.id, published: first.published });
    expect(Date.parse(String(major.updated))).toBeGreaterThan(Date.parse(String(first.updated)));
    expect(textOf(major.content)).toContain('Corrected: Other road');
    await town.fanout.withdraw(id, 'Never happened', true, publisher);
    const gone = atom((await get(services)).text).entries[0] as Node;
    expect(gone.id).toBe(first.id);
    expect(textOf(gone.title)).toBe('Withdrawn: Road open');
    expect(textOf(gone.content)).toContain('Never happened');
  });

  it('answer 304 to whoever has them, until something changes', async () => {
    const id = await publish();
    const { headers } = await get(services);
    const [etag, modified] = [headers.get('etag') ?? '', headers.get('last-modified') ?? ''];
    const again = await get(services, { 'if-none-match': etag });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await get(services, { 'if-modified-since': modified })).status).toBe(304);
    await publish({ topics: ['budgets'] });
    expect((await get(services, { 'if-none-match': etag })).status).toBe(304);
    await web.town.fanout.correct(id, { change: 'minor', note: 'x', fields: { summary: 'Anew' } }, publisher);
    expect((await get(services, { 'if-none-match': etag })).status).toBe(200);
    expect((await get(services, { 'if-modified-since': modified })).status).toBe(200);
  });

  it('name no second in which more may happen', async () => {
    const item = await web.town.publishing.create(makeItemContent(), null, publisher);
    await web.town.fanout.publish(item.id, publisher);
    expect((await get(services)).headers.get('last-modified')).toBeNull();
    web.town.pass(1_000);
    expect((await get(services)).headers.get('last-modified')).not.toBeNull();
  });

  it('stop who hammers one of them, and nobody else', async () => {
    const codes: number[] = [];
    for (let n = 0; n < 21; n++) codes.push((await get(services)).status);
    expect(codes.slice(0, 20)).toEqual(Array(20).fill(200));
    expect(codes[20]).toBe(429);
    const stopped = await get(services);
    expect(stopped.headers.get('retry-after')).toBe('60');
    expect(stopped.body).toMatchObject({ code: 'too-many' });
    expect((await get('/feeds/topics/budgets/atom.xml')).status).toBe(200);
  });

  it('find a saved search by its facets, however the query is written', async () => {
    await publish({ title: 'Rents', keywords: ['Rent'] });
    await publish({ title: 'Rent of the hall', topics: ['budgets'], keywords: ['rent'] });
    await publish({ title: 'Other' });
    const titles = async (query: string) => atom((await get(`/feeds/search/atom.xml?${query}`)).text).titles;
    expect(await titles('any.keywords=RENT')).toEqual(['Rent of the hall', 'Rents']);
    expect(await titles('any.keywords=rent&any.keywords=x&all.topics=services')).toEqual(['Rents']);
    const ids = ['any.keywords=b&any.keywords=a', 'any.keywords=a&any.keywords=b&any.keywords=a'].map(
      async (query) => atom((await get(`/feeds/search/atom.xml?${query}`)).text).feed.id,
    );
    expect(await ids[0]).toBe(await ids[1]);
    for (const query of ['', 'q=x', 'all.no=x', 'all.topics='])
      expect((await get(`/feeds/search/atom.xml?${query}`)).status).toBe(400);
    await publish({ title: 'Later', keywords: ['rent'] });
    expect(await titles('any.keywords=rent')).toEqual(['Later', 'Rent of the hall', 'Rents']);
  });

  it('are there for departments and for all, in both languages', async () => {
    const translations = { 'zh-CN': { title: '停水', summary: '周三。' } };
    await publish({ title: 'Water is off', departments: ['Water/office', 'x'], translations });
    await publish({ title: 'Other' });
    const of = async (path: string) => atom((await get(path)).text);
    expect((await of(`/feeds/departments/${encodeURIComponent('Water/office')}/atom.xml`)).titles).toEqual([
      'Water is off',
    ]);
    expect((await of('/feeds/departments/none/atom.xml')).titles).toEqual([]);
    const chinese = await of('/feeds/latest/atom.xml?lang=zh-CN');
    expect(chinese.titles).toEqual(['Other', '停水']);
    expect(chinese.entries[1]?.['@xml:lang']).toBe('zh-CN');
    expect(textOf(chinese.feed.title)).toBe('公开通知');
  });

  it('are named by the pages that show the same, for readers and for people', async () => {
    const id = await publish({
      departments: ['Water & <b>', '水务局'],
      keywords: ['rent'],
      deadline: '2026-07-01T17:00:00+08:00',
    });
    const item = await get(`/items/${id}`);
    expect(item.text).toContain(`href="/departments/${encodeURIComponent('水务局')}"`);
    expect(item.text).toContain('>Water &amp; &lt;b&gt;</a>');
    for (const page of ['/', '/topics/services', '/search', '/search?q=rent', '/departments/Water%20%26%20%3Cb%3E']) {
      const { text } = await get(page);
      const heads = [...text.matchAll(/<link rel="alternate" type="([^"]+)" href="([^"]+)"/g)];
      expect(heads.map(([, type]) => type).slice(0, 2)).toEqual(['application/atom+xml', 'application/feed+json']);
      for (const [, type, href = ''] of heads) {
        const answer = await get(href.replaceAll('&amp;', '&'));
        expect([answer.status, answer.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`]);
        expect(answer.text).toContain('Water is off');
      }
      expect(heads).toHaveLength(/topics|departments/.test(page) ? 3 : 2);
    }
    const feed = JSON.parse((await get(`/feeds/departments/${encodeURIComponent('水务局')}/feed.json`)).text) as Node;
    expect(feed.home_page_url).toBe(`http://localhost:3000/departments/${encodeURIComponent('水务局')}`);
    expect((await get(String(feed.home_page_url).replace('http://localhost:3000', ''))).status).toBe(200);
    expect((await get('/departments/nobody')).status).toBe(404);
  });

  it('are nowhere for a topic that is not there', async () => {
    const { status, body } = await get('/feeds/topics/none/atom.xml');
    expect([status, body.code]).toEqual([404, 'not-found']);
  });
});
