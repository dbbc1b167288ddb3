import type { Request, RequestHandler, Response } from 'express';
import type { AccessService } from '../../access/access-service.ts';
import type { Staff } from '../../access/access-store.ts';
import type { StaffService } from '../../access/staff-service.ts';
import { type Edges, newId } from '../../edges.ts';
import type { FanoutService } from '../../fanout/fanout-service.ts';
import type { PublishingService } from '../../publishing/publishing-service.ts';
import type { WebhookService } from '../../webhooks/webhook-service.ts';
import type { Pages } from '../pages/page.ts';
import { momentOf, type Voice } from '../pages/present.ts';
import { field, queryText } from '../pages/request.ts';
import { idOfForm } from '../publisher/names.ts';
import type { StaffPages } from '../staff/staff-pages.ts';

/** What the pages of administrators need. */
export type AdminDeps = {
  edges: Pick<Edges, 'bytes'>;
  publishing: Pick<PublishingService, 'get'>;
  access: Pick<
    AccessService,
    | 'audit'
    | 'addStaff'
    | 'allStaff'
    | 'changeStaff'
    | 'addKey'
    | 'allKeys'
    | 'revokeKey'
    | 'auditLog'
    | 'verifyAudit'
    | 'openCall'
    | 'closeCall'
    | 'dropCall'
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
  /** The token of a form that makes a secret. */
  newOnce(): string;
  /** Makes a secret by the form that was sent, once: sent again (a double click, a reload) within a day it shows the same. */
  makeOnce(req: Request, me: Staff, make: () => Promise<string>): Promise<string>;
  /** Puts into the audit log what an administrator did on a page. */
  audit(me: Staff, action: string, subject: string | null, details?: object): Promise<void>;
};

export const makeAdminPages = (deps: AdminDeps, pages: Pages, own: StaffPages): AdminPages => ({
  only: (page) => own.only(page, 'admin'),
  show: (req, res, me, template, values, status) => own.show(req, res, me, `admin/${template}`, values, status),
  voice: (req) => pages.voice(req),
  moment: (voice, at) => (at === null ? '–' : momentOf(voice, at)),
  done: (req, ...known) => known.find((one) => one === queryText(req, 'done')) ?? null,
  newOnce: () => newId(deps.edges),
  makeOnce: async (req, me, make) => {
    const id = idOfForm(me.id, field(req, 'once'));
    if (id === null) return make();
    const call = `form:${req.path}:${id}`;
    const opened = await deps.access.openCall(call, '');
    if (!opened.run) return opened.body;
    const secret = await make().catch(async (error: unknown) => {
      await deps.access.dropCall(call);
      throw error;
    });
    await deps.access.closeCall(call, 201, secret);
    return secret;
  },
  audit: (me, action, subject, details = {}) =>
    deps.access.audit({ actor: me.id, action, subject, details: { ...details, by: 'page' } }),
});
