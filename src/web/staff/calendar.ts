import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import { AppError } from '../../errors.ts';
import { field, longField, pathPart, queryText } from '../pages/request.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

type Form = { typed: { holidays: string; workdays: string; source: string }; faults: Record<string, string> };

/** Days as they were typed, one a line or with blanks and commas between. */
const daysIn = (text: string): string[] => text.split(/[\s,;，、；]+/).filter(Boolean);

const list = (deps: StaffDeps, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
  const years = await deps.calendar.years();
  const last = Math.max(Number(deps.calendar.dayOf().slice(0, 4)), ...years.map(({ year }) => year));
  own.show(req, res, me, 'calendar', { years, nextYear: last + 1, done: queryText(req, 'done') === 'calendar' });
};

const yearOf = (req: Request): number => {
  const year = pathPart(req, 'year');
  if (!/^(19|20|21)\d\d$/.test(year)) throw new AppError('not-found', 'There is no such year.');
  return Number(year);
};

const shown = async (deps: StaffDeps, own: StaffPages, req: Request, res: Response, me: Staff, form?: Form) => {
  const year = yearOf(req);
  const known = (await deps.calendar.years()).find((one) => one.year === year);
  const typed = {
    holidays: known?.holidays.join('\n') ?? '',
    workdays: known?.workdays.join('\n') ?? '',
    source: known?.source ?? '',
  };
  own.show(req, res, me, 'calendar-year', { year, ...(form ?? { typed, faults: {} }) }, form ? 400 : 200);
};

const save = (deps: StaffDeps, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
  const typed = {
    holidays: longField(req, 'holidays'),
    workdays: longField(req, 'workdays'),
    source: field(req, 'source'),
  };
  const wanted = {
    year: yearOf(req),
    holidays: daysIn(typed.holidays),
    workdays: daysIn(typed.workdays),
    source: typed.source,
  };
  const wrong = deps.calendar.faultsIn(wanted).map(({ path }) => path.split('.')[0] ?? '');
  const faults: Record<string, string> = {
    ...Object.fromEntries(wrong.map((list) => [list, `staff.fault.${list}`])),
    ...(typed.source === '' ? { source: 'staff.fault.source' } : {}),
  };
  if (Object.keys(faults).length > 0) return shown(deps, own, req, res, me, { typed, faults });
  await deps.calendar.put(wanted);
  await deps.applications.redate();
  await deps.access.audit({
    actor: me.id,
    action: 'putCalendarYear',
    subject: String(wanted.year),
    details: { by: 'page' },
  });
  res.redirect(303, '/staff/calendar?done=calendar');
};

/** The working-day calendar, for administrators. */
export const calendarPages = (deps: StaffDeps, own: StaffPages): Router =>
  Router()
    .get('/staff/calendar', own.only(list(deps, own), 'admin'))
    .get(
      '/staff/calendar/:year',
      own.only((req, res, me) => shown(deps, own, req, res, me), 'admin'),
    )
    .post('/staff/calendar/:year', own.only(save(deps, own), 'admin'));
