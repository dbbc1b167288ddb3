import type { Request, RequestHandler, Response } from 'express';
import type { AccessService } from '../../access/access-service.ts';
import type { Staff } from '../../access/access-store.ts';
import type { StaffService } from '../../access/staff-service.ts';
import type { FanoutService } from '../../fanout/fanout-service.ts';
import type { PublishingService } from '../../publishing/publishing-service.ts';
import type { WebhookService } from '../../webhooks/webhook-service.ts';
import type { Pages } from '../pages/page.ts';
import { momentOf, type Voice } from '../pages/present.ts';
import { queryText } from '../pages/request.ts';
import type { StaffPages } from '../staff/staff-pages.ts';

/** What the pages of administrators need. */
export type AdminDeps = {
  publishing: Pick<PublishingService, 'get'>;
  access: Pick<
    AccessService,
    'audit' | 'addStaff' | 'allStaff' | 'changeStaff' | 'addKey' | 'allKeys' | 'revokeKey' | 'auditLog' | 'verifyAudit'
  >;
  staff: Pick<StaffService, 'mailSetUpLink' | 'signOutEverywhere'>;
  fanout: Pick<FanoutService, 'list' | 'get' | 'deliveries' | 'redrive'>;
  webhooks: WebhookService;
};

export const adminHome = '/staff/admin';

/** What a form shows again when it did not fit: what was typed, and the faults by field. */
export type Form = { typed: Record<string, string | string[]>; faults: Record<string, string> };
export const blank: Form = { typed: {}, faults: {} };

/** What every page of administrators stands on. */
export type AdminPages = {
  /** Runs `page` for an administrator. */
  only(page: (req: Request, res: Response, me: Staff) => Promise<unknown> | unknown): RequestHandler;
  show(req: Request, res: Response, me: Staff, template: string, values: object, status?: number): void;
  voice(req: Request): Promise<Voice>;
  /** A moment in words; a dash for none. */
  moment(voice: Voice, at: number | null): string;
  /** What the last form came to, if it is one of these. */
  done(req: Request, ...known: string[]): string | null;
  /** Puts into the audit log what an administrator did on a page. */
  audit(me: Staff, action: string, subject: string | null, details?: object): Promise<void>;
};

export const makeAdminPages = (deps: AdminDeps, pages: Pages, own: StaffPages): AdminPages => ({
  only: (page) => own.only(page, 'admin'),
  show: (req, res, me, template, values, status) => own.show(req, res, me, `admin/${template}`, values, status),
  voice: (req) => pages.voice(req),
  moment: (voice, at) => (at === null ? '–' : momentOf(voice, at)),
  done: (req, ...known) => known.find((one) => one === queryText(req, 'done')) ?? null,
  audit: (me, action, subject, details = {}) =>
    deps.access.audit({ actor: me.id, action, subject, details: { ...details, by: 'page' } }),
});
