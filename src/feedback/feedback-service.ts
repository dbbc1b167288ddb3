import type { BrowsingService } from '../browsing/browsing-service.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import { validMs } from '../fanout/message-token.ts';
import type { Signer } from '../keyring.ts';
import { signLink } from '../signed-link.ts';
import type { Storage } from '../storage/storage.ts';
import { presentPerson } from '../subscriptions/people.ts';
import type { TellEvents, WebhookEvent } from '../webhooks/webhook.ts';
import { makeClickLearner } from './click-learner.ts';
import { type Feedback, type FeedbackKind, type Said, saidFaults } from './feedback.ts';
import { feedbackOf } from './link-visits.ts';
import { judgesItem, makeLinks, type Report } from './links.ts';
import { type Behind, makeBehind } from './message-behind.ts';
import type { OpinionKind } from './opinions/opinion.ts';
import type { OpinionService } from './opinions/opinion-service.ts';

/** What a feedback link stands for. `follows`: what the person follows at once, which a daily digest could hold instead. */
export type FeedbackView = {
  locale: Locale;
  item: { id: string; title: string; language: string };
  channel: Feedback['channel'];
  digest: boolean;
  /** A digest of several items of which the link names none: there is no item to judge. */
  whole: boolean;
  expired: boolean;
  /** Whether the office can answer: somebody is behind the message still, and it is not too old. */
  answerable: boolean;
  fewer: boolean;
  follows: number;
};

/** One feedback as the person sees it who gave it. */
export type OwnFeedback = Pick<Feedback, 'kind' | 'rating' | 'comment' | 'channel' | 'at' | 'machine'> & {
  item: { id: string; title: string; targeted: boolean };
};

/** What somebody wrote about a message or complained of, as the office reads it. */
type SaidFeedback = Pick<Feedback, 'id' | 'kind' | 'rating' | 'comment' | 'channel' | 'at'> & {
  item: { id: string; title: string };
};

export type FeedbackService = {
  /** What a link of a message is about; it changes nothing. Throws `bad-link`. */
  view(token: string): Promise<FeedbackView>;
  /**
   * Keeps what somebody says about a message, and does what it asks for: `useful` and `not-for-me` change the interest of whoever
   * consented, `too-many` halves their suggestions, `stop` stops what the message was sent for. Throws `bad-link`,
   * `link-expired` (never for `stop`), `invalid` (also for a judgement of an item where the link names none of several).
   */
  give(token: string, said: Said): Promise<void>;
  /**
   * What somebody wrote about the item of a message goes to the office, which answers. Throws `bad-link`, `too-many` (ten in a
   * day). Where nobody is behind the message any more, nothing happens.
   */
  ask(token: string, kind: OpinionKind, text: string): Promise<void>;
  /** Moves what the person follows at once to a daily digest; answers how much. Throws `bad-link`. */
  slowDown(token: string): Promise<number>;
  /** Stops by the token of an unsubscribe link (`FanoutService.unsubscribe`), and keeps that it was stopped. */
  unsubscribe(token: string, everything: boolean): Promise<void>;
  /** Where a counted link leads, counting it; null for a token that is not ours. */
  click(token: string, head: boolean): Promise<string | null>;
  /** Keeps that the page of a link was asked for, which tells machines from people. Unknown tokens are ignored. */
  looked(token: string, kind: FeedbackKind, head: boolean): Promise<void>;
  /** Keeps that a pixel was asked for, where opens are counted. */
  opened(token: string): Promise<void>;
  /** Keeps what a service worker reports. Unknown tokens are ignored. */
  report(token: string, what: Report): Promise<void>;
  /** What people wrote, and every complaint, newest first, without who it was: the office reads it. Throws `invalid` for a cursor that is none. */
  said(
    page: { cursor: string | null; limit: number },
    locale: Locale,
  ): Promise<{ rows: SaidFeedback[]; next: string | null }>;
  /** What a person gave, newest first; empty for an unknown person. */
  ofPerson(id: string, limit: number): Promise<OwnFeedback[]>;
  /** How they want to be told: half the suggestions, links that nobody counts. Throws `not-found`. */
  wish(id: string, wishes: { fewer?: boolean; plainLinks?: boolean }): Promise<void>;
  /** Tells profiles of clicks that are certain to be people's (click-learner.ts); answers of how many. */
  learnClicks(signal: AbortSignal): Promise<number>;
  /** Deletes visits and opens of messages whose links are counted no more, a bounded number at a time, until none is left or `signal` aborts. */
  forgetOld(signal: AbortSignal): Promise<number>;
};

/** Longer than any link is counted: a click is judged by all visits of its message. */
const keptMs = validMs + 2 * 86_400_000;
const deletedAtOnce = 1_000;

type Stores = Pick<Storage, 'feedback' | 'ledger' | 'pushes' | 'items' | 'subscriptions'>;
type Tools = {
  fanout: Pick<FanoutService, 'unsubscribe' | 'shown'>;
  browsing: Pick<BrowsingService, 'record'>;
  opinions: Pick<OpinionService, 'receive'>;
  keyring: Signer;
  edges: Pick<Edges, 'now'>;
  config: Pick<Config, 'publicUrl' | 'feedback'>;
  tell: TellEvents;
};

const badLink = (): AppError => new AppError('bad-link', 'This link is not one of ours.');

const titleIn = ({ version }: Pick<Behind, 'version'>, locale: Locale) => {
  const { title, language, translations } = version.content;
  const translated = translations?.[locale]?.title;
  return translated === undefined ? { title, language } : { title: translated, language: locale };
};

/** Said anew (another rating, other words), it is told anew; the words stay here, where an erasure finds them. */
const eventOf = ({ id, kind, rating, push, item, version, channel, at }: Feedback): WebhookEvent => ({
  type: 'feedback.received',
  key: [id, at],
  at,
  data: { feedback: id, kind, rating, push, item, version, channel },
});

/** What comes back about messages, and its effects at once. */
export const makeFeedbackService = (stores: Stores, tools: Tools): FeedbackService => {
  const { fanout, browsing, opinions, keyring, edges, config, tell } = tools;
  const behindOf = makeBehind(stores, tools);

  const known = async (token: string): Promise<Behind> => {
    const behind = await behindOf(token);
    if (!behind) throw badLink();
    return behind;
  };

  const keptBefore = async ({ id, message }: Feedback): Promise<Feedback | null> =>
    (await stores.feedback.ofMessage(message)).find((one) => one.id === id) ?? null;

  /**
   * Keeps what was said; what it says in words stays where it is said again without any. What is no news keeps its time and
   * is the same event, so that pressing a button a thousand times writes nothing.
   */
  const keep = async (behind: Behind, { kind, rating, comment }: Said): Promise<void> => {
    const made = feedbackOf(behind, kind, edges.now());
    const before = await keptBefore(made);
    const words = behind.person ? (comment ?? before?.comment ?? null) : null;
    const isNews = before === null || before.rating !== rating || before.comment !== words;
    const feedback = isNews ? { ...made, rating, comment: words } : before;
    if (isNews) await stores.feedback.record(feedback);
    if (isNews && words !== null) await clearWordsOfGone(feedback);
    await tell([eventOf(feedback)]);
  };

  /** Words that were kept while their person was erased or merged would outlive the erasure, which has gone by. */
  const clearWordsOfGone = async (feedback: Feedback): Promise<void> => {
    const person = await presentPerson(stores.subscriptions, { ordinal: feedback.ordinal });
    if (person?.ordinal !== feedback.ordinal) await stores.feedback.record({ ...feedback, comment: null });
  };

  /** What may be concluded is for the profile, which asks for consent. */
  const learn = async ({ person, about, message }: Behind, kind: 'useful' | 'not-for-me'): Promise<void> => {
    const { ordinal } = person ?? { ordinal: null };
    if (ordinal === null) return;
    await browsing.record([{ subscriber: { ordinal }, kind, item: { id: about.item }, channel: message.channel }]);
  };

  const give = async (behind: Behind, said: Said): Promise<void> => {
    const { person, message } = behind;
    // what may be repeated comes first: after a crash in between, pressing again does all of it
    if (said.kind === 'stop') await fanout.unsubscribe(signLink(keyring, 'unsubscribe', message.id), false);
    if (said.kind === 'too-many' && person)
      await stores.subscriptions.updateSubscriber(person.ordinal, { fewer: true });
    // said twice it counts once: what is kept was learned
    if (judgesItem(said.kind) && (await keptBefore(feedbackOf(behind, said.kind, edges.now()))) === null)
      await learn(behind, said.kind);
    await keep(behind, said);
  };

  const atOnce = async ({ person }: Behind) => {
    const follows = person ? await stores.subscriptions.subscriptionsOf(person.ordinal) : [];
    return follows.filter(({ stoppedAt, pace }) => stoppedAt === null && pace === 'immediate');
  };

  return {
    ...makeLinks(stores, { fanout, keyring, edges, config, behindOf, give }),
    learnClicks: makeClickLearner(stores, { browsing, edges }),
    view: async (token) => {
      const behind = await known(token);
      const { message, about, expired, person } = behind;
      const locale = person?.locale ?? 'zh-CN';
      return {
        locale,
        item: { id: about.item, ...titleIn(behind, locale) },
        channel: message.channel,
        digest: message.kind === 'digest',
        whole: behind.whole,
        expired,
        answerable: person !== null && !expired,
        fewer: person?.fewer === true,
        follows: (await atOnce(behind)).length,
      };
    },
    give: async (token, said) => {
      const faults = saidFaults(said);
      if (faults.length > 0) throw new AppError('invalid', 'What was said does not fit.', { faults });
      const behind = await known(token);
      if (behind.expired && said.kind !== 'stop')
        throw new AppError('link-expired', 'The message is too old for that; it can still be stopped.');
      if (behind.whole && judgesItem(said.kind))
        throw new AppError('invalid', 'The message holds several items.', {
          faults: [{ path: 'kind', message: 'needs the token of one item' }],
        });
      await give(behind, said);
    },
    ask: async (token, kind, text) => {
      const { person, about } = await known(token);
      if (person) await opinions.receive({ person: person.ordinal, item: about.item, kind, text, at: edges.now() });
    },
    slowDown: async (token) => {
      const follows = await atOnce(await known(token));
      for (const { subscriber, id } of follows)
        await stores.subscriptions.changeSubscription(subscriber, id, { pace: 'daily' });
      return follows.length;
    },
    unsubscribe: async (token, everything) => {
      await fanout.unsubscribe(token, everything);
      const behind = await behindOf(token);
      if (behind) await keep(behind, { kind: 'stop', rating: null, comment: null });
    },
    said: async (page, locale) => {
      const { feedback, next } = await stores.feedback.said(page);
      const rows: SaidFeedback[] = [];
      for (const { id, kind, rating, comment, channel, at, item, version: number } of feedback) {
        const version = await stores.items.version(item, number);
        const title = version ? titleIn({ version }, locale).title : item;
        rows.push({ id, kind, rating, comment, channel, at, item: { id: item, title } });
      }
      return { rows, next };
    },
    ofPerson: async (id, limit) => {
      const person = await presentPerson(stores.subscriptions, { id });
      const given = person ? await stores.feedback.ofPerson(person.ordinal, limit) : [];
      const own: OwnFeedback[] = [];
      for (const { kind, rating, comment, channel, at, machine, item, version: number } of given) {
        const version = await stores.items.version(item, number);
        if (!version || !person) continue;
        const targeted = version.content.visibility === 'targeted';
        const { title } = titleIn({ version }, person.locale);
        own.push({ kind, rating, comment, channel, at, machine, item: { id: item, title, targeted } });
      }
      return own;
    },
    wish: async (id, wishes) => {
      const person = await presentPerson(stores.subscriptions, { id });
      if (!person) throw new AppError('not-found', 'There is no such person.');
      await stores.subscriptions.updateSubscriber(person.ordinal, wishes);
    },
    forgetOld: async (signal) => {
      const before = edges.now() - keptMs;
      let deleted = 0;
      for (let last = deletedAtOnce; last === deletedAtOnce && !signal.aborted; deleted += last)
        last = await stores.feedback.forgetVisits(before, deletedAtOnce);
      return deleted;
    },
  };
};
