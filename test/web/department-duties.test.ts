import type { Actor } from '../../src/publishing/item.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { staffVisitor } from '../helpers/staff-visitor.ts';
import type { PlainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';
import { routeRights } from './route-rights.ts';

const content = {
  ...{ title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] },
  departments: ['Water'],
};
const rule = {
  name: 'Beijing',
  explanation: { en: 'You live in Beijing.', 'zh-CN': '您住在北京。' },
  when: { item: 'topics', has: ['services'] },
  who: { person: 'region', within: ['110000'] },
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
};
const water: Actor = { staff: 'water', roles: ['publisher'], departments: ['Water'] };

/** Writing routes of publishers that are not asked here, each with the reason. */
const notAsked: Record<string, string> = {
  'POST /api/v1/rules': 'a new rule becomes the department’s that writes it',
  'PATCH /api/v1/items/:id': 'a draft is its writer’s alone, and is judged before and after (departments.test.ts)',
  'POST /api/v1/items/:id/approve':
    'another department reviews, and only a member countersigns for one (rights.test.ts)',
  'POST /api/v1/items/:id/reject': 'another department reviews',
  'POST /api/v1/rules/:id/approve': 'another department reviews',
  'POST /api/v1/rules/:id/reject': 'another department reviews',
  'POST /api/v1/rules/:id/dry-run': 'it writes nothing',
  'POST /api/v1/audience/preview': 'it writes nothing',
  'POST /api/v1/audience/explain': 'it writes nothing',
  'POST /staff/items/preview': 'it writes nothing',
  'POST /staff/items/preview/:locale': 'it writes nothing',
  'POST /staff/rules/audience': 'it writes nothing',
  'POST /staff/rules/:id/why': 'it writes nothing',
  'POST /staff/pushes/audience': 'it writes nothing',
  'POST /staff/items/new': 'it asks the service as POST /items does',
  'POST /staff/items/:id/edit': 'it asks the service as PATCH /items/{id} does',
  'POST /staff/items/:id/correct': 'it asks the service as POST /items/{id}/correct does',
  'POST /staff/items/:id/steps/:step': 'it asks the service as the calls of the same names do',
  'POST /staff/rules/new': 'it asks the service as POST /rules does',
  'POST /staff/rules/:id/edit': 'it asks the service as PUT /rules/{id} does',
  'POST /staff/rules/:id/steps/:step': 'it asks the service as the calls of the same names do',
  'POST /staff/pushes/new': 'it asks the service as POST /pushes does',
  'POST /staff/sources/new': 'a source is judged by the departments that it writes for (source-service.ts)',
  'POST /staff/sources/:id': 'a source is judged by the departments that it writes for (source-service.ts)',
  'POST /staff/sources/:id/:step': 'a source is judged by the departments that it writes for (source-service.ts)',
  'POST /staff/sources/:id/remove': 'a source is judged by the departments that it writes for (source-service.ts)',
  'POST /staff/applications/new': 'an application is to the whole office',
  'POST /staff/applications/:id/postpone': 'an application is to the whole office',
  'POST /staff/applications/:id/answer': 'an application is to the whole office',
};

/** The three steps of a push are one route of the pages. */
const aStep = /^POST \/staff\/pushes\/:id\/(pause|resume|cancel)$/;

type Row = [route: string, prepare: () => Promise<string>, body: (id: string) => object, may: string[]];

/** Three accounts that write, by whose they are; the item is Water’s. An administrator stands above departments. */
const accounts = {
  'its department': { roles: ['publisher'], departments: ['Water', 'Drains'] },
  'another department': { roles: ['publisher'], departments: ['Roads'] },
  'the whole office': { roles: ['publisher'], departments: [] },
  'an administrator': { roles: ['admin'], departments: ['Roads'] },
} as const;
const callers = Object.keys(accounts) as (keyof typeof accounts)[];
const owners = callers.filter((name) => name !== 'another department');
const wholeOffice = callers.slice(2);

onEachEngine('every call of publishers, for every department', (engine) => {
  let web: Web;
  const keys = new Map<string, string>();
  const visitors = new Map<string, PlainVisitor>();
  beforeAll(async () => {
    const weibo = { WEIBO_APP_KEY: '4111222333', WEIBO_APP_SECRET: 'an-app-secret', WEIBO_IP: '203.0.113.7' };
    web = await startWeb({ ...engine.town, env: { REVIEW: 'off', ...weibo, WEIBO_API: 'http://127.0.0.1:9' } });
    const { access } = web.town;
    for (const [name, { roles, departments }] of Object.entries(accounts)) {
      const email = `${name.replaceAll(' ', '.')}@example.org`;
      const { id } = await access.addStaff({ email, name, roles: [...roles], departments: [...departments] });
      const visitor = { name: `${email}.page`, roles: [...roles], departments: [...departments] };
      visitors.set(name, await staffVisitor(web, visitor));
      keys.set(name, (await access.addKey({ staff: id, scopes: ['publish'], expiresAt: null })).key);
    }
  });
  afterAll(() => web.close());

  const draft = async (): Promise<string> => String((await web.api('POST', '/items', content)).body.id);
  const published = async (): Promise<string> => {
    const id = await draft();
    await web.town.fanout.publish(id, water);
    return id;
  };
  const made = async (): Promise<string> =>
    (await web.town.rules.create({ ...rule, holdout: 0, tune: {} } as never, water)).rule.id;
  const active = async (): Promise<string> => {
    const id = await made();
    await web.town.rules.activate(id, null, water);
    return id;
  };
  const running = async (): Promise<string> => {
    const item = await published();
    const audience = { kind: 'condition' as const, who: { person: 'region' as const, within: ['110000'] } };
    return (await web.town.fanout.push({ item, audience, channels: null, note: 'x' }, water)).id;
  };
  const paused = async (): Promise<string> => {
    const id = await running();
    await web.town.fanout.pause(id, water);
    return id;
  };
  const nothing = async (): Promise<string> => '';
  let names = 0;
  const newName = (): string => {
    names += 1;
    return `name${names}`;
  };

  const table: Row[] = [
    ['POST /api/v1/items', nothing, () => content, owners],
    [
      'POST /api/v1/items/import',
      nothing,
      () => ({ format: 'govuk', content: '{}', topics: ['services'] }),
      wholeOffice,
    ],
    ['POST /api/v1/items/:id/publish', draft, () => ({}), owners],
    ['POST /api/v1/items/:id/submit', draft, () => ({}), owners],
    ['POST /api/v1/items/:id/schedule', draft, () => ({ at: '2026-12-01T00:00:00Z' }), owners],
    ['POST /api/v1/items/:id/correct', published, () => ({ change: 'minor', note: 'A slip', title: 'Bus 13' }), owners],
    ['POST /api/v1/items/:id/withdraw', published, () => ({ note: 'It was wrong', notify: true }), owners],
    ['PUT /api/v1/items/:id/broadcast', published, () => ({ weibo: false }), owners],
    ['PUT /api/v1/rules/:id', made, () => rule, owners],
    ['POST /api/v1/rules/:id/activate', made, () => ({}), owners],
    ['POST /api/v1/rules/:id/pause', active, () => ({}), owners],
    [
      'POST /api/v1/pushes',
      published,
      (id) => ({ item: id, audience: { person: 'region', within: ['110000'] }, note: 'x' }),
      owners,
    ],
    ['POST /api/v1/pushes/:id/pause', running, () => ({}), owners],
    ['POST /api/v1/pushes/:id/resume', paused, () => ({}), owners],
    ['POST /api/v1/pushes/:id/cancel', running, () => ({}), owners],
  ];
  it.each(table)('%s', async (route, prepare, body, may) => {
    const [method = '', path = ''] = route.replace('/api/v1', '').split(' ');
    const outcomes: [string, string][] = [];
    for (const caller of callers) {
      const id = await prepare();
      const answer = await web.api(method, path.replace(':id', id), body(id), keys.get(caller));
      outcomes.push([caller, answer.status < 300 ? 'done' : `${answer.status} ${answer.body.code}`]);
    }
    expect(outcomes).toEqual(callers.map((caller) => [caller, may.includes(caller) ? 'done' : '403 no-scope']));
  });

  const ordered = async (): Promise<string> => {
    const [item, at] = [await published(), web.town.now() + 60_000];
    const audience = { kind: 'condition' as const, who: { person: 'region' as const, within: ['110000'] } };
    const order = { id: `order-of-${item}`, item, audience, channels: null, note: 'x', at };
    return (await web.town.pushOrders.order(order, water)).id;
  };
  const wrote = async (): Promise<string> => {
    const item = await published();
    const opinion = { person: 0, item, kind: 'question' as const, text: 'When?', at: web.town.now() };
    return (await web.town.opinions.receive(opinion)).id;
  };
  const answered = async (): Promise<string> => {
    const id = await wrote();
    await web.town.opinions.answer(id, { outcome: 'answered', reason: 'On Wednesday.' }, water);
    return id;
  };
  const notPosted = async (): Promise<string> => {
    const item = await draft();
    await web.town.broadcasts?.switchItem(item, false, water);
    await web.town.fanout.publish(item, water);
    return item;
  };

  const pages: Row[] = [
    ['POST /staff/pushes/orders/:id', ordered, () => ({}), owners],
    ['POST /staff/pushes/:id/pause', running, () => ({}), owners],
    ['POST /staff/pushes/:id/resume', paused, () => ({}), owners],
    ['POST /staff/pushes/:id/cancel', running, () => ({}), owners],
    ['POST /staff/opinions/:id/answer', wrote, () => ({ outcome: 'answered', reason: 'On Wednesday.' }), owners],
    ['POST /staff/opinions/:id/publish', answered, () => ({ what: 'show', text: 'When?' }), owners],
    ['POST /staff/channels/items/:id', published, () => ({ on: 'no' }), owners],
    ['POST /staff/channels/items/:id/:version/again', notPosted, () => ({}), owners],
  ];
  it.each(pages)('%s', async (route, prepare, body, may) => {
    const outcomes: [string, boolean][] = [];
    for (const caller of callers) {
      const path = route
        .slice(5)
        .replace(':id', await prepare())
        .replace(':version', '1');
      await visitors.get(caller)?.get('/staff');
      const page = await visitors.get(caller)?.send(path, body('') as Record<string, string>);
      outcomes.push([caller, page?.status === 200]);
      if (!may.includes(caller)) expect(page?.html).toMatch(/belongs to another department|may not do this/);
    }
    expect(outcomes).toEqual(callers.map((caller) => [caller, may.includes(caller)]));
  });

  const deadLetters = '/staff/admin/dead-letters';
  const redrives: [string, (push: string) => object][] = [
    ['of a push', (push) => ({ push })],
    ['by their ids', () => ({ ids: ['a-message'] })],
    ['by their ids, of a push', (push) => ({ push, ids: ['a-message'] })],
  ];
  it.each(redrives)(
    'POST /api/v1/deliveries/redrive, %s: an office’s administrators’, not a department’s key',
    async (_, body) => {
      const { access } = web.town;
      const outcomes: [string, string][] = [];
      for (const [name, { roles, departments }] of Object.entries(accounts)) {
        // a key from the time before the account came to its department
        const account = { email: `${newName()}@example.org`, name, roles: [...roles] };
        const { id } = await access.addStaff({ ...account, departments: [] });
        const { key } = await access.addKey({ staff: id, scopes: ['admin'], expiresAt: null });
        await access.changeStaff(id, { ...account, departments: [...departments] }, 'boss');
        const answer = await web.api('POST', '/deliveries/redrive', body(await running()), key);
        outcomes.push([name, answer.status === 200 ? 'done' : `${answer.status} ${answer.body.code}`]);
      }
      expect(outcomes).toEqual(callers.map((name) => [name, wholeOffice.includes(name) ? 'done' : '403 no-scope']));
    },
  );

  it('POST /staff/admin/dead-letters/:push: an administrator’s', async () => {
    const outcomes: [string, number | undefined][] = [];
    for (const caller of callers) {
      const push = await running();
      await visitors.get(caller)?.get('/staff');
      outcomes.push([caller, (await visitors.get(caller)?.send(`${deadLetters}/${push}`, {}))?.status]);
    }
    expect(outcomes).toEqual(callers.map((name) => [name, name === 'an administrator' ? 200 : 403]));
  });

  it('are all asked, or the reason is given', () => {
    const writing = routeRights.flatMap(([route, right]) => {
      const names = typeof right === 'string' ? [] : 'roles' in right ? right.roles : right.scopes;
      const isWriters = names.includes('publish') || names.includes('publisher');
      return isWriters && !route.startsWith('GET ') ? [route] : [];
    });
    const asked = new Set([...table, ...pages].map(([route]) => route.replace(aStep, 'POST /staff/pushes/:id/:step')));
    expect([...asked, ...Object.keys(notAsked)].sort()).toEqual(writing.sort());
  });
});
