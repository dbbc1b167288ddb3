import { forgetExpired } from '../../jobs/forget-expired.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const draft = { title: 'Bus 12', summary: 'Diverted', language: 'en', topics: ['services'] };
const under = (key: string) => ({ 'idempotency-key': key });

describe('Idempotency-Key', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb({ rateLimits: { send: 10_000, guess: 10_000 } });
  });
  afterEach(() => web.close());

  const create = (key: string, body: object = draft, apiKey?: string) =>
    web.api('POST', '/items', body, apiKey, under(key));
  const count = async () => ((await web.api('GET', '/items')).body.items as unknown[]).length;

  it('does the work once among fifty at once, and answers the rest alike or with 409', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => create('one')));
    const made = answers.filter((answer) => answer.status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map((answer) => answer.body.id)).size).toBe(1);
    for (const answer of answers.filter((one) => one.status !== 201)) {
      expect([answer.status, answer.body.code]).toEqual([409, 'still-running']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await count()).toBe(1);
    const again = await create('one');
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect([again.status, again.body]).toEqual([201, made[0]?.body]);
  });

  it('takes the same body in another order, refuses another body', async () => {
    const first = await create('k');
    const turned = await create('k', Object.fromEntries(Object.entries(draft).reverse()));
    expect(turned.body.id).toBe(first.body.id);
    const other = await create('k', { ...draft, title: 'Bus 13' });
    expect([other.status, other.body.code]).toEqual([422, 'key-reused']);
  });

  it('belongs to one API key and one route', async () => {
    const key = await web.keyFor(['publish']);
    const first = await create('k');
    const second = await create('k', draft, key);
    expect(second.status).toBe(201);
    expect(second.body.id).not.toBe(first.body.id);
    const topic = { slug: 'housing', title: { en: 'Housing', 'zh-CN': '住房' } };
    expect((await web.api('POST', '/topics', topic, undefined, under('k'))).status).toBe(201);
    const publish = (id: unknown) => web.api('POST', `/items/${id}/publish`, {}, undefined, under('p'));
    const pushes = [await publish(first.body.id), await publish(second.body.id)];
    expect(pushes.map((answer) => answer.status)).toEqual([202, 202]);
    expect(pushes[1]?.body.item).toMatchObject({ id: second.body.id });
  });

  it('forgets a refused call, so that it can be mended under the same key', async () => {
    const refused = await create('k', { ...draft, topics: ['no-such-topic'] });
    expect(refused.status).toBe(400);
    expect((await create('k')).status).toBe(201);
  });

  it('takes over after a crash, and forgets after 24 hours', async () => {
    await create('k');
    web.town.db.exec('UPDATE idempotent_calls SET status = NULL, body = NULL');
    expect((await create('k')).body.code).toBe('still-running');
    web.town.pass(61_000);
    expect((await create('k')).status).toBe(201);
    expect((await create('k')).headers.get('idempotent-replayed')).toBe('true');
    const forget = () => forgetExpired.run(web.town, new AbortController().signal);
    web.town.pass(23 * 3_600_000);
    await forget();
    expect((await create('k')).headers.get('idempotent-replayed')).toBe('true');
    web.town.pass(2 * 3_600_000);
    await forget();
    expect((await create('k')).headers.get('idempotent-replayed')).toBeNull();
  });

  it('sends one confirmation for a repeated sign-up', async () => {
    const ask = () =>
      web.api('POST', '/subscriptions', { email: 'a@b.c', follow: [{ topic: 'policies' }] }, null, under('k'));
    expect([(await ask()).status, (await ask()).status]).toEqual([202, 202]);
    expect(web.rows('SELECT * FROM sign_ups')).toHaveLength(1);
  });

  it('keeps no key in the clear that it answered with', async () => {
    const ask = () => web.api('POST', '/keys', { staff: 'admin', scopes: ['publish'] }, undefined, under('k'));
    const { key } = (await ask()).body;
    expect((await ask()).body.key).toBe(key);
    expect(JSON.stringify(web.rows('SELECT * FROM idempotent_calls'))).not.toContain(String(key).split('.')[1]);
    expect(await web.town.access.verifyAudit()).toMatchObject({ ok: true, entries: 1 });
  });
});
