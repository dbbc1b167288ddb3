import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { type Service, startService } from '../test/helpers/start-service.ts';
import { printTable } from './table.ts';

/**
 * `POST /subscribers/import` into a running service: NDJSON that is made as it is sent, three follows a person, a phone number
 * for every third. Each size goes into an empty service, then the same lines once more.
 */
const quick = process.argv.includes('--quick');
const sizes = quick ? [2_000, 10_000] : [10_000, 100_000];
const adminKey = 'an-admin-key-for-the-bench';
const topics = ['policies', 'licensing', 'penalties', 'services', 'budgets', 'personnel', 'other'];
const regions = ['110000', '310000', '330000', '440000', '510000'];

const lineOf = (n: number): string => {
  const topic = (step: number) => topics[(n + step) % topics.length];
  return JSON.stringify({
    externalId: `person-${n}`,
    email: `person${n}@example.org`,
    ...(n % 3 === 0 ? { phone: `139${String(10_000_000 + n)}` } : {}),
    verified: true,
    locale: n % 4 === 0 ? 'en' : 'zh-CN',
    region: regions[n % regions.length],
    attributes: { birthYear: 1940 + (n % 65) },
    consents: { personalisation: n % 2 === 0 },
    quietHours: { from: '22:00', to: '07:00' },
    follow: [
      { topic: topic(0) },
      { topic: topic(1), pace: 'daily', channels: ['email'] },
      { search: { all: { topics: [topic(2)], regions: [regions[n % regions.length]] } }, pace: 'weekly' },
    ],
  });
};

const linesInOneChunk = 500;

const body = function* (count: number): Generator<string> {
  for (let from = 0; from < count; from += linesInOneChunk) {
    const lines = Array.from({ length: Math.min(linesInOneChunk, count - from) }, (_, at) => lineOf(from + at));
    yield `${lines.join('\n')}\n`;
  }
};

type Report = { imported: number; updated: number; failed: number; errors: unknown[] };

const post = (service: Service, count: number): Promise<Report> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/x-ndjson' };
    const call = request(`${service.url}/api/v1/subscribers/import`, { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(JSON.parse(text) as Report));
    });
    call.on('error', reject);
    Readable.from(body(count)).pipe(call);
  });

/** Peak resident memory of the web process in MB since the last call, as the kernel counted it. */
const takePeak = (service: Service): number => {
  const proc = `/proc/${service.process.pid}`;
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`${proc}/status`, 'utf8'))?.[1]) / 1024;
  writeFileSync(`${proc}/clear_refs`, '5');
  return peak;
};

const rows: string[][] = [];
for (const size of sizes) {
  const service = await startService({ env: { ADMIN_API_KEY: adminKey } });
  try {
    takePeak(service);
    for (const run of ['first', 'again'] as const) {
      const startedAt = performance.now();
      const report = await post(service, size);
      const seconds = (performance.now() - startedAt) / 1000;
      const done = run === 'first' ? report.imported : report.updated;
      if (done !== size) throw new Error(`${done} of ${size} lines: ${JSON.stringify(report.errors[0])}`);
      rows.push([String(size), run, Math.round(size / seconds).toString(), Math.round(takePeak(service)).toString()]);
    }
  } finally {
    await service.stop();
  }
}
printTable(['lines', 'import', 'lines/s', 'web peak MB'], rows);
