import { staffVisitor } from '../../helpers/staff-visitor.ts';
import { plainVisitor } from '../../helpers/visitor.ts';
import { startWeb, type Web } from '../../helpers/web.ts';

const hidden = (html: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';

const inBeijing = {
  ...{ kind: 'condition', 'who.kind': 'all', 'who.count': '1', 'who.0.about': 'person.region' },
  ...{ 'who.0.values': 'named', 'who.0.text': 'Beijing', note: 'They asked at the counter.' },
};

describe('the pages on which messages go out', () => {
  let web: Web;
  let item: string;
  beforeEach(async () => {
    web = await startWeb();
    const { body } = await web.api('POST', '/items', {
      ...{ title: 'Bus 12', summary: 'x', language: 'en', topics: ['services'] },
    });
    item = String(body.id);
    await web.api('POST', `/items/${item}/publish`);
    await web.town.drain();
    await web.town.people(
      Array.from({ length: 14 }, (_, n) => ({
        ...{ externalId: `p${n}`, email: `p${n}@x.org`, verified: true, follow: [] },
        ...{ region: n < 12 ? '110000' : '310000', consents: { personalisation: true } },
      })),
    );
  });
  afterEach(() => web.close());

  const writer = (language = 'en') => staffVisitor(web, { name: `Li${language}`, roles: ['publisher'], language });
  const open = async (visitor: Awaited<ReturnType<typeof writer>>) =>
    hidden((await visitor.get(`/staff/pushes/new?item=${item}`)).html, 'once');

  it('say what text messages cost at most, where a price is known', async () => {
    await web.close();
    web = await startWeb({ env: { SMS_PRICE: '0.05 CNY' } });
    const { body } = await web.api('POST', '/items', {
      ...{ title: '第12路公交车改道', summary: '自周一起。'.repeat(30), language: 'zh-CN', topics: ['services'] },
    });
    await web.api('POST', `/items/${body.id}/publish`);
    await web.town.people(
      Array.from({ length: 24 }, (_, n) => ({
        ...{ externalId: `t${n}`, phone: `+86138001380${10 + n}`, verified: true, follow: [] },
        ...{ region: '110000', consents: { personalisation: true } },
      })),
    );
    const li = await writer();
    const { html } = await li.get(`/staff/pushes/new?item=${body.id}`);
    const once = hidden(html, 'once');
    const form = { once, item: String(body.id), ...inBeijing, do: 'refresh' };
    const parts = Number(
      /(\d) text messages for each person/.exec((await li.send('/staff/pushes/new', form)).html)?.[1],
    );
    expect(parts).toBeGreaterThan(1);
    const cost = new Intl.NumberFormat('en', { style: 'currency', currency: 'CNY' }).format(24 * parts * 0.05);
    expect((await li.send('/staff/pushes/new', form)).html).toContain(
      `Text messages cost at most ${cost}: 24 people can be told by text message`,
    );
    const byEmail = await li.send('/staff/pushes/new', { ...form, 'channel-0': 'email' });
    expect(byEmail.html).not.toContain('Text messages cost');
    expect((await li.get('/staff/items/new?template=service')).html).toMatch(/costs CN¥0\.\d+/);
  });

  it('start with the number typed, once for a form that is sent twice', async () => {
    const li = await writer();
    const once = await open(li);
    const empty = await li.send('/staff/pushes/new', {
      once,
      do: 'send',
      kind: 'condition',
      'who.kind': 'all',
      'who.count': '0',
    });
    for (const id of ['item', 'note']) expect(empty.html).toContain(`href="#${id}"`);
    const wrong = await li.send('/staff/pushes/new', { once, item, ...inBeijing, do: 'send', confirm: '14' });
    expect([wrong.status, wrong.html.includes('Type 12: so many')]).toEqual([400, true]);
    const sent = await li.send('/staff/pushes/new', { once, item, ...inBeijing, do: 'send', confirm: '12' });
    expect(sent.html).toContain('It is on its way.');
    const path = sent.path.split('?')[0] ?? '';
    await li.get('/staff');
    const again = await li.send('/staff/pushes/new', { once, item, ...inBeijing, do: 'send', confirm: '12' });
    expect(again.path.split('?')[0]).toBe(path);
    await li.get('/staff');
    const other = await li.send('/staff/pushes/new', {
      once,
      item,
      ...inBeijing,
      'who.0.text': 'Shanghai',
      do: 'send',
      confirm: '10',
    });
    expect([other.status, other.html.includes('has sent something else before')]).toEqual([409, true]);
    expect(web.rows("SELECT 1 FROM audit WHERE action = 'createPush'")).toHaveLength(1);
    await web.town.drain();
    const done = (await li.get(path)).html;
    expect(done).toMatch(/<strong>12<\/strong> of 12 people · done/);
    expect((await li.get('/staff/pushes')).html).toContain('12 of 12');
    const stream = await fetch(`${web.url}${path}/events`, {
      headers: { cookie: `bellman-staff=${li.cookie('bellman-staff')}`, accept: 'text/event-stream' },
    });
    expect(await stream.text()).toMatch(/^event: progress\ndata: .*<strong>12<\/strong> of 12 people/);
  });

  it('hide how few they are, and reach people by name', async () => {
    const li = await writer();
    const once = await open(li);
    const few = { once, item, ...inBeijing, 'who.0.text': 'Shanghai' };
    const counted = (await li.send('/staff/pushes/new', { ...few, do: 'refresh' })).html;
    expect(counted).toContain('<strong>fewer than 10</strong>');
    expect((await li.send('/staff/pushes/new', { ...few, do: 'send', confirm: '2' })).status).toBe(400);
    expect((await li.send('/staff/pushes/new', { ...few, do: 'send', confirm: '10' })).html).toContain(
      'It is on its way.',
    );
    const people = web.rows("SELECT id FROM subscribers WHERE external_id IN ('p1', 'p2')").map(({ id }) => String(id));
    const second = await open(li);
    const named = { once: second, item, kind: 'people', note: 'x', do: 'send' };
    const unknown = await li.send('/staff/pushes/new', { ...named, people: `${people[0]}, somebody`, confirm: '2' });
    expect([unknown.status, unknown.html.includes('There is nobody with the id somebody')]).toEqual([409, true]);
    const sent = await li.send('/staff/pushes/new', { ...named, people: people.join('\n'), confirm: '２' });
    expect(sent.html).toContain('People by name');
    await web.town.drain();
    expect((await li.get(sent.path)).html).toMatch(/<strong>2<\/strong> of 2 people/);
    const live = await li.send('/staff/pushes/audience', { item, ...inBeijing, _csrf: 'guessed' });
    expect(live.status).toBe(403);
  });

  it('pause, go on and are cancelled, with what is no longer possible said', async () => {
    const li = await writer('zh-CN');
    const once = await open(li);
    const sent = await li.send('/staff/pushes/new', { once, item, ...inBeijing, do: 'send', confirm: '12' });
    const path = sent.path.split('?')[0] ?? '';
    expect((await li.send(`${path}/pause`, {})).html).toContain('已暂停。');
    await web.town.drain();
    expect((await li.get(path)).html).toContain('/resume');
    expect((await li.send(`${path}/resume`, {})).html).toContain('继续发送。');
    await li.send(`${path}/cancel`, {});
    await web.town.drain();
    await li.get('/staff');
    const late = await li.send(`${path}/resume`, {});
    expect([late.status, late.html.includes('当前状态下已不能这样做')]).toEqual([409, true]);
    expect((await li.get(path)).html).toContain('已取消');
    expect(web.rows("SELECT 1 FROM audit WHERE action IN ('pausePush', 'resumePush', 'cancelPush')")).toHaveLength(3);
  });

  it('wait for their time, and can be taken back', async () => {
    const li = await writer();
    const once = await open(li);
    const later = { once, item, ...inBeijing, do: 'send', confirm: '12', at: '2026-06-11T09:00' };
    const past = await li.send('/staff/pushes/new', { ...later, at: '2026-06-01T09:00' });
    expect([past.status, past.html.includes('href="#at"')]).toEqual([409, true]);
    const waits = await li.send('/staff/pushes/new', later);
    expect([waits.html.includes('It starts at the time you chose.'), waits.html.includes('11 June 2026')]).toEqual([
      true,
      true,
    ]);
    expect((await li.send('/staff/pushes/new', later)).path).toBe('/staff/pushes?done=push-ordered');
    const second = await open(li);
    await li.send('/staff/pushes/new', { ...later, once: second, note: 'Not after all.' });
    const place = /\/staff\/pushes\/orders\/[\w-]{22}/.exec((await li.get('/staff/pushes')).html)?.[0] ?? '';
    expect((await li.send(place, {})).html).toContain('It is taken back.');
    await li.get('/staff');
    expect((await li.send(place, {})).path).toBe('/staff/pushes');
    expect(await web.town.pushOrders.startDue()).toBe(0);
    web.town.pass('2026-06-11T01:00:01Z');
    const before = await web.town.fanout.list({ cursor: null, limit: 5 });
    expect(await web.town.pushOrders.startDue()).toBe(1);
    expect(await web.town.pushOrders.startDue()).toBe(0);
    await web.town.drain();
    const after = await web.town.fanout.list({ cursor: null, limit: 5 });
    expect([after.rows.length - before.rows.length, after.rows[0]?.matched]).toEqual([1, 12]);
  });

  it('say so when the notice is gone by then', async () => {
    const li = await writer();
    const once = await open(li);
    await li.send('/staff/pushes/new', { once, item, ...inBeijing, do: 'send', confirm: '12', at: '2026-06-10T13:00' });
    await web.api('POST', `/items/${item}/withdraw`, { note: 'x', notify: true });
    web.town.pass('2026-06-10T05:00:01Z');
    await web.town.pushOrders.startDue();
    expect((await li.get('/staff/pushes')).html).toContain('Could not start');
  });

  it('are for the desk alone', async () => {
    expect((await plainVisitor(web.url).get('/staff/pushes')).path).toBe('/staff/sign-in');
    const wang = await staffVisitor(web, { name: 'Wang', roles: ['reviewer'] });
    expect([(await wang.get('/staff/pushes')).status, (await wang.get('/staff/pushes/new')).status]).toEqual([
      200, 403,
    ]);
    expect((await wang.get('/staff/pushes/unknown')).status).toBe(404);
    const analyst = await staffVisitor(web, { name: 'Ana', roles: ['analyst'] });
    expect((await analyst.get('/staff/pushes')).status).toBe(403);
  });

  it('let the office read what people wrote, and keep who read it', async () => {
    const ana = await staffVisitor(web, { name: 'Ana', roles: ['analyst'] });
    expect((await ana.get('/staff/feedback')).html).toContain('Nobody has written anything yet.');
    const said = {
      push: 'p',
      item,
      version: 1,
      ordinal: 1,
      channel: 'email',
      message: 'm',
      at: web.town.now(),
      machine: null,
    };
    await web.town.stores.feedback.record({
      ...said,
      ...{ id: 'f1', kind: 'complaint', rating: null, comment: 'Far too & late.', channel: 'email' },
    });
    const page = (await ana.get('/staff/feedback')).html;
    for (const words of ['Bus 12', 'Complaint', 'Far too & late.']) expect(page).toContain(words);
    expect(web.rows("SELECT 1 FROM audit WHERE action = 'listFeedback'")).toHaveLength(2);
  });
});
