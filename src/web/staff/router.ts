import express, { Router } from 'express';
import type { AdminDeps } from '../admin/admin-pages.ts';
import { adminRouter } from '../admin/router.ts';
import type { Pages } from '../pages/page.ts';
import { publisherForms, publisherRouter } from '../publisher/router.ts';
import { analystRouter } from './analyst.ts';
import { applicationPages } from './applications.ts';
import { calendarPages } from './calendar.ts';
import { channelPages } from './channels.ts';
import { deadlinePages } from './deadlines.ts';
import { opinionPages } from './opinions.ts';
import { peopleRouter } from './people.ts';
import { secondStepRouter } from './second-step.ts';
import { signInRouter } from './sign-in.ts';
import { sourcePages } from './sources.ts';
import { makeStaffPages, type StaffDeps } from './staff-pages.ts';
import { suppressionsRouter } from './suppressions.ts';

/** Everything below /staff. */
export const staffRouter = (deps: StaffDeps & AdminDeps, pages: Pages): Router => {
  const own = makeStaffPages(deps, pages);
  return Router()
    .use(publisherForms())
    .use('/staff', express.urlencoded({ extended: false, limit: '300kb' }))
    .get(
      '/staff',
      own.only(async (req, res, staff) =>
        own.show(req, res, staff, 'home', { secondStep: await deps.staff.secondStep(staff.id) }),
      ),
    )
    .use(signInRouter(deps, pages, own))
    .use(secondStepRouter(deps, pages, own))
    .use(publisherRouter(deps, pages, own))
    .use(adminRouter(deps, pages, own))
    .use(peopleRouter(deps, pages, own))
    .use(suppressionsRouter(deps, pages, own))
    .use(applicationPages(deps, pages, own))
    .use(opinionPages(deps, pages, own))
    .use(deadlinePages(deps, pages, own))
    .use(calendarPages(deps, own))
    .use(channelPages(deps, pages, own))
    .use(sourcePages(deps, pages, own))
    .use(analystRouter(deps, pages, own));
};
