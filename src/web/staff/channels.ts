import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import type { AccountHealth } from '../../accounts/account-store.ts';
import type { AccountCheck, BroadcastService } from '../../broadcasts/broadcast-service.ts';
import type { Post } from '../../broadcasts/post.ts';
import { AppError } from '../../errors.ts';
import { equalBytes } from '../../keyring.ts';
import type { Pages } from '../pages/page.ts';
import { momentOf, type Voice } from '../pages/present.ts';
import { field, pathPart, queryText } from '../pages/request.ts';
import { actorOf } from './applications.ts';
import { channelTests, providerState, type RefusedTest } from './provider-states.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

const place = '/staff/channels';
const perPage = 20;
const notes = ['connected', 'disconnected', 'again', 'on', 'off', 'tested'];

/** What a test came to, in words of its own; `refused`: a message that could not be sent. */
type Tested = {
  refused?: RefusedTest;
  wechat?: { limit: number; used: number; remain: number } | { fault: string };
  weibo?: AccountCheck;
};

const healthOf = (voice: Voice, { workedAt, fault, quietUntil }: AccountHealth) => ({
  workedAt: workedAt === null ? null : momentOf(voice, workedAt),
  fault: fault && { at: momentOf(voice, fault.at), code: fault.code, words: fault.words },
  quietUntil: quietUntil === null || fault === null ? null : momentOf(voice, quietUntil),
});

const postOf = (voice: Voice, post: Post & { title: string }) => ({
  ...{ item: post.item, title: post.title, version: post.version, kind: post.kind, response: post.response },
  state: post.state,
  tone: post.state === 'sent' ? 'good' : post.state === 'failed' ? 'bad' : 'quiet',
  at: momentOf(voice, post.at),
  dueAt: post.state === 'pending' ? momentOf(voice, post.dueAt) : null,
  repeatable: post.state === 'failed' || post.state === 'off',
});

const testedOf = (voice: Voice, { wechat, weibo }: Tested) => ({
  wechat: wechat ?? null,
  weibo: weibo && (weibo.ok ? { ...weibo, endsAt: momentOf(voice, weibo.endsAt) } : weibo),
});

const makeShow = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  return async (req: Request, res: Response, me: Staff, tested: Tested = {}, given: Record<string, string> = {}) => {
    const voice = await pages.voice(req);
    const { wechat, broadcasts } = deps;
    const [official, open] = [await wechat?.account(), await broadcasts?.account()];
    const posts = await broadcasts?.list({ cursor: queryText(req, 'cursor'), limit: perPage });
    const done = queryText(req, 'done');
    const { refused } = tested;
    const faults = refused ? { ...given, [refused.channel]: refused.fault } : given;
    const states = await deps.channelDesk.states();
    const values = {
      admin: me.roles.includes('admin'),
      channels: states.map((state) => providerState(voice, state)),
      typed: { email: me.email, ...(refused ? { [refused.channel]: refused.typed } : {}) },
      official: official && { hook: official.hook, encrypted: official.encrypted, ...healthOf(voice, official) },
      open: open && {
        until: open.connectedUntil === null ? null : momentOf(voice, open.connectedUntil),
        ended: open.connectedUntil !== null && open.connectedUntil <= deps.edges.now(),
        ...healthOf(voice, open),
      },
      posts: posts?.rows.map((post) => postOf(voice, post)) ?? [],
      next: posts?.next ? `${place}?${new URLSearchParams({ cursor: posts.next })}` : null,
      tested: testedOf(voice, tested),
      done: done !== null && notes.includes(done) ? done : null,
      faults,
    };
    own.show(req, res, me, 'channels', values, Object.keys(faults).length > 0 ? 400 : 200);
  };
};

/** Posts on the public account: what each would say, its switch, and another try. */
const postPages = (deps: StaffDeps, pages: Pages, own: StaffPages, broadcasts: BroadcastService): Router => {
  const audit = (me: Staff, action: string, subject: string) =>
    deps.access.audit({ actor: me.id, action, subject, details: { by: 'page' } });

  const item = async (req: Request, res: Response, me: Staff) => {
    const voice = await pages.voice(req);
    const id = pathPart(req, 'id');
    const { posts, ...preview } = await broadcasts.preview(id);
    const rows = posts.map((post) => postOf(voice, { ...post, title: '' }));
    own.show(req, res, me, 'channels-item', { ...preview, id, posts: rows });
  };

  const switchItem = async (req: Request, res: Response, me: Staff) => {
    const [id, on] = [pathPart(req, 'id'), field(req, 'on') === 'yes'];
    await broadcasts.switchItem(id, on, actorOf(me));
    await audit(me, 'putBroadcast', id);
    res.redirect(303, `${place}?done=${on ? 'on' : 'off'}`);
  };

  const again = async (req: Request, res: Response, me: Staff) => {
    const [id, version] = [pathPart(req, 'id'), Number(pathPart(req, 'version'))];
    if (!Number.isSafeInteger(version)) throw new AppError('not-found', 'There is no such version.');
    await broadcasts.again(id, version, actorOf(me));
    await audit(me, 'postAgain', id);
    res.redirect(303, `${place}?done=again`);
  };

  return Router()
    .get(`${place}/items/:id`, own.only(item, 'publisher', 'admin'))
    .post(`${place}/items/:id`, own.only(switchItem, 'publisher', 'admin'))
    .post(`${place}/items/:id/:version/again`, own.only(again, 'publisher', 'admin'));
};

/** The channels and the office's accounts: connecting and testing them, their quota and health; and what was posted. */
export const channelPages = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const { wechat, broadcasts } = deps;
  const router = Router();
  const show = makeShow(deps, pages, own);
  const back = `${deps.config.publicUrl}${place}/weibo`;

  router.get(
    place,
    own.only((req, res, me) => show(req, res, me), 'publisher', 'admin'),
  );
  router.use(channelTests(deps, pages, own, (req, res, me, refused) => show(req, res, me, { refused })));
  if (wechat)
    router.post(
      `${place}/wechat/test`,
      own.only(async (req, res, me) => show(req, res, me, { wechat: await wechat.quota() }), 'admin'),
    );
  if (!broadcasts) return router;

  /** What comes back must have been asked for by this member of staff in this browser. */
  const stateOf = (req: Request, res: Response, me: Staff): string =>
    deps.keyring.sign('weibo-state', `${me.id} ${pages.sessions.csrfToken(req, res)}`, 16).toString('hex');
  const demandState = (req: Request, res: Response, me: Staff, given: string): void => {
    if (!equalBytes(Buffer.from(given), Buffer.from(stateOf(req, res, me))))
      throw new AppError('bad-csrf', 'What came back from Weibo was not asked for here; start again.');
  };

  /** Weibo sends the browser back here: the page asks, its button connects. */
  const returned = async (req: Request, res: Response, me: Staff) => {
    const [code, state] = [queryText(req, 'code') ?? '', queryText(req, 'state') ?? ''];
    demandState(req, res, me, state);
    if (code === '') return res.redirect(303, place);
    own.show(req, res, me, 'channels-connect', { code, state });
  };

  const connect = async (req: Request, res: Response, me: Staff) => {
    demandState(req, res, me, field(req, 'state'));
    const fault = await broadcasts.connect(field(req, 'code'), back);
    if (fault !== null)
      return show(req, res, me, { weibo: { ok: false, fault } }, { weibo: 'accounts:staff.notConnected' });
    await deps.access.audit({ actor: me.id, action: 'connectWeibo', subject: 'weibo', details: { by: 'page' } });
    res.redirect(303, `${place}?done=connected`);
  };

  const disconnect = async (_req: Request, res: Response, me: Staff) => {
    await broadcasts.disconnect();
    await deps.access.audit({ actor: me.id, action: 'disconnectWeibo', subject: 'weibo', details: { by: 'page' } });
    res.redirect(303, `${place}?done=disconnected`);
  };

  return router
    .post(
      `${place}/weibo/test`,
      own.only(async (req, res, me) => show(req, res, me, { weibo: await broadcasts.check() }), 'admin'),
    )
    .get(
      `${place}/weibo/connect`,
      own.only((req, res, me) => res.redirect(303, broadcasts.connectUrl(back, stateOf(req, res, me))), 'admin'),
    )
    .get(`${place}/weibo`, own.only(returned, 'admin'))
    .post(`${place}/weibo`, own.only(connect, 'admin'))
    .post(`${place}/weibo/disconnect`, own.only(disconnect, 'admin'))
    .use(postPages(deps, pages, own, broadcasts));
};
