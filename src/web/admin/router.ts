import { Router } from 'express';
import type { Pages } from '../pages/page.ts';
import type { StaffPages } from '../staff/staff-pages.ts';
import { accountPages } from './accounts.ts';
import { type AdminDeps, adminHome, makeAdminPages } from './admin-pages.ts';
import { auditPages } from './audit-log.ts';
import { deadLetterPages } from './dead-letters.ts';
import { keyPages } from './keys.ts';
import { webhookPages } from './webhooks.ts';

/** Everything below /staff/admin, for administrators alone. */
export const adminRouter = (
  deps: AdminDeps & { edges: { now: () => number } },
  pages: Pages,
  staffPages: StaffPages,
): Router => {
  const own = makeAdminPages(deps, pages, staffPages);
  return Router()
    .get(
      adminHome,
      own.only((req, res, me) => own.show(req, res, me, 'home', {})),
    )
    .use(accountPages(deps, own))
    .use(keyPages({ ...deps, now: deps.edges.now }, own))
    .use(deadLetterPages(deps, own))
    .use(webhookPages(deps, own))
    .use(auditPages(deps, own));
};
