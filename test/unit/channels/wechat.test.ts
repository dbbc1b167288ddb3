import { setTimeout } from 'node:timers/promises';
import type { Channel, SharedContent } from '../../../src/channels/channel.ts';
import { makeWechatChannel } from '../../../src/channels/wechat/wechat-channel.ts';
import { makeWechatClient, type WechatClient } from '../../../src/channels/wechat/wechat-client.ts';
import type { WechatConfig } from '../../../src/config.ts';
import { realEdges } from '../../../src/edges.ts';
import { makeKeyring, newWrappedLookupKey } from '../../../src/keyring.ts';
import { makeLog } from '../../../src/log.ts';
import { sqliteAccountStore } from '../../../src/storage/sqlite/account-store.ts';
import type { SqliteDatabase } from '../../../src/storage/sqlite/database.ts';
import { lookupOf } from '../../../src/subscriptions/address.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';
import { startWechat, type WechatStandIn } from '../../helpers/wechat-stand-in.ts';

const account = { appId: 'wx0123456789abcdef', secret: 'a-secret-of-the-account', token: 'token' };
const templateId = 'ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY';
const secret = 'a secret for these tests';
const keyring = makeKeyring(secret, newWrappedLookupKey(secret));

const content: SharedContent = {
  key: 'k',
  kind: 'notification',
  locale: 'zh-CN',
  title: '公租房申请开始受理，请符合条件的家庭尽快提交材料',
  text: '',
  html: '',
  short: '受理时间为每周一至周五，地点为区政务服务大厅二楼。',
  sms: '',
  urgency: 'routine',
  expiresAt: null,
  listLabel: 'services',
};
const message = (openid: string, id = 'message-0123456789-0123456789-abcdef') => ({
  id,
  to: { channel: 'wechat' as const, openid },
  content,
  slots: { unsubscribe: '', manage: '', item: 'https://gov.example.org/i/1', reason: '您关注了住房', token: '' },
});
const signal = new AbortController().signal;

describe('messages of an official account', () => {
  let wechat: WechatStandIn;
  let db: SqliteDatabase;
  let now: number;
  const edges = { ...realEdges, now: () => now };

  const configOf = (fields: Partial<WechatConfig> = {}): WechatConfig => ({
    ...account,
    aesKey: undefined,
    template: `${templateId}?thing1=title&thing2=summary&time3=time`,
    once: 'once-template-of-the-account',
    api: wechat.url,
    open: wechat.url,
    ...fields,
  });
  /** A process of the cluster, on the store that all share. */
  const processOf = (
    fields: Partial<WechatConfig> = {},
    limitMs = 10_000,
  ): { client: WechatClient; channel: Channel } => {
    const store = sqliteAccountStore(db);
    const tools = { store, keyring, edges, log: makeLog('silent'), limitMs, pause: () => setTimeout(50) };
    const client = makeWechatClient(configOf(fields), tools);
    return { client, channel: makeWechatChannel(configOf(fields), { client, accounts: store, keyring, edges }) };
  };

  beforeEach(async () => {
    wechat = await startWechat(account);
    wechat.templates.add(templateId);
    wechat.followers.add('oFollower');
    db = await openMemory();
    now = Date.parse('2026-06-10T04:00:00Z');
  });
  afterEach(async () => {
    await wechat.close();
    db.close();
  });

  it('go with their fields cut, their link, and the id that a receipt will name, to the last digit', async () => {
    const result = await processOf().channel.send(message('oFollower'), signal);
    expect(result).toEqual({ ok: true, provider: 'wechat', reference: wechat.lastMessageId(), response: '0 ok' });
    expect(wechat.sent).toMatchObject([
      {
        touser: 'oFollower',
        url: 'https://gov.example.org/i/1',
        data: {
          thing1: { value: '公租房申请开始受理，请符合条件的家庭尽…' },
          time3: { value: '2026年6月10日 12:00' },
        },
      },
    ]);
  });

  it('are not doubled when a process dies with one in flight', async () => {
    await processOf().channel.send(message('oFollower'), signal);
    expect(await processOf().channel.send(message('oFollower'), signal)).toMatchObject({ ok: true });
    expect(wechat.sent).toHaveLength(1);
  });

  it('share one token, fetched once however many ask at once, in however many processes', async () => {
    const processes = [processOf(), processOf(), processOf()];
    const sends = processes.flatMap(({ channel }) =>
      Array.from({ length: 5 }, (_, n) => channel.send(message('oFollower', `m-${n}`), signal)),
    );
    expect((await Promise.all(sends)).every(({ ok }) => ok)).toBe(true);
    expect(wechat.count('/cgi-bin/stable_token')).toBe(1);
  });

  it('renew the token before it ends', async () => {
    const { channel } = processOf();
    await channel.send(message('oFollower', 'a'), signal);
    now += 7200_000 - 6 * 60_000;
    await channel.send(message('oFollower', 'b'), signal);
    expect(wechat.count('/cgi-bin/stable_token')).toBe(1);
    now += 2 * 60_000;
    await channel.send(message('oFollower', 'c'), signal);
    expect(wechat.count('/cgi-bin/stable_token')).toBe(2);
  });

  it('go with a new token when theirs was revoked in mid-push, fetched once for all', async () => {
    const [a, b] = [processOf(), processOf()];
    await a.channel.send(message('oFollower', 'a'), signal);
    await b.channel.send(message('oFollower', 'b'), signal);
    wechat.revoke();
    const ids = Array.from({ length: 6 }, (_, n) => `m-${n}`);
    const sends = ids.map((id, n) => (n % 2 ? a : b).channel.send(message('oFollower', id), signal));
    expect((await Promise.all(sends)).every(({ ok }) => ok)).toBe(true);
    expect(wechat.count('/cgi-bin/stable_token')).toBe(2);
  });

  it('force a new token where the platform answers the one that it refuses', async () => {
    const { channel } = processOf();
    await channel.send(message('oFollower', 'a'), signal);
    wechat.state.next.set('/cgi-bin/message/template/send', [{ errcode: 40001, errmsg: 'invalid credential' }]);
    expect(await channel.send(message('oFollower', 'b'), signal)).toMatchObject({ ok: true });
    expect(wechat.count('/cgi-bin/stable_token')).toBe(3);
  });

  it('ask for a new token once, and then wait: the account itself is at fault', async () => {
    const { channel } = processOf();
    const refused = { errcode: 40001, errmsg: 'invalid credential' };
    wechat.state.next.set('/cgi-bin/message/template/send', [refused, refused]);
    expect(await channel.send(message('oFollower'), signal)).toMatchObject({
      ok: false,
      kind: 'transient',
      reason: 'auth',
    });
    expect(wechat.count('/cgi-bin/message/template/send')).toBe(2);
    expect((await sqliteAccountStore(db).health('wechat')).fault).toMatchObject({ code: '40001' });
  });

  it('are refused for good to who does not follow, and told so that the address is suppressed', async () => {
    expect(await processOf().channel.send(message('oStranger'), signal)).toMatchObject({
      ok: false,
      kind: 'permanent',
      reason: 'not-following',
      detail: expect.stringMatching(/^43004 /),
    });
  });

  it('go by the leave for one message to who does not follow, once', async () => {
    const lookup = lookupOf(keyring, { channel: 'wechat', openid: 'oStranger' });
    await sqliteAccountStore(db).allowOne(lookup, 17);
    wechat.leaves.add('oStranger 17');
    const { channel } = processOf();
    expect(await channel.send(message('oStranger', 'a'), signal)).toMatchObject({ ok: true, reference: null });
    expect(wechat.once).toEqual([
      { touser: 'oStranger', scene: '17', title: '公租房申请开始受理，请符合条…', content: content.short },
    ]);
    expect(await channel.send(message('oStranger', 'b'), signal)).toMatchObject({ reason: 'not-following' });
  });

  it('wait for midnight in Beijing when the quota is used up, without asking again', async () => {
    wechat.state.quota = 0;
    const { channel } = processOf();
    const wait = { ok: false, kind: 'throttled', retryAfterMs: 12 * 3_600_000 };
    expect(await channel.send(message('oFollower', 'a'), signal)).toMatchObject(wait);
    now += 3_600_000;
    const later = processOf().channel;
    expect(await later.send(message('oFollower', 'b'), signal)).toMatchObject({ retryAfterMs: 11 * 3_600_000 });
    expect(await later.send(message('oFollower', 'c'), signal)).toMatchObject({ kind: 'throttled' });
    expect(wechat.count('/cgi-bin/message/template/send')).toBe(2);
    expect(await sqliteAccountStore(db).health('wechat')).toMatchObject({
      fault: { code: '45009' },
      quietUntil: Date.parse('2026-06-10T16:00:00Z'),
    });
  });

  it('fail for good with a template that is refused, and the operator is told', async () => {
    wechat.templates.clear();
    const { channel, client } = processOf();
    const qr = { expire_seconds: 60, action_name: 'QR_STR_SCENE', action_info: { scene: { scene_str: 'x' } } };
    expect(await channel.send(message('oFollower'), signal)).toMatchObject({
      kind: 'permanent',
      reason: 'template-refused',
    });
    expect((await sqliteAccountStore(db).health('wechat')).fault).toMatchObject({
      code: '40037',
      words: expect.stringContaining('invalid template_id'),
    });
    now += 60_000;
    await client.call('/cgi-bin/qrcode/create', qr);
    expect((await sqliteAccountStore(db).health('wechat')).fault).toMatchObject({ code: '40037' });
    wechat.templates.add(templateId);
    await channel.send(message('oFollower', 'again'), signal);
    expect((await sqliteAccountStore(db).health('wechat')).fault).toBeNull();
  });

  it.each([
    ['an error page', 502, 'provider-error'],
    ['an answer that is not an answer', { hello: 'world' }, 'bad-answer'],
    ['a busy platform', { errcode: -1, errmsg: 'system error' }, 'provider-error'],
    ['no answer', 'hang', 'timeout'],
  ] as const)('wait after %s', async (_name, answer, reason) => {
    wechat.state.next.set('/cgi-bin/message/template/send', [answer as never]);
    const { channel } = processOf({}, answer === 'hang' ? 500 : undefined);
    expect(await channel.send(message('oFollower'), signal)).toMatchObject({ kind: 'transient', reason });
  });

  it('wait where the secret is wrong, and say nothing of it', async () => {
    const result = await processOf({ secret: 'not-the-secret' }).channel.send(message('oFollower'), signal);
    expect(result).toMatchObject({ kind: 'transient', reason: 'auth', detail: expect.stringMatching(/^40125 /) });
    expect(JSON.stringify(result)).not.toContain('not-the-secret');
  });

  it('stop when they are told to', async () => {
    const stop = new AbortController();
    wechat.state.next.set('/cgi-bin/message/template/send', ['hang']);
    const sending = processOf().channel.send(message('oFollower'), stop.signal);
    while (wechat.count('/cgi-bin/message/template/send') === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await sending).toMatchObject({ kind: 'transient', reason: 'aborted' });
  });

  it('know who came by a web authorisation, and a made-up visitor from a real one', async () => {
    const { client } = processOf();
    const code = wechat.newCode('oVisitor');
    expect(await client.openidOf(code)).toEqual({ ok: true, openid: 'oVisitor', isReal: true });
    expect(await client.openidOf(code)).toMatchObject({ ok: false, detail: expect.stringMatching(/^40163 /) });
    expect(await client.openidOf(wechat.newCode('oMadeUp', true))).toMatchObject({ isReal: false });
  });
});
