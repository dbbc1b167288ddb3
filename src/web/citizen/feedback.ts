import { type Request, type Response, Router } from 'express';
import { AppError } from '../../errors.ts';
import { commentMost, type Said, type SaidKind, saidFaults, saidKinds } from '../../feedback/feedback.ts';
import type { FeedbackView } from '../../feedback/feedback-service.ts';
import { type OpinionKind, opinionKinds } from '../../feedback/opinions/opinion.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { field, longField, pathPart, queryText } from '../pages/request.ts';
import type { FormFaults } from './follow.ts';
import { tooMany } from './notice.ts';

/** What a link names: a kind, or one of the five answers of a survey. Anything else preselects nothing. */
type Choice = { kind: SaidKind | null; rating: number | null };

const choiceOf = (text: string): Choice => {
  const rating = /^rating-([1-5])$/.exec(text)?.[1];
  if (rating !== undefined) return { kind: 'rating', rating: Number(rating) };
  const kind = saidKinds.find((one) => one === text && one !== 'rating') ?? null;
  return { kind, rating: null };
};

/** Kinds on the page; the answers of a survey only where it was asked, a judgement only where one item is meant. */
const kindsOn = (choice: Choice, { whole }: FeedbackView): SaidKind[] =>
  saidKinds.filter((kind) =>
    kind === 'rating' ? choice.kind === kind : !whole || (kind !== 'useful' && kind !== 'not-for-me'),
  );

const viewOf = async (deps: CitizenDeps, token: string): Promise<FeedbackView | null> => {
  try {
    return await deps.feedback.view(token);
  } catch (error) {
    if (error instanceof AppError && error.code === 'bad-link') return null;
    throw error;
  }
};

const nowhere = (): AppError => new AppError('not-found', 'There is nothing here.');

const badLink = (pages: Pages, req: Request, res: Response) =>
  pages.show(req, res, 'bad-link', { code: 'bad-link' }, { status: 403 });

type Form = { choice: Choice; comment: string; asks: OpinionKind | null; faults: FormFaults };

const showForm = (pages: Pages, req: Request, res: Response, view: FeedbackView, form: Form): void => {
  const values = { token: pathPart(req, 'token'), view, kinds: kindsOn(form.choice, view), commentMost, ...form };
  pages.show(req, res, 'feedback', values, {
    locale: view.locale,
    status: Object.keys(form.faults).length > 0 ? 400 : 200,
  });
};

/** The page of a link: what it says is chosen already, and nothing is kept before the button is pressed. */
const ask = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const token = pathPart(req, 'token');
  const named = pathPart(req, 'choice');
  const choice = choiceOf(named);
  if (named !== '' && choice.kind === null) throw nowhere();
  const view = await viewOf(deps, token);
  if (!view) return badLink(pages, req, res);
  await deps.feedback.looked(token, choice.kind ?? 'shown', req.method === 'HEAD');
  if (view.expired) choice.kind = choice.kind === null ? null : 'stop';
  showForm(pages, req, res, view, { choice, comment: '', asks: null, faults: {} });
};

const saidOf = (req: Request): Omit<Form, 'faults'> => {
  const kind = saidKinds.find((one) => one === field(req, 'kind')) ?? null;
  const rating = Number(field(req, 'rating'));
  const comment = longField(req, 'comment');
  const asks = opinionKinds.find((one) => one === field(req, 'asks')) ?? null;
  return { choice: { kind, rating: kind === 'rating' && rating >= 1 ? rating : null }, comment, asks };
};

const faultsOf = (said: Said): FormFaults =>
  Object.fromEntries(saidFaults(said).map(({ path }) => [path, `fault.${path}`]));

const save = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  pages.sessions.checkCsrf(req);
  const token = pathPart(req, 'token');
  const view = await viewOf(deps, token);
  if (!view) return badLink(pages, req, res);
  const form = saidOf(req);
  const { choice, comment, asks } = form;
  const again = (faults: FormFaults) => showForm(pages, req, res, view, { ...form, faults });
  const isOffered =
    choice.kind !== null && kindsOn(choice, view).includes(choice.kind) && (!view.expired || choice.kind === 'stop');
  // of a form without its choice, the words alone are looked at
  const said: Said = { kind: choice.kind ?? 'useful', rating: choice.rating, comment: comment || null };
  const faults = {
    ...(isOffered ? {} : { kind: 'fault.kind' }),
    ...faultsOf(said),
    ...(asks && comment === '' ? { comment: 'opinion.fault.text' } : {}),
  };
  if (Object.keys(faults).length > 0) return again(faults);
  await deps.feedback.give(token, said);
  if (asks && (await tooMany(() => deps.feedback.ask(token, asks, comment))))
    return again({ comment: 'opinion.fault.many' });
  res.redirect(303, `/f/${encodeURIComponent(token)}/${said.kind}/thanks${asks ? '?asked=1' : ''}`);
};

const thanks = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const token = pathPart(req, 'token');
  const view = await viewOf(deps, token);
  if (!view) return badLink(pages, req, res);
  const kind = saidKinds.find((one) => one === pathPart(req, 'choice'));
  if (!kind) throw nowhere();
  const asked = queryText(req, 'asked') !== null;
  pages.show(req, res, 'feedback-thanks', { token, view, kind, asked }, { locale: view.locale });
};

const slowDown = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  pages.sessions.checkCsrf(req);
  const token = pathPart(req, 'token');
  if (!(await viewOf(deps, token))) return badLink(pages, req, res);
  await deps.feedback.slowDown(token);
  res.redirect(303, `/f/${encodeURIComponent(token)}/too-many/thanks`);
};

/** What people say about a message through its links: GET shows, POST keeps. */
export const feedbackRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .get('/f/:token', ask(deps, pages))
    .post('/f/:token', pages.limited, save(deps, pages))
    .post('/f/:token/daily', pages.limited, slowDown(deps, pages))
    .get('/f/:token/:choice', ask(deps, pages))
    .get('/f/:token/:choice/thanks', thanks(deps, pages));
