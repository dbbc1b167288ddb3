import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import type { Pages } from '../pages/page.ts';
import { momentOf } from '../pages/present.ts';
import { queryText } from '../pages/request.ts';
import { deskRoles } from '../staff/applications.ts';
import type { StaffDeps, StaffPages } from '../staff/staff-pages.ts';

const pageSize = 25;

/** What people wrote about messages. It tells nobody's name, but words may hold anything: who read them is in the audit log. */
const list = (deps: StaffDeps, pages: Pages, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
  const voice = await pages.voice(req);
  const { rows, next } = await deps.feedback.said({ cursor: queryText(req, 'after'), limit: pageSize }, voice.locale);
  await deps.access.audit({ actor: me.id, action: 'listFeedback', subject: null, details: { by: 'page' } });
  own.show(req, res, me, 'feedback', {
    rows: rows.map(({ kind, rating, comment, channel, at, item }) => ({
      ...{ kind, rating, comment, channel },
      title: item.title,
      href: `/staff/items/${item.id}`,
      at: momentOf(voice, at),
    })),
    next: next && `/staff/feedback?after=${encodeURIComponent(next)}`,
  });
};

/** Comments and complaints, for those who write and review notices, and for analysts. */
export const feedbackPages = (deps: StaffDeps, pages: Pages, own: StaffPages): Router =>
  Router().get('/staff/feedback', own.only(list(deps, pages, own), ...deskRoles, 'analyst'));
