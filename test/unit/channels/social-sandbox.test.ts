import { makeWechatChannel } from '../../../src/channels/wechat/wechat-channel.ts';
import { makeWechatClient } from '../../../src/channels/wechat/wechat-client.ts';
import { makeWeiboClient } from '../../../src/channels/weibo/weibo-client.ts';
import type { WechatConfig, WeiboConfig } from '../../../src/config.ts';
import { realEdges } from '../../../src/edges.ts';
import { makeKeyring, newWrappedLookupKey } from '../../../src/keyring.ts';
import { makeLog } from '../../../src/log.ts';
import { sqliteAccountStore } from '../../../src/storage/sqlite/account-store.ts';
import { makeContent, makeMessage, makeSlots } from '../../helpers/content.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';
import { startWechat } from '../../helpers/wechat-stand-in.ts';
import { startWeibo } from '../../helpers/weibo-stand-in.ts';

const secret = 'a secret for these tests';
const keyring = makeKeyring(secret, newWrappedLookupKey(secret));
const signal = new AbortController().signal;
const toolsOf = async () => {
  const db = await openMemory();
  return { db, tools: { store: sqliteAccountStore(db), keyring, edges: realEdges, log: makeLog('silent') } };
};

type WechatCase = { config: WechatConfig; openid: string; close(): Promise<void> };
type WeiboCase = { config: WeiboConfig; token: string | null; back: string; close(): Promise<void> };

/** What holds of WeChat, stand-in or not. Sends one message to `openid`, which must follow the account. */
const describeWechat = (name: string, open: () => Promise<WechatCase>): unknown =>
  describe(`the contract with WeChat: ${name}`, () => {
    it('a message is taken, a template and a person that are not there are refused, the quota is told', async () => {
      const { config, openid, close } = await open();
      const { db, tools } = await toolsOf();
      const client = makeWechatClient(config, tools);
      const channelOf = (template: string) =>
        makeWechatChannel({ ...config, template }, { client, accounts: tools.store, keyring, edges: realEdges });
      const message = (to: string) =>
        makeMessage({
          id: `contract-${realEdges.now()}`,
          to: { channel: 'wechat', openid: to },
          content: makeContent({ title: '接口测试：请忽略', short: '这是一条测试消息，请忽略。' }),
          slots: makeSlots({ item: '' }),
        });
      expect(await channelOf(config.template).send(message(openid), signal)).toMatchObject({
        ok: true,
        reference: expect.stringMatching(/^\d+$/),
      });
      const noTemplate = config.template.replace(/^[^?]+/, 'x'.repeat(43));
      expect(await channelOf(noTemplate).send(message(openid), signal)).toMatchObject({ reason: 'template-refused' });
      expect(await channelOf(config.template).send(message(`o${'x'.repeat(27)}`), signal)).toMatchObject({
        kind: 'permanent',
        reason: 'not-following',
      });
      const quota = await client.call('/cgi-bin/openapi/quota/get', { cgi_path: '/cgi-bin/message/template/send' });
      expect(quota).toMatchObject({ ok: true, body: { quota: { daily_limit: expect.any(Number) } } });
      const qr = { expire_seconds: 60, action_name: 'QR_STR_SCENE', action_info: { scene: { scene_str: 'contract' } } };
      expect(await client.call('/cgi-bin/qrcode/create', qr)).toMatchObject({
        ok: true,
        body: { url: expect.any(String) },
      });
      expect(await client.openidOf('made-up')).toMatchObject({ ok: false, detail: expect.stringMatching(/^40029 /) });
      db.close();
      await close();
    });
  });

/** What holds of Weibo, stand-in or not. Posts nothing. */
const describeWeibo = (name: string, open: () => Promise<WeiboCase>): unknown =>
  describe(`the contract with Weibo: ${name}`, () => {
    it('the authorisation and its limits are told, a made-up code and token are refused', async () => {
      const { config, token, back, close } = await open();
      const { db, tools } = await toolsOf();
      const client = makeWeiboClient(config, tools);
      expect(await client.connect('made-up', back)).toMatch(/^213\d\d /);
      const connectWith = (one: string) =>
        tools.store.connect('weibo', {
          sealed: keyring.seal(one, 'account:weibo'),
          expiresAt: realEdges.now() + 3_600_000,
        });
      if (token === null) {
        const away = await fetch(client.connectUrl(back, 's'), { redirect: 'manual' });
        const code = new URL(away.headers.get('location') ?? '').searchParams.get('code') ?? '';
        expect(await client.connect(code, back)).toBeNull();
      } else await connectWith(token);
      expect(await client.check()).toMatchObject({ ok: true, left: expect.any(Number), of: expect.any(Number) });
      await connectWith('2.00made-up');
      expect(await client.share('x https://example.org/', signal)).toMatchObject({ ok: false, kind: 'account' });
      db.close();
      await close();
    });
  });

describeWechat('the stand-in', async () => {
  const wechat = await startWechat({ appId: 'wx0123456789abcdef', secret: 'a-secret-of-the-account', token: 'token' });
  const template = 'ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY';
  wechat.templates.add(template);
  wechat.followers.add('oFollower');
  const config = { ...wechat.account, aesKey: undefined, template: `${template}?thing1=title`, once: undefined };
  return { config: { ...config, api: wechat.url, open: wechat.url }, openid: 'oFollower', close: wechat.close };
});

describeWeibo('the stand-in', async () => {
  const app = { key: '1352222456', secret: 'a-secret-of-the-app', domain: 'gov.example.org' };
  const weibo = await startWeibo(app);
  const config = { key: app.key, secret: app.secret, ip: '203.0.113.7', api: weibo.url };
  return { config, token: null, back: 'https://gov.example.org/back', close: weibo.close };
});

/** Loud, and not to be taken for a test that passed. */
const skipped = (name: string, needs: string): void => {
  process.stderr.write(`SKIPPED: the contract with ${name} itself; it needs ${needs}\n`);
  describe.skip(`the contract with ${name}: its own sandbox`, () => {
    it(`needs ${needs}`, () => undefined);
  });
};

const {
  WECHAT_SANDBOX_APP_ID: appId,
  WECHAT_SANDBOX_SECRET: appSecret,
  WECHAT_SANDBOX_TEMPLATE: template,
  WECHAT_SANDBOX_OPENID: openid,
  WEIBO_SANDBOX_KEY: key,
  WEIBO_SANDBOX_SECRET: keySecret,
  WEIBO_SANDBOX_TOKEN: token,
} = process.env;

if (appId && appSecret && template && openid)
  describeWechat('its own sandbox', async () => ({
    config: {
      ...{ appId, secret: appSecret, token: 'x', aesKey: undefined, template, once: undefined },
      ...{ api: 'https://api.weixin.qq.com', open: 'https://open.weixin.qq.com' },
    },
    openid,
    close: async () => undefined,
  }));
else skipped('WeChat', 'WECHAT_SANDBOX_APP_ID, _SECRET, _TEMPLATE (as WECHAT_TEMPLATE) and _OPENID (a follower)');

if (key && keySecret && token)
  describeWeibo('its own sandbox', async () => ({
    config: { key, secret: keySecret, ip: '203.0.113.7', api: 'https://api.weibo.com' },
    token,
    back: 'https://example.org/back',
    close: async () => undefined,
  }));
else skipped('Weibo', 'WEIBO_SANDBOX_KEY, _SECRET and _TOKEN');
