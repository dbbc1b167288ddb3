import { roles, type Scope, scopes } from '../../src/access/access-store.ts';
import { signLink } from '../../src/signed-link.ts';
import { routesOf } from '../helpers/routes.ts';
import { startWeb, type Web } from '../helpers/web.ts';
import { type Right, routeRights } from './route-rights.ts';

const callers = ['nobody', ...scopes.map((scope) => `key ${scope}`), ...roles.map((role) => `staff ${role}`)] as const;

/** What a caller has to come with. */
type Headers = Record<string, string>;

const mayCall = (right: Right, caller: string): boolean => {
  if (right === 'everybody') return true;
  const [kind, name = ''] = caller.split(' ');
  if (right === 'citizen') return false;
  if (right === 'staff') return kind === 'staff';
  if ('roles' in right) return kind === 'staff' && right.roles.includes(name);
  return kind === 'key' && (name === 'admin' || right.scopes.includes(name));
};

describe('every route, for every kind of caller', () => {
  let web: Web;
  const headers = new Map<string, Headers>();
  let citizen = '';

  beforeAll(async () => {
    web = await startWeb({ rateLimits: { send: 10_000, guess: 10_000 } });
    const { access, staff } = web.town;
    // a form of nobody's must not stop at its missing token: it has one
    const token = {
      cookie: 'bellman-csrf=secret',
      'x-csrf-token': web.town.keyring.mac('csrf', 'secret', 16).toString('base64url'),
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
  }, 30_000);
  afterAll(() => web.close());

  /** Whether somebody was let in: whatever a route then said of what was sent. Forms of staff have no token here, so none acts. */
  const letIn = async (route: string, caller: string): Promise<boolean> => {
    const [method = '', path = ''] = route.split(' ');
    const place = path.replace(/:\w+/g, 'x');
    const sent = { accept: 'application/json', ...headers.get(caller) };
    const answer = await web.call(method, place, { headers: sent });
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
    const everything = { citizen: `bellman-session=${citizen}`, staff: headers.get('staff all')?.cookie ?? '' };
    const answer = await web.call('POST', route.slice(5).replace(/:\w+/g, 'x'), {
      headers: { accept: 'application/json', cookie: Object.values(everything).join('; ') },
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
