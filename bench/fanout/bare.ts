import { fork } from 'node:child_process';
import { createECDH, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import smpp, { type Session } from 'smpp';
import webPush from 'web-push';
import type { Slots } from '../../src/channels/channel.ts';
import { compileMail, renderMail } from '../../src/channels/email/compiled-mail.ts';
import { fillSlots } from '../../src/channels/slots.ts';
import { splitSms } from '../../src/channels/sms/segments.ts';
import { payloadOf } from '../../src/channels/web-push/payload.ts';
import { makeMessageTemplates } from '../../src/message-templates.ts';
import { projectRoot } from '../../src/project-root.ts';

export const smtpConnections = 20;
export const pushSockets = 64;
export const smppWindow = 64;

export type Sink = { address: string; stop: () => void };

/** A sink in a process of its own; its first line says where it listens. */
export const startSink = async (module: string): Promise<Sink> => {
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
  token: `${randomBytes(16).toString('base64url')}.tabcde.${randomBytes(16).toString('base64url')}`,
};

export const notice = {
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
export const bareEmail = async (sink: Sink, people: number): Promise<number> => {
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

export const browser = (): { p256dh: string; auth: string } => ({
  p256dh: createECDH('prime256v1').generateKeys('base64url'),
  auth: randomBytes(16).toString('base64url'),
});

/** web-push with a keep-alive agent and one VAPID header for the origin; a fresh encryption for each message. */
export const barePush = async (sink: Sink, people: number): Promise<number> => {
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

/** One bound session of `smpp`, as many texts under way as the window allows; the text is split once. */
export const bareSms = async (sink: Sink, people: number): Promise<number> => {
  const [host = '', port] = sink.address.split(':');
  const session = await new Promise<Session>((resolve) => {
    const opened = smpp.connect({ host, port: Number(port) }, () =>
      opened.bind_transceiver({ system_id: 'bench', password: 'bench' }, () => resolve(opened)),
    );
  });
  const { coding, bodies } = splitSms(fillSlots(content.sms, slots));
  const submit = (n: number, message: Buffer): Promise<void> =>
    new Promise((resolve) => {
      const short = { source_addr: 'Town', destination_addr: phoneOf(n).slice(1), data_coding: coding };
      session.submit_sm({ ...short, short_message: { message } }, () => resolve());
    });
  let left = people;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: smppWindow }, async () => {
      while (left > 0) {
        left -= 1;
        const n = left;
        for (const body of bodies) await submit(n, body);
      }
    }),
  );
  const rate = perSecond(people, startedAt);
  session.destroy();
  return rate;
};

/** A mobile number of China, in E.164. */
export const phoneOf = (n: number): string => `+86138${String(n).padStart(8, '0')}`;
