import express from 'express';
import { realEdges } from '../../src/edges.ts';
import { makeKeyring, newWrappedLookupKey } from '../../src/keyring.ts';
import { makeLog } from '../../src/log.ts';
import { makeErrorHandler } from '../../src/web/error-handler.ts';
import { makeSessions } from '../../src/web/session.ts';

const secret = 'a secret for tests only';
const keyring = makeKeyring(secret, newWrappedLookupKey(secret));

describe('sessions and CSRF tokens', () => {
  let now = 1_790_000_000_000;
  const start = async (publicUrl: string) => {
    const sessions = makeSessions({ edges: { ...realEdges, now: () => now }, keyring }, publicUrl);
    const app = express()
      .use(express.urlencoded({ extended: false }))
      .get('/form', (req, res) => void res.send(`${sessions.csrfToken(req, res)} ${sessions.csrfToken(req, res)}`))
      .get('/who', (req, res) => void res.json({ who: sessions.subscriber(req) }))
      .post('/in', (req, res) => {
        sessions.checkCsrf(req);
        sessions.start(res, 'subscriber-1');
        res.end();
      })
      .post('/out', (_req, res) => {
        sessions.end(res);
        res.end();
      })
      .use(makeErrorHandler({ log: makeLog('silent'), publicUrl }));
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    return { url, close: () => new Promise((resolve) => server.close(resolve)) };
  };
  const cookieOf = (response: Response) => (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const post = (url: string, cookie: string, token?: string, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      headers: { cookie, ...headers },
      ...(token === undefined ? {} : { body: new URLSearchParams({ _csrf: token }) }),
    });

  it('signs in, stays in for 30 days, signs out', async () => {
    const { url, close } = await start('http://localhost:3000');
    const form = await fetch(`${url}/form`);
    const [token = '', second] = (await form.text()).split(' ');
    expect(second).toBe(token);
    expect(form.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Lax$/i);
    const signedIn = await post(`${url}/in`, cookieOf(form), token);
    const cookie = cookieOf(signedIn);
    expect(signedIn.headers.get('set-cookie')).toMatch(/Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/i);
    const who = async (value: string) =>
      JSON.parse(await (await fetch(`${url}/who`, { headers: { cookie: value } })).text()).who;
    expect(await who(cookie)).toBe('subscriber-1');
    expect(await who(cookie.replace('subscriber-1', 'subscriber-2'))).toBeNull();
    expect(await who('bellman-session=x')).toBeNull();
    now += 30 * 86_400_000 + 2_000;
    expect(await who(cookie)).toBeNull();
    expect((await post(`${url}/out`, cookie)).headers.get('set-cookie')).toMatch(/^bellman-session=; Max-Age=0/);
    await close();
  });

  it('refuses a form without its browser’s token', async () => {
    const { url, close } = await start('http://localhost:3000');
    const [mine, theirs] = [await fetch(`${url}/form`), await fetch(`${url}/form`)];
    const [token = ''] = (await mine.text()).split(' ');
    const refused = [
      await post(`${url}/in`, cookieOf(mine)),
      await post(`${url}/in`, cookieOf(theirs), token),
      await post(`${url}/in`, '', token),
      await post(`${url}/in`, 'bellman-csrf=', ''),
      await post(`${url}/in`, cookieOf(mine), `${token}x`),
    ];
    expect(refused.map((answer) => answer.status)).toEqual([403, 403, 403, 403, 403]);
    expect(await refused[0]?.json()).toMatchObject({ code: 'bad-csrf' });
    expect((await post(`${url}/in`, cookieOf(mine), undefined, { 'x-csrf-token': token })).status).toBe(200);
    await close();
  });

  it('keeps its cookies to https and to this very host where the site is reached so', async () => {
    const { url, close } = await start('https://bellman.example');
    expect((await fetch(`${url}/form`)).headers.get('set-cookie')).toMatch(
      /^__Host-bellman-csrf=[\w-]{22}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    await close();
  });
});
