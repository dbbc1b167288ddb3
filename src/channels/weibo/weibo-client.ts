import { type AccountStore, accountContext } from '../../accounts/account-store.ts';
import { makeAccountWatch } from '../../accounts/account-watch.ts';
import type { AccountApi } from '../../broadcasts/broadcast-service.ts';
import type { Poster, PostOutcome } from '../../broadcasts/deliver-posts.ts';
import type { WeiboConfig } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import type { Keyring } from '../../keyring.ts';
import type { Log } from '../../log.ts';
import { findInTimeline } from './timeline.ts';
import { classifyWeibo, postFaults } from './weibo-answer.ts';

export type WeiboTools = {
  store: AccountStore;
  keyring: Pick<Keyring, 'seal' | 'open'>;
  edges: Pick<Edges, 'now'>;
  log: Log;
  limitMs?: number;
};

/** The calls that post: only when one of these goes well is a fault of posts over. */
const posting = ['/2/statuses/share.json', '/2/statuses/repost.json'];

type Refusal = Extract<PostOutcome, { ok: false }>;
type Asked = { ok: true; body: Record<string, unknown> } | Refusal;

const parsed = (text: string): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};

/** One HTTP call with a form, or a GET with a query. */
const makeAsk =
  ({ edges, limitMs = 15_000 }: Pick<WeiboTools, 'edges' | 'limitMs'>, api: string) =>
  async (method: 'GET' | 'POST', path: string, form: Record<string, string>, signal?: AbortSignal): Promise<Asked> => {
    const limit = AbortSignal.timeout(limitMs);
    const fields = new URLSearchParams(form);
    const url = method === 'GET' ? `${api}${path}?${fields}` : `${api}${path}`;
    try {
      const stop = signal ? AbortSignal.any([signal, limit]) : limit;
      const init = method === 'GET' ? {} : { body: fields };
      const answer = await fetch(url, { method, redirect: 'error', ...init, signal: stop });
      const body = parsed(await answer.text());
      const code = body?.error_code === undefined ? undefined : Number(body.error_code);
      const refusal = classifyWeibo(answer.status, code, String(body?.error ?? ''), edges.now());
      if (refusal) return refusal;
      return body ? { ok: true, body } : { ok: false, kind: 'transient', detail: 'the answer is no JSON' };
    } catch (error) {
      return { ok: false, kind: 'transient', detail: String((error as Error).cause ?? (error as Error).name) };
    }
  };

/**
 * The office's account at Weibo, connected by OAuth 2.0 (open.weibo.com/wiki/Oauth2). Posts are shares of a link
 * (open.weibo.com/wiki/2/statuses/share: 140 characters, a link of the application's own domain, no #topic#), corrections are
 * reposts (…/2/statuses/repost). Thirty an hour (open.weibo.com/wiki/Rate-limiting). What became of a post whose answer never came is looked up
 * in the account's timeline (…/2/statuses/user_timeline), which shows the newest five.
 */
export const makeWeiboClient = (config: WeiboConfig, tools: WeiboTools): Poster & AccountApi => {
  const { store, keyring, edges, log } = tools;
  const ask = makeAsk(tools, config.api);
  const watch = makeAccountWatch(store, 'weibo', { edges, log });

  const keyOf = async (): Promise<string | Refusal> => {
    const token = await store.token('weibo');
    if (!token) return { ok: false, kind: 'account', detail: 'the account is not connected' };
    if (token.expiresAt <= edges.now()) return { ok: false, kind: 'account', detail: '21327 expired_token' };
    return keyring.open(token.sealed, accountContext('weibo'));
  };

  const watched = async <T extends { ok: true } | Refusal>(asked: T, path: string): Promise<T> => {
    if (asked.ok) await watch.worked(posting.includes(path) ? [] : postFaults);
    else if (asked.kind === 'account' || asked.kind === 'throttled') {
      const quiet = asked.retryAfterMs === undefined ? undefined : edges.now() + asked.retryAfterMs;
      await watch.failed(asked.detail.split(' ')[0] ?? '', asked.detail, quiet);
    }
    return asked;
  };

  const withKey = async (
    method: 'GET' | 'POST',
    path: string,
    form: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Asked> => {
    try {
      const key = await keyOf();
      const asked = typeof key === 'string' ? await ask(method, path, { access_token: key, ...form }, signal) : key;
      return await watched(asked, path);
    } catch (error) {
      return { ok: false, kind: 'transient', detail: String(error) };
    }
  };

  const post = async (path: string, form: Record<string, string>, signal: AbortSignal): Promise<PostOutcome> => {
    const asked = await withKey('POST', path, { ...form, rip: config.ip }, signal);
    if (!asked.ok) return asked;
    // `id` is larger than JSON's numbers
    const id = asked.body.idstr ?? asked.body.mid;
    return { ok: true, reference: typeof id === 'string' && id !== '' ? id : null, response: 'posted' };
  };

  return {
    share: (text, signal) => post('/2/statuses/share.json', { status: text }, signal),
    repost: (id, text, signal) => post('/2/statuses/repost.json', { id, status: text, is_comment: '0' }, signal),
    find: async (texts, since, signal) => {
      const asked = await withKey('GET', '/2/statuses/user_timeline.json', { count: '100', trim_user: '1' }, signal);
      if (!asked.ok) return asked;
      const found = findInTimeline(asked.body, texts, since);
      return found ?? { ok: false, kind: 'transient', detail: 'the answer is no timeline' };
    },
    connectUrl: (back, state) => {
      const query = { client_id: config.key, response_type: 'code', redirect_uri: back, state };
      return `${config.api}/oauth2/authorize?${new URLSearchParams(query)}`;
    },
    connect: async (code, back) => {
      const app = { client_id: config.key, client_secret: config.secret };
      const form = { ...app, grant_type: 'authorization_code', redirect_uri: back, code };
      const asked = await ask('POST', '/oauth2/access_token', form);
      if (!asked.ok) return asked.detail;
      const { access_token: token, expires_in: seconds } = asked.body;
      if (typeof token !== 'string' || !(Number(seconds) > 0)) return 'the answer holds no token';
      const sealed = keyring.seal(token, accountContext('weibo'));
      await store.connect('weibo', { sealed, expiresAt: edges.now() + Number(seconds) * 1000 });
      return null;
    },
    check: async () => {
      const info = await withKey('POST', '/oauth2/get_token_info', {});
      if (!info.ok) return { ok: false, fault: info.detail };
      const limits = await withKey('GET', '/2/account/rate_limit_status.json', {});
      if (!limits.ok) return { ok: false, fault: limits.detail };
      const endsAt = edges.now() + Number(info.body.expire_in) * 1000;
      return { ok: true, endsAt, left: Number(limits.body.remaining_user_hits), of: Number(limits.body.user_limit) };
    },
  };
};
