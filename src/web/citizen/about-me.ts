import { type Request, type Response, Router } from 'express';
import { AppError } from '../../errors.ts';
import type { Habits, InterestView } from '../../profiles/profile-service.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import { factFaultsOf, factForm, factRows, readFacts, type Typed, typedOf } from '../pages/facts.ts';
import type { Pages } from '../pages/page.ts';
import { dayOf, type Voice } from '../pages/present.ts';
import { pathPart } from '../pages/request.ts';
import { consentFaults, consentNotes, consentRouter, consentView } from './consent.ts';
import { doneNote, type Me, signedIn } from './signed-in.ts';

const doneNotes = ['facts', 'interest-deleted', ...consentNotes];

/** How strong an interest is, in a word of the catalogue. */
const strengthOf = (weight: number): 'strong' | 'clear' | 'slight' => {
  if (weight >= 0.6) return 'strong';
  return weight >= 0.25 ? 'clear' : 'slight';
};

const interestOf = ({ topic, title, weight, because, evidence }: InterestView) => ({
  topic,
  title,
  percent: Math.max(1, Math.round(weight * 100)),
  strength: strengthOf(weight),
  because,
  // what somebody read twice on a day reads the same
  evidence: [...new Set(evidence)],
});

/** What is concluded of when and how somebody reacts, a sentence each. */
const habitLines = ({ t, ...voice }: Voice, { lastActiveAt, preferredHour, preferredChannel }: Habits): string[] => [
  ...(lastActiveAt === null ? [] : [t('aboutMe.lastActive', { date: dayOf(voice, lastActiveAt) })]),
  ...(preferredHour === null ? [] : [t('aboutMe.hour', { from: preferredHour, to: (preferredHour + 1) % 24 })]),
  ...(preferredChannel === null ? [] : [t('aboutMe.channel', { channel: t(`channel.${preferredChannel}`) })]),
];

const aboutMe =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, me) => {
    const voice = await pages.voice(req);
    const interests = await deps.profiles.interestsOf(me.person.id, voice.locale);
    const habits = habitLines(voice, await deps.profiles.habitsOf(me.person.id));
    pages.show(req, res, 'my-about', {
      tab: 'about',
      done: doneNote(req, doneNotes),
      consent: consentView(voice, me, '/my/about'),
      faults: consentFaults(req),
      interests: interests.map(interestOf),
      habits,
      facts: factRows(voice, await deps.catalogue.attributes(), me.person),
    });
  };

const deleteInterest =
  (deps: CitizenDeps): Me =>
  async (req, res, { person }) => {
    await deps.profiles.deleteInterest(person.id, pathPart(req, 'topic'));
    res.redirect(303, '/my/about?done=interest-deleted');
  };

const showFacts = async (
  deps: CitizenDeps,
  pages: Pages,
  {
    req,
    res,
    typed,
    faults,
    consented,
  }: { req: Request; res: Response; typed: Typed; faults: object; consented: boolean },
) => {
  const facts = factForm(await pages.voice(req), await deps.catalogue.attributes(), typed, deps.config.timeZone);
  const status = Object.keys(faults).length > 0 ? 400 : 200;
  pages.show(req, res, 'my-facts', { tab: 'about', facts, faults, consented }, { status });
};

const facts =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, { person }) => {
    const typed = typedOf(await deps.catalogue.attributes(), person);
    await showFacts(deps, pages, { req, res, typed, faults: {}, consented: person.consents.personalisation });
  };

const saveFacts =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, { person }) => {
    const thisYear = new Date(deps.edges.now()).getUTCFullYear();
    const { typed, faults, changes } = readFacts(req, await deps.catalogue.attributes(), thisYear);
    const again = (named: object) =>
      showFacts(deps, pages, { req, res, typed, faults: named, consented: person.consents.personalisation });
    if (Object.keys(faults).length > 0) return again(faults);
    try {
      await deps.subscriptions.change(person.id, changes);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
      return again(factFaultsOf(error.faults));
    }
    res.redirect(303, '/my/about?done=facts');
  };

/** What is concluded about whoever is signed in, what they told, and the switch of it all. */
export const aboutMeRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .use(consentRouter(deps, pages))
    .get('/my/about', signedIn(pages, aboutMe(deps, pages)))
    .post('/my/about/interests/:topic/delete', signedIn(pages, deleteInterest(deps)))
    .get('/my/about/facts', signedIn(pages, facts(deps, pages)))
    .post('/my/about/facts', signedIn(pages, saveFacts(deps, pages)));
