import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeOutboxChannel } from '../../src/channels/outbox.ts';
import { realEdges } from '../../src/edges.ts';
import { AppError } from '../../src/errors.ts';
import { makeLog } from '../../src/log.ts';
import { makeMetrics } from '../../src/web/metrics.ts';
import { makeWorkerApp } from '../../src/web/outside.ts';
import { startingApp } from '../../src/web/starting-app.ts';
import { adminApiKey, startWeb, type Web } from '../helpers/web.ts';

const bearer = { authorization: `Bearer ${adminApiKey}` };

const serve = async (listener: RequestListener) => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, close };
};

describe('outside the API', () => {
  const stopped: [string, boolean][] = [];
  const reports: [string, string][] = [];
  let broken = false;
  let web: Web;
  const start = async (publicUrl?: string): Promise<Web> => {
    const plain = await startWeb();
    const feedback = {
      ...plain.town.feedback,
      unsubscribe: async (token: string, everything: boolean) => {
        if (!token.startsWith('good')) throw new AppError('bad-link', 'This link is not one of ours.');
        stopped.push([token, everything]);
      },
      report: async (token: string, what: string) => void reports.push([token, what]),
    };
    await plain.close();
    const stores = {
      ...plain.town.stores,
      ping: async () => (broken ? Promise.reject(new Error('away')) : undefined),
    };
    return startWeb({ services: { feedback, stores }, ...(publicUrl ? { env: { PUBLIC_URL: publicUrl } } : {}) });
  };
  beforeAll(async () => {
    web = await start();
  });
  afterAll(() => web.close());
  const get = (path: string, headers: Record<string, string> = {}) => web.call('GET', path, { headers });

  it('is alive at once, ready while the store answers', async () => {
    expect((await get('/healthz')).status).toBe(200);
    const ready = await get('/readyz');
    const index = { state: 'ready', people: 0, lag: 0, wrong: false, faults: 0 };
    expect([ready.status, ready.body]).toEqual([200, { status: 'ready', index }]);
    broken = true;
    const away = await get('/readyz', { accept: 'text/html' });
    expect([away.status, away.body.code]).toEqual([503, 'store-unavailable']);
    expect((await get('/healthz')).status).toBe(200);
    broken = false;
  });

  it('is not ready while the audience index is being built', async () => {
    const { audienceIndex } = web.town;
    const state = () => ({ ...audienceIndex.state(), state: 'building' as const });
    const early = await startWeb({ services: { audienceIndex: { ...audienceIndex, state } } });
    const answer = await early.call('GET', '/readyz');
    expect([answer.status, answer.body.code]).toEqual([503, 'index-building']);
    await early.close();
  });

  it('goes on serving while an index that was found wrong is made anew, and says so', async () => {
    const { audienceIndex } = web.town;
    const state = () => ({ ...audienceIndex.state(), state: 'rebuilding' as const, wrong: true, faults: 3 });
    const later = await startWeb({ services: { audienceIndex: { ...audienceIndex, state } } });
    const answer = await later.call('GET', '/readyz');
    expect([answer.status, answer.body.index]).toEqual([
      200,
      { state: 'rebuilding', people: 0, lag: 0, wrong: true, faults: 3 },
    ]);
    const { text } = await later.call('GET', '/metrics');
    expect(text).toMatch(/^audience_index_ready 0$/m);
    expect(text).toMatch(/^audience_index_wrong 1$/m);
    expect(text).toMatch(/^audience_index_faults 3$/m);
    await later.close();
  });

  it('counts requests by route, never by path', async () => {
    await web.api('GET', '/items/some-id-of-mine');
    await get('/u/some-token-of-mine');
    const { text, headers } = await get('/metrics');
    expect(headers.get('content-type')).toMatch('text/plain');
    expect(text).toMatch(/http_request_duration_seconds_count\{method="GET",route="\/items\/\{id\}",status="404"\} 1/);
    expect(text).toMatch(/process_cpu_seconds_total/);
    expect(text).toMatch(/^audience_index_ready 1$/m);
    expect(text).not.toMatch('of-mine');
  });

  it('sends a strict policy with every answer', async () => {
    for (const path of ['/healthz', '/api/v1/topics', '/', '/no-such-page']) {
      const policy = (await get(path)).headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|upgrade-insecure|\*/);
    }
    const secure = await start('https://bellman.example');
    const { headers } = await secure.call('GET', '/healthz');
    expect(headers.get('content-security-policy')).toContain('upgrade-insecure-requests');
    expect(headers.get('strict-transport-security')).toBeTruthy();
    expect(headers.get('x-powered-by')).toBeNull();
    await secure.close();
  });

  describe('one-click unsubscribe (RFC 8058)', () => {
    const multipart = new FormData();
    multipart.set('List-Unsubscribe', 'One-Click');
    it.each<[string, RequestInit]>([
      ['a form', { body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) }],
      ['multipart', { body: multipart }],
      ['nothing', {}],
      ['another type', { body: '{', headers: { 'content-type': 'application/json' } }],
      ['an unknown type and a body of a megabyte', { body: 'x'.repeat(1e6), headers: { 'content-type': 'x/y' } }],
    ])('takes %s, without a redirect', async (_what, init) => {
      stopped.length = 0;
      const answer = await web.call('POST', '/u/good.token.1', init);
      expect([answer.status, answer.headers.get('location')]).toEqual([200, null]);
      expect(stopped).toEqual([['good.token.1', false]]);
    });

    it('refuses a token that is not ours with a problem document', async () => {
      const answer = await web.call('POST', '/u/bad', { headers: { accept: 'text/html' } });
      expect([answer.status, answer.body.code]).toEqual([403, 'bad-link']);
    });

    it('does nothing on GET', async () => {
      stopped.length = 0;
      await get('/u/good.token.1');
      expect(stopped).toEqual([]);
    });
  });

  it('takes reports of the service worker, and shrugs at anything else', async () => {
    const report = (body: string) =>
      web.call('POST', '/r/tok', { body, headers: { 'content-type': 'application/json' } });
    for (const body of ['{"what":"shown"}', '{"what":"clicked"}', '{"what":"x"}', '{', 'null', ''])
      expect([body, (await report(body)).status]).toEqual([body, 204]);
    expect(reports).toEqual([
      ['tok', 'shown'],
      ['tok', 'clicked'],
    ]);
    expect((await report('x'.repeat(2_000))).status).toBe(413);
    // 7 of 120 in a minute were before
    for (let count = 8; count <= 120; count += 1) await report('{}');
    expect((await report('{}')).status).toBe(429);
  });

  describe('the outbox', () => {
    const json = { accept: 'application/json' };
    const fill = async (dataDir: string): Promise<void> => {
      const channel = makeOutboxChannel('sms', dataDir, { edges: realEdges });
      for (const id of ['m1', 'm2'])
        await channel.send(
          {
            id,
            to: { channel: 'sms', phone: '+8613800138000' },
            slots: { unsubscribe: 'u', manage: 'm', item: 'i', reason: 'r', token: 't' },
            content: {
              key: 'k',
              kind: 'notification',
              locale: 'en',
              title: 't',
              text: 't',
              html: 'h',
              short: 's',
              sms: '退订',
              urgency: 'routine',
              expiresAt: null,
              listLabel: null,
            },
          },
          new AbortController().signal,
        );
      await channel.close();
    };

    it('is shown on loopback, page by page', async () => {
      await fill(web.town.dataDir);
      const first = (await get('/dev/outbox?limit=1', json)).body as {
        messages: { messageId: string }[];
        next: string;
      };
      const rest = (await get(`/dev/outbox?limit=5&cursor=${encodeURIComponent(first.next)}`, json))
        .body as typeof first;
      expect([...first.messages, ...rest.messages].map((one) => one.messageId).sort()).toEqual(['m1', 'm2']);
      expect(rest.next).toBeNull();
      expect((await get('/dev/outbox?channel=email', json)).body).toEqual({ messages: [], next: null });
      expect((await get('/dev/outbox?limit=x', json)).status).toBe(400);
    });

    it('is not there elsewhere, but for an admin', async () => {
      const far = await start('https://bellman.example');
      await fill(far.town.dataDir);
      const publish = { authorization: `Bearer ${await far.keyFor(['publish'])}` };
      for (const headers of [
        json,
        { accept: 'text/html' },
        { ...json, ...publish },
        { ...json, authorization: 'Bearer x.y' },
      ])
        expect((await far.call('GET', '/dev/outbox', { headers })).status).toBe(404);
      expect((await far.call('GET', '/dev/outbox', { headers: { ...json, ...bearer } })).body.messages).toHaveLength(2);
      await far.close();
    });
  });

  it('answers before it is composed: alive, not ready', async () => {
    const { url, close } = await serve(startingApp);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const early = await fetch(`${url}/readyz`);
    expect([early.status, early.headers.get('content-type')]).toEqual([503, expect.stringContaining('problem+json')]);
    await close();
  });

  it('serves health and metrics of a worker, nothing else', async () => {
    const stores = { ping: async () => undefined };
    const { url, close } = await serve(makeWorkerApp({ stores, log: makeLog('silent') }, makeMetrics()));
    const statuses = [];
    for (const path of ['/healthz', '/readyz', '/metrics', '/', '/api/v1/topics'])
      statuses.push((await fetch(`${url}${path}`)).status);
    expect(statuses).toEqual([200, 200, 200, 404, 404]);
    await close();
  });
});
