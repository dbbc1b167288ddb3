import { type Request, type Response, Router } from 'express';
import { toString as toQrCode } from 'qrcode';
import { AppError } from '../../errors.ts';
import { makeSignInLimit } from '../contract/limits.ts';
import type { Pages } from '../pages/page.ts';
import { field, longField } from '../pages/request.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

/** A picture of the address that an app reads, as the policy of the pages allows it: no script, no request elsewhere. */
const qrImage = async (uri: string): Promise<string> =>
  `data:image/svg+xml,${encodeURIComponent(await toQrCode(uri, { type: 'svg', margin: 2 }))}`;

/** Where the session of this browser is worth nothing any more, one signs in again. */
const orSignIn = (page: (req: Request, res: Response) => Promise<unknown>) => async (req: Request, res: Response) => {
  try {
    await page(req, res);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'no-session') throw error;
    res.redirect(303, '/staff/sign-in');
  }
};

const codeFaults = (req: Request): Record<string, string> =>
  field(req, 'code') === '' ? { code: 'staff.fault.codeMissing' } : {};

/** The page that asks for the code of somebody whose password was right. */
const enterCode = ({ staff }: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = (req: Request, res: Response, faults: object, status = 200) =>
    own.show(req, res, null, 'code', { faults }, status);
  return {
    get: async (req: Request, res: Response) =>
      (await own.waiting(req)) === 'code' ? show(req, res, {}) : res.redirect(303, '/staff'),
    post: async (req: Request, res: Response) => {
      pages.sessions.checkCsrf(req);
      const faults = codeFaults(req);
      if (Object.keys(faults).length > 0) return show(req, res, faults, 400);
      try {
        own.startSession(res, await staff.enterCode(own.session(req), field(req, 'code')));
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'wrong-code') throw error;
        return show(req, res, { code: 'staff.fault.code' }, 400);
      }
      res.redirect(303, '/staff');
    },
  };
};

/** Setting the second step up: led here by a sign-in that needs it, or by one's own wish. */
const setUp = ({ staff }: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = async (req: Request, res: Response, faults: object) => {
    const me = await own.signedIn(req);
    const offer = await staff.offerSecondStep(own.session(req), longField(req, 'sealed'));
    const secret = offer.secret.match(/.{1,4}/g)?.join(' ');
    const again = me !== null && (await staff.secondStep(me.id)).on;
    const values = { ...offer, secret, again, picture: await qrImage(offer.uri), faults, later: me !== null };
    own.show(req, res, me, 'second-step', values, Object.keys(faults).length > 0 ? 400 : 200);
  };
  return {
    get: async (req: Request, res: Response) => {
      if ((await own.waiting(req)) === 'code') return res.redirect(303, '/staff/code');
      await show(req, res, {});
    },
    post: async (req: Request, res: Response) => {
      pages.sessions.checkCsrf(req);
      const faults = codeFaults(req);
      if (Object.keys(faults).length > 0) return show(req, res, faults);
      try {
        const made = await staff.setSecondStep(own.session(req), longField(req, 'sealed'), field(req, 'code'));
        own.startSession(res, made.session);
        own.show(req, res, null, 'recovery-codes', { codes: made.recovery });
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'wrong-code') throw error;
        await show(req, res, { code: 'staff.fault.code' });
      }
    },
  };
};

/** The second step of signing in. */
export const secondStepRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const [limited, code, offer] = [makeSignInLimit(), enterCode(deps, pages, own), setUp(deps, pages, own)];
  return Router()
    .get('/staff/code', code.get)
    .post('/staff/code', limited, orSignIn(code.post))
    .get('/staff/second-step', orSignIn(offer.get))
    .post('/staff/second-step', limited, orSignIn(offer.post));
};
