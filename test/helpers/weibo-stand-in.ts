import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = { status: number; body: Record<string, unknown> };
type WeiboPost = { id: string; text: string; of: string | null; at: number };

const ok = (body: Record<string, unknown>): Answer => ({ status: 200, body });
const refuse = (code: number, error: string, status = 400): Answer => ({
  status,
  body: { request: '/2/statuses', error_code: code, error },
});

/** Links are ten characters, Latin letters half a one, all else one; as the box on the site counts. */
const lengthOf = (text: string): number => {
  const links = text.match(/https?:\/\/[^\s\u4e00-\u9fff]+/g) ?? [];
  const rest = links.reduce((left, link) => left.replace(link, ''), text);
  let count = links.length * 10;
  for (const sign of rest) count += (sign.codePointAt(0) ?? 0) < 0x100 ? 0.5 : sign.length;
  return Math.ceil(count);
};

const readForm = async (request: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString());
};

/**
 * A stand-in for Weibo's open platform, written from its pages (open.weibo.com/wiki: Oauth2, Oauth2/get_token_info, 2/statuses/share,
 * 2/statuses/repost, 2/statuses/user_timeline, 2/account/rate_limit_status, Error_code, Rate-limiting): posts with their rules, limits by the hour, tokens that expire.
 */
export const startWeibo = async (app: { key: string; secret: string; domain: string }) => {
  const posts: WeiboPost[] = [];
  const codes = new Map<string, string>();
  const calls: string[] = [];
  let token = '';
  let lastId = 5_034_803_600_502_730n;
  const state = {
    left: 30,
    of: 30,
    lastsSeconds: 2_592_000,
    now: () => Date.now(),
    tokenEndsAt: 0,
    /** Answers of the next calls to a path, before all else; `drop`: it is done, but the answer is lost. */
    next: new Map<string, (Answer | 'drop' | 'html')[]>(),
  };

  const badToken = (fields: URLSearchParams): Answer | null => {
    const given = fields.get('access_token');
    if (!given) return refuse(10006, 'Source paramter(appkey) is missing');
    if (given !== token) return refuse(21332, 'access_token is invalid!');
    return state.now() >= state.tokenEndsAt ? refuse(21327, 'expired_token', 403) : null;
  };

  const put = (text: string, of: string | null): Answer => {
    if (state.left <= 0) return refuse(10023, 'User requests out of rate limit!', 403);
    if (lengthOf(text) > 140) return refuse(20012, 'Text too long, please input text less than 140 characters!');
    if (posts.at(-1)?.text === text) return refuse(20019, 'repeat content!');
    state.left -= 1;
    lastId += 7n;
    posts.push({ id: String(lastId), text, of, at: state.now() });
    return ok({
      created_at: 'Wed Oct 24 23:49:17 +0800 2012',
      id: Number(lastId),
      mid: String(lastId),
      idstr: String(lastId),
      text,
    });
  };

  const share = (form: URLSearchParams): Answer => {
    const text = form.get('status') ?? '';
    if (text === '') return refuse(20008, 'Content is null');
    if (!/^[\d.:a-f]+$/.test(form.get('rip') ?? '')) return refuse(10016, 'Miss required parameter (rip)');
    const link = /https?:\/\/\S+/.exec(text)?.[0];
    if (!link || new URL(link).host !== app.domain) return refuse(10017, "Parameter (status)'s value invalid");
    return /#[^#]+#/.test(text) ? refuse(10017, "Parameter (status)'s value invalid") : put(text, null);
  };

  const repost = (form: URLSearchParams): Answer =>
    posts.some(({ id }) => id === form.get('id'))
      ? put(form.get('status') ?? '转发微博', form.get('id'))
      : refuse(20101, 'target weibo does not exist!');

  const exchange = (form: URLSearchParams): Answer => {
    if (form.get('client_id') !== app.key || form.get('client_secret') !== app.secret)
      return { status: 400, body: { error: 'invalid_client', error_code: 21324 } };
    const back = codes.get(form.get('code') ?? '');
    if (back === undefined || back !== form.get('redirect_uri'))
      return { status: 400, body: { error: 'invalid_grant', error_code: 21325 } };
    codes.delete(form.get('code') ?? '');
    token = `2.00${randomBytes(12).toString('base64url')}`;
    state.tokenEndsAt = state.now() + state.lastsSeconds * 1000;
    return ok({
      access_token: token,
      remind_in: String(state.lastsSeconds),
      expires_in: state.lastsSeconds,
      uid: '1404376560',
    });
  };

  const limits = (): Answer =>
    ok({
      ip_limit: 10_000,
      limit_time_unit: 'HOURS',
      remaining_ip_hits: 10_000,
      remaining_user_hits: state.left,
      user_limit: state.of,
    });
  const info = (): Answer =>
    ok({
      uid: '1404376560',
      appkey: app.key,
      create_at: 1,
      expire_in: Math.round((state.tokenEndsAt - state.now()) / 1000),
    });

  /** `Tue May 31 17:46:55 +0800 2011`: to the second, in Beijing's time. */
  const dateOf = (at: number): string => {
    const [, day, date, month, year, time] = /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(
      new Date(at + 8 * 3_600_000).toUTCString(),
    ) ?? ['', '', '', '', '', ''];
    return `${day} ${month} ${String(date).padStart(2, '0')} ${time} +0800 ${year}`;
  };
  /** The newest five and no more, with short links, as the page says. */
  const timeline = (): Answer =>
    ok({
      statuses: posts
        .slice(-5)
        .reverse()
        .map(({ id, text, of, at }) => ({
          ...{ created_at: dateOf(at), id: Number(id), mid: id, idstr: id, favorited: false, truncated: false },
          text: text
            .replace(
              /https?:\/\/\S+/g,
              (link) => `http://t.cn/${createHash('md5').update(link).digest('hex').slice(0, 7)}`,
            )
            .replaceAll('&', '&amp;')
            .replaceAll('<', '&lt;'),
          source: '<a href="https://gov.example.org" rel="nofollow">app</a>',
          ...(of === null ? {} : { retweeted_status: { idstr: of } }),
          user: { id: 1404376560 },
        })),
      previous_cursor: 0,
      next_cursor: 0,
      total_number: posts.length,
    });

  const withToken: Record<string, (form: URLSearchParams) => Answer> = {
    '/2/statuses/share.json': share,
    '/2/statuses/repost.json': repost,
    '/2/statuses/user_timeline.json': timeline,
    '/2/account/rate_limit_status.json': limits,
    '/oauth2/get_token_info': info,
  };

  const answer = (path: string, fields: URLSearchParams): Answer => {
    if (path === '/oauth2/access_token') return exchange(fields);
    const route = withToken[path];
    return route ? (badToken(fields) ?? route(fields)) : refuse(10020, 'Request api not found!', 404);
  };

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    if (pathname === '/oauth2/authorize') {
      const back = searchParams.get('redirect_uri') ?? '';
      const code = randomBytes(16).toString('hex');
      codes.set(code, back);
      const query = new URLSearchParams({ state: searchParams.get('state') ?? '', code });
      return void response.writeHead(302, { location: `${back}?${query}` }).end();
    }
    calls.push(pathname);
    const fields = request.method === 'GET' ? searchParams : await readForm(request);
    const planned = state.next.get(pathname)?.shift();
    if (planned === 'html') return void response.writeHead(502).end('<html>Bad Gateway</html>');
    const said = typeof planned === 'object' ? planned : answer(pathname, fields);
    if (planned === 'drop') return void request.socket.destroy();
    response
      .writeHead(said.status, { 'content-type': 'application/json;charset=UTF-8' })
      .end(JSON.stringify(said.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    posts,
    calls,
    state,
    count: (path: string): number => calls.filter((one) => one === path).length,
    /** The person took the authorisation back. */
    revoke: (): void => {
      token = randomBytes(8).toString('hex');
    },
    remove: (id: string): void =>
      void posts.splice(
        posts.findIndex((post) => post.id === id),
        1,
      ),
    lengthOf,
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

export type WeiboStandIn = Awaited<ReturnType<typeof startWeibo>>;
