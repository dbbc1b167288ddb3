import type { NextFunction, Request, Response } from 'express';
import type { PersonView } from '../../subscriptions/subscription-service.ts';
import type { Pages } from '../pages/page.ts';
import { dayOf } from '../pages/present.ts';
import { longField, queryText } from '../pages/request.ts';

/** A page of somebody who is signed in. */
export type Me = (req: Request, res: Response, me: PersonView) => Promise<unknown> | unknown;

/** Whoever was signed out while they wrote gets their words back; everybody else is asked where to send a link. */
const signedOut = (pages: Pages, req: Request, res: Response): void => {
  const text = req.method === 'POST' ? longField(req, 'text') : '';
  if (text === '') res.redirect(303, '/manage');
  else pages.show(req, res, 'signed-out', { text }, { status: 401 });
};

/** Runs `page` for whoever is signed in, be they leaving or not; everybody else is asked where to send a link. */
export const signedInThoughLeaving =
  (pages: Pages, page: Me) =>
  async (req: Request, res: Response, _next: NextFunction): Promise<void> => {
    const me = await pages.person(req);
    if (!me) return signedOut(pages, req, res);
    if (req.method === 'POST') pages.sessions.checkCsrf(req);
    await page(req, res, me);
  };

/** Runs `page` for whoever is signed in. Of whoever asked to be forgotten nothing is shown or changed before they say that they stay. */
export const signedIn = (pages: Pages, page: Me) =>
  signedInThoughLeaving(pages, async (req, res, me) => {
    const { leavesAt } = me.person;
    if (leavesAt === undefined) return page(req, res, me);
    pages.show(req, res, 'my-leaving', { day: dayOf(await pages.voice(req), leavesAt) });
  });

/** What `?done=` says was done, if it is one of `notes`. */
export const doneNote = (req: Request, notes: readonly string[]): string | null => {
  const done = queryText(req, 'done');
  return done !== null && notes.includes(done) ? done : null;
};
