import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import type { Pages } from '../pages/page.ts';
import { dayInWords } from '../pages/present.ts';
import { deskRoles, urgencyOf } from './applications.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

/** A page shows so many, the most pressing first. */
const shownMost = 500;

const deadlines =
  (deps: StaffDeps, pages: Pages, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
    const { rows, unknownYears, more } = await deps.deadlines.pressing();
    const voice = await pages.voice(req);
    const mayOpen = me.roles.some((role) => deskRoles.includes(role));
    own.show(req, res, me, 'deadlines', {
      unknownYears: unknownYears.join(', '),
      more: more || rows.length > shownMost,
      rows: rows.slice(0, shownMost).map(({ kind, id, title, startedOn, dueOn, daysLeft }) => ({
        ...{ kind, id, title },
        href: kind === 'answer' && mayOpen ? `/staff/applications/${id}` : null,
        started: dayInWords(voice, startedOn),
        due: dayInWords(voice, dueOn),
        urgency: urgencyOf(voice, daysLeft),
      })),
      today: dayInWords(voice, deps.calendar.dayOf()),
    });
  };

/** What is due soon or late, for all staff. */
export const deadlinePages = (deps: StaffDeps, pages: Pages, own: StaffPages): Router =>
  Router().get('/staff/deadlines', own.only(deadlines(deps, pages, own)));
