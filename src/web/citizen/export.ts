import { Router } from 'express';
import type { ApplicationView } from '../../applications/application-service.ts';
import type { NotificationView } from '../../fanout/fanout-service.ts';
import { codeText, explanationsIn, sourceText } from '../../fanout/reasons.ts';
import type { OpinionView } from '../../feedback/opinions/opinion-service.ts';
import { plainContact } from '../../subscriptions/address.ts';
import type { Subscriber } from '../../subscriptions/subscriber.ts';
import type { Followed } from '../../subscriptions/subscription-store.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { momentOf, type Voice } from '../pages/present.ts';
import { everythingOf, sectionsOf } from './kept.ts';
import { type Me, signedIn } from './signed-in.ts';

const time = (at: number): string => new Date(at).toISOString();
const timeOrNull = (at: number | null | undefined): string | null => (at == null ? null : time(at));

const personOf = (person: Subscriber) => {
  const { id, externalId, locale, region, timeZone, quietHours, digestHour, attributes, consents, createdAt } = person;
  const { fewer = false, plainLinks = false } = person;
  const { personalisation, given, withdrawnAt } = consents;
  return {
    ...{ id, externalId, locale, region, timeZone, quietHours, digestHour, attributes, fewer, plainLinks },
    consents: {
      personalisation,
      given: given ? { ...given, at: time(given.at) } : null,
      withdrawnAt: timeOrNull(withdrawnAt),
    },
    createdAt: time(createdAt),
  };
};

const followOf = ({ definition, pace, channels, createdAt, stoppedAt }: Followed) => ({
  ...definition.target,
  ...{ regions: definition.regions, pace, channels },
  createdAt: time(createdAt),
  stoppedAt: timeOrNull(stoppedAt),
});

const messageOf = ({ t, locale, trees }: Voice, view: NotificationView) => {
  const topics = new Map(trees.topics.map((topic) => [topic.slug, topic]));
  const words = { text: t, locale, topics, explanations: explanationsIn(view.reasons) };
  return {
    id: view.id,
    item: { id: view.item.id, title: view.item.title },
    channel: view.channel,
    state: view.state,
    note: codeText(view.code, t),
    because: view.reasons.map(({ source, facts }) => ({ source, text: sourceText(source, words), facts })),
    attempts: view.attempts,
    at: time(view.at),
    dueAt: timeOrNull(view.dueAt),
  };
};

const applicationOf = ({ state, text, reason, receivedAt, dueOn, postponement, answer }: ApplicationView) => ({
  ...{ state, text, dueOn },
  receivedAt: time(receivedAt),
  postponement: postponement && { until: postponement.until, reason, at: time(postponement.at) },
  answer: answer && { item: answer.item, at: time(answer.at) },
});

const opinionOf = ({ kind, item, title, text, at, answer, published }: OpinionView) => ({
  ...{ kind, item: { id: item, title }, text },
  at: time(at),
  answer: answer && { outcome: answer.outcome, reason: answer.reason, at: time(answer.at) },
  published: published?.text ?? null,
});

const asJson =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, me) => {
    const voice = await pages.voice(req);
    const { addresses, interests, habits, events, messages, feedback, applications, opinions } = await everythingOf({
      ...{ deps, voice, me },
    });
    res.attachment('bellman.json').set('Cache-Control', 'private, no-store');
    res.json({
      exportedAt: time(deps.edges.now()),
      person: personOf(me.person),
      addresses: addresses.map(({ channel, contact, verifiedAt, suppressed }) => ({
        channel,
        address: plainContact(contact),
        verifiedAt: time(verifiedAt),
        suppressed,
      })),
      follows: me.follows.map(followOf),
      interests,
      habits: { ...habits, lastActiveAt: timeOrNull(habits.lastActiveAt) },
      events: events.map(({ at, ...event }) => ({ ...event, at: time(at) })),
      messages: messages.map((view) => messageOf(voice, view)),
      feedback: feedback.map(({ item: { id, title }, at, ...one }) => ({ ...one, item: { id, title }, at: time(at) })),
      applications: applications.map(applicationOf),
      opinions: opinions.map(opinionOf),
    });
  };

const asPage =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, me) => {
    const voice = await pages.voice(req);
    const own = { ...voice, timeZone: me.person.timeZone ?? voice.timeZone };
    const sections = await sectionsOf({ deps, voice: own, me });
    res.attachment('bellman.html');
    pages.show(req, res, 'export', { sections, at: momentOf(own, deps.edges.now()) });
  };

/** What one person holds with us, as a file: their own data in full, in their language, and nothing of ours; for machines and to be read. */
export const exportRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .get('/my/export', signedIn(pages, asJson(deps, pages)))
    .get('/my/export.html', signedIn(pages, asPage(deps, pages)));
