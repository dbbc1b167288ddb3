import { join } from 'node:path';
import { z } from 'zod';
import type { FeedSource } from '../../src/feeds/feed-source.ts';
import { projectRoot } from '../../src/project-root.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import { makeItemContent } from '../helpers/published.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';
import { askXml, xmllint } from '../helpers/xmllint.ts';

const rng = join(projectRoot, 'test', 'fixtures', 'atom.rng');
const address = z.url({ protocol: /^https?$/ });
const author = z.looseObject({ name: z.string().min(1) });

/** What jsonfeed.org/version/1.1 asks of a feed, as far as ours says it. */
const jsonFeed = z.looseObject({
  version: z.literal('https://jsonfeed.org/version/1.1'),
  title: z.string().min(1),
  home_page_url: address,
  feed_url: address,
  description: z.string(),
  language: z.string(),
  authors: z.array(author).min(1),
  hubs: z.array(z.strictObject({ type: z.string(), url: address })).optional(),
  items: z.array(
    z.looseObject({
      id: z.string().min(1),
      url: address,
      external_url: address.optional(),
      title: z.string(),
      summary: z.string(),
      content_html: z.string().min(1),
      date_published: z.iso.datetime({ offset: true }),
      date_modified: z.iso.datetime({ offset: true }),
      tags: z.array(z.string()),
      authors: z.array(author).optional(),
      language: z.string(),
      attachments: z.array(z.looseObject({ url: address, mime_type: z.string() })).optional(),
    }),
  ),
});

const wild = '<b>&amp; ]]> \u0000\u001b\ud83d "引号" \' \u202e';
const contents: Partial<ItemContent>[] = [
  { title: 'Plain' },
  { title: wild, summary: wild, body: `${wild}\n\n${wild}\n${wild}`, departments: [wild], keywords: [wild] },
  { title: '紧急', urgency: 'emergency', language: 'zh-Hans-CN', url: 'https://example.org/?a=1&b=<2>' },
];

describe('feeds are valid', () => {
  let town: Town;
  beforeAll(async () => {
    town = await makeTown({
      env: { PUBLIC_URL: 'https://notices.example.org', WEBSUB_HUB: 'https://hub.example.org/' },
    });
    for (const content of contents) {
      const item = await town.publishing.create(makeItemContent(content), null, publisher);
      await town.fanout.publish(item.id, publisher);
      if (content.title === 'Plain') await town.fanout.withdraw(item.id, wild, true, publisher);
      town.pass(1_000);
    }
  });
  afterAll(() => town.close());

  const sources: FeedSource[] = [
    { kind: 'latest' },
    { kind: 'topic', slug: 'services' },
    { kind: 'topic', slug: 'budgets' },
    { kind: 'department', name: wild },
    { kind: 'search', search: { any: { urgency: ['emergency', '" & <'] } } },
  ];

  it.each(sources)('by the grammar of Atom and the rules of JSON Feed: %j', async (source) => {
    for (const locale of ['en', 'zh-CN'] as const) {
      const atom = (await town.feeds.document(source, 'atom', locale))?.body ?? '';
      await xmllint(atom, { rng });
      const json = (await town.feeds.document(source, 'json', locale))?.body ?? '';
      expect(jsonFeed.safeParse(JSON.parse(json)).error).toBeUndefined();
    }
  });

  it('and say to another parser what was written', async () => {
    const atom = (await town.feeds.document({ kind: 'latest' }, 'atom', 'en'))?.body ?? '';
    const ask = (path: string) => askXml(atom, path.replaceAll(/\/([a-z]+)/g, "/*[local-name()='$1']"));
    const title = await ask('normalize-space(/feed/entry[2]/title)');
    if (title === null) return;
    expect(title).toBe('<b>&amp; ]]> \ufffd "引号" \' \u202e');
    expect(await ask('count(/feed/entry)')).toBe('3');
    expect(await ask('string(/feed/entry[1]/link[@rel="related"]/@href)')).toBe('https://example.org/?a=1&b=<2>');
    expect(await ask('normalize-space(/feed/entry[2]/content)')).toContain('<p>&lt;b&gt;&amp;amp; ]]&gt; \ufffd');
    expect(await ask('count(/feed/entry/link[@rel="alternate" and contains(@type, "html")])')).toBe('3');
    expect(await ask('count(/feed/author)')).toBe('1');
  });

  it('and come back by our own import as they went out', async () => {
    const atom = (await town.feeds.document({ kind: 'latest' }, 'atom', 'en'))?.body ?? '';
    const input = { format: 'atom' as const, content: atom, topics: ['services'], publish: false, notify: false };
    expect(await town.publishing.importItems(input, publisher)).toMatchObject({ created: 3, errors: [] });
    const { rows } = await town.publishing.list({ state: 'draft' }, { cursor: null, limit: 9 });
    expect(rows.map(({ content }) => content.title)).toContain('紧急');
    expect(rows.map(({ externalId }) => externalId)).toEqual(Array(3).fill(expect.stringMatching(/^urn:uuid:/)));
  });
});
