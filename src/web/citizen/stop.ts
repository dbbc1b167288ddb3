import { type Request, type Response, Router } from 'express';
import { AppError } from '../../errors.ts';
import { explanationsIn, sourceText } from '../../fanout/reasons.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { describeFollows } from '../pages/person.ts';
import type { Voice } from '../pages/present.ts';
import { field, pathPart, queryText } from '../pages/request.ts';

type View = Awaited<ReturnType<CitizenDeps['fanout']['unsubscribeView']>>;

/** What a message was sent for, in words: each thing followed by its name, anything else by its reason. */
const sourcesOf = async (deps: CitizenDeps, voice: Voice, view: View) => {
  const me = await deps.subscriptions.person({ id: view.subscriber });
  const topics = new Map(voice.trees.topics.map((topic) => [topic.slug, topic]));
  const explanations = explanationsIn(view.sources);
  return Promise.all(
    view.sources.map(async ({ source, follow, live }) => {
      const held = me?.follows.find((one) => one.follow === follow);
      const words = held && (await describeFollows(deps, voice, [{ ...held.definition, pace: held.pace }]))[0];
      return {
        live,
        title: words?.title ?? sourceText(source, { text: voice.t, locale: voice.locale, topics, explanations }),
      };
    }),
  );
};

const localeOf = (view: View) => (view.locale === 'en' ? 'en' : 'zh-CN');

/** A link that is not ours gets a page; an unsubscribe link never expires. */
const viewOf = async (deps: CitizenDeps, token: string): Promise<View | null> => {
  try {
    return await deps.fanout.unsubscribeView(token);
  } catch (error) {
    if (error instanceof AppError && error.code === 'bad-link') return null;
    throw error;
  }
};

const badLink = (pages: Pages, req: Request, res: Response) =>
  pages.show(req, res, 'bad-link', { code: 'bad-link' }, { status: 403 });

const page = (deps: CitizenDeps, pages: Pages, template: string) => async (req: Request, res: Response) => {
  const token = pathPart(req, 'token');
  const view = await viewOf(deps, token);
  if (!view) return badLink(pages, req, res);
  const locale = localeOf(view);
  const voice = await pages.voice(req, locale);
  const sources = await sourcesOf(deps, voice, view);
  const all = queryText(req, 'what') === 'everything';
  pages.show(req, res, template, { token, sources, live: sources.some((source) => source.live), all }, { locale });
};

const stop = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  pages.sessions.checkCsrf(req);
  const token = pathPart(req, 'token');
  if (!(await viewOf(deps, token))) return badLink(pages, req, res);
  const everything = field(req, 'what') === 'everything';
  await deps.feedback.unsubscribe(token, everything);
  res.redirect(303, `/u/${encodeURIComponent(token)}/stopped${everything ? '?what=everything' : ''}`);
};

/** The footer link of every message: GET shows, POST stops. The machine's one-click POST is not here (RFC 8058). */
export const stopRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .get('/u/:token', page(deps, pages, 'unsubscribe'))
    .post('/u/:token/stop', pages.limited, stop(deps, pages))
    .get('/u/:token/stopped', page(deps, pages, 'unsubscribed'));
