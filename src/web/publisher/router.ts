import express, { Router } from 'express';
import type { Pages } from '../pages/page.ts';
import type { StaffDeps, StaffPages } from '../staff/staff-pages.ts';
import { feedbackPages } from './feedback-pages.ts';
import { itemEditRouter } from './items/item-edit.ts';
import { itemListRouter } from './items/item-list.ts';
import { itemPageRouter } from './items/item-page.ts';
import { pushRouter } from './pushes/push-pages.ts';
import { ruleRouter } from './rules/rule-pages.ts';

/** A notice may be a long text, and each Chinese character takes nine bytes of a form. */
const longForms = express.urlencoded({ extended: false, limit: '3mb', parameterLimit: 10_000 });

/** The pages of publishers and reviewers: notices. */
export const publisherRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router =>
  Router()
    .use(itemListRouter(deps, pages, own))
    .use(itemEditRouter(deps, pages, own))
    .use(itemPageRouter(deps, pages, own))
    .use(ruleRouter(deps, pages, own))
    .use(pushRouter(deps, pages, own))
    .use(feedbackPages(deps, pages, own));

/** Reads the forms of publishers' pages, before the shorter limit of all other staff pages. */
export const publisherForms = (): Router => Router().use(['/staff/items', '/staff/rules', '/staff/pushes'], longForms);
