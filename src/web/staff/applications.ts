import { type Request, type Response, Router } from 'express';
import type { Role, Staff } from '../../access/access-store.ts';
import { answerDays, applicationMost, applicationStates, reasonMost } from '../../applications/application.ts';
import type { ApplicationView } from '../../applications/application-service.ts';
import { isDay, startOf } from '../../calendar/working-day.ts';
import { AppError } from '../../errors.ts';
import type { Actor } from '../../publishing/item.ts';
import { warnDays } from '../../reports/time-limit.ts';
import type { Pages } from '../pages/page.ts';
import { dayInWords, momentOf, type Voice } from '../pages/present.ts';
import { field, longField, pathPart, queryText, textFault } from '../pages/request.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

/** Who works at applications and opinions. */
export const deskRoles: readonly Role[] = ['publisher', 'reviewer', 'admin'];
export const actorOf = ({ id, roles, departments }: Staff): Actor => ({ staff: id, roles, departments });

/** What a page shows again when a form did not fit: what was typed, and the faults by field. */
type Form = { typed: Record<string, string>; faults: Record<string, string> };

const pageSize = 25;
const blank: Form = { typed: {}, faults: {} };
const notes = ['registered', 'postponed', 'postponed-untold', 'answered', 'forgotten'];

/** How near the end of its time limit an application is: a colour and words. */
export const urgencyOf = ({ t }: Voice, daysLeft: number | null) => {
  if (daysLeft === null) return null;
  const text = t(`staff.deadlines.${daysLeft < 0 ? 'late' : 'left'}`, { count: Math.abs(daysLeft) });
  return { text, soon: daysLeft <= warnDays, late: daysLeft < 0 };
};

const rowOf = (voice: Voice, application: ApplicationView) => ({
  id: application.id,
  href: `/staff/applications/${application.id}`,
  received: dayInWords(voice, application.receivedOn),
  due: dayInWords(voice, application.dueOn),
  state: application.state,
  urgency: urgencyOf(voice, application.daysLeft),
  text: application.text,
});

const list = (deps: StaffDeps, pages: Pages, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
  const asked = queryText(req, 'state');
  const state = applicationStates.find((one) => one === asked) ?? null;
  const found = await deps.applications.list(state, { cursor: queryText(req, 'after'), limit: pageSize });
  await deps.access.audit({ actor: me.id, action: 'listApplications', subject: null, details: { by: 'page' } });
  const voice = await pages.voice(req);
  const query = new URLSearchParams({ ...(state ? { state } : {}), ...(found.next ? { after: found.next } : {}) });
  own.show(req, res, me, 'applications', {
    states: applicationStates,
    state,
    rows: found.rows.map((one) => rowOf(voice, one)),
    next: found.next && `/staff/applications?${query}`,
    done: doneOf(req),
  });
};

const doneOf = (req: Request): string | null => notes.find((note) => note === queryText(req, 'done')) ?? null;

const shown = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  return async (req: Request, res: Response, me: Staff, form: Form = blank, status = 200) => {
    const found = await deps.applications.get(pathPart(req, 'id'));
    if (!found) throw new AppError('not-found', 'There is no such application.');
    const voice = await pages.voice(req);
    if (req.method === 'GET')
      await deps.access.audit({ actor: me.id, action: 'getApplication', subject: found.id, details: { by: 'page' } });
    const { postponement, answer, openedAt } = found;
    own.show(
      req,
      res,
      me,
      'application',
      {
        ...form,
        one: {
          ...rowOf(voice, found),
          applicant: found.applicantView,
          reason: found.reason,
          first: dayInWords(voice, found.firstDueOn),
          lastDay: found.lastDay,
          lastDayWords: dayInWords(voice, found.lastDay),
          until: postponement && dayInWords(voice, postponement.until),
          told: postponement?.told ?? true,
          answer: answer && { ...answer, at: momentOf(voice, answer.at) },
          opened: openedAt === null ? null : momentOf(voice, openedAt),
          proof: found.proof.map(({ channel, state, code, attempts }) => ({
            ...{ channel, state, code },
            attempts: attempts.map((attempt) => ({ ...attempt, at: momentOf(voice, attempt.at) })),
          })),
        },
        done: doneOf(req),
      },
      status,
    );
  };
};

/** Runs a change; a fault that staff can mend comes back on the form, under `key` where nothing else says where. */
const orAgain = async (
  change: () => Promise<string>,
  res: Response,
  again: (faults: Record<string, string>, status: number) => Promise<unknown> | unknown,
  key: (error: AppError) => Record<string, string>,
): Promise<unknown> => {
  try {
    res.redirect(303, await change());
  } catch (error) {
    if (
      !(error instanceof AppError) ||
      !['invalid', 'wrong-state', 'conflict', 'not-found', 'no-scope'].includes(error.code)
    )
      throw error;
    return again(key(error), error.code === 'invalid' ? 400 : 409);
  }
};

const postpone = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = shown(deps, pages, own);
  return async (req: Request, res: Response, me: Staff) => {
    const id = pathPart(req, 'id');
    const [until, reason] = [field(req, 'until'), longField(req, 'reason')];
    const words = textFault(reason, reasonMost, { missing: 'staff.fault.reason', long: 'staff.fault.longReason' });
    const faults: Record<string, string> = {
      ...(isDay(until) ? {} : { until: 'staff.fault.until' }),
      ...(words === null ? {} : { reason: words }),
    };
    const again = (found: Record<string, string>, status = 400) =>
      show(req, res, me, { typed: { until, reason }, faults: found }, status);
    if (Object.keys(faults).length > 0) return again(faults);
    const change = async () => {
      const done = await deps.applications.postpone(id, { until, reason }, actorOf(me));
      await deps.access.audit({ actor: me.id, action: 'postponeApplication', subject: id, details: { by: 'page' } });
      return `/staff/applications/${id}?done=${done.postponement?.told ? 'postponed' : 'postponed-untold'}`;
    };
    await orAgain(change, res, again, ({ code }) => ({
      until: code === 'invalid' ? 'staff.fault.until' : 'staff.fault.changed',
    }));
  };
};

const answer = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = shown(deps, pages, own);
  return async (req: Request, res: Response, me: Staff) => {
    const id = pathPart(req, 'id');
    const item = field(req, 'item');
    const again = (faults: Record<string, string>, status = 400) =>
      show(req, res, me, { typed: { item }, faults }, status);
    if (item === '') return again({ item: 'staff.fault.item' });
    const change = async () => {
      await deps.applications.answer(id, item, actorOf(me));
      await deps.access.audit({ actor: me.id, action: 'answerApplication', subject: id, details: { by: 'page' } });
      return `/staff/applications/${id}?done=answered`;
    };
    const words = { invalid: 'targeted', 'not-found': 'item', 'wrong-state': 'unpublished', 'no-scope': 'unpublished' };
    await orAgain(change, res, again, ({ code }) => ({
      item: `staff.fault.${words[code as keyof typeof words] ?? 'changed'}`,
    }));
  };
};

const registerForm =
  (own: StaffPages) =>
  (req: Request, res: Response, me: Staff, form: Form = blank, status = 200) =>
    own.show(req, res, me, 'application-new', { ...form, answerDays }, status);

const register = (deps: StaffDeps, own: StaffPages) => {
  const show = registerForm(own);
  const { timeZone } = deps.calendar;
  return async (req: Request, res: Response, me: Staff) => {
    const typed = { who: field(req, 'who'), text: longField(req, 'text'), receivedOn: field(req, 'receivedOn') };
    const { who, text, receivedOn } = typed;
    const words = textFault(text, applicationMost, { missing: 'staff.fault.text', long: 'staff.fault.longText' });
    const faults: Record<string, string> = {
      ...(who === '' ? { who: 'staff.fault.applicant' } : {}),
      ...(words === null ? {} : { text: words }),
      ...(isDay(receivedOn) && receivedOn <= deps.calendar.dayOf() ? {} : { receivedOn: 'staff.fault.receivedOn' }),
    };
    const again = (found: Record<string, string>, status = 400) =>
      show(req, res, me, { typed, faults: { ...faults, ...found } }, status);
    if (Object.keys(faults).length > 0) return again({});
    const change = async () => {
      const applicant = who.includes('@') ? { email: who } : { subscriber: who };
      const wanted = { applicant, text, receivedAt: startOf(timeZone, receivedOn) };
      const { id } = await deps.applications.register(wanted, actorOf(me));
      await deps.access.audit({ actor: me.id, action: 'addApplication', subject: id, details: { by: 'page' } });
      return `/staff/applications/${id}?done=registered`;
    };
    await orAgain(change, res, again, () => ({ who: 'staff.fault.applicant' }));
  };
};

const forget = (deps: StaffDeps) => async (req: Request, res: Response, me: Staff) => {
  const id = pathPart(req, 'id');
  await deps.applications.forget(id);
  await deps.access.audit({ actor: me.id, action: 'forgetApplicant', subject: id, details: { by: 'page' } });
  res.redirect(303, `/staff/applications/${id}?done=forgotten`);
};

/** Applications, for staff. */
export const applicationPages = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const form = registerForm(own);
  const show = shown(deps, pages, own);
  return Router()
    .get('/staff/applications', own.only(list(deps, pages, own), ...deskRoles))
    .get(
      '/staff/applications/new',
      own.only((req, res, me) => form(req, res, me), ...deskRoles),
    )
    .post('/staff/applications/new', own.only(register(deps, own), ...deskRoles))
    .get(
      '/staff/applications/:id',
      own.only((req, res, me) => show(req, res, me), ...deskRoles),
    )
    .post('/staff/applications/:id/postpone', own.only(postpone(deps, pages, own), ...deskRoles))
    .post('/staff/applications/:id/answer', own.only(answer(deps, pages, own), ...deskRoles))
    .post('/staff/applications/:id/forget', own.only(forget(deps), 'admin'));
};
