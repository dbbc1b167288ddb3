import { fork } from 'node:child_process';
import { createECDH, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import webPush from 'web-push';
import type { Slots } from '../src/channels/channel.ts';
import { compileMail, renderMail } from '../src/channels/email/compiled-mail.ts';
import { payloadOf } from '../src/channels/web-push/payload.ts';
import { makeMessageTemplates } from '../src/message-templates.ts';
import { projectRoot } from '../src/project-root.ts';
import { type Service, startService } from '../test/helpers/start-service.ts';
import { median, printTable } from './table.ts';

/**
 * Fan-out end to end, from the publish call to the settled ledger, beside a bare loop of the same library in the same run:
 * the same sink process, the same number of connections, the same bytes, no ledger. Rounds alternate; medians are printed.
 * Bellman's worker is a process of its own, as the bare loop is, and encrypts its web pushes on a second thread.
 */
const quick = process.argv.includes('--quick');
const people = quick ? 5_000 : 20_000;
const rounds = quick ? 1 : 3;
const smtpConnections = 20;
const pushSockets = 64;
const sizes = quick ? [1_000, 5_000, 20_000] : [2_000, 20_000, 100_000];
/** A small push is over in a second, so its median needs more of them. */
const repeats = [3, 2, 1];

type Sink = { address: string; stop: () => void };

/** A sink in a process of its own; its first line says where it listens. */
const startSink = async (module: string): Promise<Sink> => {
  const child = fork(join(projectRoot, 'dist/test/helpers', module), { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] });
  if (!child.stdout) throw new Error('a sink has no standard output');
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const { port, origin } = JSON.parse(line) as { port?: number; origin?: string };
  return { address: origin ?? `127.0.0.1:${port}`, stop: () => void child.kill('SIGTERM') };
};

const slots: Slots = {
  unsubscribe: `http://localhost:3000/u/${randomBytes(16).toString('base64url')}..${randomBytes(16).toString('base64url')}`,
  manage: 'http://localhost:3000/manage',
  item: 'http://localhost:3000/items/abcdefghijklmnopqrstuv',
  reason: 'You follow “Public services”.',
};

const notice = {
  title: 'Water is off on Wednesday',
  summary: 'The main pipe is repaired: there is no water from eight in the morning to four in the afternoon.',
  body: 'Please store some water. Tankers stand at the library and at the school. '.repeat(20),
  language: 'en',
};

const content = makeMessageTemplates({ publicUrl: 'http://localhost:3000' }).notification({
  item: 'abcdefghijklmnopqrstuv',
  version: {
    item: 'abcdefghijklmnopqrstuv',
    version: 1,
    revision: 0,
    kind: 'publication',
    content: { ...notice, topics: ['services'], urgency: 'routine', visibility: 'public' },
    note: null,
    at: Date.now(),
    announce: false,
  },
  wording: 'publication',
  locale: 'en',
  topic: null,
});

const perSecond = (count: number, startedAt: number): number => (count / (performance.now() - startedAt)) * 1000;

/** One pre-built message over connections held open, by nodemailer's own smtp-connection; no DKIM, no ledger. */
const bareEmail = async (sink: Sink): Promise<number> => {
  const sender = { name: 'Bellman', address: 'bellman@localhost', domain: 'localhost' };
  const person = { to: 'person0@example.org', messageId: '<bare@localhost>', date: new Date().toUTCString(), slots };
  const raw = renderMail(await compileMail(content, sender), person);
  const [host, port] = sink.address.split(':');
  const connections = await Promise.all(
    Array.from({ length: smtpConnections }, async () => {
      const connection = new SMTPConnection({ host, port: Number(port), ignoreTLS: true });
      await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
      return connection;
    }),
  );
  let left = people;
  const startedAt = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      while (left > 0) {
        left -= 1;
        const to = `person${left}@example.org`;
        await new Promise<void>((resolve, reject) =>
          connection.send({ from: sender.address, to: [to] }, raw, (error) => (error ? reject(error) : resolve())),
        );
      }
    }),
  );
  const rate = perSecond(people, startedAt);
  for (const connection of connections) connection.quit();
  return rate;
};

const browser = (): { p256dh: string; auth: string } => ({
  p256dh: createECDH('prime256v1').generateKeys('base64url'),
  auth: randomBytes(16).toString('base64url'),
});

/** web-push with a keep-alive agent and one VAPID header for the origin; a fresh encryption for each message. */
const barePush = async (sink: Sink): Promise<number> => {
  const vapid = webPush.generateVAPIDKeys();
  const { Authorization } = webPush.getVapidHeaders(
    sink.address,
    'mailto:bench@example.org',
    vapid.publicKey,
    vapid.privateKey,
    'aes128gcm',
  );
  const agent = new Agent({ keepAlive: true, maxSockets: pushSockets, rejectUnauthorized: false });
  const keys = Array.from({ length: 100 }, browser);
  const subscriptionOf = (n: number) => ({
    endpoint: `${sink.address}/push/${n}`,
    keys: keys[n % keys.length] as (typeof keys)[0],
  });
  const to = { channel: 'webPush', ...subscriptionOf(0) } as const;
  const payload = payloadOf({ id: randomBytes(16).toString('base64url'), to, content, slots }, slots.unsubscribe) ?? '';
  const send = (n: number): Promise<void> => {
    const subscription = subscriptionOf(n);
    const { headers, body } = webPush.generateRequestDetails(subscription, payload, {
      TTL: 3600,
      vapidDetails: null as never,
      headers: { Authorization },
    });
    return new Promise((resolve, reject) => {
      const outgoing = request(
        subscription.endpoint,
        { method: 'POST', headers: headers as Record<string, string>, agent },
        (response) => {
          response.resume().on('end', resolve);
        },
      );
      outgoing.on('error', reject).end(body);
    });
  };
  let left = people;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: pushSockets }, async () => {
      while (left > 0) {
        left -= 1;
        await send(left);
      }
    }),
  );
  const rate = perSecond(people, startedAt);
  agent.destroy();
  return rate;
};

type Push = { id: string; state: string; createdAt: string; finishedAt: string; counts: Record<string, number> };

const importPeople = async (
  service: Service,
  count: number,
  contact: (n: number) => object,
  topics: (n: number) => string[],
): Promise<void> => {
  const chunk = 20_000;
  for (let from = 0; from < count; from += chunk) {
    const lines = Array.from({ length: Math.min(chunk, count - from) }, (_, at) => {
      const n = from + at;
      return JSON.stringify({
        externalId: `p${n}`,
        ...contact(n),
        verified: true,
        follow: topics(n).map((topic) => ({ topic })),
      });
    });
    const { body } = await service.api('POST', '/subscribers/import', lines.join('\n'));
    const { failed, errors } = body as { failed: number; errors: unknown[] };
    if (failed > 0) throw new Error(`import failed: ${JSON.stringify(errors[0])}`);
  }
};

/** Publishes to `topic`; answers people a second from the creation of the push to its end, by the service's own times. */
const publish = async (service: Service, topic: string, expected: number): Promise<number> => {
  const item = { ...notice, topics: [topic] };
  const { id } = (await service.api('POST', '/items', item)).body as { id: string };
  const { push } = (await service.api('POST', `/items/${id}/publish`)).body as { push: Push };
  for (;;) {
    const now = (await service.api('GET', `/pushes/${push.id}`)).body as Push;
    if (now.state === 'done') {
      if (now.counts.sent !== expected) throw new Error(`sent ${now.counts.sent}, not ${expected}`);
      return (expected / (Date.parse(now.finishedAt) - Date.parse(now.createdAt))) * 1000;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

/** Peak resident memory of the service's workers in MB, as the kernel counted it. */
const workerPeak = (service: Service): number =>
  Math.max(
    ...service
      .workers()
      .map((pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024),
  );

const against = async (
  env: Record<string, string>,
  contact: (n: number) => object,
  bare: (() => Promise<number>) | null,
): Promise<{ ours: number; bare: number; peak: number }> => {
  const service = await startService({ env });
  try {
    await importPeople(service, people, contact, () => ['services']);
    const ours: number[] = [];
    const bares: number[] = [];
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
const whole = (value: number): string => Math.round(value).toString();

const compare = async (): Promise<void> => {
  const smtp = await startSink('smtp-sink.js');
  const push = await startSink('push-sink.js');
  const emailEnv = { EMAIL_URL: `smtp://${smtp.address}?pool=${smtpConnections}` };
  const byEmail = (n: number): object => ({ email: `person${n}@example.org` });
  const email = await against(emailEnv, byEmail, () => bareEmail(smtp));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const signed = await against(
    { ...emailEnv, DKIM_KEY: key, DKIM_SELECTOR: 'bench', DKIM_DOMAIN: 'localhost' },
    byEmail,
    null,
  );
  const keys = Array.from({ length: 100 }, browser);
  const byPush = (n: number): object => ({
    webPush: { endpoint: `${push.address}/push/${n}`, keys: keys[n % keys.length] },
  });
  const web = await against({ ALLOW_PRIVATE_ENDPOINTS: 'on' }, byPush, () => barePush(push));
  smtp.stop();
  push.stop();
  printTable(
    [`${people} recipients, messages/s`, 'Bellman', 'bare loop', 'share', 'worker peak MB'],
    [
      [
        'email (SMTP, 20 connections)',
        whole(email.ours),
        whole(email.bare),
        percent(email.ours, email.bare),
        whole(email.peak),
      ],
      ['email signed (DKIM, RSA 2048)', whole(signed.ours), '', '', whole(signed.peak)],
      [
        'web push (HTTPS, 64 connections)',
        whole(web.ours),
        whole(web.bare),
        percent(web.ours, web.bare),
        whole(web.peak),
      ],
    ],
  );
};

/** Time for each recipient as the push grows: nothing may cost more because there are many. Rounds take turns by size. */
const flatness = async (): Promise<void> => {
  const service = await startService();
  try {
    for (const size of sizes)
      await service.api('POST', '/topics', { slug: `size-${size}`, title: { en: `${size}`, 'zh-CN': `${size}` } });
    const topics = (n: number): string[] => sizes.filter((size) => n < size).map((size) => `size-${size}`);
    await importPeople(service, Math.max(...sizes), (n) => ({ email: `person${n}@example.org` }), topics);
    await publish(service, `size-${sizes[1]}`, sizes[1] ?? 0);
    const rates = sizes.map((): number[] => []);
    for (let round = 0; round < rounds; round += 1)
      for (const [at, size] of sizes.entries())
        for (let turn = 0; turn < (repeats[at] ?? 1); turn += 1)
          rates[at]?.push(await publish(service, `size-${size}`, size));
    const each = rates.map((own) => 1000 / median(own));
    const rows = sizes.map((size, at) => [size, whole(1000 / (each[at] ?? 0)), (each[at] ?? 0).toFixed(3)]);
    printTable(['recipients (outbox)', 'messages/s', 'ms each'], rows);
    const apart = Math.max(...each) / Math.min(...each) - 1;
    process.stdout.write(`${percent(apart, 1)} apart, worker peak ${whole(workerPeak(service))} MB\n`);
  } finally {
    await service.stop();
  }
};

if (!process.argv.includes('--flat')) await compare();
if (!process.argv.includes('--compare')) await flatness();
