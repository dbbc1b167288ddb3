import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { normalEmail } from '../../access/staff-service.ts';
import { AppError } from '../../errors.ts';
import { makeSignInLimit } from '../contract/limits.ts';
import type { Pages } from '../pages/page.ts';
import { field, pathPart, queryText } from '../pages/request.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

/** A password as it was typed: blanks are part of it. */
const passwordOf = (req: Request): string => {
  const typed = (req.body as Record<string, unknown> | undefined)?.password;
  return typeof typed === 'string' ? typed : '';
};

const signIn =
  ({ staff }: StaffDeps, pages: Pages, own: StaffPages) =>
  async (req: Request, res: Response) => {
    pages.sessions.checkCsrf(req);
    const [email, password] = [field(req, 'email'), passwordOf(req)];
    const faults: Record<string, string> = {
      ...(email === '' ? { email: 'fault.emailMissing' } : {}),
      ...(password === '' ? { password: 'staff.fault.passwordMissing' } : {}),
    };
    const again = () => own.show(req, res, null, 'sign-in', { email, faults }, 400);
    if (Object.keys(faults).length > 0) return again();
    const session = await staff.signIn(email, password);
    if (session === null) {
      faults.email = 'staff.fault.signIn';
      return again();
    }
    // whoever was signed in at this browser before is not any more
    await own.endSession(req, res);
    own.startSession(res, session);
    res.redirect(303, '/staff');
  };

/** Links that have run out, were used or were damaged get a page that says whom to ask. */
const orBadLink =
  (own: StaffPages, page: (req: Request, res: Response) => Promise<unknown>) => async (req: Request, res: Response) => {
    try {
      await page(req, res);
    } catch (error) {
      if (!(error instanceof AppError) || !['bad-link', 'link-expired'].includes(error.code)) throw error;
      own.show(req, res, null, 'bad-link', {}, error.code === 'link-expired' ? 410 : 403);
    }
  };

const setUp =
  ({ staff }: StaffDeps, pages: Pages, own: StaffPages) =>
  async (req: Request, res: Response) => {
    if (req.method === 'POST') pages.sessions.checkCsrf(req);
    const token = pathPart(req, 'token');
    const { email } = await staff.readSetUp(token);
    const show = (faults: object, status: number) =>
      own.show(req, res, null, 'set-up', { token, email, faults }, status);
    if (req.method !== 'POST') return show({}, 200);
    try {
      await staff.setUp(token, passwordOf(req));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
      return show({ password: 'staff.fault.password' }, 400);
    }
    await own.endSession(req, res);
    res.redirect(303, '/staff/sign-in?done=set-up');
  };

const emailShape = z
  .string()
  .max(320)
  .transform(normalEmail)
  .pipe(z.email({ pattern: z.regexes.unicodeEmail }));

/** The page behind the link that the machine prints while there is no account: the first administrator names themselves. */
const first =
  ({ staff }: StaffDeps, pages: Pages, own: StaffPages) =>
  async (req: Request, res: Response) => {
    if (req.method === 'POST') pages.sessions.checkCsrf(req);
    const token = pathPart(req, 'token');
    await staff.readFirst(token);
    const [email, name] = [field(req, 'email'), field(req, 'name')];
    const show = (faults: object, status: number) =>
      own.show(req, res, null, 'first', { token, email, name, faults }, status);
    if (req.method !== 'POST') return show({}, 200);
    const read = emailShape.safeParse(email);
    const faults = {
      ...(read.success ? {} : { email: email === '' ? 'fault.emailMissing' : 'fault.email' }),
      ...(name === '' ? { name: 'staff.fault.nameMissing' } : {}),
    };
    if (!read.success || name === '') return show(faults, 400);
    try {
      await staff.addFirst(token, { email: read.data, name, password: passwordOf(req) });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
      return show({ password: 'staff.fault.password' }, 400);
    }
    res.redirect(303, '/staff/sign-in?done=set-up');
  };

/** How staff come in and go: signing in, signing out, and the link that sets a password. */
export const signInRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const limited = makeSignInLimit();
  return Router()
    .get('/staff/sign-in', async (req, res) => {
      if (await own.signedIn(req)) return res.redirect(303, '/staff');
      own.show(req, res, null, 'sign-in', { email: '', faults: {}, done: queryText(req, 'done') === 'set-up' });
    })
    .post('/staff/sign-in', limited, signIn(deps, pages, own))
    .post(
      '/staff/sign-out',
      own.only(async (req, res, { id }) => {
        if (field(req, 'what') === 'everywhere') await deps.staff.signOutEverywhere(id);
        await own.endSession(req, res);
        res.redirect(303, '/staff/sign-in');
      }),
    )
    .get('/staff/first/:token', orBadLink(own, first(deps, pages, own)))
    .post('/staff/first/:token', limited, orBadLink(own, first(deps, pages, own)))
    .get('/staff/set-up/:token', orBadLink(own, setUp(deps, pages, own)))
    .post('/staff/set-up/:token', limited, orBadLink(own, setUp(deps, pages, own)));
};
