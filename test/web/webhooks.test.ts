import { createHmac } from 'node:crypto';
import { makeDuties } from '../../src/fanout/worker/duties.ts';
import { makePlanner } from '../../src/fanout/worker/planner.ts';
import { type PushSink, startPushSink } from '../helpers/push-sink.ts';
import { smtpError, startSmtpSink } from '../helpers/smtp-sink.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const draft = { title: '停水通知', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
const everything = ['item.published', 'push.done', 'delivery.failed', 'feedback.received'];
const resident = (name: string) => ({ email: `${name}@example.org`, verified: true, follow: [{ topic: 'services' }] });
const hour = 3_600_000;

describe('webhooks', () => {
  let web: Web;
  let sink: PushSink;
  let answer: { status: number; headers?: Record<string, string> };
  let closing: (() => Promise<unknown>)[];
  beforeEach(async () => {
    answer = { status: 200 };
    sink = await startPushSink({ answer: () => answer });
    web = await startWeb({ env: { ALLOW_PRIVATE_ENDPOINTS: 'on' } });
    closing = [web.close, sink.close];
  });
  afterEach(async () => {
    for (const close of closing) await close();
  });

  const add = async (events = everything): Promise<{ id: string; secret: string }> => {
    const made = await web.api('POST', '/webhooks', { url: `${sink.origin}/hook`, events });
    expect(made.status).toBe(201);
    return made.body as { id: string; secret: string };
  };
  const publish = async (of: Web = web): Promise<string> => {
    const { id } = (await of.api('POST', '/items', draft)).body;
    return ((await of.api('POST', `/items/${id}/publish`)).body.push as { id: string }).id;
  };
  const told = () => sink.pushes.map((one) => ({ id: one.headers['webhook-id'], ...JSON.parse(one.body.toString()) }));
  const deliveries = async (id: string) =>
    (await web.api('GET', `/webhooks/${id}/deliveries`)).body.deliveries as {
      id: string;
      state: string;
      attempts: number;
    }[];

  it('are told what was published and that its push is over, signed so that the receiver can check it', async () => {
    const { id, secret } = await add();
    await web.town.people([resident('ana')]);
    const push = await publish();
    await web.town.drain();
    // two are sent at once: which comes first is open
    expect(told().sort((a, b) => (a.type < b.type ? -1 : 1))).toMatchObject([
      { type: 'item.published', data: { title: '停水通知', version: 1, kind: 'publication', push } },
      { type: 'push.done', data: { push, state: 'done', counts: { sent: 1 } } },
    ]);
    for (const { headers, body } of sink.pushes) {
      const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
      expect(Number(headers['webhook-timestamp'])).toBe(Math.floor(web.town.now() / 1000));
    }
    expect((await deliveries(id)).map((one) => one.state)).toEqual(['sent', 'sent']);
    expect((await web.api('GET', '/webhooks')).text).not.toContain('secret');
    expect(JSON.stringify(web.rows('SELECT * FROM webhooks'))).not.toContain(secret.slice(6));
  });

  it('are told of each person who could not be reached, once, and again if a redrive fails', async () => {
    const mail = await startSmtpSink({
      onRcpt: (address) => {
        if (address.startsWith('gone')) throw smtpError(550, '5.7.1 refused by policy');
      },
    });
    await web.close();
    web = await startWeb({ env: { ALLOW_PRIVATE_ENDPOINTS: 'on', EMAIL_URL: `smtp://127.0.0.1:${mail.port}` } });
    closing = [web.close, sink.close, mail.close];
    await add(['delivery.failed']);
    await web.town.people([resident('ana'), resident('gone1'), resident('gone2')]);
    const push = await publish();
    await web.town.drain();
    await web.town.drain();
    expect(told().map(({ type, data }) => [type, data.push, data.state, data.channel])).toEqual([
      ['delivery.failed', push, 'failed', 'email'],
      ['delivery.failed', push, 'failed', 'email'],
    ]);
    expect(told()[0].data).toMatchObject({ code: 'refused-by-policy', attempts: 1, delivery: expect.any(String) });
    web.town.pass(1_000);
    await web.api('POST', '/deliveries/redrive', { ids: [told()[0].data.delivery] });
    await web.town.drain();
    expect(told()).toHaveLength(3);
    expect(new Set(told().map((one) => one.id)).size).toBe(3);
  });

  it('that are down are tried again, not before they said, for a day; then what failed can be replayed', async () => {
    const { id } = await add(['item.published']);
    answer = { status: 503, headers: { 'retry-after': '7200' } };
    await publish();
    await web.town.drain();
    web.town.pass(1.9 * hour);
    await web.town.drain();
    expect(sink.count()).toBe(1);
    web.town.pass(0.2 * hour);
    await web.town.drain();
    expect(sink.count()).toBe(2);
    answer = { status: 500 };
    for (let passed = 0; passed < 30; passed += 1) {
      web.town.pass(hour);
      await web.town.drain();
    }
    const failed = (await deliveries(id))[0];
    expect(failed).toMatchObject({ state: 'failed', response: '500', dueAt: null });
    expect(failed?.attempts).toBeGreaterThan(20);
    const tries = sink.count();
    answer = { status: 204 };
    expect((await web.api('POST', `/webhooks/${id}/replay`, { delivery: failed?.id })).body).toEqual({ replayed: 1 });
    await web.town.drain();
    expect(await deliveries(id)).toMatchObject([{ id: failed?.id, state: 'sent', attempts: 1 }]);
    expect(sink.count()).toBe(tries + 1);
    expect(new Set(told().map((one) => one.id)).size).toBe(1);
    const from = { from: '2026-06-01T00:00:00+08:00' };
    expect((await web.api('POST', `/webhooks/${id}/replay`, from)).body).toEqual({ replayed: 1 });
    expect((await web.api('POST', `/webhooks/${id}/replay`, { ...from, to: from.from })).body).toEqual({ replayed: 0 });
  }, 60_000);

  it('lose nothing where a process dies between a fact and its telling, and are told it once', async () => {
    await add();
    const { town } = web;
    await town.people([resident('ana')]);
    const push = await publish();
    let dies = true;
    const planner = makePlanner(town.stores, { edges: town.edges, audience: town.audienceMatcher });
    const { announceLost } = town.fanout;
    const tell: typeof town.webhooks.tell = async (events) => {
      await town.webhooks.tell(events);
      if (dies) throw new Error('the process died');
    };
    const duties = makeDuties(town.stores, { planner, edges: town.edges, log: town.log, announceLost, tell });
    await duties.tick();
    const claim = await town.stores.pushes.claim('one', ['at-once']);
    if (claim) await town.parts.runner.run(claim, 'one', () => false);
    for (let round = 0; round < 5; round += 1) await duties.tick();
    expect(await town.stores.pushes.endUntold(10)).toMatchObject([{ id: push }]);
    dies = false;
    await duties.tick();
    await town.drain();
    expect(await town.stores.pushes.endUntold(10)).toEqual([]);
    expect(
      told()
        .map((one) => one.type)
        .sort(),
    ).toEqual(['item.published', 'push.done']);
  });

  it('are told only what they want, since they were added; a removed one nothing any more', async () => {
    await publish();
    await web.town.drain();
    web.town.pass(1);
    const { id } = await add(['push.done']);
    answer = { status: 500 };
    await publish();
    await web.town.drain();
    expect(told().map((one) => one.type)).toEqual(['push.done']);
    expect((await web.api('DELETE', `/webhooks/${id}`)).status).toBe(204);
    web.town.pass(hour);
    await publish();
    await web.town.drain();
    expect(sink.count()).toBe(1);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/deliveries'],
      ['POST', '/replay'],
    ] as const)
      expect([
        method,
        (await web.api(method, `/webhooks/${id}${path}`, path === '/replay' ? { delivery: 'x' } : undefined)).status,
      ]).toEqual([method, 404]);
  });

  it.each([
    'http://desk.example.org/x',
    'https://user:pass@desk.example.org/',
    'https://10.0.0.1/',
    'https://localhost/',
    'https://[::1]/',
    'ftp://x.example/',
    'x',
  ])('are not made for %s', async (url) => {
    const strict = await startWeb();
    closing.push(strict.close);
    const { status, body } = await strict.api('POST', '/webhooks', { url, events: ['push.done'] });
    expect([status, (body.errors as { path: string }[]).map((one) => one.path)]).toEqual([400, ['url']]);
  });

  it('are refused by name what they cannot be, and everything without the scope', async () => {
    const bad = await web.api('POST', '/webhooks', { url: sink.origin, events: ['push.gone'], colour: 'red' });
    expect(bad.status).toBe(400);
    expect((await web.api('POST', '/webhooks', { url: sink.origin, events: [] })).status).toBe(400);
    const { id } = await add();
    expect((await web.api('POST', `/webhooks/${id}/replay`, {})).status).toBe(400);
    const key = await web.keyFor(['publish']);
    expect((await web.api('GET', '/webhooks', undefined, key)).status).toBe(403);
  });
});
