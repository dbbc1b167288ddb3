import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSmtpUrl } from '../../../src/channels/email/smtp-url.ts';
import { channelFaults, loadVapidKeys, makeChannels } from '../../../src/channels/make-channels.ts';
import { urlForOneOf } from '../../../src/channels/resilience/traffic.ts';
import { readSmsUrl } from '../../../src/channels/sms/sms-url.ts';
import { ConfigError, readConfig } from '../../../src/config.ts';
import { makeKeyring, newWrappedLookupKey } from '../../../src/keyring.ts';
import { makeLog } from '../../../src/log.ts';
import { sqliteAccessStore } from '../../../src/storage/sqlite/access-store.ts';
import type { SqliteDatabase } from '../../../src/storage/sqlite/database.ts';
import { clockEdges, makeMessage, noAbort } from '../../helpers/content.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';
import { makeBrowser, startPushSink } from '../../helpers/push-sink.ts';
import { startSmtpSink } from '../../helpers/smtp-sink.ts';

const secret = 'a secret of some length';
const keyring = makeKeyring(secret, newWrappedLookupKey(secret));
const log = makeLog('silent');

let db: SqliteDatabase;
let dataDir: string;
beforeEach(async () => {
  db = await openMemory();
  dataDir = mkdtempSync(join(tmpdir(), 'bellman-channels-'));
});
afterEach(async () => {
  await db.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('VAPID keys', () => {
  it('are made once, kept sealed, and the same for every process', async () => {
    const access = sqliteAccessStore(db);
    const config = readConfig({});
    const [first, second] = await Promise.all([
      loadVapidKeys(access, keyring, config),
      loadVapidKeys(access, keyring, config),
    ]);
    expect(second).toEqual(first);
    expect(await loadVapidKeys(access, keyring, config)).toEqual(first);
    expect(await access.setting('vapid-keys')).not.toContain(first.privateKey);
  });

  it('of the environment come first', async () => {
    const made = await loadVapidKeys(sqliteAccessStore(db), keyring, readConfig({}));
    const env = { VAPID_PUBLIC_KEY: made.publicKey, VAPID_PRIVATE_KEY: made.privateKey };
    expect(await loadVapidKeys(sqliteAccessStore(await openMemory()), keyring, readConfig(env))).toEqual(made);
  });
});

describe('the channels', () => {
  const made = async (env: Record<string, string>) => {
    const config = readConfig({ DATA_DIR: dataDir, ...env });
    const vapid = await loadVapidKeys(sqliteAccessStore(db), keyring, config);
    return makeChannels(config, { vapid, edges: clockEdges(), log });
  };

  it('are the outbox where no provider is configured, and web push for real', async () => {
    const channels = await made({});
    expect([...channels.keys()]).toEqual(['email', 'webPush', 'sms', 'wechat']);
    expect(await channels.get('email')?.send(makeMessage(), noAbort)).toMatchObject({ provider: 'outbox' });
    const wechat = makeMessage({ to: { channel: 'wechat', openid: 'oFollower' } });
    expect(await channels.get('wechat')?.send(wechat, noAbort)).toMatchObject({ ok: false, kind: 'permanent' });
    const sms = makeMessage({ to: { channel: 'sms', phone: '+8613800138000' } });
    expect(await channels.get('sms')?.send(sms, noAbort)).toMatchObject({ provider: 'outbox' });
    const push = makeMessage({ to: makeBrowser().subscription('https://127.0.0.1:1') });
    expect(await channels.get('webPush')?.send(push, noAbort)).toMatchObject({ reason: 'endpoint-forbidden' });
    for (const channel of channels.values()) await channel.close();
  });

  it('are what the environment names', async () => {
    const mail = await startSmtpSink();
    const push = await startPushSink();
    const channels = await made({
      EMAIL_URL: `smtp://127.0.0.1:${mail.port}?pool=2, smtp://127.0.0.1:1`,
      SMS_URL: 'smpp://a:b@127.0.0.1:1?from=1069, twilio+https://AC1:t@127.0.0.1:1?from=1069',
      ALLOW_PRIVATE_ENDPOINTS: 'on',
    });
    expect(await channels.get('email')?.send(makeMessage(), noAbort)).toMatchObject({ ok: true });
    const message = makeMessage({ to: makeBrowser().subscription(push.origin) });
    expect(await channels.get('webPush')?.send(message, noAbort)).toMatchObject({ ok: true });
    const sms = makeMessage({ to: { channel: 'sms', phone: '+8613800138000' } });
    expect(await channels.get('sms')?.send(sms, noAbort)).toMatchObject({ kind: 'transient', reason: 'connection' });
    for (const channel of channels.values()) await channel.close();
    await mail.close();
    await push.close();
  });
});

describe('the rate of a provider', () => {
  const asWorker = async (env: Record<string, string>) => {
    const config = readConfig({ DATA_DIR: dataDir, ROLE: 'worker', ...env });
    const vapid = await loadVapidKeys(sqliteAccessStore(db), keyring, config);
    const clock = clockEdges();
    const email = makeChannels(config, { vapid, edges: clock, log }).get('email');
    const send = async (messages: number): Promise<number> => {
      const results = await Promise.all(
        Array.from({ length: messages }, () => email?.send(makeMessage(), noAbort) ?? null),
      );
      return results.filter((result) => result?.ok).length;
    };
    return { send, pass: clock.advance, close: () => email?.close() };
  };

  it.each([
    ['2', 2, 1],
    ['3', 1, 1],
    [undefined, 4, 2],
  ])('is shared out among workers, who are %s', async (WORKERS, atOnce, inTwentySeconds) => {
    const sink = await startSmtpSink();
    const env = {
      EMAIL_URL: `smtp://127.0.0.1:${sink.port}?rate=0.1&burst=4`,
      ...(WORKERS === undefined ? {} : { WORKERS }),
    };
    const workers = await Promise.all([asWorker(env), asWorker(env)]);
    for (const worker of workers) expect(await worker.send(5)).toBe(atOnce);
    expect(sink.mails).toHaveLength(2 * atOnce);
    // a third of the rate is one message in half a minute
    for (const worker of workers) worker.pass(WORKERS === '3' ? 30_000 : 20_000);
    for (const worker of workers) expect(await worker.send(5)).toBe(inTwentySeconds);
    for (const worker of workers) await worker.close();
    await sink.close();
  });

  it('is a worker’s share in every provider’s URL, whole where nobody shares or none is named', () => {
    const mail = 'smtps://o%40x:p%2F@mail.example.org?rate=5&burst=5&weight=2';
    expect(readSmtpUrl(urlForOneOf(2, mail))).toEqual({ ...readSmtpUrl(mail), rate: 2.5, burst: 2 });
    const text = 'twilio+https://AC1:t%3A@sms.example.org/v1?from=%2B8610&rate=2';
    expect(readSmsUrl(urlForOneOf(8, text))).toMatchObject({ rate: 0.25, burst: undefined, from: '+8610', pass: 't:' });
    expect(readSmsUrl(urlForOneOf(8, 'smpp://a:b@c?from=1&rate=2&burst=2')).burst).toBe(1);
    for (const one of [mail, text]) expect([urlForOneOf(0, one), urlForOneOf(1, one)]).toEqual([one, one]);
    expect(urlForOneOf(4, 'smpp://a:b@c?from=1')).toBe('smpp://a:b@c?from=1');
  });

  it('is whole for a worker that was not told how many there are; whoever starts workers counts them', () => {
    const workers = (env: Record<string, string>): number =>
      readConfig({ DATABASE_URL: 'mongodb://db', SECRET: secret, ...env }, undefined, 8).workers;
    expect([workers({}), workers({ ROLE: 'worker' }), workers({ ROLE: 'worker', WORKERS: '6' })]).toEqual([7, 1, 6]);
  });
});

describe('the environment', () => {
  const faults = (env: Record<string, string>): string[] => {
    try {
      readConfig(env, channelFaults);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.faults.map(({ name }) => name);
    }
  };

  it('names at once all that would keep a channel from being made, beside what its schema refuses', () => {
    const env = {
      PORT: 'many',
      EMAIL_URL: 'smtp://mail.example.org?pool=many, smtp://%zz:p@mail.example.org',
      EMAIL_FROM: 'the office',
      DKIM_KEY: '/nowhere/key.pem',
      SMS_URL: 'smpp://sms.example.org?from=Town',
      VAPID_PUBLIC_KEY: 'A'.repeat(87),
      VAPID_PRIVATE_KEY: 'A'.repeat(44),
    };
    expect(faults(env).sort()).toEqual(
      ['PORT', 'EMAIL_URL', 'EMAIL_URL', 'EMAIL_FROM', 'DKIM_KEY', 'DKIM_SELECTOR', 'DKIM_DOMAIN', 'SMS_URL']
        .concat('VAPID_PRIVATE_KEY')
        .sort(),
    );
  });

  it('may have a key while its channel is the outbox, but not one that cannot sign', () => {
    const dkim = { EMAIL_URL: 'outbox:', DKIM_SELECTOR: 's1', DKIM_DOMAIN: 'town.test' };
    const pem = (type: 'rsa' | 'ed25519'): string => {
      const { privateKey } =
        type === 'rsa' ? generateKeyPairSync(type, { modulusLength: 2048 }) : generateKeyPairSync(type);
      return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    };
    expect(faults({ ...dkim, DKIM_KEY: pem('rsa') })).toEqual([]);
    expect(faults({ ...dkim, DKIM_KEY: pem('ed25519') })).toEqual(['DKIM_KEY']);
  });

  it.each(['XX', 'cn', 'CHN'])('takes no country that has no phone numbers: %s', (country) => {
    expect(faults({ PHONE_COUNTRY: country })).toEqual(['PHONE_COUNTRY']);
    expect(faults({ PHONE_COUNTRY: 'GB' })).toEqual([]);
  });
});
