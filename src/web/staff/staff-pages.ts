import type { Request, RequestHandler, Response } from 'express';
import type { AccessService } from '../../access/access-service.ts';
import type { Role, Staff } from '../../access/access-store.ts';
import { demandRole } from '../../access/rights.ts';
import { type StaffService, sessionMs } from '../../access/staff-service.ts';
import type { BroadcastService } from '../../broadcasts/broadcast-service.ts';
import type { CalendarService } from '../../calendar/calendar-service.ts';
import type { Edges } from '../../edges.ts';
import type { SuppressionService } from '../../feedback/suppression-service.ts';
import type { Keyring } from '../../keyring.ts';
import type { DeadlineService } from '../../reports/deadlines.ts';
import type { ReportService, TuningHistory } from '../../reports/report-service.ts';
import type { WechatService } from '../../wechat/wechat-service.ts';
import { makeCookies } from '../cookies.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';

/** What the pages of staff need. */
export type StaffDeps = Pick<
  CitizenDeps,
  'catalogue' | 'subscriptions' | 'profiles' | 'items' | 'config' | 'applications' | 'opinions'
> & {
  calendar: CalendarService;
  deadlines: DeadlineService;
  staff: StaffService;
  access: Pick<AccessService, 'audit'>;
  suppressions: SuppressionService;
  reports: ReportService;
  edges: Pick<Edges, 'now'>;
  tuning: TuningHistory;
  keyring: Pick<Keyring, 'mac'>;
  wechat: WechatService | null;
  broadcasts: BroadcastService | null;
};

type StaffPage = (req: Request, res: Response, staff: Staff) => Promise<unknown> | unknown;

/** What every staff page stands on. */
export type StaffPages = {
  /** Runs `page` for a member of staff who is signed in, and holds one of `roles` if any are named; forms need their CSRF token. */
  only(page: StaffPage, ...roles: Role[]): RequestHandler;
  /** Shows a page in the frame of staff. */
  show(req: Request, res: Response, staff: Staff | null, template: string, values?: object, status?: number): void;
  startSession(res: Response, session: string): void;
  /** Ends this browser's session, if it has one. */
  endSession(req: Request, res: Response): Promise<void>;
  signedIn(req: Request): Promise<Staff | null>;
  /** What is still asked of whoever signs in at this browser. */
  waiting(req: Request): Promise<'code' | 'enrol' | null>;
  /** The token of this browser's session; empty where there is none. */
  session(req: Request): string;
};

const cookie = 'staff';

/** Where somebody goes who is not signed in, or not yet. */
const signInPlaces = { password: '/staff/sign-in', code: '/staff/code', enrol: '/staff/second-step' };

export const makeStaffPages = ({ staff: signIns, config, wechat, broadcasts }: StaffDeps, pages: Pages): StaffPages => {
  const cookies = makeCookies(config.publicUrl);
  const hasAccounts = wechat !== null || broadcasts !== null;

  const signedIn = async (req: Request): Promise<Staff | null> => {
    const session = cookies.read(req, cookie);
    return session ? signIns.signedIn(session) : null;
  };

  const waiting: StaffPages['waiting'] = async (req) => {
    const session = cookies.read(req, cookie);
    return session ? signIns.waiting(session) : null;
  };

  return {
    only:
      (page, ...roles) =>
      async (req, res) => {
        const staff = await signedIn(req);
        if (!staff) return res.redirect(303, signInPlaces[(await waiting(req)) ?? 'password']);
        demandRole(staff, roles);
        if (req.method === 'POST') pages.sessions.checkCsrf(req);
        await page(req, res, staff);
      },
    show: (req, res, staff, template, values = {}, status = 200) =>
      pages.show(req, res, `staff/${template}`, { ...values, staff, hasAccounts }, { status }),
    startSession: (res, session) => cookies.set(res, cookie, session, sessionMs),
    endSession: async (req, res) => {
      const session = cookies.read(req, cookie);
      if (session) await signIns.signOut(session);
      cookies.set(res, cookie, '', 0);
    },
    signedIn,
    waiting,
    session: (req) => cookies.read(req, cookie) ?? '',
  };
};
