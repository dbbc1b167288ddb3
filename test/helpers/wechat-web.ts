import { type Answer, startWeb, type WebOptions } from './web.ts';
import { startWechat, type WechatStandIn, wechatCall, wechatReply, wechatXml } from './wechat-stand-in.ts';

export const wechatAccount = {
  appId: 'wx0123456789abcdef',
  secret: 'a-secret-of-the-account',
  token: 'tokenOfTheCallback',
  aesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
};
const wechatTemplate = 'ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY';

/** The environment of a service with an official account at a stand-in. */
const wechatEnv = (wechat: WechatStandIn): Record<string, string> => ({
  WECHAT_APP_ID: wechat.account.appId,
  WECHAT_APP_SECRET: wechat.account.secret,
  WECHAT_TOKEN: wechat.account.token,
  ...(wechat.account.aesKey ? { WECHAT_AES_KEY: wechat.account.aesKey } : {}),
  WECHAT_TEMPLATE: `${wechatTemplate}?thing1=title&thing2=summary&time3=time`,
  WECHAT_ONCE_TEMPLATE: 'once-template-of-the-account',
  WECHAT_API: wechat.url,
  WECHAT_OPEN: wechat.url,
});

/** The whole service with an official account, and the platform beside it. */
export const startWebWithWechat = async (
  account: Partial<typeof wechatAccount> & { aesKey?: string | undefined } = {},
  options: WebOptions = {},
) => {
  const wechat = await startWechat({ ...wechatAccount, ...account });
  wechat.templates.add(wechatTemplate);
  const web = await startWeb({ ...options, env: { ...wechatEnv(wechat), ...options.env } });
  const path = '/api/v1/hooks/wechat';

  const post = (call: { query: URLSearchParams; body: string }): Promise<Answer> =>
    web.call('POST', `${path}?${call.query}`, { headers: { 'content-type': 'text/xml' }, body: call.body });
  const callOf = (from: string, fields: Record<string, string>, at = web.town.now()) =>
    wechatCall(wechat.account, wechatXml(from, fields, at), at);
  let lastId = 1;

  return {
    ...web,
    wechat,
    post,
    callOf,
    verify: (query: URLSearchParams) => web.call('GET', `${path}?${query}`),
    /** What the account answers to an event of somebody; '' where nothing. */
    event: async (from: string, fields: Record<string, string>): Promise<string> =>
      wechatReply(wechat.account, (await post(callOf(from, { MsgType: 'event', ...fields }))).text),
    /** What the account answers to a text. */
    says: async (from: string, text: string): Promise<string> => {
      const fields = { MsgType: 'text', Content: text, MsgId: String(lastId++) };
      return wechatReply(wechat.account, (await post(callOf(from, fields))).text);
    },
    close: async () => {
      await web.close();
      await wechat.close();
    },
  };
};

export type WebWithWechat = Awaited<ReturnType<typeof startWebWithWechat>>;
