import { roles, type Scope, scopes } from '../../src/access/access-store.ts';
import { signLink } from '../../src/signed-link.ts';
import { routesOf } from '../helpers/routes.ts';
import { startWeb, type Web } from '../helpers/web.ts';
import { type Right, routeRights } from './route-rights.ts';

const callers = [
  'nobody',
  'citizen',
  ...scopes.map((scope) => `key ${scope}`),
  ...roles.map((role) => `staff ${role}`),
] as const;

/** What a caller has to come with. */
type Headers = Record<string, string>;

const mayCall = (right: Right, caller: string): boolean => {
  if (right === 'everybody') return true;
  const [kind, name = ''] = caller.split(' ');
  if (right === 'citizen') return kind === 'citizen';
  if (right === 'staff') return kind === 'staff';
  if ('roles' in right) return kind === 'staff' && right.roles.includes(name);
  return kind === 'key' && (name === 'admin' || right.scopes.includes(name));
};

/** Everything that adds a route where it is configured. Nobody listens there: no call of this table gets as far. */
const everything = {
  WECHAT_APP_ID: 'wx0123456789abcdef',
  WECHAT_APP_SECRET: 'a-secret-of-the-account',
  WECHAT_TOKEN: 'tokenOfTheCallback',
  WECHAT_TEMPLATE: 'a-template?thing1=title',
  WECHAT_ONCE_TEMPLATE: 'once-template-of-the-account',
  WECHAT_API: 'http://127.0.0.1:9',
  WECHAT_OPEN: 'http://127.0.0.1:9',
  WEIBO_APP_KEY: '4111222333',
  WEIBO_APP_SECRET: 'an-app-secret',
  WEIBO_IP: '203.0.113.7',
  WEIBO_API: 'http://127.0.0.1:9',
  EMAIL_URL: 'smtp://127.0.0.1:9',
  EMAIL_BOUNCES: 'bounces.example.org',
  SMS_URL: 'twilio+http://sid:token@127.0.0.1:9?from=%2B15550100',
  WEBSUB_HUB: 'https://hub.example.org/',
  OPEN_TRACKING: 'on',
  TRUST_PROXY: '1',
};

describe('every route, for every kind of caller', () => {
  let web: Web;
  const headers = new Map<string, Headers>();
  let citizen = '';
  let calls = 0;

  beforeAll(async () => {
    web = await startWeb({ env: everything, rateLimits: { send: 10_000, guess: 10_000 } });
    const { access, staff } = web.town;
    // a form of nobody's must not stop at its missing token: it has one
    const token = {
      cookie: 'bellman-csrf=secret',
      'x-csrf-token': web.town.keyring.sign('csrf', 'secret', 16).toString('base64url'),
    };
    headers.set('nobody', token);
    for (const scope of scopes) {
      const account = { email: `${scope}@example.org`, name: scope, roles: [...roles], departments: [] };
      const { id } = await access.addStaff(account);
      const { key } = await access.addKey({ staff: id, scopes: [scope satisfies Scope], expiresAt: null });
      headers.set(`key ${scope}`, { ...token, authorization: `Bearer ${key}` });
    }
    const password = 'four words are enough';
    for (const [name, held] of [...roles.map((role) => [role, [role]] as const), ['all', roles] as const]) {
      const email = `${name}.role@example.org`;
      const { id } = await access.addStaff({ email, name, roles: [...held], departments: [] });
      await staff.setUp((await staff.setUpLink(id)).split('/').at(-1) ?? '', password);
      headers.set(`staff ${name}`, { cookie: `bellman-staff=${await staff.signIn(email, password)}` });
    }
    await web.town.people([
      { externalId: 'c', email: 'c@example.org', verified: true, follow: [{ topic: 'services' }] },
    ]);
    const person = await web.town.subscriptions.person({ externalId: 'c' });
    citizen = signLink(web.town.keyring, 'session', person?.person.id ?? '', web.town.now() + 60_000);
    headers.set('citizen', { cookie: `bellman-session=${citizen}` });
    headers.set('citizen at /staff', { ...token, cookie: `bellman-session=${citizen}; ${token.cookie}` });
  });
  afterAll(() => web.close());

  /** Whether somebody was let in: whatever a route then said of what was sent. Whose form would act has no token here. */
  const letIn = async (route: string, caller: string): Promise<boolean> => {
    const [method = '', path = ''] = route.split(' ');
    const place = path.replace(/:\w+/g, 'x');
    const own = headers.get(place.startsWith('/staff') ? `${caller} at /staff` : caller) ?? headers.get(caller);
    calls += 1;
    // from somewhere else each time, or limits would answer
    const from = { 'x-forwarded-for': `10.${calls >> 8}.${calls & 255}.1` };
    const answer = await web.call(method, place, { headers: { accept: 'application/json', ...from, ...own } });
    if (answer.status === 429) throw new Error('a limit answered, and no rule');
    if (['no-key', 'no-scope', 'no-role'].includes(String(answer.body.code))) return false;
    // what was typed after a session had ended is handed back
    if (answer.status === 403 && answer.text.includes(`action="${place}"`)) return false;
    const to = answer.headers.get('location') ?? '';
    return !(answer.status === 303 && ['/staff/sign-in', '/manage'].includes(to));
  };

  /** Forms of pages, and what is posted by machines with nothing but a token (RFC 8058, the service worker). */
  const machines = ['POST /u/:token', 'POST /r/:token', 'POST /push/renew'];
  const forms = routeRights.map(([route]) => route).filter((route) => /^POST \/(?!api)/.test(route));

  it.each(forms)('%s: refuses a form without the token of its browser', async (route) => {
    const cookies = [`bellman-session=${citizen}`, headers.get('staff all')?.cookie ?? ''];
    const answer = await web.call('POST', route.slice(5).replace(/:\w+/g, 'x'), {
      headers: { accept: 'application/json', cookie: cookies.join('; ') },
      body: new URLSearchParams({ _csrf: 'guessed' }),
    });
    const refusal = machines.includes(route) ? expect.not.stringMatching('csrf') : 'bad-csrf';
    expect(String(answer.body.code)).toEqual(refusal);
  });

  it('has its rule, and every rule its route', () => {
    const ruled = routeRights.map(([route]) => route);
    expect([...new Set(ruled)].sort()).toEqual([...ruled].sort());
    expect(routesOf(web.app).sort()).toEqual([...ruled].sort());
  });

  it.each(routeRights)('%s', async (route, right) => {
    const allowed: string[] = [];
    for (const caller of callers) if (await letIn(route, caller)) allowed.push(caller);
    expect(allowed).toEqual(callers.filter((caller) => mayCall(right, caller)));
  });
});
