import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { makeLog } from '../../src/log.ts';
import { makeSessions } from '../../src/web/session.ts';
import { makeVisitors } from '../../src/web/visitor.ts';
import { makeTown, type Town } from '../helpers/town.ts';

let town: Town;
let close: () => Promise<void>;
let url: string;
const ids: Record<string, string> = {};

/** A site of three buttons: tie, untie, look. */
const startSite = async (publicUrl: string): Promise<void> => {
  const sessions = makeSessions(town, publicUrl);
  const visitors = makeVisitors({ ...town, sessions, log: makeLog('silent') }, publicUrl);
  const app = express()
    .post('/tie/:id', async (req, res) => void res.json(await visitors.tie(req, res, String(req.params.id))))
    .post('/untie', async (req, res) => {
      await visitors.untie(req, res);
      res.json(true);
    })
    .post(
      '/look',
      async (req, res) => void res.json(await visitors.record(req, [{ kind: 'view', topic: 'services' }])),
    );
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    await town.close();
  };
};

const press = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${url}${path}`, { method: 'POST', headers });
  const cookie = response.headers.get('set-cookie');
  return { answer: await response.json(), cookie, sent: { cookie: cookie?.split(';')[0] ?? '' } };
};

beforeEach(async () => {
  town = await makeTown();
  const consents = { personalisation: true };
  await town.people([
    { externalId: 'ann', email: 'ann@example.org', verified: true, consents, follow: [] },
    { externalId: 'eve', email: 'eve@example.org', verified: true, consents, follow: [] },
    { externalId: 'bob', email: 'bob@example.org', verified: true, follow: [] },
  ]);
  for (const externalId of ['ann', 'eve', 'bob'])
    ids[externalId] = (await town.stores.subscriptions.subscriber({ externalId }))?.id ?? '';
  await startSite('http://localhost:3000');
});
afterEach(() => close());

const tiesOf = () => town.db.prepare('SELECT * FROM visitors').all();

it('a browser is known from the moment its person ties it, until they untie it', async () => {
  expect(await press('/look')).toMatchObject({ answer: 0, cookie: null });
  const { answer, cookie, sent } = await press(`/tie/${ids.ann}`);
  expect(answer).toBe(true);
  expect(cookie).toMatch(/^bellman-visitor=[^;]+; Max-Age=15552000; Path=\/; HttpOnly; SameSite=Lax$/);
  expect((await press('/look', sent)).answer).toBe(1);
  // neither its token nor its cookie is in the store
  const [, token = ''] = /=([^.]+)/.exec(sent.cookie) ?? [];
  expect(JSON.stringify(tiesOf())).not.toContain(token);
  expect((await press('/untie', sent)).cookie).toMatch(/^bellman-visitor=; Max-Age=0/);
  expect(tiesOf()).toEqual([]);
  expect((await press('/look', sent)).answer).toBe(0);
  expect((await press('/untie')).cookie).toBeNull();
});

it('keeps its token when tied again, and belongs to the newest person', async () => {
  const first = await press(`/tie/${ids.ann}`);
  const second = await press(`/tie/${ids.eve}`, first.sent);
  expect(tiesOf()).toHaveLength(1);
  expect((await press('/look', second.sent)).answer).toBe(1);
  const eve = await town.stores.subscriptions.subscriber({ externalId: 'eve' });
  expect(await town.stores.profiles.eventsOf(eve?.ordinal ?? 0, 10)).toHaveLength(1);
});

it('is neither tied nor given a cookie without consent, or against its wish', async () => {
  const bob = { answer: false, cookie: null };
  expect(await press(`/tie/${ids.bob}`)).toMatchObject(bob);
  expect(await press('/tie/nobody')).toMatchObject(bob);
  for (const wish of ['dnt', 'sec-gpc']) expect(await press(`/tie/${ids.ann}`, { [wish]: '1' })).toMatchObject(bob);
  expect(tiesOf()).toEqual([]);
});

it('is forgotten when its time is over, or its cookie altered', async () => {
  const { sent } = await press(`/tie/${ids.ann}`);
  expect(
    (await press('/look', { cookie: sent.cookie.replace(/=./, (start) => (start === '=A' ? '=B' : '=A')) })).answer,
  ).toBe(0);
  town.pass(181 * 86_400_000);
  expect((await press('/look', sent)).answer).toBe(0);
});
