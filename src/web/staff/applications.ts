import { type Request, type Response, Router } from 'express';
import type { Role, Staff } from '../../access/access-store.ts';
import {
  answerDays,
  applicationMost,
  applicationStates,
  postponeFault,
  reasonMost,
} from '../../applications/application.ts';
import type { ApplicationView } from '../../applications/application-service.ts';
import { isDay, startOf } from '../../calendar/working-day.ts';
import { newId } from '../../edges.ts';
import { AppError } from '../../errors.ts';
import { codeText } from '../../fanout/reasons.ts';
import type { Actor } from '../../publishing/item.ts';
import { warnDays } from '../../reports/time-limit.ts';
import { locales } from '../../text.ts';
import type { Pages } from '../pages/page.ts';
import { dayInWords, momentOf, type Voice } from '../pages/present.ts';
import { field, longField, pathPart, queryText, textFault } from '../pages/request.ts';
import { idOfForm, onceOfPage } from '../publisher/names.ts';
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
  number: application.number,
  state: application.state,
  undelivered: application.delivery === 'undelivered',
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
    // also where a form is refused: the page shows the same
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
            ...{ channel, state, why: codeText(code, voice.t) },
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

const untilFaults = {
  state: 'staff.fault.changed',
  early: 'staff.fault.untilEarly',
  past: 'staff.fault.untilPast',
  late: 'staff.fault.untilLate',
};

/** Why an application cannot be postponed to what was typed, as a key of the catalogue; null if it can. */
const dayFault = async ({ applications, calendar }: StaffDeps, id: string, until: string): Promise<string | null> => {
  if (!isDay(until)) return 'staff.fault.until';
  const found = await applications.get(id);
  const fault = found && postponeFault(await calendar.calendar(), found, until, calendar.dayOf());
  return fault && untilFaults[fault];
};

const postpone = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = shown(deps, pages, own);
  return async (req: Request, res: Response, me: Staff) => {
    const id = pathPart(req, 'id');
    const [until, reason] = [field(req, 'until'), longField(req, 'reason')];
    const words = textFault(reason, reasonMost, { missing: 'staff.fault.reason', long: 'staff.fault.longReason' });
    const day = await dayFault(deps, id, until);
    const faults: Record<string, string> = {
      ...(day === null ? {} : { until: day }),
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
    await orAgain(change, res, again, ({ code }) => ({ until: untilFaults[code === 'invalid' ? 'late' : 'state'] }));
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
    await orAgain(change, res, again, ({ code, faults }) => ({
      // a clash that names the item is with the application that it answers already
      item: `staff.fault.${faults.length > 0 && code === 'conflict' ? 'itemTaken' : (words[code as keyof typeof words] ?? 'changed')}`,
    }));
  };
};

const registerForm =
  (deps: StaffDeps, own: StaffPages) =>
  (req: Request, res: Response, me: Staff, { once, ...form }: Form & { once: string }, status = 200) =>
    own.show(req, res, me, 'application-new', { ...form, once, answerDays, usual: deps.config.locale }, status);

/** The form, or, where it made its application already, that one. */
const newForm = (deps: StaffDeps, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
  const once = onceOfPage(req, res, deps.edges);
  if (once === null) return;
  const made = idOfForm(me.id, once) ?? '';
  if (await deps.applications.get(made)) return res.redirect(303, `/staff/applications/${made}`);
  registerForm(deps, own)(req, res, me, { ...blank, once });
};

const register = (deps: StaffDeps, own: StaffPages) => {
  const show = registerForm(deps, own);
  const { timeZone } = deps.calendar;
  return async (req: Request, res: Response, me: Staff) => {
    const typed = {
      who: field(req, 'who'),
      text: longField(req, 'text'),
      receivedOn: field(req, 'receivedOn'),
      locale: field(req, 'locale'),
    };
    const { who, text, receivedOn } = typed;
    const locale = locales.find((one) => one === typed.locale);
    const words = textFault(text, applicationMost, { missing: 'staff.fault.text', long: 'staff.fault.longText' });
    const faults: Record<string, string> = {
      ...(who === '' ? { who: 'staff.fault.applicant' } : {}),
      ...(words === null ? {} : { text: words }),
      ...(isDay(receivedOn) && receivedOn <= deps.calendar.dayOf() ? {} : { receivedOn: 'staff.fault.receivedOn' }),
    };
    const once = field(req, 'once');
    const id = idOfForm(me.id, once) ?? newId(deps.edges);
    const again = (found: Record<string, string>, status = 400) =>
      show(req, res, me, { typed, faults: { ...faults, ...found }, once }, status);
    if (Object.keys(faults).length > 0) return again({});
    const change = async () => {
      const place = `/staff/applications/${id}?done=registered`;
      if (await deps.applications.get(id)) return place;
      const applicant = who.includes('@') ? { email: who, ...(locale ? { locale } : {}) } : { subscriber: who };
      const wanted = { applicant, text, receivedAt: startOf(timeZone, receivedOn) };
      await deps.applications.register(wanted, actorOf(me), id);
      await deps.access.audit({ actor: me.id, action: 'addApplication', subject: id, details: { by: 'page' } });
      return place;
    };
    await orAgain(change, res, again, () => ({ who: 'staff.fault.applicant' }));
  };
};

/** What is forgotten does not come back, so that the button on the application leads to a page of its own. */
const forgetForm =
  (deps: StaffDeps, pages: Pages, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
    const found = await deps.applications.get(pathPart(req, 'id'));
    if (!found) throw new AppError('not-found', 'There is no such application.');
    own.show(req, res, me, 'application-forget', { one: rowOf(await pages.voice(req), found) });
  };

const forget = (deps: StaffDeps) => async (req: Request, res: Response, me: Staff) => {
  const id = pathPart(req, 'id');
  await deps.applications.forget(id);
  await deps.access.audit({ actor: me.id, action: 'forgetApplicant', subject: id, details: { by: 'page' } });
  res.redirect(303, `/staff/applications/${id}?done=forgotten`);
};

/** Applications, for staff. */
export const applicationPages = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const show = shown(deps, pages, own);
  return Router()
    .get('/staff/applications', own.only(list(deps, pages, own), ...deskRoles))
    .get('/staff/applications/new', own.only(newForm(deps, own), ...deskRoles))
    .post('/staff/applications/new', own.only(register(deps, own), ...deskRoles))
    .get(
      '/staff/applications/:id',
      own.only((req, res, me) => show(req, res, me), ...deskRoles),
    )
    .post('/staff/applications/:id/postpone', own.only(postpone(deps, pages, own), ...deskRoles))
    .post('/staff/applications/:id/answer', own.only(answer(deps, pages, own), ...deskRoles))
    .get('/staff/applications/:id/forget', own.only(forgetForm(deps, pages, own), 'admin'))
    .post('/staff/applications/:id/forget', own.only(forget(deps), 'admin'));
};
