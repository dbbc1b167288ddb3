import type { Item } from '../../../src/publishing/item.ts';
import type { ImportRequest } from '../../../src/publishing/publishing-service.ts';
import { openPublishing, reviewer, writer } from './fixtures.ts';

let opened: Awaited<ReturnType<typeof openPublishing>>;
const begin = async (options: { review?: boolean } = { review: false }) => {
  opened = await openPublishing(options);
};
beforeEach(() => begin());
afterEach(() => opened.close());

const bring = (format: ImportRequest['format'], content: string, more: Partial<ImportRequest> = {}) =>
  opened.service.importItems({ format, content, topics: [], publish: true, notify: false, ...more }, writer);
const item = async (externalId: string): Promise<Item> => {
  const found = await opened.items.get({ externalId });
  if (!found) throw new Error(`no ${externalId}`);
  return found;
};

const rss = (items: string, language = '<language>en-gb</language>') =>
  `<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>F</title><link>https://office.example/</link>${language}${items}</channel></rss>`;
const rssItem = (id: string, title: string, more = '') =>
  `<item><guid isPermaLink="false">${id}</guid><title>${title}</title>${more}</item>`;
const atom = (entries: string, attributes = '') =>
  `<feed xmlns="http://www.w3.org/2005/Atom" ${attributes}><id>f</id><title>F</title>${entries}</feed>`;
const entry = (id: string, more = '') => `<entry><id>${id}</id><title>Title ${id}</title>${more}</entry>`;

describe('RSS and Atom', () => {
  it('read texts as text: markup, entities and CDATA resolved once', async () => {
    const body =
      '<content:encoded><![CDATA[<h1>Hours</h1><p>9 &amp; 5</p><p><a href="https://x.example/">More</a></p>]]></content:encoded>';
    await bring(
      'rss',
      rss(
        rssItem(
          'a',
          'Tom &amp; Ann &#233;',
          `<description>&lt;p&gt;A &amp;lt;b&amp;gt; c&lt;/p&gt;</description>${body}`,
        ),
      ),
    );
    expect((await item('a')).content).toMatchObject({
      title: 'Tom & Ann é',
      summary: 'A <b> c',
      language: 'en-gb',
    });
    expect((await item('a')).content.body).toMatch(/^Hours\n+9 & 5\n+More \[https:\/\/x\.example\/\]$/);
  });

  it('fall back where an entry says little', async () => {
    const items = [
      rssItem('a', 'Only a title'),
      '<item><link>https://office.example/b</link><description>Only a description</description></item>',
      '<item><guid>https://office.example/c</guid><title>Permalink</title><link>javascript:alert(1)</link></item>',
      rssItem('d', 'Relative', '<link>/news/d</link>'),
    ];
    expect(await bring('rss', rss(items.join('')))).toMatchObject({ created: 4, errors: [] });
    expect((await item('a')).content).toMatchObject({ title: 'Only a title', summary: 'Only a title' });
    expect((await item('https://office.example/b')).content).toMatchObject({ title: 'Only a description' });
    expect((await item('https://office.example/c')).content.url).toBeUndefined();
    expect((await item('d')).content.url).toBe('https://office.example/news/d');
  });

  it('keep long texts whole, in the body', async () => {
    const [title, summary] = ['長'.repeat(501), `${'s'.repeat(5_000)}🏠`];
    await bring('atom', atom(`<entry><id>a</id><title>${title}</title><summary>${summary}</summary></entry>`));
    const { content } = await item('a');
    expect(content.title).toBe(`${'長'.repeat(499)}…`);
    expect(content.summary).toHaveLength(5_000);
    expect(content.body).toBe(`${title}\n\n${summary}`);
  });

  it('take the language that stands nearest', async () => {
    const entries = [entry('a'), `<entry xml:lang="cy"><id>b</id><title>B</title></entry>`];
    await bring('atom', atom(entries.join(''), 'xml:lang="zh-Hans"'));
    expect((await item('a')).content.language).toBe('zh-Hans');
    expect((await item('b')).content.language).toBe('cy');
    await bring('rss', rss(rssItem('c', 'C'), ''));
    expect((await item('c')).content.language).toBe('und');
  });

  it('let no broken entry stop the others, and say which it was', async () => {
    const broken = [
      rssItem('good-1', 'One'),
      '<item><guid>unclosed</guid><title>Never closed</item>',
      '<item><title>Neither id nor link</title></item>',
      '<item><guid>no-end</guid><title>No end tag</title>',
      rssItem('good-2', 'Two', '<description><![CDATA[<item> & </item> <!-- ]]></description>'),
      rssItem('bad-ampersand', 'Fish & chips'),
      '<item><guid>no-text</guid></item>',
      rssItem('good-3', 'Three'),
      '<item><guid>cut off</guid><title>The feed ends he',
    ];
    const report = await bring('rss', rss(broken.join('')).replace('</channel></rss>', ''));
    expect(report).toMatchObject({ created: 3, failed: 6 });
    expect(report.errors.map(({ entry: n }) => n)).toEqual([2, 3, 4, 6, 7, 9]);
    for (const error of report.errors) expect(error.message).not.toBe('');
    expect((await item('good-2')).content.summary).toContain('&');
    expect((await item('good-3')).state).toBe('published');
  });

  it('refuse two different entries of one id, and pass over the same twice', async () => {
    const report = await bring('atom', atom([entry('a'), entry('a'), entry('a', '<summary>Other</summary>')].join('')));
    expect(report).toMatchObject({ created: 1, unchanged: 1, failed: 1, errors: [{ entry: 3, id: 'a' }] });
  });

  it('find entries whatever the prefix of their namespace', async () => {
    const feed = `<a:feed xmlns:a="http://www.w3.org/2005/Atom" xmlns:c="urn:oasis:names:tc:emergency:cap:1.2"><a:id>f</a:id><a:title>F</a:title>
      <a:entry><a:id>x</a:id><a:title>T</a:title><c:severity>Extreme</c:severity><c:urgency>Immediate</c:urgency><c:certainty>Observed</c:certainty></a:entry></a:feed>`;
    expect(await bring('atom', feed)).toMatchObject({ created: 1, errors: [] });
    expect((await item('x')).content).toMatchObject({ title: 'T', urgency: 'emergency' });
  });
});

describe('hostile feeds', () => {
  const laughs = `<!DOCTYPE lolz [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, n) => `<!ENTITY l${n} "${(n === 0 ? '&a;' : `&l${n - 1};`).repeat(10)}">`).join('')}]>`;
  const refusal = { code: 'invalid', faults: [{ path: 'content', message: expect.stringContaining('document type') }] };

  it.each([
    ['rss', `${laughs}${rss(rssItem('a', '&l19;'))}`],
    ['atom', `${laughs}${atom(entry('a', '<summary>&l19;</summary>'))}`],
    ['cap', `${laughs}<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><note>&l19;</note></alert>`],
    ['cap', `<alert><note/>${laughs}</alert>`],
    ['rss', `<?xml version="1.0"?><!-- x --><!DOCTYPE r SYSTEM "file:///etc/passwd">${rss('')}`],
  ] as const)('a %s that declares entities is refused whole', async (format, content) => {
    await expect(bring(format, content)).rejects.toMatchObject(refusal);
  });

  it('a declaration after the first entries refuses them all', async () => {
    const content = rss(
      Array.from({ length: 99 }, (_, n) => rssItem(`a${n || ''}`, 'A')).join('') + laughs + rssItem('b', '&l19;'),
    );
    await expect(bring('rss', content)).rejects.toMatchObject(refusal);
    expect(await opened.items.get({ externalId: 'a' })).toBeNull();
  });

  it.each([
    ['rss', ''],
    ['rss', 'hello'],
    ['rss', '{"a":1}'],
    ['rss', atom(entry('a'))],
    ['atom', rss(rssItem('a', 'A'))],
    ['atom', '<html><feed/></html>'],
    ['cap', '<feed/>'],
    ['rss', '<rss version="2.0"></rss>'],
  ] as const)('%s: what is not of the format is refused by name: %s', async (format, content) => {
    await expect(bring(format, content)).rejects.toMatchObject({ code: 'invalid', faults: [{ path: 'content' }] });
  });

  it('cost no more than their length', async () => {
    const signs = ['<!--', '<![CDATA[', '<?', '<item', '<item>', '"<item a="', '</item>', '<item a="x'];
    for (const sign of signs) {
      const started = performance.now();
      await bring('rss', rss(sign.repeat(40_000))).catch(() => undefined);
      expect(performance.now() - started).toBeLessThan(60_000);
    }
  }, 120_000);

  it('cannot reach what they should not: names of the language, deep nesting', async () => {
    const deep = `${'<b>'.repeat(5_000)}x${'</b>'.repeat(5_000)}`;
    const items = [
      rssItem('a', 'A', '<__proto__><polluted>1</polluted></__proto__>'),
      rssItem('b', 'B', deep),
      rssItem('c', 'C', `<description><![CDATA[${deep}]]></description>`),
      rssItem('d', 'D'),
    ];
    const report = await bring('rss', rss(items.join('')));
    expect(report.created + report.failed).toBe(4);
    expect((await item('d')).content.title).toBe('D');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('what an import asks for', () => {
  it('refuses unknown topics before anything is done, and readers of another role', async () => {
    await expect(bring('rss', rss(rssItem('a', 'A')), { topics: ['services', 'nope'] })).rejects.toMatchObject({
      code: 'invalid',
      faults: [{ path: 'topics.1' }],
    });
    expect(await opened.items.get({ externalId: 'a' })).toBeNull();
    const order: ImportRequest = { format: 'rss', content: rss(''), topics: [], publish: false, notify: false };
    await expect(opened.service.importItems(order, reviewer)).rejects.toMatchObject({ code: 'no-scope' });
  });

  it('brings drafts without publish, which a later import with publish makes public', async () => {
    const feed = rss(rssItem('a', 'A'));
    expect(await bring('rss', feed, { publish: false })).toMatchObject({ created: 1 });
    expect(await item('a')).toMatchObject({ state: 'draft', version: 0 });
    expect(await bring('rss', feed, { publish: false })).toMatchObject({ unchanged: 1 });
    expect(await bring('rss', feed)).toMatchObject({ updated: 1 });
    expect(await item('a')).toMatchObject({ state: 'published', version: 1 });
    expect(await bring('rss', feed)).toMatchObject({ unchanged: 1 });
  });

  it('names what is to be told only with notify, and marks nothing else as to be announced', async () => {
    const quiet = await bring('rss', rss(rssItem('a', 'A')));
    expect(quiet.notify).toEqual([]);
    expect(await opened.items.unannounced(9)).toEqual([]);
    const loud = await bring('rss', rss(rssItem('b', 'B')), { notify: true });
    const id = (await item('b')).id;
    expect(loud.notify).toMatchObject([{ item: { id }, version: { item: id, version: 1, kind: 'publication' } }]);
    expect(await opened.items.unannounced(9)).toMatchObject([{ item: id, version: 1 }]);
  });

  it('changes in small what the source changed, and tells nobody of it', async () => {
    await bring('rss', rss(rssItem('a', 'A')));
    const report = await bring('rss', rss(rssItem('a', 'A, mended')), { notify: true, topics: ['services'] });
    expect(report).toMatchObject({ updated: 1, notify: [] });
    expect(await item('a')).toMatchObject({
      version: 1,
      revision: 1,
      content: { title: 'A, mended', topics: ['services'] },
    });
    expect(await opened.items.unannounced(9)).toEqual([]);
    // topics that people here gave stay when an import gives none
    expect(await bring('rss', rss(rssItem('a', 'A, mended')))).toMatchObject({ unchanged: 1 });
    expect((await item('a')).content.topics).toEqual(['services']);
  });
});

describe('with review', () => {
  beforeEach(async () => {
    await opened.close();
    await begin({ review: true });
  });

  it('ends in review, one approval by any reviewer settles it, and a changed source is reviewed anew', async () => {
    const feed = (title: string) => rss(rssItem('a', title));
    await bring('rss', feed('A'));
    const { id } = await item('a');
    expect(await item('a')).toMatchObject({ state: 'in-review', writer: 'writer' });
    await opened.service.approve(id, null, reviewer);
    expect(await bring('rss', feed('A2'))).toMatchObject({ updated: 1 });
    expect(await item('a')).toMatchObject({ state: 'in-review', approvals: [], content: { title: 'A2' } });
    await opened.service.approve(id, null, reviewer);
    await opened.service.publish(id, writer);
    await bring('rss', feed('A3'));
    expect(await item('a')).toMatchObject({
      version: 1,
      content: { title: 'A2' },
      pending: { kind: 'minor', content: { title: 'A3' } },
    });
    expect(await bring('rss', feed('A3'))).toMatchObject({ unchanged: 1 });
    await bring('rss', feed('A4'));
    await opened.service.approve(id, null, reviewer);
    expect(await item('a')).toMatchObject({ revision: 1, content: { title: 'A4' }, pending: null });
  });

  it('does not send again what was refused, until the source changes', async () => {
    await bring('rss', rss(rssItem('a', 'A')));
    await opened.service.reject((await item('a')).id, 'no', reviewer);
    expect(await bring('rss', rss(rssItem('a', 'A')))).toMatchObject({ unchanged: 1 });
    expect(await item('a')).toMatchObject({ state: 'draft', rejection: 'no' });
    await bring('rss', rss(rssItem('a', 'B')));
    expect(await item('a')).toMatchObject({ state: 'in-review', rejection: null });
  });

  it("leaves somebody else's waiting correction alone", async () => {
    await bring('rss', rss(rssItem('a', 'A')));
    const { id } = await item('a');
    await opened.service.approve(id, null, reviewer);
    await opened.service.publish(id, writer);
    const other = { staff: 'other', roles: ['publisher'], departments: [] };
    await opened.service.correct(id, { change: 'major', note: 'n', fields: { title: 'Ours' } }, other);
    expect(await bring('rss', rss(rssItem('a', 'Theirs')))).toMatchObject({ failed: 1, errors: [{ id: 'a' }] });
    expect(await item('a')).toMatchObject({ pending: { content: { title: 'Ours' } } });
  });
});

describe('10,000 entries', () => {
  it('are brought in linear time, while others have their turn', async () => {
    const feed = (count: number) =>
      atom(Array.from({ length: count }, (_, n) => entry(`e${n}`, '<summary>Some words about it.</summary>')).join(''));
    await bring('atom', feed(1_000));
    const started = performance.now();
    await bring('atom', feed(1_000).replaceAll('<id>e', '<id>f'));
    const thousand = performance.now() - started;
    let longest = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const begun = performance.now();
    const report = await bring('atom', feed(10_000));
    clearInterval(beat);
    expect(report).toMatchObject({ created: 9_000, unchanged: 1_000, failed: 0 });
    expect(performance.now() - begun).toBeLessThan(30 * thousand);
    expect(longest).toBeLessThan(5_000);
  }, 60_000);
});
