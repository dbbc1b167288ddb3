import type { AccountStore } from '../../accounts/account-store.ts';
import { type AccountWatch, makeAccountWatch } from '../../accounts/account-watch.ts';
import type { WechatConfig } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import type { Keyring } from '../../keyring.ts';
import type { Log } from '../../log.ts';
import { type Failure, failure, type Verdict } from '../result.ts';
import { type FetchedKey, makeKeyKeeper } from './key-keeper.ts';
import { type Classified, classifyWechat, messageFaults } from './wechat-answer.ts';

/** What WeChat answered: its fields, and the text itself, since ids are larger than JSON's numbers. */
export type WechatAnswer = { ok: true; body: Record<string, unknown>; text: string } | Failure;

export type WechatClient = {
  /** Posts to a path of the API with the cluster's access token; a token that is refused is renewed once. Never throws. */
  call(path: string, body: object, signal?: AbortSignal): Promise<WechatAnswer>;
  /** The openid behind the code of a web authorisation. Never throws. */
  openidOf(code: string): Promise<{ ok: true; openid: string; isReal: boolean } | Failure>;
};

export type WechatClientTools = {
  store: AccountStore;
  keyring: Pick<Keyring, 'seal' | 'open'>;
  edges: Pick<Edges, 'now' | 'bytes'>;
  log: Log;
  limitMs?: number;
  pause?: (ms: number) => Promise<unknown>;
};

const provider = 'wechat';

const parsed = (text: string): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};

/** What a good answer holds that has no `errcode`. */
const goodFields = ['access_token', 'openid', 'ticket'];

const codeIn = (body: Record<string, unknown> | null): number | undefined => {
  if (typeof body?.errcode === 'number') return body.errcode;
  return body !== null && goodFields.some((name) => typeof body[name] === 'string') ? 0 : undefined;
};

type Asked =
  | { ok: true; body: Record<string, unknown>; text: string }
  | { ok: false; found: Classified; failure: Failure };

const refusedBy = (verdict: Verdict, detail: string, marks: Omit<Classified, 'verdict'> = {}): Asked => ({
  ok: false,
  found: { verdict, ...marks },
  failure: failure(provider, verdict, detail),
});

/** One HTTP call. */
const makeAsk = ({ edges, limitMs = 10_000 }: Pick<WechatClientTools, 'edges' | 'limitMs'>) => {
  return async (url: string, init: RequestInit, signal?: AbortSignal): Promise<Asked> => {
    const limit = AbortSignal.timeout(limitMs);
    try {
      const stop = signal ? AbortSignal.any([signal, limit]) : limit;
      const answer = await fetch(url, { redirect: 'error', ...init, signal: stop });
      const text = await answer.text();
      const body = parsed(text);
      const code = codeIn(body);
      const { verdict, ...marks } = classifyWechat(answer.status, code, edges.now()) ?? {};
      if (!verdict) return { ok: true, body: body ?? {}, text };
      const words = typeof body?.errmsg === 'string' ? body.errmsg : `HTTP ${answer.status}`;
      return refusedBy(verdict, `${code ?? 'no errcode'} ${words}`, marks);
    } catch (error) {
      const reason = signal?.aborted ? 'aborted' : limit.aborted ? 'timeout' : 'connection';
      return refusedBy({ kind: 'transient', reason }, String((error as Error).cause ?? (error as Error).name));
    }
  };
};

const json = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** What the operator has to know of goes where staff see it. */
const watchedBy =
  (watch: AccountWatch, edges: Pick<Edges, 'now'>) =>
  async (asked: Asked, path = ''): Promise<Asked> => {
    if (asked.ok) await watch.worked(path.startsWith('/cgi-bin/message/') ? [] : messageFaults);
    else if (asked.found.operator || asked.found.token) {
      const { retryAfterMs } = asked.found.verdict;
      const quiet = retryAfterMs === undefined ? undefined : edges.now() + retryAfterMs;
      await watch.failed(asked.failure.detail.split(' ')[0] ?? '', asked.failure.detail, quiet);
    }
    return asked;
  };

/**
 * The API of an official account (a service account that is verified). Tokens come from `cgi-bin/stable_token`
 * (developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken): asked again, it answers the present one, and only a
 * forced refresh (20 a day) ends that before its time.
 */
export const makeWechatClient = (config: WechatConfig, tools: WechatClientTools): WechatClient => {
  const { store, keyring, edges, log } = tools;
  const { appId, secret, api } = config;
  const ask = makeAsk(tools);
  const watched = watchedBy(makeAccountWatch(store, 'wechat', { edges, log }), edges);

  const askKey = (force: boolean): Promise<Asked> =>
    ask(
      `${api}/cgi-bin/stable_token`,
      json({ grant_type: 'client_credential', appid: appId, secret, force_refresh: force }),
    );

  const keyIn = (asked: Asked): FetchedKey => {
    if (!asked.ok) return { ok: false, failure: asked.failure };
    return {
      ok: true,
      token: String(asked.body.access_token),
      lastsMs: Number(asked.body.expires_in) * 1000,
    };
  };

  const fetchKey = async (refused: string | null): Promise<FetchedKey> => {
    const key = keyIn(await watched(await askKey(false)));
    return key.ok && key.token === refused ? keyIn(await watched(await askKey(true))) : key;
  };

  const keyOf = makeKeyKeeper({
    account: 'wechat',
    ...{ store, keyring, edges, fetchKey },
    ...(tools.pause ? { pause: tools.pause } : {}),
  });

  const call = async (path: string, body: object, signal?: AbortSignal): Promise<WechatAnswer> => {
    let key = await keyOf();
    for (let tries = 0; ; tries++) {
      if ('ok' in key) return key;
      const url = `${api}${path}?access_token=${encodeURIComponent(key.token)}`;
      const asked = await ask(url, json(body), signal);
      if (!asked.ok && asked.found.token && tries === 0) {
        key = await keyOf(key.serial);
        continue;
      }
      await watched(asked, path);
      return asked.ok ? asked : asked.failure;
    }
  };

  return {
    call: async (path, body, signal) => {
      try {
        return await call(path, body, signal);
      } catch (error) {
        return failure(provider, { kind: 'transient', reason: 'storage' }, String(error));
      }
    },
    openidOf: async (code) => {
      const query = new URLSearchParams({ appid: appId, secret, code, grant_type: 'authorization_code' });
      const asked = await ask(`${api}/sns/oauth2/access_token?${query}`, { method: 'GET' });
      if (!asked.ok) return asked.failure;
      // a page that is only previewed has a made-up person (is_snapshotuser)
      return { ok: true, openid: String(asked.body.openid), isReal: asked.body.is_snapshotuser !== 1 };
    },
  };
};
