import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { dayOf } from '../pages/present.ts';
import { pathPart } from '../pages/request.ts';
import { didMs } from './code.ts';
import { linkFault, showBadLink } from './confirm.ts';
import { type Me, signedIn, signedInThoughLeaving } from './signed-in.ts';

/** What a browser keeps of it for a moment. */
const left = 'leave';

const leave =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, me) => {
    await deps.subscriptions.leaving.leave(me.person.id);
    await deps.visitors.untie(req, res);
    pages.sessions.end(res);
    pages.remember(res, 'did', left, didMs);
    res.redirect(303, '/goodbye');
  };

/** Whoever has just asked to be forgotten and is signed out by it asks again: it stays as it was. */
const leftAlready =
  (pages: Pages): RequestHandler =>
  async (req, res, next) => {
    if (pages.recall(req, 'did') !== left || (await pages.person(req))) return next();
    res.redirect(303, '/goodbye');
  };

const stay =
  (deps: CitizenDeps): Me =>
  async (_req, res, me) => {
    await deps.subscriptions.leaving.stay(me.person.id);
    res.redirect(303, '/my?done=stayed');
  };

type LinkPage = (req: Request, res: Response, token: string) => Promise<unknown>;

/** Runs a page of a link; one that has run out or was damaged gets the page of such links. */
const byLink = (pages: Pages, page: LinkPage) => async (req: Request, res: Response) => {
  try {
    await page(req, res, pathPart(req, 'token'));
  } catch (error) {
    const code = linkFault(error);
    if (!code) throw error;
    showBadLink(pages, req, res, code);
  }
};

const askToStay = (deps: CitizenDeps, pages: Pages) =>
  byLink(pages, async (req, res, token) => {
    const at = await deps.subscriptions.leaving.leavesAt(token);
    const day = at === null ? null : dayOf({ ...pages.visit(req), timeZone: deps.config.timeZone }, at);
    pages.show(req, res, 'stay', { token, day });
  });

const stayByLink = (deps: CitizenDeps, pages: Pages) =>
  byLink(pages, async (req, res, token) => {
    pages.sessions.checkCsrf(req);
    await deps.subscriptions.leaving.stayBy(token);
    res.redirect(303, `/stay/${encodeURIComponent(token)}`);
  });

/** Being forgotten, and the way back within a week: GET shows, POST acts. */
export const leaveRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .get(
      '/my/erase',
      leftAlready(pages),
      signedIn(pages, (req, res) => pages.show(req, res, 'my-erase')),
    )
    .post('/my/erase', leftAlready(pages), pages.limited, signedIn(pages, leave(deps, pages)))
    .post('/my/stay', signedInThoughLeaving(pages, stay(deps)))
    .get('/stay/:token', askToStay(deps, pages))
    .post('/stay/:token', stayByLink(deps, pages))
    .get('/goodbye', (req, res) => pages.show(req, res, 'goodbye'));
