import { spawn } from 'node:child_process';
import { createECDH, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { projectRoot } from '../src/project-root.ts';
import { headline, townItems, townPeople, townRegions, townTopics } from './sample-town.ts';

type Push = { id: string; state: string; counts: Record<string, number> };
type Delivery = { channel: string | null; state: string; why: string | null };

const adminKey = process.env.ADMIN_API_KEY ?? randomBytes(18).toString('base64url');
let stopping = false;
let failed = false;
let endTown = (): void => undefined;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const say = (line = ''): void => void process.stdout.write(`${line}\n`);

const portIsFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, () => probe.close(() => resolve(true)));
  });

/** Starts web and worker on the demo's own data; nothing leaves this machine: every channel is the outbox. */
const startTown = async (): Promise<string> => {
  const port = process.env.PORT ?? ((await portIsFree(3000)) ? '3000' : '0');
  const child = spawn(process.execPath, [join(projectRoot, 'dist/src/main.js')], {
    env: {
      ...process.env,
      PORT: port,
      DATA_DIR: process.env.DATA_DIR ?? join(projectRoot, 'data/demo'),
      ADMIN_API_KEY: adminKey,
      REVIEW: 'off',
      EMAIL_URL: 'outbox:',
      SMS_URL: 'outbox:',
      WEB_PUSH: 'outbox',
      EMAIL_FROM: 'Qingshi Town <notices@qingshi.example>',
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      stopping = true;
      // Ctrl-C has reached the child already
      if (signal === 'SIGTERM' || !process.stdin.isTTY) child.kill(signal);
    });
  // it has said itself why it does not start
  child.on('exit', (code) => process.exit(failed ? 1 : (code ?? 1)));
  endTown = () => void child.kill('SIGTERM');
  return new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const url = /ready at (\S+)/.exec(text)?.[1];
      if (url) resolve(url);
    });
  });
};

const makeCaller =
  (url: string) =>
  async <T>(method: string, path: string, body?: unknown, accepted: number[] = []): Promise<T> => {
    const ndjson = typeof body === 'string';
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${adminKey}`,
        'accept-language': 'en',
        'content-type': ndjson ? 'application/x-ndjson' : 'application/json',
      },
      ...(body === undefined ? {} : { body: ndjson ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok && !accepted.includes(response.status))
      throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as T;
  };

type Call = ReturnType<typeof makeCaller>;

const pages = async <T>(call: Call, path: string, name: string): Promise<T[]> => {
  const all: T[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Record<string, unknown> = await call('GET', `${path}limit=200${cursor && `&cursor=${cursor}`}`);
    all.push(...(page[name] as T[]));
    cursor = page.next as string | null;
  }
  return all;
};

/** Waits for all pushes that are under way: a push finds its people after the call that started it has answered. */
const untilQuiet = async (call: Call): Promise<void> => {
  const busy = async (): Promise<boolean> =>
    (await pages<Push>(call, '/pushes?', 'pushes')).some(({ state }) => state === 'planning' || state === 'running');
  while (await busy()) await pause(100);
};

/** Topics, regions, items, then people: whatever is there already stays as it is. */
const settleTown = async (call: Call): Promise<string> => {
  for (const topic of townTopics) await call('POST', '/topics', topic, [409]);
  for (const region of townRegions) {
    const { parent, ...top } = region;
    await call('POST', '/regions', parent === null ? top : region, [409]);
  }
  for (const item of townItems) await call('POST', '/items', item, [409]);
  const there = await pages<{ id: string; externalId: string; state: string }>(call, '/items?', 'items');
  // published before anybody lives here, so that only the headline is told to people
  for (const item of there)
    if (item.externalId !== headline && item.state === 'draft') await call('POST', `/items/${item.id}/publish`);
  await untilQuiet(call);
  const browser = createECDH('prime256v1');
  const keys = { p256dh: browser.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') };
  const report = await call<{ imported: number; updated: number; failed: number }>(
    'POST',
    '/subscribers/import',
    townPeople(keys),
  );
  say(`People: ${report.imported} new, ${report.updated} known already, ${report.failed} refused.`);
  return there.find((item) => item.externalId === headline)?.id ?? '';
};

const bar = (done: number, all: number): string => {
  const filled = all === 0 ? 0 : Math.round((done / all) * 30);
  return `[${'█'.repeat(filled)}${'·'.repeat(30 - filled)}] ${done} of ${all}`;
};

const watch = async (call: Call, id: string): Promise<Push> => {
  for (;;) {
    const push = await call<Push>('GET', `/pushes/${id}`);
    const all = push.counts.matched ?? 0;
    const open = (push.counts.planned ?? 0) + (push.counts.sending ?? 0);
    process.stdout.write(`\r${bar(all - open, all)} `);
    if (push.state === 'done') return push;
    await pause(50);
  }
};

const table = (rows: [string, number][]): void => {
  const width = Math.max(...rows.map(([label]) => label.length));
  for (const [label, people] of rows) say(`  ${label.padEnd(width)}  ${String(people).padStart(5)}`);
};

const tally = (labels: string[]): [string, number][] => {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
};

const report = (deliveries: Delivery[]): void => {
  const told = deliveries.filter((row) => ['sent', 'delivered'].includes(row.state));
  const notTold = deliveries.filter((row) => !told.includes(row));
  say('\nTold');
  table(tally(told.map((row) => `by ${row.channel}`)));
  say('\nNot told, or not yet');
  table([
    ...tally(notTold.map((row) => `${row.state}: ${row.why ?? ''}`)),
    ['not concerned: they follow nothing that this notice is about', 500 - deliveries.length],
  ]);
};

const show = async (): Promise<void> => {
  const url = await startTown();
  const call = makeCaller(url);
  const item = await settleTown(call);
  const { push } = await call<{ push: Push }>('POST', `/items/${item}/publish`);
  say('Publishing “No water in East Bank on Wednesday” / “河东片区周三停水检修”');
  await watch(call, push.id);
  say();
  report(await pages<Delivery>(call, `/pushes/${push.id}/deliveries?`, 'deliveries'));
  say(`\nThe town:        ${url}`);
  say(`Every message:   ${url}/dev/outbox`);
  say(`The notice:      ${url}/items/${item}`);
  say(`API key (admin): ${adminKey}`);
  say('Ctrl-C stops it.');
};

try {
  await show();
} catch (error) {
  // a call that the stop has cut off is no fault; the child's exit ends this process
  if (!stopping) {
    failed = true;
    process.stderr.write(`\nThe demo stopped: ${(error as Error).message}\n`);
    endTown();
  }
}
