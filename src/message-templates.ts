import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Liquid, type Template } from 'liquidjs';
import { makeAnswerTemplate } from './answer-template.ts';
import type { Locale } from './catalogue/topic.ts';
import { type SharedContent, type Slots, slot } from './channels/channel.ts';
import { type DigestInput, makeDigestTemplate } from './digest-template.ts';
import { counted, feedbackWords, pushActions, roomySms, surveyWords } from './feedback-words.ts';
import { makeLru } from './lru.ts';
import {
  factsOf,
  inLanguage,
  mailPreview,
  type NotificationInput,
  noticesOf,
  paragraphsOf,
  pushBody,
  readKeys,
  shortened,
  shortNotices,
  smsTitle,
  titleOf,
} from './notification-words.ts';
import { projectRoot } from './project-root.ts';
import { locales, type Text, textIn } from './text.ts';

/** How many letters are kept rendered. */
const lettersKept = 100;

/** What one letter says that others of its form do not. */
type OwnWords = {
  link: string | null;
  code?: string;
  /** What the letter lists. */
  follows?: string[];
  /** What its texts name. */
  values?: Record<string, string | number>;
};

/** A transactional message, ready for `Courier.post(to, content, slots, expiresAt)`. */
type Letter = { content: SharedContent; slots: Partial<Slots> };

/** What leaves, in words, on every channel. */
export type MessageTemplates = {
  /** An item of which somebody is told; `answers`: the number of their application, which it answers. */
  notification(input: NotificationInput & { answers?: string | null }): SharedContent;
  /** All that a day or week brought, grouped by topic in the order of the entries. */
  digest(input: DigestInput): SharedContent;
  /** Asks to confirm a sign-up by link. `follows` in words; `token` goes to the service worker as `data.confirm`. */
  confirmation(input: { locale: Locale; link: string; follows: string[]; token?: string }): Letter;
  /** Asks whether an address may be added to those of somebody who is told already. */
  addition(input: { locale: Locale; link: string; token?: string }): Letter;
  /** A code to type in. */
  code(input: { locale: Locale; code: string }): Letter;
  /** The link to My notifications that somebody asked for. */
  manageLink(input: { locale: Locale; link: string }): Letter;
  /** Says that somebody's data are deleted in a week; the link takes that back. */
  leaving(input: { locale: Locale; link: string }): Letter;
  /** The link by which a member of staff sets their password. */
  staffLink(input: { locale: Locale; link: string }): Letter;
  /** Tells an applicant in writing that their answer takes longer; days in words, the reason in the office's. */
  postponement(input: {
    locale: Locale;
    number: string;
    received: string;
    due: string;
    until: string;
    reason: string;
  }): Letter;
  /** Tells somebody what became of their question or opinion about an item, which `link` leads to. */
  opinionAnswer(input: {
    locale: Locale;
    link: string;
    title: string;
    outcome: 'adopted' | 'not-adopted' | 'answered';
    reason: string;
  }): Letter;
  /** Tells staff what is due soon or late, one line each; `link` leads to the page of time limits. */
  deadlines(input: { locale: Locale; link: string; lines: string[]; count: number }): Letter;
  /** What staff send to try a channel; `at` in ms tells one from the next. */
  channelTest(input: { locale: Locale; at: number }): Letter;
  rulePaused(input: { locale: Locale; link: string; rule: string; evidence: string }): Letter;
};

const hashOf = (...parts: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);

/** So much of a reason or a title stands in a text message or a push; a mail has it whole. */
const textReason = 160;

/** Templates leave empty lines where a part is missing. */
const tidy = (text: string): string => `${text.replace(/\n{3,}/g, '\n\n').trim()}\n`;

type Renderer = (name: string, values: Record<string, unknown>) => string;

/** Strict: an unknown variable is a fault of ours, found by the first test that renders it. */
const makeRenderer = (outputEscape: 'escape' | undefined): Renderer => {
  const engine = new Liquid({
    root: join(projectRoot, 'templates', 'messages'),
    strictVariables: true,
    strictFilters: true,
    lenientIf: true,
    ownPropertyOnly: true,
    cache: true,
    ...(outputEscape ? { outputEscape } : {}),
  });
  const parsed = new Map<string, Template[]>();
  return (name, values) => {
    const template = parsed.get(name) ?? engine.parseFileSync(`${name}.liquid`);
    parsed.set(name, template);
    return engine.renderSync(template, values);
  };
};

/** Reads and checks the templates (LiquidJS, strict; HTML autoescaped). Rendering is pure: the person's part stays in slots. */
export const makeMessageTemplates = ({
  publicUrl,
  opens = false,
}: {
  publicUrl: string;
  /** Mails hold a pixel. */
  opens?: boolean;
}): MessageTemplates => {
  const html = makeRenderer('escape');
  const plain = makeRenderer(undefined);
  const texts = new Map(locales.map((locale) => [locale, textIn(locale)]));
  const textOf = (locale: Locale): Text => texts.get(locale) ?? textIn(locale);

  const brandOf = (text: Text) => ({
    home: publicUrl,
    colon: text('messages:colon'),
    brand: text('messages:brand'),
    tagline: text('messages:tagline'),
  });

  const notification = (input: NotificationInput): SharedContent => {
    const { item, version, wording, locale, topic, tracked = false, survey = false } = input;
    const { content } = version;
    const text = textOf(locale);
    const own = inLanguage(content, locale);
    const notices = noticesOf(text, input);
    const values = {
      ...brandOf(text),
      locale,
      language: own.language,
      title: titleOf(text, wording, content.urgency, own.title),
      heading: own.title,
      preview: shortened(notices[0] ?? own.summary, mailPreview),
      topic: topic?.title[locale] ?? null,
      notices,
      paragraphs: paragraphsOf(own.summary),
      facts: factsOf(text, input),
      read: text(`messages:notification.${readKeys[wording]}`),
      why: text('messages:notification.why'),
      manageLabel: text('messages:notification.manage'),
      unsubscribeLabel: text('messages:notification.unsubscribe'),
      ...feedbackWords(text, { publicUrl, opens }),
      survey: survey ? surveyWords(text) : null,
      surveyAsk: text('messages:survey.ask'),
      readLink: tracked ? counted(publicUrl) : slot('item'),
      reason: slot('reason'),
      manage: slot('manage'),
      unsubscribe: slot('unsubscribe'),
    };
    const stop = text('messages:notification.stop');
    const smsWords = { ...values, title: shortened(values.title, smsTitle[locale]), stop };
    const push = plain('web-push/notification', { notices: shortNotices(text, input), summary: own.summary });
    return {
      key: hashOf(item, version.version, version.revision, wording, locale, topic?.slug ?? null, tracked, survey),
      kind: 'notification',
      locale,
      title: values.title,
      text: tidy(plain('email/notification.txt', values)),
      html: html('email/notification.html', values),
      short: shortened(push.trim(), pushBody),
      sms: roomySms({
        render: (link, say) => plain('sms/notification', { ...smsWords, link, say }).trim(),
        kind: 'notification',
        itemUrl: content.translations?.[locale]?.url ?? content.url ?? `${publicUrl}/items/${item}`,
        say: values.say,
        counted: tracked ? counted(publicUrl) : null,
      }),
      urgency: content.urgency,
      expiresAt: content.expiresAt === undefined ? null : Date.parse(content.expiresAt),
      listLabel: content.topics[0] ?? 'notifications',
      actions: pushActions(text),
    };
  };

  const letterContent = (kind: string, locale: Locale, own: OwnWords, key: string): SharedContent => {
    const text = textOf(locale);
    const words = (name: string) =>
      text(`messages:${kind}.${name}`, { ...brandOf(text), ...own.values, code: own.code, link: slot('item') });
    const values = {
      ...brandOf(text),
      locale,
      title: words('subject'),
      preview: words('intro'),
      heading: words('heading'),
      intro: words('intro'),
      ask: words('ask'),
      ignore: words('ignore'),
      follows: own.follows ?? [],
      code: own.code ?? null,
      button: own.link === null ? null : words('button'),
      link: slot('item'),
    };
    return {
      key,
      kind: 'transactional',
      locale,
      title: values.title,
      text: tidy(plain('email/letter.txt', values)),
      html: html('email/letter.html', values),
      short: own.code === undefined ? words('short') : values.title,
      sms: words('sms'),
      urgency: 'routine',
      expiresAt: null,
      listLabel: null,
    };
  };

  // many people at once ask for the same letter, and only its link differs
  const kept = makeLru<SharedContent>(lettersKept);

  /** A letter of one form; what tells its texts apart is in the key, the link is a slot. */
  const letter = (kind: string, locale: Locale, own: OwnWords & { data?: Record<string, string> }): Letter => {
    const key = hashOf(kind, locale, own.follows ?? null, own.code ?? null, own.values ?? null);
    const content = kept.get(key) ?? letterContent(kind, locale, own, key);
    // codes, and what names people or things, come once
    if (own.code === undefined && own.values === undefined) kept.set(key, content);
    const slots = own.link === null ? {} : { item: own.link };
    return { content: own.data ? { ...content, data: own.data } : content, slots };
  };

  const answer = makeAnswerTemplate({ html, plain, textOf, brandOf });

  return {
    notification: ({ answers = null, ...input }) => (answers === null ? notification(input) : answer(input, answers)),
    digest: makeDigestTemplate({ html, plain, textOf, brandOf, publicUrl, opens }),
    confirmation: ({ locale, link, follows, token }) =>
      letter('confirmation', locale, { link, follows, ...(token ? { data: { confirm: token } } : {}) }),
    addition: ({ locale, link, token }) =>
      letter('addition', locale, { link, ...(token ? { data: { confirm: token } } : {}) }),
    code: ({ locale, code }) => letter('code', locale, { link: null, code }),
    manageLink: ({ locale, link }) => letter('manageLink', locale, { link }),
    leaving: ({ locale, link }) => letter('leaving', locale, { link }),
    staffLink: ({ locale, link }) => letter('staffLink', locale, { link }),
    postponement: ({ locale, reason, ...days }) =>
      letter('postponement', locale, {
        link: null,
        follows: [reason],
        values: { ...days, reason: shortened(reason, textReason) },
      }),
    opinionAnswer: ({ locale, link, title, outcome, reason }) =>
      letter(`opinion.${outcome}`, locale, {
        link,
        follows: [reason],
        values: { title: shortened(title, textReason), reason: shortened(reason, textReason) },
      }),
    deadlines: ({ locale, link, lines, count }) =>
      letter('deadlines', locale, { link, follows: lines, values: { count } }),
    channelTest: ({ locale, at }) => letter('channelTest', locale, { link: null, values: { at } }),
    rulePaused: ({ locale, link, rule, evidence }) =>
      letter('rulePaused', locale, { link, values: { rule, evidence } }),
  };
};
