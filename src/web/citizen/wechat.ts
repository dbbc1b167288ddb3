import { type Request, type Response, Router } from 'express';
import { toDataURL } from 'qrcode';
import { AppError } from '../../errors.ts';
import { equalBytes } from '../../keyring.ts';
import type { PersonView } from '../../subscriptions/subscription-service.ts';
import type { BindingFault } from '../../wechat/binding.ts';
import type { WechatService } from '../../wechat/wechat-service.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { field, pathPart, queryText } from '../pages/request.ts';
import { doneNote, type Me, signedIn } from './signed-in.ts';

const place = '/my/wechat';
const notes = ['bound', 'unbound', 'leave'];
/** Scenes of one-time messages: whole numbers to 10,000 (developers.weixin.qq.com, One-time subscription). */
const scenesMost = 10_000;

type Faults = Record<string, string>;
const words = (fault: BindingFault): Faults => ({ wechat: `accounts:my.fault.${fault}` });

const isInWechat = (req: Request): boolean => /MicroMessenger/i.test(req.get('user-agent') ?? '');

/** What comes back from WeChat must have been asked for by this person in this browser; letters and digits, as WeChat wants it. */
const stateOf = (deps: CitizenDeps, pages: Pages, req: Request, res: Response, { person }: PersonView): string =>
  deps.keyring.sign('wechat-state', `${person.id} ${pages.sessions.csrfToken(req, res)}`, 16).toString('hex');

const demandState = (deps: CitizenDeps, pages: Pages, req: Request, res: Response, me: PersonView, given: string) => {
  if (!equalBytes(Buffer.from(given), Buffer.from(stateOf(deps, pages, req, res, me))))
    throw new AppError('bad-csrf', 'What came back from WeChat was not asked for here; start again.');
};

type Shown = { faults?: Faults; qr?: string };

const makeShow = (deps: CitizenDeps, pages: Pages, wechat: WechatService) => {
  return async (req: Request, res: Response, me: PersonView, { faults = {}, qr }: Shown = {}) => {
    const held = await deps.subscriptions.addressesOf(me.person.id);
    const bound = held.filter(({ channel }) => channel === 'wechat');
    const values = {
      tab: 'settings',
      bound,
      removable: held.length > 1 || me.follows.every(({ stoppedAt }) => stoppedAt !== null),
      inWechat: isInWechat(req),
      leaves: wechat.leaveUrl('', 0, '') !== null && bound.length > 0,
      qr: qr === undefined ? null : await toDataURL(qr, { margin: 2, width: 240 }),
      faults,
      done: doneNote(req, notes),
    };
    pages.show(req, res, 'my-wechat', values, { status: Object.keys(faults).length > 0 ? 400 : 200 });
  };
};

/** Binding a person to their WeChat and unbinding them; a page of its own, for it is also opened in WeChat. */
export const wechatRouter = (deps: CitizenDeps, pages: Pages): Router => {
  const { wechat } = deps;
  if (!wechat) return Router();
  const show = makeShow(deps, pages, wechat);
  const my = (page: Me) => signedIn(pages, page);
  const back = (path: string): string => `${deps.config.publicUrl}${place}${path}`;

  const showQr: Me = async (req, res, me) => {
    const qr = await wechat.qrFor(me.person.id);
    return qr === null ? show(req, res, me, { faults: words('provider') }) : show(req, res, me, { qr });
  };

  const unbind: Me = async (req, res, me) => {
    try {
      await deps.subscriptions.removeAddress(me.person.id, pathPart(req, 'id'));
    } catch (error) {
      const code = error instanceof AppError ? error.code : null;
      // pressed twice: it is unbound, as was wished
      if (code === 'not-found') return res.redirect(303, `${place}?done=unbound`);
      if (code !== 'wrong-state') throw error;
      return show(req, res, me, { faults: { bound: 'fault.lastAddress' } });
    }
    res.redirect(303, `${place}?done=unbound`);
  };

  /** WeChat sends the browser back here: the page asks, its button binds (product: semantic 7). */
  const authorised: Me = (req, res, me) => {
    const [code, state] = [queryText(req, 'code') ?? '', queryText(req, 'state') ?? ''];
    demandState(deps, pages, req, res, me, state);
    pages.show(req, res, 'my-wechat-bind', { tab: 'settings', code, state });
  };

  const bind: Me = async (req, res, me) => {
    demandState(deps, pages, req, res, me, field(req, 'state'));
    const bound = await wechat.bind(me.person.id, field(req, 'code'));
    return bound.ok ? res.redirect(303, `${place}?done=bound`) : show(req, res, me, { faults: words(bound.fault) });
  };

  const askLeave: Me = (req, res, me) => {
    const scene = Number.parseInt(deps.edges.bytes(2).toString('hex'), 16) % (scenesMost + 1);
    const url = wechat.leaveUrl(back('/left'), scene, stateOf(deps, pages, req, res, me));
    if (url === null) throw new AppError('not-found', 'One-time messages are not set up.');
    res.redirect(303, url);
  };

  /** They have said so to WeChat, for one message; that it was in this browser, `reserved` says. */
  const left: Me = async (req, res, me) => {
    demandState(deps, pages, req, res, me, queryText(req, 'reserved') ?? '');
    const scene = Number(queryText(req, 'scene'));
    const isGiven =
      queryText(req, 'action') === 'confirm' && Number.isInteger(scene) && scene >= 0 && scene <= scenesMost;
    if (isGiven) await wechat.leave(me.person.id, queryText(req, 'openid') ?? '', scene);
    res.redirect(303, isGiven ? `${place}?done=leave` : place);
  };

  return Router()
    .get(
      place,
      my((req, res, me) => show(req, res, me)),
    )
    .post(`${place}/code`, pages.limited, my(showQr))
    .get(
      `${place}/authorise`,
      my((req, res, me) =>
        res.redirect(303, wechat.authoriseUrl(back('/authorised'), stateOf(deps, pages, req, res, me))),
      ),
    )
    .get(`${place}/authorised`, my(authorised))
    .post(`${place}/bind`, pages.limited, my(bind))
    .get(`${place}/leave`, my(askLeave))
    .get(`${place}/left`, my(left))
    .post(`${place}/:id/unbind`, my(unbind));
};
