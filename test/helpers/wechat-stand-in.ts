import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { wechatDecrypt, wechatEncrypt, wechatSignature } from './wechat-crypto.ts';

export type WechatAccount = { appId: string; secret: string; token: string; aesKey?: string | undefined };
type Answer = Record<string, unknown>;
type Sent = { touser: string; template_id: string; url?: string; data: Record<string, { value: string }> };

/** What one kind of field takes, from the table of the template messages' page. */
const limits: Record<string, RegExp> = {
  thing: /^[^\n\r]{1,20}$/u,
  character_string: /^[\x20-\x7e]{1,32}$/,
  phrase: /^\p{Script=Han}{1,5}$/u,
  time: /^(\d{4}年\d{1,2}月\d{1,2}日 )?\d{2}:\d{2}(:\d{2})?$/,
  date: /^\d{4}年\d{1,2}月\d{1,2}日( \d{2}:\d{2})?$/,
};

const readBody = async (request: IncomingMessage): Promise<Answer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : (JSON.parse(text) as Answer);
};

const refuse = (errcode: number, errmsg: string): Answer => ({ errcode, errmsg: `${errmsg} rid: 65004ee5-3ca2dfc2` });

/**
 * A stand-in for WeChat's platform, written from its documentation: tokens (stable_token), template and one-time messages with the limits
 * of their fields, QR codes with a scene, web authorisation, quotas, errors at HTTP 200, and calls to our address, signed and encrypted.
 */
export const startWechat = async (account: WechatAccount) => {
  const followers = new Set<string>();
  const blocked = new Set<string>();
  const templates = new Set<string>();
  const leaves = new Set<string>();
  const codes = new Map<string, { openid: string; used: boolean; snapshot: boolean }>();
  const scenes: string[] = [];
  const sent: Sent[] = [];
  const once: { touser: string; scene: string; title: string; content: string }[] = [];
  const known = new Map<string, string>();
  const calls: string[] = [];
  let valid = '';
  let expired = '';
  let lastId = 2_918_131_553_548_107_776n;
  const state = {
    quota: 100_000,
    used: 0,
    /** Who is before the browser that asks for an authorisation. */
    visitor: 'oVisitor',
    /** Answers of the next calls to a path, before all else; a number is an HTTP status. */
    next: new Map<string, (Answer | number | 'hang')[]>(),
  };

  const fresh = (): string => {
    expired = valid;
    valid = `tok_${randomBytes(24).toString('base64url')}`;
    return valid;
  };

  const stableToken = (body: Answer): Answer => {
    if (body.grant_type !== 'client_credential') return refuse(40002, 'invalid grant_type');
    if (body.appid !== account.appId) return refuse(40013, 'invalid appid');
    if (body.secret !== account.secret) return refuse(40125, 'invalid appsecret');
    if (valid === '' || body.force_refresh === true) fresh();
    return { access_token: valid, expires_in: 7200 };
  };

  const badToken = (query: URLSearchParams): Answer | null => {
    const token = query.get('access_token');
    if (token === null) return refuse(41001, 'access_token missing');
    if (token === valid) return null;
    return token === expired ? refuse(42001, 'access_token expired') : refuse(40001, 'invalid credential');
  };

  const wrongField = (data: Sent['data']): string | undefined =>
    Object.entries(data).find(([name, { value }]) => {
      const limit = limits[name.replace(/\d+$/, '')];
      return limit ? !limit.test(value) : value === '';
    })?.[0];

  const sendTemplate = (body: Answer): Answer => {
    const message = body as unknown as Sent & { client_msg_id?: string };
    if (state.used >= state.quota) return refuse(45009, 'reach max api daily quota limit');
    if (!/^o[\w-]+$/.test(message.touser ?? '')) return refuse(40003, 'invalid openid');
    if (!templates.has(message.template_id)) return refuse(40037, 'invalid template_id');
    const field = wrongField(message.data);
    if (field) return refuse(47003, `argument invalid! data.${field}.value invalid`);
    if (!followers.has(message.touser)) return refuse(43004, 'require subscribe');
    if (blocked.has(message.touser)) return refuse(43101, 'user refuse to accept the msg');
    const key = `${message.touser} ${message.client_msg_id}`;
    const before = message.client_msg_id === undefined ? undefined : known.get(key);
    if (before !== undefined) return { errcode: 0, errmsg: 'ok', msgid: before };
    state.used += 1;
    lastId += 3n;
    known.set(key, String(lastId));
    sent.push(message);
    return { errcode: 0, errmsg: 'ok', msgid: String(lastId) };
  };

  const sendOnce = (body: Answer): Answer => {
    const { touser, scene, title, data } = body as unknown as { touser: string; scene: string; title: string } & Pick<
      Sent,
      'data'
    >;
    const content = data.content?.value ?? '';
    if ([...title].length > 15 || [...content].length > 200) return refuse(47003, 'argument invalid! data.content');
    if (!leaves.delete(`${touser} ${scene}`)) return refuse(43101, 'user refuse to accept the msg');
    once.push({ touser, scene, title, content });
    return { errcode: 0, errmsg: 'ok' };
  };

  const createQr = (body: Answer): Answer => {
    const scene = (body.action_info as { scene?: { scene_str?: string } })?.scene?.scene_str ?? '';
    const seconds = Number(body.expire_seconds);
    if (body.action_name !== 'QR_STR_SCENE' || scene.length < 1 || scene.length > 64 || seconds > 2_592_000)
      return refuse(40035, 'invalid args');
    const url = `http://weixin.qq.com/q/${randomBytes(12).toString('base64url')}`;
    scenes.push(scene);
    return { ticket: randomBytes(30).toString('base64'), expire_seconds: seconds, url };
  };

  const exchange = (query: URLSearchParams): Answer => {
    if (query.get('appid') !== account.appId) return refuse(40013, 'invalid appid');
    if (query.get('secret') !== account.secret) return refuse(40125, 'invalid appsecret');
    const code = codes.get(query.get('code') ?? '');
    if (!code) return refuse(40029, 'invalid code');
    if (code.used) return refuse(40163, 'code been used');
    code.used = true;
    const rest = { access_token: 'x', expires_in: 7200, refresh_token: 'y', scope: 'snsapi_base' };
    return { ...rest, openid: code.openid, ...(code.snapshot ? { is_snapshotuser: 1 } : {}) };
  };

  const withToken: Record<string, (body: Answer) => Answer> = {
    '/cgi-bin/message/template/send': sendTemplate,
    '/cgi-bin/message/template/subscribe': sendOnce,
    '/cgi-bin/qrcode/create': createQr,
    '/cgi-bin/openapi/quota/get': ({ cgi_path: path }) =>
      path === '/cgi-bin/message/template/send'
        ? {
            errcode: 0,
            errmsg: 'ok',
            quota: { daily_limit: state.quota, used: state.used, remain: state.quota - state.used },
          }
        : refuse(76021, 'cgi_path not found, please check'),
  };

  const newCode = (openid: string, snapshot = false): string => {
    const code = randomBytes(16).toString('hex');
    codes.set(code, { openid, used: false, snapshot });
    return code;
  };

  const authorise = (query: URLSearchParams): string => {
    const back = new URL(query.get('redirect_uri') ?? '');
    back.searchParams.set('code', newCode(state.visitor));
    back.searchParams.set('state', query.get('state') ?? '');
    return back.href;
  };

  const answer = (path: string, query: URLSearchParams, body: Answer): Answer => {
    if (path === '/cgi-bin/stable_token') return stableToken(body);
    if (path === '/sns/oauth2/access_token') return exchange(query);
    const route = withToken[path];
    return badToken(query) ?? route?.(body) ?? refuse(40066, 'invalid url');
  };

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    if (pathname === '/connect/oauth2/authorize')
      return void response.writeHead(302, { location: authorise(searchParams) }).end();
    calls.push(pathname);
    const body = await readBody(request);
    const planned = state.next.get(pathname)?.shift();
    if (planned === 'hang') return;
    if (typeof planned === 'number') return void response.writeHead(planned).end('<html>Bad Gateway</html>');
    const said = typeof planned === 'object' ? planned : answer(pathname, searchParams, body);
    // ids are numbers that JSON's own do not hold
    const text = JSON.stringify(said).replace(/"msgid":"(\d+)"/, '"msgid":$1');
    response.writeHead(200, { 'content-type': 'application/json; encoding=utf-8' }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    account,
    state,
    followers,
    blocked,
    templates,
    /** One-time messages that people allowed: `openid scene`. */
    leaves,
    sent,
    once,
    calls,
    count: (path: string): number => calls.filter((one) => one === path).length,
    newCode,
    /** The present token counts no more, and a normal call still answers it, as after another system's forced refresh of its own. */
    revoke: (): void => {
      valid = fresh();
    },
    /** What the code holds that was made last. */
    lastScene: (): string => scenes.at(-1) ?? '',
    lastMessageId: (): string => String(lastId),
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

export type WechatStandIn = Awaited<ReturnType<typeof startWechat>>;

/** An event or a text as the platform words it. */
export const wechatXml = (from: string, fields: Record<string, string>, at: number): string => {
  const inner = Object.entries(fields).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`);
  const head = `<ToUserName><![CDATA[gh_office]]></ToUserName><FromUserName><![CDATA[${from}]]></FromUserName>`;
  return `<xml>${head}<CreateTime>${Math.floor(at / 1000)}</CreateTime>${inner.join('')}</xml>`;
};

/** The query and body of a call to our address, signed (and encrypted where the account has a key). */
export const wechatCall = (account: WechatAccount, xml: string, at: number, nonce = randomBytes(6).toString('hex')) => {
  const timestamp = String(Math.floor(at / 1000));
  const query = new URLSearchParams({ signature: wechatSignature(account.token, timestamp, nonce), timestamp, nonce });
  if (account.aesKey === undefined) return { query, body: xml };
  const encrypted = wechatEncrypt(account.aesKey, account.appId, xml);
  query.set('encrypt_type', 'aes');
  query.set('msg_signature', wechatSignature(account.token, timestamp, nonce, encrypted));
  return {
    query,
    body: `<xml><ToUserName><![CDATA[gh_office]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`,
  };
};

/** The text of a reply, decrypted; checks what the platform checks of it. Empty where there is nothing to say. */
export const wechatReply = (account: WechatAccount, body: string): string => {
  if (body === 'success' || body === '') return '';
  const field = (text: string, name: string): string =>
    new RegExp(`<${name}>(?:<!\\[CDATA\\[)?([\\s\\S]*?)(?:\\]\\]>)?</${name}>`).exec(text)?.[1] ?? '';
  const encrypted = field(body, 'Encrypt');
  if (encrypted === '') return field(body, 'Content');
  const signature = wechatSignature(account.token, field(body, 'TimeStamp'), field(body, 'Nonce'), encrypted);
  if (signature !== field(body, 'MsgSignature')) throw new Error('the reply is not signed');
  const { message, appId } = wechatDecrypt(account.aesKey ?? '', encrypted);
  if (appId !== account.appId) throw new Error('the reply is for another account');
  return field(message, 'Content');
};
