import { signLink } from '../../src/signed-link.ts';
import { startWeb, type Web } from '../helpers/web.ts';
import { routeRights } from './route-rights.ts';

/** What everybody and every citizen may post without the limit of what sends or is guessed, each with the reason. */
const unlimited: Record<string, string> = {
  'POST /api/v1/beacon': 'it sends nothing, and keeps something of those alone who consented',
  'POST /api/v1/hooks/wechat': 'the platform’s signature is asked for',
  'POST /confirm/:token': 'the link is signed: there is nothing to guess, and it sends nothing',
  'POST /manage/:token': 'the link is signed: there is nothing to guess, and it sends nothing',
  'POST /stay/:token': 'the link is signed: there is nothing to guess, and it sends nothing',
  'POST /sign-out': 'it ends a session',
  'POST /my/stop': 'stopping is never refused',
  'POST /my/follows/:id/stop': 'stopping is never refused',
  'POST /my/consent/withdraw': 'stopping is never refused',
  'POST /my/stay': 'it sends nothing',
  ...Object.fromEntries(
    [
      'about/facts',
      'about/interests/:topic',
      'about/interests/:topic/delete',
      'addresses/:id/remove',
      'consent',
      'follows/:id',
      'settings',
      'settings/as-before',
      'settings/links',
      'wechat/:id/unbind',
    ].map((path) => [`POST /my/${path}`, 'a person’s own settings: it sends nothing']),
  ),
  ...Object.fromEntries(
    ['sign-in', 'code', 'first/:token', 'set-up/:token'].map((path) => [
      `POST /staff/${path}`,
      'its own limit counts what was refused (staff.test.ts, second-step.test.ts)',
    ]),
  ),
};
const wechat = {
  WECHAT_APP_ID: 'wx0123456789abcdef',
  WECHAT_APP_SECRET: 'a-secret-of-the-account',
  WECHAT_TOKEN: 'tokenOfTheCallback',
  WECHAT_TEMPLATE: 'a-template?thing1=title',
  WECHAT_API: 'http://127.0.0.1:9',
  WECHAT_OPEN: 'http://127.0.0.1:9',
};

describe('what everybody may post', () => {
  let web: Web;
  let headers: Record<string, string>;
  const from = { 'x-forwarded-for': '192.0.2.7' };
  beforeAll(async () => {
    web = await startWeb({ env: { TRUST_PROXY: '1', ...wechat }, rateLimits: { send: 1, guess: 1 } });
    const follow = [{ topic: 'services' }];
    await web.town.people([{ externalId: 'li', email: 'li@example.org', verified: true, follow }]);
    const person = (await web.town.subscriptions.person({ externalId: 'li' }))?.person.id ?? '';
    const session = signLink(web.town.keyring, 'session', person, web.town.now() + 60_000);
    const csrf = web.town.keyring.sign('csrf', 'secret', 16).toString('base64url');
    headers = { ...from, cookie: `bellman-session=${session}; bellman-csrf=secret`, 'x-csrf-token': csrf };
    // what may be done in a minute is done
    for (const path of ['/subscriptions', '/subscriptions/confirm']) await web.api('POST', path, {}, null, from);
  });
  afterAll(() => web.close());

  it('is limited by the place it comes from, or the reason is given', async () => {
    const posts = routeRights
      .filter(([route, right]) => route.startsWith('POST ') && (right === 'everybody' || right === 'citizen'))
      .map(([route]) => route);
    const free: string[] = [];
    for (const route of posts) {
      const answer = await web.call('POST', route.slice(5).replace(/:\w+/g, 'x'), { headers });
      if (answer.status !== 429) free.push(route);
    }
    expect(free.sort()).toEqual(Object.keys(unlimited).sort());
  });
});
