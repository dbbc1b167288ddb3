import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../src/project-root.ts';
import { startCountingSink } from '../test/helpers/counting-sink.ts';
import { startService } from '../test/helpers/start-service.ts';
import { printTable } from './table.ts';

/**
 * From the start of the process to its first answer on an empty store and on one that is there, and from SIGTERM to its end: with
 * nothing to do, and with a push under way to a mail server that takes two seconds a mail.
 */
const rounds = process.argv.includes('--quick') ? 1 : 5;
const people = 2_000;

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
};

const msUntil = async (url: string, from: number): Promise<number> => {
  while (!(await answers(url))) await new Promise((resolve) => setTimeout(resolve, 5));
  return performance.now() - from;
};

type Times = { health: number; ready: number; stop: number };

const timesOf = async (dataDir: string): Promise<Times> => {
  const port = await freePort();
  const from = performance.now();
  const child = spawn(process.execPath, [join(projectRoot, 'dist/src/main.js')], {
    env: { PATH: process.env.PATH, PORT: String(port), HOST: '127.0.0.1', DATA_DIR: dataDir, LOG_LEVEL: 'warn' },
    stdio: 'ignore',
  });
  const health = await msUntil(`http://127.0.0.1:${port}/healthz`, from);
  const ready = await msUntil(`http://127.0.0.1:${port}/readyz`, from);
  const stopped = performance.now();
  child.kill('SIGTERM');
  await once(child, 'exit');
  return { health, ready, stop: performance.now() - stopped };
};

/** Ends a service in the middle of a push: how long it took, and how many mails left. */
const stopDuringPush = async (): Promise<{ stop: number; mails: number; code: number | null }> => {
  const sink = await startCountingSink(2_000);
  const service = await startService({ env: { EMAIL_URL: sink.url } });
  const lines = Array.from({ length: people }, (_, n) =>
    JSON.stringify({ email: `p${n}@example.org`, verified: true, follow: [{ topic: 'services' }] }),
  );
  await service.api('POST', '/subscribers/import', lines.join('\n'));
  const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
  const { id } = (await service.api('POST', '/items', item)).body as { id: string };
  await service.api('POST', `/items/${id}/publish`);
  while (sink.total() < 20) await new Promise((resolve) => setTimeout(resolve, 20));
  const from = performance.now();
  await service.stop();
  const stop = performance.now() - from;
  await sink.close();
  return { stop, mails: sink.total(), code: service.process.exitCode };
};

const worst = (times: Times[], which: keyof Times): number => Math.round(Math.max(...times.map((one) => one[which])));
const row = (name: string, times: Times[]): (string | number)[] => [
  name,
  worst(times, 'health'),
  worst(times, 'ready'),
  worst(times, 'stop'),
];

const empty: Times[] = [];
const again: Times[] = [];
for (let round = 0; round < rounds; round += 1) {
  const dataDir = mkdtempSync(join(tmpdir(), 'bellman-start-'));
  empty.push(await timesOf(dataDir));
  again.push(await timesOf(dataDir));
  rmSync(dataDir, { recursive: true, force: true });
}
const busy = await stopDuringPush();
printTable(
  [`the worst of ${rounds}, ms`, '/healthz', '/readyz', 'SIGTERM to the end'],
  [
    row('an empty store', empty),
    row('a store that is there', again),
    [`during a push (${busy.mails} mails, exit ${busy.code})`, '', '', Math.round(busy.stop)],
  ],
);
