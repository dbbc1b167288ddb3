import { newId, realEdges } from '../../src/edges.ts';
import { makeFeedFetcher } from '../../src/sources/fetch-feed.ts';
import { type FeedServer, startFeedServer } from '../helpers/feed-server.ts';
import { staffVisitor } from '../helpers/staff-visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const minute = 60_000;
const entry = (id: string, title: string) =>
  `<entry><id>${id}</id><title>${title}</title><summary>From 8 to 16.</summary></entry>`;
const atom = (entries: string) =>
  `<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><title>F</title>${entries}</feed>`;
const never = new AbortController().signal;

let web: Web;
let server: FeedServer;
beforeEach(async () => {
  [web, server] = await Promise.all([startWeb({ env: { ALLOW_PRIVATE_ENDPOINTS: 'on' } }), startFeedServer()]);
});
afterEach(() => Promise.all([web.close(), server.close()]));

type Shown = {
  id: string;
  result: { kind: string; fault?: string; created?: number; updated?: number; unchanged?: number; detail?: string };
  dueAt: string | null;
  faults: number;
  paused: boolean;
};

const serve = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  server.on(path, (response) => response.writeHead(200, headers).end(body));
const add = async (path: string, more: object = {}): Promise<Shown> => {
  const body = { url: `${server.origin}${path}`, topics: ['services'], publish: true, ...more };
  const answer = await web.api('POST', '/sources', body);
  expect(answer).toMatchObject({ status: 201 });
  return answer.body as unknown as Shown;
};
const poll = async ({ id }: Shown): Promise<Shown> => {
  const answer = await web.api('POST', `/sources/${id}/poll`);
  expect(answer).toMatchObject({ status: 200 });
  return answer.body as unknown as Shown;
};
const items = async () =>
  (await web.api('GET', '/items')).body.items as {
    externalId: string;
    title: string;
    topics: string[];
    version: number;
  }[];
const pushes = async () => (await web.api('GET', '/pushes')).body.pushes as unknown[];
const minutesUntil = ({ dueAt }: Shown): number => (Date.parse(dueAt ?? '') - web.town.now()) / minute;

describe('sources', () => {
  it('are polled when they are due; each entry becomes an item once, and a changed one a new content of it', async () => {
    serve('/a', atom(entry('a1', 'Water is off') + entry('a2', 'Bus 12')), { ETag: '"1"' });
    const source = await add('/a', { everyMinutes: 30, language: 'en', departments: ['Water'], regions: ['110000'] });
    expect(await web.town.sources.pollDue(never)).toBe(1);
    expect((await items()).map(({ externalId }) => externalId).sort()).toEqual(['a1', 'a2']);
    expect((await items())[0]).toMatchObject({
      ...{ topics: ['services'], departments: ['Water'], regions: ['110000'], language: 'en', state: 'published' },
    });
    expect(await web.town.sources.pollDue(never)).toBe(0);

    web.town.pass(34 * minute);
    server.on('/a', (response, headers) =>
      headers['if-none-match'] === '"1"' ? response.writeHead(304).end() : response.writeHead(500).end(),
    );
    expect(await web.town.sources.pollDue(never)).toBe(1);
    expect((await web.api('GET', `/sources/${source.id}`)).body).toMatchObject({ result: { kind: 'same' }, faults: 0 });

    serve('/a', atom(entry('a1', 'Water is off on Friday') + entry('a2', 'Bus 12')));
    expect((await poll(source)).result).toMatchObject({ kind: 'read', created: 0, updated: 1, unchanged: 1 });
    expect((await items()).map(({ title }) => title).sort()).toEqual(['Bus 12', 'Water is off on Friday']);
    expect(await pushes()).toEqual([]);
  });

  it('tell people only where that was asked for, and once each though two processes poll at the same time', async () => {
    serve('/a', atom(entry('a1', 'Water is off')));
    await add('/a', { notify: true });
    const polled = await Promise.all([web.town.sources.pollDue(never), web.town.sources.pollDue(never)]);
    expect(polled.sort()).toEqual([0, 1]);
    expect([(await items()).length, (await pushes()).length]).toEqual([1, 1]);
  });

  it('bring an entry that two of them have once: it stays with whichever brought it', async () => {
    serve('/a', atom(entry('same', 'As A says')));
    serve('/b', atom(entry('same', 'As B says')));
    const [a, b] = [await add('/a'), await add('/b', { topics: ['policies'] })];
    await poll(a);
    expect((await poll(b)).result).toMatchObject({ created: 0, updated: 0, unchanged: 1 });
    serve('/a', atom(entry('same', 'As A says now')));
    expect((await poll(a)).result).toMatchObject({ updated: 1 });
    expect(await items()).toMatchObject([{ title: 'As A says now', topics: ['services'] }]);
    // what somebody here wrote under that name is not the feed's either
    await web.api('POST', '/items', {
      ...{ externalId: 'own', title: 'Own', summary: 'Own', language: 'en', topics: ['services'] },
    });
    serve('/a', atom(entry('own', 'Taken over')));
    expect((await poll(a)).result).toMatchObject({ updated: 0, unchanged: 1 });
    // added again, it goes on with what it brought
    await web.api('DELETE', `/sources/${a.id}`);
    serve('/a', atom(entry('same', 'As A says again')));
    expect((await poll(await add('/a'))).result).toMatchObject({ updated: 1 });
  });

  it('wait longer after each fault, and as long as the server asks', async () => {
    server.on('/a', (response) => response.writeHead(500).end('oh'));
    const source = await add('/a', { everyMinutes: 60 });
    const waits: number[] = [];
    for (let n = 0; n < 6; n++) waits.push(Math.floor(minutesUntil(await poll(source)) / 60));
    expect(waits.map((hours, n) => hours >= Math.min(2 ** n, 24) && hours <= Math.min(2 ** n, 24) * 1.1)).toEqual(
      Array(6).fill(true),
    );
    server.on('/a', (response) => response.writeHead(429, { 'Retry-After': String(3 * 86_400) }).end());
    const asked = await poll(source);
    expect(asked).toMatchObject({ result: { kind: 'fault', fault: 'busy', detail: '429' }, faults: 7 });
    expect(minutesUntil(asked)).toBeCloseTo(3 * 24 * 60, 0);
    server.on('/a', (response) => response.writeHead(410).end());
    expect(await poll(source)).toMatchObject({ result: { fault: 'gone' }, paused: true, dueAt: null });
    serve('/a', atom(''));
    expect(await poll(source)).toMatchObject({ result: { kind: 'read', created: 0 }, faults: 0, paused: true });
  });

  it('name what is wrong with a feed, and change nothing by it', async () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>${atom(entry('b', '&b;'))}`;
    serve('/bomb', bomb);
    serve('/page', '<!doctype html><html><body>news</body></html>');
    serve('/large', Buffer.alloc(10 * 1024 * 1024, 'x'));
    server.on('/endless', (response) => {
      const more = () => {
        if (!response.destroyed) response.write(Buffer.alloc(1024 * 1024, 'x'), () => setImmediate(more));
      };
      more();
    });
    serve('/packed', Buffer.from('x'), { 'Content-Encoding': 'gzip' });
    server.on('/inside', (response) => response.writeHead(302, { Location: 'https://10.0.0.1/feed' }).end());
    server.on('/plain', (response) => response.writeHead(302, { Location: 'http://office.example.org/feed' }).end());
    server.on('/round', (response) => response.writeHead(302, { Location: '/round' }).end());
    const faults = {
      ...{ '/bomb': 'unreadable', '/page': 'not-a-feed', '/large': 'too-large', '/endless': 'too-large' },
      ...{ '/packed': 'encoded', '/inside': 'private', '/plain': 'private', '/round': 'redirects', '/no': 'status' },
    };
    for (const [path, fault] of Object.entries(faults))
      expect([path, (await poll(await add(path))).result]).toEqual([
        path,
        expect.objectContaining({ kind: 'fault', fault }),
      ]);
    expect(await items()).toEqual([]);
  });

  it('give up on a server that hangs, before its answer and in the middle of it', async () => {
    const fetchFeed = makeFeedFetcher({ allowLoopback: true, limitMs: 200 }, realEdges);
    server.on('/hang', () => undefined);
    server.on('/drip', (response) => void response.writeHead(200).write('<feed'));
    for (const path of ['/hang', '/drip']) {
      const asked = { url: `${server.origin}${path}`, etag: null, lastModified: null };
      expect(await fetchFeed(asked, never)).toMatchObject({ kind: 'fault', fault: 'timeout' });
    }
  });

  it('reach nothing inside: this machine only where that is allowed, other private addresses never', async () => {
    const asked = (url: string) => ({ url, etag: null, lastModified: null });
    const [open, guarded] = [true, false].map((allowLoopback) => makeFeedFetcher({ allowLoopback }, realEdges));
    serve('/a', atom(''));
    expect(await open?.(asked(`${server.origin}/a`), never)).toMatchObject({ kind: 'document' });
    for (const url of [`${server.origin}/a`, 'https://192.168.0.1/', 'https://[::1]/', 'http://example.org/feed'])
      expect(await guarded?.(asked(url), never)).toMatchObject({ fault: 'private' });
    expect(await open?.(asked('https://169.254.169.254/latest'), never)).toMatchObject({ fault: 'private' });
  });

  it('read the text in the charset that the feed says', async () => {
    const gbk = Buffer.concat([
      Buffer.from(
        '<?xml version="1.0" encoding="GB2312"?><rss version="2.0"><channel><title>x</title><item><guid>g</guid><title>',
      ),
      Buffer.from([0xcd, 0xa3, 0xcb, 0xae]),
      Buffer.from('</title></item></channel></rss>'),
    ]);
    serve('/gbk', gbk);
    await poll(await add('/gbk'));
    expect(await items()).toMatchObject([{ title: '停水' }]);
  });

  it('are refused with every fault named, and changed, paused, resumed and removed', async () => {
    const bad = await web.api('POST', '/sources', {
      ...{ url: 'https://10.0.0.1/feed', topics: ['nonsense'], regions: ['XX'], everyMinutes: 60 },
    });
    expect([bad.status, (bad.body.errors as { path: string }[]).map(({ path }) => path)]).toEqual([
      400,
      ['url', 'topics.0', 'regions.0'],
    ]);
    serve('/a', atom(entry('a1', 'One')), { ETag: '"1"' });
    const source = await add('/a');
    expect((await web.api('POST', '/sources', { url: `${server.origin}/a`, topics: ['services'] })).status).toBe(409);
    await poll(source);
    const changed = await web.api('PATCH', `/sources/${source.id}`, { everyMinutes: 15, topics: ['policies'] });
    expect(changed.body).toMatchObject({ everyMinutes: 15, topics: ['policies'], publish: true });
    await poll(source);
    expect(server.asked.at(-1)?.headers['if-none-match']).toBeUndefined();
    expect(await items()).toMatchObject([{ topics: ['policies'] }]);
    expect((await web.api('POST', `/sources/${source.id}/pause`)).body).toMatchObject({ paused: true, dueAt: null });
    web.town.pass(86_400_000);
    expect(await web.town.sources.pollDue(never)).toBe(0);
    expect((await web.api('POST', `/sources/${source.id}/resume`)).body).toMatchObject({ paused: false });
    expect(await web.town.sources.pollDue(never)).toBe(1);
    expect((await web.api('DELETE', `/sources/${source.id}`)).status).toBe(204);
    expect((await web.api('GET', `/sources/${source.id}`)).status).toBe(404);
    expect((await items()).length).toBe(1);
  });

  it('say so when they are being polled just now', async () => {
    serve('/a', atom(''));
    const source = await add('/a');
    await web.town.stores.sources.claim(newId(realEdges), { id: source.id }, web.town.now(), minute);
    expect((await web.api('POST', `/sources/${source.id}/poll`)).body.code).toBe('still-running');
  });
});

describe('the pages of sources', () => {
  const form = (path: string, more: object = {}) => ({
    ...{ url: `${server.origin}${path}`, topics: 'services', everyMinutes: '60', publish: 'on', ...more },
  });

  it('try a feed without storing anything, add it, poll it, and show what came', async () => {
    serve('/a', atom(entry('a1', 'Water is off') + entry('a2', 'Bus 12')));
    const visitor = await staffVisitor(web, { name: 'Anna', roles: ['publisher'] });
    expect((await visitor.get('/staff/sources')).html).toContain('No source is polled yet.');
    await visitor.get('/staff/sources/new');
    const tried = await visitor.send('/staff/sources/new', form('/a', { what: 'test' }));
    expect([tried.status, tried.html.includes('Water is off'), tried.html.includes('New here')]).toEqual([
      200,
      true,
      true,
    ]);
    expect([(await items()).length, (await web.town.sources.list()).length]).toEqual([0, 0]);
    const added = await visitor.send('/staff/sources/new', form('/a'));
    expect(added.html).toContain('The source is added');
    const place = added.path.replace(/\?.*/, '');
    // the form once more, as by a double click
    expect((await visitor.send('/staff/sources/new', form('/a'))).status).toBe(409);
    await visitor.get(place);
    expect((await visitor.send(`${place}/poll`, {})).html).toContain('2 new');
    expect((await visitor.send(`${place}/pause`, {})).html).toContain('The source is paused.');
    expect((await visitor.send(place, { ...form('/a'), everyMinutes: '15' })).html).toContain('The source is changed.');
    expect((await visitor.get('/staff/sources')).html).toContain('every 15 minutes');
    await visitor.get(place);
    await visitor.send(`${place}/remove`, {});
    await visitor.get('/staff/sources/new');
    expect((await visitor.send(`${place}/remove`, {})).html).toContain('The source is removed.');
    const audited = (await web.town.stores.access.audit(1, 100)).map(({ action }) => action);
    expect(audited).toEqual(
      expect.arrayContaining(['addSource', 'pollSource', 'pauseSource', 'changeSource', 'removeSource']),
    );
  });

  it('name every fault and keep what was typed', async () => {
    const visitor = await staffVisitor(web, { name: 'Anna', roles: ['publisher'], language: 'zh-CN' });
    await visitor.get('/staff/sources/new');
    const typed = { url: 'ftp', departments: '水务局', regions: '亚特兰蒂斯', everyMinutes: '7' };
    const { status, html } = await visitor.send('/staff/sources/new', typed);
    expect(status).toBe(400);
    for (const id of ['url', 'topics', 'regions', 'everyMinutes']) expect(html).toContain(`href="#${id}"`);
    for (const text of ['value="ftp"', 'value="水务局"', 'value="亚特兰蒂斯"']) expect(html).toContain(text);
    const inside = await visitor.send('/staff/sources/new', form('', { url: 'https://10.0.0.1/' }));
    expect([inside.status, inside.html.includes('公共互联网')]).toEqual([409, true]);
    const broken = await visitor.send('/staff/sources/new', form('/none', { what: 'test' }));
    expect(broken.html).toContain('服务器回应 404');
  });

  it('let an account of a department have its own sources only', async () => {
    serve('/a', atom(entry('a1', 'One')));
    const visitor = await staffVisitor(web, { name: 'Bo', roles: ['publisher'], departments: ['Water'] });
    expect((await visitor.get('/staff/sources/new')).html).toContain('value="Water"');
    expect((await visitor.send('/staff/sources/new', form('/a', { departments: 'Roads' }))).status).toBe(409);
    const added = await visitor.send('/staff/sources/new', form('/a', { departments: 'Water' }));
    await visitor.send(`${added.path.replace(/\?.*/, '')}/poll`, {});
    expect(await items()).toMatchObject([{ externalId: 'a1', departments: ['Water'] }]);
    const other = await add('/b');
    expect((await visitor.send(`/staff/sources/${other.id}/remove`, {})).status).toBe(403);
  });
});
