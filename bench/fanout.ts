import { generateKeyPairSync } from 'node:crypto';
import { startService } from '../test/helpers/start-service.ts';
import {
  bareEmail,
  barePush,
  bareSms,
  browser,
  phoneOf,
  pushSockets,
  type Sink,
  smppWindow,
  smtpConnections,
  startSink,
} from './fanout/bare.ts';
import { oldLedger } from './fanout/old-ledger.ts';
import { storms } from './fanout/storm.ts';
import { importPeople, publish, workerPeak } from './fanout/town.ts';
import { median, printTable } from './table.ts';

/**
 * Fan-out end to end, from the publish call to the settled ledger, beside a bare loop of the same library in the same run:
 * the same sink process, the same number of connections, the same bytes, no ledger. Rounds alternate; medians are printed.
 * Bellman's worker is a process of its own, as the bare loop is; its mails and its encryption have a second thread.
 * `--compare`, `--flat` (with `--huge` to a million people), `--storm` and `--ledger` run one part each.
 */
const quick = process.argv.includes('--quick');
const people = quick ? 5_000 : 20_000;
const rounds = quick ? 1 : 3;
const huge = process.argv.includes('--huge');
const sizes = quick ? [1_000, 5_000, 20_000] : [10_000, 100_000, ...(huge ? [1_000_000] : [])];
/** A small push is over in seconds, so its median needs more of them. */
const repeats = [3, 2, 1];

type Contact = (n: number) => object;
type Rates = { ours: number; bare: number; peak: number };

const against = async (
  env: Record<string, string>,
  contact: Contact,
  bare: (() => Promise<number>) | null,
): Promise<Rates> => {
  const service = await startService({ env });
  try {
    await importPeople(service, people, contact, () => ['services']);
    const ours: number[] = [];
    const bares: number[] = [];
    // one round of each that does not count: a worker lives for weeks, not for its first seconds
    await bare?.();
    await publish(service, 'services', people);
    for (let round = 0; round < rounds; round += 1) {
      if (bare) bares.push(await bare());
      ours.push(await publish(service, 'services', people));
    }
    return { ours: median(ours), bare: median(bares), peak: workerPeak(service) };
  } finally {
    await service.stop();
  }
};

const percent = (part: number, whole: number): string => `${Math.round((part / whole) * 100)} %`;
const whole = (value: number): string => (Number.isNaN(value) ? '' : Math.round(value).toString());

/** One channel with one worker and with two, beside its bare loop. */
const rowOf = async (
  name: string,
  env: Record<string, string>,
  contact: Contact,
  bare: (() => Promise<number>) | null,
): Promise<string[]> => {
  const one = await against(env, contact, bare);
  const two = await against({ ...env, WORKERS: '2' }, contact, bare);
  const cells = [one, two].flatMap((rates) => [
    whole(rates.ours),
    ...(bare ? [whole(rates.bare), percent(rates.ours, rates.bare)] : ['', '']),
  ]);
  return [name, ...cells, whole(one.peak)];
};

const dkimEnv = (): Record<string, string> => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return { DKIM_KEY: key, DKIM_SELECTOR: 'bench', DKIM_DOMAIN: 'localhost' };
};

const compare = async (): Promise<void> => {
  const sinks = await Promise.all(['smtp-sink.js', 'push-sink.js', 'smpp-sink.js'].map(startSink));
  const [smtp, push, smsc] = sinks as [Sink, Sink, Sink];
  const emailEnv = { EMAIL_URL: `smtp://${smtp.address}?pool=${smtpConnections}` };
  const byEmail: Contact = (n) => ({ email: `person${n}@example.org` });
  const keys = Array.from({ length: 100 }, browser);
  const byPush: Contact = (n) => ({
    webPush: { endpoint: `${push.address}/push/${n}`, keys: keys[n % keys.length] },
  });
  const smsEnv = { SMS_URL: `smpp://bench:bench@${smsc.address}?from=Town&window=${smppWindow}` };
  const bySms: Contact = (n) => ({ phone: phoneOf(n) });
  try {
    const rows = [
      await rowOf(`email (SMTP, ${smtpConnections} connections)`, emailEnv, byEmail, () => bareEmail(smtp, people)),
      await rowOf('email signed (DKIM, RSA 2048)', { ...emailEnv, ...dkimEnv() }, byEmail, null),
      await rowOf(`web push (HTTPS, ${pushSockets} connections)`, { ALLOW_PRIVATE_ENDPOINTS: 'on' }, byPush, () =>
        barePush(push, people),
      ),
      await rowOf(`SMS (SMPP, window ${smppWindow})`, smsEnv, bySms, () => bareSms(smsc, people)),
    ];
    const columns = ['1 worker', 'bare loop', 'share', '2 workers', 'bare loop', 'share', 'peak MB'];
    printTable([`${people} recipients, messages/s`, ...columns], rows);
  } finally {
    for (const sink of sinks) sink.stop();
  }
};

/** Time for each recipient as the push grows: nothing may cost more because there are many. Rounds take turns by size. */
const flatness = async (): Promise<void> => {
  const sink = await startSink('smtp-sink.js');
  const service = await startService({ env: { EMAIL_URL: `smtp://${sink.address}?pool=${smtpConnections}` } });
  try {
    for (const size of sizes)
      await service.api('POST', '/topics', { slug: `size-${size}`, title: { en: `${size}`, 'zh-CN': `${size}` } });
    const topics = (n: number): string[] => sizes.filter((size) => n < size).map((size) => `size-${size}`);
    await importPeople(service, Math.max(...sizes), (n) => ({ email: `person${n}@example.org` }), topics);
    await publish(service, `size-${sizes[1]}`, sizes[1] ?? 0);
    const rates = sizes.map((): number[] => []);
    for (let round = 0; round < (huge ? 1 : rounds); round += 1)
      for (const [at, size] of sizes.entries())
        for (let turn = 0; turn < (repeats[at] ?? 1); turn += 1)
          rates[at]?.push(await publish(service, `size-${size}`, size));
    const each = rates.map((own) => 1000 / median(own));
    const rows = sizes.map((size, at) => [size, whole(1000 / (each[at] ?? 0)), (each[at] ?? 0).toFixed(3)]);
    printTable(['recipients (email)', 'messages/s', 'ms each'], rows);
    const apart = Math.max(...each) / Math.min(...each) - 1;
    process.stdout.write(`${percent(apart, 1)} apart, worker peak ${whole(workerPeak(service))} MB\n`);
  } finally {
    sink.stop();
    await service.stop();
  }
};

const parts = { '--compare': compare, '--flat': flatness, '--storm': storms, '--ledger': oldLedger };
const asked = Object.entries(parts).filter(([name]) => process.argv.includes(name));
for (const [, run] of asked.length > 0 ? asked : Object.entries(parts)) await run();
