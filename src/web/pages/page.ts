import type { Request, RequestHandler, Response } from 'express';
import type { Locale } from '../../catalogue/topic.ts';
import { isLoopback } from '../../public-address.ts';
import type { PersonView } from '../../subscriptions/subscription-service.ts';
import { bestLocale, type Text, textIn } from '../../text.ts';
import { makeCookies } from '../cookies.ts';
import type { Problem, RenderError } from '../error-handler.ts';
import { csrfField, makeSessions, type Sessions } from '../session.ts';
import { makeViews, safeMarkup } from '../views.ts';
import type { CitizenDeps } from './deps.ts';
import type { Voice } from './present.ts';
import { longField, ownPath } from './request.ts';

const localeCookie = 'locale';
const yearMs = 365 * 24 * 60 * 60 * 1000;

/** One visit to a page: its language and who is signed in. */
type Visit = { locale: Locale; t: Text; subscriber: string | null };

type ShowOptions = { status?: number; locale?: Locale };

/**
 * What a visitor's browser keeps between two pages: the address that waits for its confirmation, what it was asked for, and a
 * form that cannot be done twice and was done a moment ago.
 */
type Remembered = 'waiting' | 'asked' | 'did';

/** What every citizen page stands on. `fallback` is the language of somebody who never chose one. */
export type Pages = {
  sessions: Sessions;
  visit(req: Request, fallback?: Locale): Visit;
  voice(req: Request, fallback?: Locale): Promise<Voice>;
  /** Who is signed in, with all they may see of themselves; null when nobody is, or they were erased. */
  person(req: Request): Promise<PersonView | null>;
  show(req: Request, res: Response, template: string, values?: Record<string, unknown>, options?: ShowOptions): void;
  /** A part of a page by itself, for a script that puts it in; it holds no form. */
  fragment(req: Request, template: string, values: Record<string, unknown>): string;
  /** The page of a fault: not found, an old form, too many tries, or a fault of ours. */
  showError: RenderError;
  rememberLocale(res: Response, locale: Locale): void;
  /** Keeps a short text in this visitor's browser, sealed; `maxAgeMs` 0 removes it. */
  remember(res: Response, name: Remembered, text: string, maxAgeMs: number): void;
  recall(req: Request, name: Remembered): string | null;
  /** Bounds how often one caller may use what sends or guesses. */
  limited: RequestHandler;
};

/** Reads what `remember` sealed into a cookie. */
const unsealed = (deps: Pick<CitizenDeps, 'keyring'>, sealed: string | undefined, name: string): string | null => {
  try {
    return deps.keyring.open(sealed ?? '', `cookie:${name}`);
  } catch {
    return null;
  }
};

const errorPageOf = ({ status, code }: Problem): string => {
  if (code === 'bad-csrf') return 'form';
  if (code === 'no-role') return 'role';
  if (code === 'no-scope') return 'department';
  if (status === 404) return 'missing';
  if (status === 429) return 'busy';
  return status < 500 ? 'request' : 'ours';
};

export const makePages = (deps: CitizenDeps): Pages => {
  const { config } = deps;
  const views = makeViews();
  const cookies = makeCookies(config.publicUrl);
  const sessions = makeSessions(deps, config.publicUrl);
  const outbox = isLoopback(config.publicUrl);

  const visit: Pages['visit'] = (req, fallback) => {
    const chosen = cookies.read(req, localeCookie);
    const locale =
      chosen === 'en' || chosen === 'zh-CN'
        ? chosen
        : (fallback ?? bestLocale(req.headers['accept-language'], config.locale));
    return { locale, t: textIn(locale), subscriber: sessions.subscriber(req) };
  };

  const show: Pages['show'] = (req, res, template, values = {}, options = {}) => {
    const { locale, t, subscriber } = visit(req, options.locale);
    const csrf = () => safeMarkup(`<input type="hidden" name="${csrfField}" value="${sessions.csrfToken(req, res)}">`);
    const frame = { t, locale, here: ownPath(req.originalUrl), path: req.path, signedIn: subscriber !== null, outbox };
    const html = views.render(template, { ...frame, csrf, ...values });
    res.set({ 'Cache-Control': 'private, no-store', Vary: 'Cookie, Accept-Language' });
    res
      .status(options.status ?? 200)
      .type('html')
      .send(html);
  };

  return {
    sessions,
    visit,
    voice: async (req, fallback) => {
      const { locale, t } = visit(req, fallback);
      return { locale, t, timeZone: config.timeZone, trees: await deps.catalogue.trees() };
    },
    person: async (req) => {
      const id = sessions.subscriber(req);
      const found = id === null ? null : await deps.subscriptions.person({ id });
      return found && found.person.erasedAt === null ? found : null;
    },
    show,
    fragment: (req, template, values) => {
      const { locale, t } = visit(req);
      return views.render(template, { t, locale, ...values });
    },
    showError: (req, res, problem) => {
      const kind = errorPageOf(problem);
      // a form that has run out costs nobody their words
      const kept = kind === 'form' ? longField(req, 'text') || longField(req, 'comment') : '';
      show(req, res, 'error', { kind, kept }, { status: problem.status });
    },
    rememberLocale: (res, locale) => cookies.set(res, localeCookie, locale, yearMs),
    remember: (res, name, text, maxAgeMs) =>
      cookies.set(res, name, text && deps.keyring.seal(text, `cookie:${name}`), maxAgeMs),
    recall: (req, name) => unsealed(deps, cookies.read(req, name), name),
    limited: deps.limits.send,
  };
};
