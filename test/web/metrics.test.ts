import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/project-root.ts';
import { mergeExpositions } from '../../src/web/merge-expositions.ts';
import { makeMetrics } from '../../src/web/metrics.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const depths = async () => [
  { queue: 'emergency' as const, waiting: 3, since: 10_000 },
  { queue: 'webhooks' as const, waiting: 0, since: null },
];

describe('metrics', () => {
  it('tell how many wait in each queue and for how long the first has', async () => {
    const { content } = await makeMetrics({ queues: { depths, now: () => 12_500 } }).expose();
    expect(content).toMatch(/^queue_waiting\{queue="emergency"\} 3$/m);
    expect(content).toMatch(/^queue_oldest_seconds\{queue="emergency"\} 2\.5$/m);
    expect(content).toMatch(/^queue_oldest_seconds\{queue="webhooks"\} 0$/m);
    expect(content).toMatch(/^store_up 1$/m);
  });

  it('tell nothing old of queues while the store is away', async () => {
    let away = false;
    const queues = { depths: () => (away ? Promise.reject(new Error('away')) : depths()), now: () => 12_500 };
    const metrics = makeMetrics({ queues });
    await metrics.expose();
    away = true;
    const { content } = await metrics.expose();
    expect(content).toMatch(/^store_up 0$/m);
    expect(content).not.toMatch(/^queue_waiting\{/m);
  });

  it('count what was sent and what failed, by kind and reason', async () => {
    const metrics = makeMetrics();
    metrics.sent(
      'email',
      { kind: 'notification', key: '' },
      { ok: true, provider: 'p', reference: null, response: '250' },
    );
    const failed = { ok: false as const, provider: 'p', kind: 'throttled' as const, reason: 'greylisted', detail: '' };
    metrics.sent('email', { kind: 'transactional', key: '' }, failed);
    const { content } = await metrics.expose();
    expect(content).toMatch(/^messages_sent_total\{channel="email",message="notification"\} 1$/m);
    expect(content).toMatch(/^messages_sent_total\{channel="sms",message="notification"\} 0$/m);
    expect(content).toMatch(
      /^message_failures_total\{channel="email",message="transactional",kind="throttled",reason="greylisted"\} 1$/m,
    );
  });

  it('hold those of the worker processes under their own label', async () => {
    const worker = makeMetrics({ worker: '1' });
    worker.sent('sms', { kind: 'notification', key: '' }, { ok: true, provider: 'p', reference: null, response: '' });
    const { content } = await makeMetrics({ workers: async () => [(await worker.expose()).content] }).expose();
    expect(content).toMatch(/^messages_sent_total\{channel="sms",message="notification"\} 0$/m);
    expect(content).toMatch(
      /^messages_sent_total\{.*channel="sms".*worker="1".*\} 1$|worker="1".*channel="sms".*\} 1$/m,
    );
    expect(content.match(/^# TYPE messages_sent_total /gm)).toHaveLength(1);
    expect(content).toMatch(/^process_start_time_seconds\{worker="1"\} /m);
  });

  it('are one family each however many processes tell of it', () => {
    const one = '# HELP a x\n# TYPE a counter\na 1\n\n# HELP b y\n# TYPE b gauge\nb{c="# HELP"} 2\n';
    const two = '# HELP a x\n# TYPE a counter\na{w="0"} 5\n';
    expect(mergeExpositions([one, two, ''])).toBe(
      '# HELP a x\n# TYPE a counter\na 1\na{w="0"} 5\n\n# HELP b y\n# TYPE b gauge\nb{c="# HELP"} 2\n',
    );
  });

  describe('alert rules', () => {
    let web: Web;
    beforeAll(async () => {
      web = await startWeb();
    });
    afterAll(() => web.close());

    it('name metrics that there are', async () => {
      const failed = { ok: false as const, provider: 'p', kind: 'transient' as const, reason: 'auth', detail: '' };
      const worker = makeMetrics({ worker: '0' });
      worker.sent('email', { kind: 'notification', key: '' }, failed);
      await web.call('GET', '/healthz');
      const told = mergeExpositions([(await web.call('GET', '/metrics')).text, (await worker.expose()).content]);
      const known = new Set(told.match(/^[a-z_\d]+(?=[{ ])/gm));
      const rules = readFileSync(join(projectRoot, 'deploy/alerts.yml'), 'utf8');
      const expressions = [...rules.matchAll(/^ +expr: (.+)$/gm)].map(([, expression = '']) => expression);
      expect(expressions.length).toBe(rules.match(/- alert: /g)?.length);
      const named = expressions.flatMap(
        (one) =>
          // without what stands in strings, label lists and by-lists; names of metrics have an underscore, functions a bracket
          one.replace(/\{[^}]*\}|\bby \([^)]*\)|\[[^\]]*\]/g, '').match(/\b[a-z]+(?:_[a-z\d]+)+\b(?! *\()/g) ?? [],
      );
      expect(named.length).toBeGreaterThanOrEqual(expressions.length - 1);
      expect(named.filter((name) => !known.has(name))).toEqual([]);
    });
  });
});
