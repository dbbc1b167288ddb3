import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { roles } from '../../src/access/access-store.ts';
import { projectRoot } from '../../src/project-root.ts';
import { crawlStaff } from '../helpers/crawl.ts';
import { signedInTo } from '../helpers/signed-in.ts';
import { staffVisitor } from '../helpers/staff-visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const most = 100_000;
const assets = join(projectRoot, 'public', 'assets');
const { version } = JSON.parse(readFileSync(join(assets, 'current.json'), 'utf8')) as { version: string };
const packed = (name: string): Buffer => readFileSync(join(assets, version, `${name}.br`));

/** A module with all that it imports, as names of files. */
const withImports = (name: string): string[] => {
  const code = readFileSync(join(assets, version, name), 'utf8');
  const imported = [...code.matchAll(/from ?['"]\.\/([\w.-]+)['"]/g)].map(([, file]) => file ?? '');
  return [name, ...imported.flatMap(withImports)];
};

/** What a first visit to a page transfers, in bytes: the page, its style and its modules. */
const weightOf = (html: string): number => {
  const named = [...html.matchAll(/"\/assets\/[^"/]+\/([^"]+\.(?:css|js))"/g)].map(([, file]) => file ?? '');
  const files = new Set(named.flatMap((file) => (file.endsWith('.js') ? withImports(file) : [file])));
  return [...files].reduce((sum, file) => sum + packed(file).length, Buffer.byteLength(html));
};

describe.each(['en', 'zh-CN'])('no page is above 100 KB (%s)', (locale) => {
  let web: Web;
  let visitor: Awaited<ReturnType<typeof signedInTo>>['visitor'];
  beforeAll(async () => {
    web = await startWeb({ env: { REVIEW: 'off' } });
    const follow = Array.from({ length: 30 }, (_, n) => ({ search: { any: { keywords: [`word ${n}`] } } }));
    ({ visitor } = await signedInTo(web, 'li@example.org', { locale, follow: [{ topic: 'services' }, ...follow] }));
    for (let n = 0; n < 25; n++) {
      const words = { title: `停水通知 ${n}`, summary: '自来水管道检修。'.repeat(40) };
      const content = { ...words, body: words.summary.repeat(8), language: 'zh-CN', topics: ['services'] };
      const { id } = (await web.api('POST', '/items', content)).body as { id: string };
      await web.api('POST', `/items/${id}/publish`);
    }
    await web.town.drain();
  });
  afterAll(() => web.close());

  it('every page of staff', async () => {
    const { body } = await web.api('POST', '/items', {
      ...{ title: 'A draft', summary: 'x', language: 'en', topics: ['services'] },
    });
    await web.api('POST', '/rules', {
      ...{ name: 'r', explanation: { en: 'e', 'zh-CN': 'z' }, when: { all: [] } },
      ...{
        who: { person: 'follows', topic: 'services' },
        deliver: { channels: ['email'], pace: 'daily', priority: 5 },
      },
    });
    await web.api('POST', '/sources', { url: 'https://office.example.org/atom.xml', topics: ['services'] });
    const staff = await staffVisitor(web, { name: 'Li', roles: [...roles], language: locale });
    const pages = await crawlStaff(staff);
    pages.push({ path: 'edit', html: (await staff.get(`/staff/items/${body.id}`)).html });
    expect(pages.length).toBeGreaterThan(25);
    const weights = pages.map(({ path, html }) => ({ path, weight: weightOf(html) }));
    expect(weights.filter(({ weight }) => weight >= most)).toEqual([]);
  }, 60_000);

  it.each([
    ...['/', '/topics', '/topics/services', '/search?q=停水', '/rules', '/about', '/manage', '/offline'],
    ...['/follow?topic=services', '/check', '/code', '/confirmed'],
    ...['/my', '/my/messages', '/my/about', '/my/about/facts', '/my/settings', '/my/erase'],
  ])('%s', async (path) => {
    const { html, status } = await visitor.get(path);
    expect(status).toBe(200);
    expect(weightOf(html)).toBeLessThan(most);
  });
});
