import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import { AppError, type ErrorCode } from '../../errors.ts';
import { answerMost, opinionOutcomes, opinionStates } from '../../feedback/opinions/opinion.ts';
import type { OpinionView } from '../../feedback/opinions/opinion-service.ts';
import type { Pages } from '../pages/page.ts';
import { dayOf, type Voice } from '../pages/present.ts';
import { field, longField, pathPart, queryText, textFault } from '../pages/request.ts';
import { actorOf, deskRoles } from './applications.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

type Form = { typed: Record<string, string>; faults: Record<string, string> };

const pageSize = 25;
const blank: Form = { typed: {}, faults: {} };
const changed = 'staff.fault.changed';
/** What is said of an answer, and of publishing it, that were refused. */
const refusedAnswer: Partial<Record<ErrorCode, string>> = {
  invalid: 'staff.fault.outcome',
  'wrong-state': changed,
  conflict: changed,
  'no-scope': 'publisher:fault.step.no-scope',
};
const refusedPublishing: Partial<Record<ErrorCode, string>> = {
  'wrong-state': 'staff.fault.notPublic',
  conflict: changed,
  'no-scope': 'publisher:fault.step.no-scope',
};
const notes = ['opinion-answered', 'opinion-published', 'opinion-hidden'];

const rowOf = (voice: Voice, { id, state, kind, item, title, text, at, answer, published }: OpinionView) => ({
  ...{ id, state, kind, item, title, text },
  href: `/staff/opinions/${id}`,
  at: dayOf(voice, at),
  answer: answer && { ...answer, at: dayOf(voice, answer.at) },
  published: published?.text ?? null,
});

const list = (deps: StaffDeps, pages: Pages, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
  const asked = queryText(req, 'state');
  const state = opinionStates.find((one) => one === asked) ?? null;
  const found = await deps.opinions.list({ state, item: null }, { cursor: queryText(req, 'after'), limit: pageSize });
  await deps.access.audit({ actor: me.id, action: 'listOpinions', subject: null, details: { by: 'page' } });
  const voice = await pages.voice(req);
  const query = new URLSearchParams({ ...(state ? { state } : {}), ...(found.next ? { after: found.next } : {}) });
  own.show(req, res, me, 'opinions', {
    states: opinionStates,
    state,
    rows: found.rows.map((one) => rowOf(voice, one)),
    next: found.next && `/staff/opinions?${query}`,
  });
};

const shown =
  (deps: StaffDeps, pages: Pages, own: StaffPages) =>
  async (req: Request, res: Response, me: Staff, form: Form = blank, status = 200) => {
    const found = await deps.opinions.get(pathPart(req, 'id'));
    if (!found) throw new AppError('not-found', 'There is no such opinion.');
    // also where a form is refused: the page shows the same
    await deps.access.audit({ actor: me.id, action: 'getOpinion', subject: found.id, details: { by: 'page' } });
    const done = notes.find((note) => note === queryText(req, 'done')) ?? null;
    const outcomes = opinionOutcomes.filter((outcome) => outcome !== 'answered' || found.kind === 'question');
    own.show(req, res, me, 'opinion', { one: rowOf(await pages.voice(req), found), outcomes, done, ...form }, status);
  };

const answer = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = shown(deps, pages, own);
  return async (req: Request, res: Response, me: Staff) => {
    const id = pathPart(req, 'id');
    const typed = { outcome: field(req, 'outcome'), reason: longField(req, 'reason') };
    const outcome = opinionOutcomes.find((one) => one === typed.outcome);
    const words = textFault(typed.reason, answerMost, {
      missing: 'staff.fault.opinionReason',
      long: 'staff.fault.longAnswer',
    });
    const faults: Record<string, string> = {
      ...(outcome ? {} : { outcome: 'staff.fault.outcome' }),
      ...(words === null ? {} : { reason: words }),
    };
    if (!outcome || words !== null) return show(req, res, me, { typed, faults }, 400);
    try {
      await deps.opinions.answer(id, { outcome, reason: typed.reason }, actorOf(me));
    } catch (error) {
      const word = error instanceof AppError && refusedAnswer[error.code];
      if (!word) throw error;
      return show(req, res, me, { typed, faults: { outcome: word } }, 409);
    }
    await deps.access.audit({ actor: me.id, action: 'answerOpinion', subject: id, details: { by: 'page' } });
    res.redirect(303, `/staff/opinions/${id}?done=opinion-answered`);
  };
};

const publish = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = shown(deps, pages, own);
  return async (req: Request, res: Response, me: Staff) => {
    const id = pathPart(req, 'id');
    const text = longField(req, 'text');
    const hides = field(req, 'what') === 'hide';
    const again = (text: string, key: string, status: number) =>
      show(req, res, me, { typed: { text }, faults: { text: key } }, status);
    const wrong = hides ? null : textFault(text, answerMost, { missing: 'text', long: 'longAnswer' });
    if (wrong !== null) return again(text, `staff.fault.${wrong}`, 400);
    try {
      await deps.opinions.publish(id, hides ? null : { text }, actorOf(me));
    } catch (error) {
      const word = error instanceof AppError && refusedPublishing[error.code];
      if (!word) throw error;
      return again(text, word, 409);
    }
    await deps.access.audit({ actor: me.id, action: 'publishOpinion', subject: id, details: { by: 'page' } });
    res.redirect(303, `/staff/opinions/${id}?done=opinion-${hides ? 'hidden' : 'published'}`);
  };
};

/** Questions and opinions, for staff. */
export const opinionPages = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const show = shown(deps, pages, own);
  return Router()
    .get('/staff/opinions', own.only(list(deps, pages, own), ...deskRoles))
    .get(
      '/staff/opinions/:id',
      own.only((req, res, me) => show(req, res, me), ...deskRoles),
    )
    .post('/staff/opinions/:id/answer', own.only(answer(deps, pages, own), ...deskRoles))
    .post('/staff/opinions/:id/publish', own.only(publish(deps, pages, own), ...deskRoles));
};
