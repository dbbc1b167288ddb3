import type { Request, RequestHandler, Response } from 'express';
import type { AccessService } from '../../access/access-service.ts';
import type { Role, Staff } from '../../access/access-store.ts';
import { demandRole } from '../../access/rights.ts';
import { type StaffService, sessionMs } from '../../access/staff-service.ts';
import type { AudienceService } from '../../audience/audience-service.ts';
import type { ExplainService } from '../../audience/explain-service.ts';
import type { BroadcastService } from '../../broadcasts/broadcast-service.ts';
import type { CalendarService } from '../../calendar/calendar-service.ts';
import type { ChannelDesk } from '../../channels/channel-desk.ts';
import type { Config } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import type { PushOrderService } from '../../fanout/push-orders.ts';
import type { SuppressionService } from '../../feedback/suppression-service.ts';
import type { Signer } from '../../keyring.ts';
import type { MessageTemplates } from '../../message-templates.ts';
import type { PublishingService } from '../../publishing/publishing-service.ts';
import type { DeadlineService } from '../../reports/deadlines.ts';
import type { ReportService, TuningHistory } from '../../reports/report-service.ts';
import type { RuleService } from '../../rules/rule-service.ts';
import type { SourceService } from '../../sources/source-service.ts';
import type { WechatService } from '../../wechat/wechat-service.ts';
import { makeCookies } from '../cookies.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { ownPath } from '../pages/request.ts';
import { csrfField } from '../session.ts';

/** What the pages of staff need. */
export type StaffDeps = Pick<
  CitizenDeps,
  'catalogue' | 'subscriptions' | 'profiles' | 'items' | 'applications' | 'opinions' | 'fanout' | 'feedback'
> & {
  config: CitizenDeps['config'] & Pick<Config, 'review' | 'sms'>;
  publishing: PublishingService;
  rules: RuleService;
  pushOrders: PushOrderService;
  audience: AudienceService;
  explain: ExplainService;
  templates: Pick<MessageTemplates, 'notification'>;
  /** How often an event stream looks for news, in ms, and what ends it. */
  streamEveryMs: number;
  stopping: AbortSignal;
  calendar: CalendarService;
  deadlines: DeadlineService;
  staff: StaffService;
  access: Pick<AccessService, 'audit' | 'nameOf'>;
  suppressions: SuppressionService;
  channelDesk: ChannelDesk;
  reports: ReportService;
  edges: Edges;
  tuning: TuningHistory;
  keyring: Signer;
  wechat: WechatService | null;
  broadcasts: BroadcastService | null;
  sources: SourceService;
};

type StaffPage = (req: Request, res: Response, staff: Staff) => Promise<unknown> | unknown;

/** What every staff page stands on. */
export type StaffPages = {
  /**
   * Runs `page` for a member of staff who is signed in, and holds one of `roles` if any are named; forms need their CSRF token. A
   * form that comes after the session's end is handed back.
   */
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

export const makeStaffPages = ({ staff: signIns, config }: StaffDeps, pages: Pages): StaffPages => {
  const cookies = makeCookies(config.publicUrl);

  const signedIn = async (req: Request): Promise<Staff | null> => {
    const session = cookies.read(req, cookie);
    return session ? signIns.signedIn(session) : null;
  };

  const waiting: StaffPages['waiting'] = async (req) => {
    const session = cookies.read(req, cookie);
    return session ? signIns.waiting(session) : null;
  };

  const isOwnForm = (req: Request): boolean => {
    try {
      pages.sessions.checkCsrf(req);
      return req.method === 'POST';
    } catch {
      return false;
    }
  };

  /**
   * A session that has ended must not take with it what was typed: the form is handed back, to be sent again after signing in.
   * Only a form of this site's own is, or another site could have its words sent by a member of staff; what is secret is not.
   */
  const keepTyped = (req: Request, res: Response): void => {
    const fields = Object.entries((req.body ?? {}) as Record<string, unknown>)
      .filter(([name]) => name !== csrfField && !/password|code|secret/i.test(name))
      .flatMap(([name, values]) => [values].flat().map((value) => ({ name, value: String(value) })));
    pages.show(req, res, 'staff/ended', { staff: null, action: ownPath(req.originalUrl), fields }, { status: 403 });
  };

  return {
    only:
      (page, ...roles) =>
      async (req, res) => {
        const staff = await signedIn(req);
        if (!staff && isOwnForm(req)) return keepTyped(req, res);
        if (!staff) return res.redirect(303, signInPlaces[(await waiting(req)) ?? 'password']);
        demandRole(staff, roles);
        if (req.method === 'POST') pages.sessions.checkCsrf(req);
        await page(req, res, staff);
      },
    show: (req, res, staff, template, values = {}, status = 200) =>
      pages.show(req, res, `staff/${template}`, { ...values, staff }, { status }),
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
