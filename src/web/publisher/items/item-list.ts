import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../../access/access-store.ts';
import { daysLeft } from '../../../calendar/working-day.ts';
import { momentAsWritten } from '../../../date-format.ts';
import { pushIdOf } from '../../../fanout/push.ts';
import { type Item, itemStates } from '../../../publishing/item.ts';
import { limitOf } from '../../../reports/time-limit.ts';
import type { Pages } from '../../pages/page.ts';
import { dayInWords, regionName, topicTitle, type Voice } from '../../pages/present.ts';
import { queryText } from '../../pages/request.ts';
import { deskRoles, urgencyOf } from '../../staff/applications.ts';
import { numberText } from '../../staff/report-tables.ts';
import type { StaffDeps, StaffPages } from '../../staff/staff-pages.ts';
import { titleFor } from './item-words.ts';

const pageSize = 25;
const namesShown = 3;

/** The day by which it has to be published, where the day it was formed on is known and it is not public yet. */
export const dueOf = async ({ calendar }: Pick<StaffDeps, 'calendar'>, voice: Voice, item: Item) => {
  const { formedAt } = item.content;
  if (!formedAt || item.publishedAt !== null) return null;
  const days = await calendar.calendar();
  const due = limitOf(days, 'publication', formedAt);
  return { day: dayInWords(voice, due), urgency: urgencyOf(voice, daysLeft(days, calendar.dayOf(), due)) };
};

/** Whom it is for: how many it was planned for, or, before that, its topics and regions. */
const audienceOf = async ({ fanout }: StaffDeps, voice: Voice, item: Item): Promise<string> => {
  const push = item.version > 0 ? await fanout.get(pushIdOf(item.id, item.version)) : null;
  if (push?.plannedAt)
    return voice.t('publisher:items.people', { count: push.matched, number: numberText(voice, push.matched) });
  if (item.content.visibility === 'targeted') return voice.t('publisher:items.targeted');
  const names = [
    ...item.content.topics.map((slug) => topicTitle(voice, slug)),
    ...(item.content.regions ?? []).map((code) => regionName(voice, code)),
  ];
  const shown = names.slice(0, namesShown).join(voice.t('target.and'));
  return names.length > namesShown ? `${shown} …` : shown;
};

const rowOf = async (deps: StaffDeps, voice: Voice, item: Item) => ({
  href: `/staff/items/${item.id}`,
  ...titleFor(item.content, voice.locale),
  state: item.state,
  pending: item.pending !== null,
  urgency: item.content.urgency,
  due: await dueOf(deps, voice, item),
  deadline: item.content.deadline ? momentAsWritten(voice.locale, item.content.deadline) : null,
  audience: await audienceOf(deps, voice, item),
});

const list = (deps: StaffDeps, pages: Pages, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
  const state = itemStates.find((one) => one === queryText(req, 'state')) ?? null;
  const q = queryText(req, 'q');
  const found = await deps.publishing.list(
    { ...(state ? { state } : {}), ...(q ? { q } : {}) },
    { cursor: queryText(req, 'after'), limit: pageSize },
  );
  const voice = await pages.voice(req);
  const query = new URLSearchParams({
    ...(state ? { state } : {}),
    ...(q ? { q } : {}),
    ...(found.next ? { after: found.next } : {}),
  });
  own.show(req, res, me, 'items/list', {
    states: itemStates,
    state,
    q: q ?? '',
    rows: await Promise.all(found.rows.map((item) => rowOf(deps, voice, item))),
    next: found.next && `/staff/items?${query}`,
  });
};

/** All items, newest first. */
export const itemListRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router =>
  Router().get('/staff/items', own.only(list(deps, pages, own), ...deskRoles));
