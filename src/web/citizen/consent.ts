import { type Request, type Response, Router } from 'express';
import type { Locale } from '../../catalogue/topic.ts';
import { consentWording } from '../../subscriptions/consent.ts';
import type { PersonView } from '../../subscriptions/subscription-service.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { dayOf, type Voice } from '../pages/present.ts';
import { field, queryText } from '../pages/request.ts';
import { type Me, signedIn } from './signed-in.ts';

/** Pages that hold the switch, to which it leads back. */
const homes = ['/my/about', '/my/settings'];
const homeOf = (req: Request): string => homes.find((home) => home === field(req, 'back')) ?? '/my/about';

/** What may be said on these pages after the switch was used. */
export const consentNotes = ['consented', 'withdrawn'];

/** The fault of a form of consent that was sent with its box empty. */
export const consentFaults = (req: Request): Record<string, string> =>
  queryText(req, 'done') === 'not-ticked' ? { personalisation: 'fault.notTicked' } : {};

/** The switch of personalisation as a page shows it (parts/consent.njk). */
export const consentView = (voice: Voice, { person }: PersonView, back: string) => ({
  on: person.consents.personalisation,
  since: person.consents.given && dayOf(voice, person.consents.given.at),
  back,
});

const isTicked = (req: Request): boolean => field(req, 'personalisation') === 'yes';

/**
 * Signs in whoever has just confirmed, and keeps their consent if they ticked its box; an empty box changes nothing. The
 * browser is tied last, because only with consent it is.
 */
export const comeIn = async (
  deps: CitizenDeps,
  pages: Pages,
  req: Request,
  res: Response,
  subscriber: string,
  fallback?: Locale,
): Promise<void> => {
  pages.sessions.start(res, subscriber);
  const wording = consentWording(pages.visit(req, fallback).locale);
  if (isTicked(req)) await deps.subscriptions.consent(subscriber, { personalisation: true, wording });
  await deps.visitors.tie(req, res, subscriber);
};

const give =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, { person }) => {
    if (!isTicked(req)) return res.redirect(303, `${homeOf(req)}?done=not-ticked`);
    const wording = consentWording(pages.visit(req).locale);
    await deps.subscriptions.consent(person.id, { personalisation: true, wording });
    await deps.visitors.tie(req, res, person.id);
    res.redirect(303, `${homeOf(req)}?done=consented`);
  };

const withdraw =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, { person }) => {
    const wording = consentWording(pages.visit(req).locale);
    await deps.subscriptions.consent(person.id, { personalisation: false, wording });
    await deps.visitors.untie(req, res);
    res.redirect(303, `${homeOf(req)}?done=withdrawn`);
  };

/** The switch of personalisation: giving consent and taking it back. */
export const consentRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .post('/my/consent', signedIn(pages, give(deps, pages)))
    .post('/my/consent/withdraw', signedIn(pages, withdraw(deps, pages)));
