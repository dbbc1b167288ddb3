import { type Request, type Response, Router } from 'express';
import { AppError } from '../../errors.ts';
import type { Habits, InterestView } from '../../profiles/profile-service.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import { factFaultsOf, factForm, factRows, readFacts, type Typed, typedOf } from '../pages/facts.ts';
import type { Pages } from '../pages/page.ts';
import { dayOf, type Voice } from '../pages/present.ts';
import { field, pathPart } from '../pages/request.ts';
import { consentFaults, consentNotes, consentRouter, consentView } from './consent.ts';
import { doneNote, type Me, signedIn } from './signed-in.ts';

const doneNotes = ['facts', 'interest-corrected', 'interest-deleted', ...consentNotes];

/** Words for how strong an interest is: from which weight on each is said, and which weight it makes when a person says it. */
const strengths = {
  strong: { from: 0.6, said: 0.75 },
  clear: { from: 0.25, said: 0.45 },
  slight: { from: 0, said: 0.1 },
};
type Strength = keyof typeof strengths;
const strengthNames = Object.keys(strengths) as Strength[];

const strengthOf = (weight: number): Strength =>
  strengthNames.find((name) => weight >= strengths[name].from) ?? 'slight';

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
export const habitLines = (
  { t, ...voice }: Voice,
  { lastActiveAt, preferredHour, preferredChannel }: Habits,
): string[] => [
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
      strengths: strengthNames,
      habits,
      facts: factRows(voice, await deps.catalogue.attributes(), me.person),
    });
  };

const correctInterest =
  (deps: CitizenDeps): Me =>
  async (req, res, { person }) => {
    const said = strengthNames.find((name) => name === field(req, 'strength'));
    if (!said) throw new AppError('invalid', 'there is no such strength');
    await deps.profiles.correctInterest(person.id, pathPart(req, 'topic'), strengths[said].said);
    res.redirect(303, '/my/about?done=interest-corrected');
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
    const every = { ...factFaultsOf(await deps.subscriptions.faultsIn(changes)), ...faults };
    if (Object.keys(every).length > 0) return again(every);
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
    .post('/my/about/interests/:topic', signedIn(pages, correctInterest(deps)))
    .post('/my/about/interests/:topic/delete', signedIn(pages, deleteInterest(deps)))
    .get('/my/about/facts', signedIn(pages, facts(deps, pages)))
    .post('/my/about/facts', signedIn(pages, saveFacts(deps, pages)));
