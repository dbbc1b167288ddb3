import type { DeliveryView } from '../../src/fanout/fanout-service.ts';
import { deliveryStates } from '../../src/fanout/push.ts';
import { makePerson } from '../helpers/make-subscriber.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const draft = { title: 'Bus 12', summary: 'Diverted', language: 'en', topics: ['services'] };

describe('pushes over the API', () => {
  let web: Web;
  let person: string;
  beforeEach(async () => {
    web = await startWeb();
    person = (await web.town.stores.subscriptions.insertSubscriber(makePerson())).id;
  });
  afterEach(() => web.close());

  const published = async (): Promise<string> => {
    const { id } = (await web.api('POST', '/items', draft)).body;
    await web.api('POST', `/items/${id}/publish`);
    return String(id);
  };
  const pushTo = (item: string, subscribers: string[]) =>
    web.api('POST', '/pushes', { item, audience: { subscribers }, note: 'You asked at the counter' });
  const made = async (): Promise<string> => {
    const { push } = (await pushTo(await published(), [person])).body;
    return (push as { id: string }).id;
  };

  /** The pushes in a stream of events. */
  const events = (text: string): { state: string; finishedAt: string | null }[] =>
    [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));

  it('makes a push to named people, and tells of it in the promised shape', async () => {
    const id = await made();
    const { body } = await web.api('GET', `/pushes/${id}`);
    expect(body).toMatchObject({ id, state: 'planning', version: 1, plannedAt: null, finishedAt: null, bySource: [] });
    expect(body.estimatedEnd).toBeNull();
    expect(Object.keys(body.counts as object).sort()).toEqual(['matched', ...deliveryStates].sort());
    expect(body.createdAt).toBe('2026-06-10T04:00:00.000Z');
    const listed = (await web.api('GET', '/pushes?limit=1')).body;
    expect([(listed.pushes as { id: string }[]).map((push) => push.id), typeof listed.next]).toEqual([[id], 'string']);
    const rest = (await web.api('GET', `/pushes?limit=1&cursor=${listed.next}`)).body;
    expect([(rest.pushes as unknown[]).length, rest.next]).toEqual([1, null]);
  });

  it('refuses unknown people by name, unknown items and drafts', async () => {
    const item = await published();
    const unknown = await pushTo(item, [person, 'nobody']);
    expect([unknown.status, JSON.stringify(unknown.body.errors)]).toEqual([
      400,
      expect.stringContaining('audience.subscribers'),
    ]);
    expect((await pushTo('no-item', [person])).status).toBe(404);
    const { id } = (await web.api('POST', '/items', draft)).body;
    expect((await pushTo(String(id), [person])).body.code).toBe('wrong-state');
  });

  it('pauses, resumes and cancels where the state allows it', async () => {
    const id = await made();
    const act = async (action: string) => {
      const { status, body } = await web.api('POST', `/pushes/${id}/${action}`);
      return [status, body.code ?? body.state];
    };
    expect(await act('resume')).toEqual([200, 'planning']);
    expect(await act('pause')).toEqual([200, 'paused']);
    expect(await act('resume')).toEqual([200, 'planning']);
    expect(await act('cancel')).toEqual([200, 'cancelled']);
    expect(await act('cancel')).toEqual([200, 'cancelled']);
    expect(await act('pause')).toEqual([409, 'wrong-state']);
    expect((await web.api('POST', '/pushes/unknown/pause')).status).toBe(404);
  });

  it('streams what changes and ends with the push', async () => {
    const id = await made();
    const response = await fetch(`${web.url}/api/v1/pushes/${id}/events`, {
      headers: { authorization: `Bearer ${await web.keyFor(['publish'])}` },
    });
    expect(response.headers.get('content-type')).toMatch('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader?.read())?.value ?? '';
    expect(text).toMatch(/^event: progress\ndata: \{.*"state":"planning".*\}\n\n$/);
    await web.town.drain();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) text += part.value;
    const pushes = events(text);
    expect(pushes[0]).toMatchObject({ state: 'planning', finishedAt: null });
    expect(pushes.at(-1)).toMatchObject({ state: 'done', counts: { matched: 1, withheld: 1 } });
    expect(pushes.filter((push) => push.finishedAt !== null)).toHaveLength(1);
  });

  it('streams a cancelled push until everybody is settled', async () => {
    const id = await made();
    await web.api('POST', `/pushes/${id}/cancel`);
    const response = await fetch(`${web.url}/api/v1/pushes/${id}/events`, {
      headers: { authorization: `Bearer ${await web.keyFor(['publish'])}` },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader?.read())?.value ?? '';
    expect(events(text)).toMatchObject([{ state: 'cancelled', finishedAt: null }]);
    await web.town.drain();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) text += part.value;
    expect(events(text).at(-1)).toMatchObject({ state: 'cancelled', finishedAt: '2026-06-10T04:00:00.000Z' });
  });

  it('ends open streams when the process stops', async () => {
    const response = await fetch(`${web.url}/api/v1/pushes/${await made()}/events`, {
      headers: { authorization: `Bearer ${await web.keyFor(['publish'])}` },
    });
    const read = response.text();
    web.stop();
    expect(await read).toMatch(/^event: progress\n/);
  });

  it('tells reasons and codes in the language that is asked for', async () => {
    const row: DeliveryView = {
      id: 'd1',
      subscriber: person,
      channel: 'email',
      state: 'deferred',
      code: 'quiet-hours',
      reasons: [{ source: 'subscription:topic:services', explanation: null, facts: { topic: 'services' } }],
      attempts: 0,
      at: Date.parse('2026-06-10T04:00:00.123Z'),
      dueAt: Date.parse('2026-06-10T23:00:00Z'),
      provider: null,
    };
    const fanout = { ...web.town.fanout, deliveries: async () => ({ rows: [row], next: null }) };
    const other = await startWeb({ services: { fanout } });
    const ask = async (language: string) =>
      (
        (await other.api('GET', '/pushes/x/deliveries', undefined, undefined, { 'accept-language': language })).body
          .deliveries as { why: string; reasons: { text: string }[] }[]
      )[0];
    const english = await ask('en-GB');
    expect(english).toMatchObject({
      at: '2026-06-10T04:00:00.123Z',
      dueAt: '2026-06-10T23:00:00.000Z',
      provider: null,
    });
    expect(english?.reasons[0]?.text).toContain('Public services');
    const chinese = await ask('zh-Hans-CN,zh;q=0.9');
    expect(chinese?.reasons[0]?.text).toContain('公共服务');
    expect(chinese?.why).not.toBe(english?.why);
    await other.close();
  });

  it('redrives by push or by ids, and wants one of them', async () => {
    expect((await web.api('POST', '/deliveries/redrive', {})).status).toBe(400);
    const answer = await web.api('POST', '/deliveries/redrive', { push: await made() });
    expect([answer.status, answer.body]).toEqual([200, { redriven: 0 }]);
  });
});
