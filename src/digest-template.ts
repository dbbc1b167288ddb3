import { createHash } from 'node:crypto';
import type { Locale, Topic } from './catalogue/topic.ts';
import { type SharedContent, slot } from './channels/channel.ts';
import { feedbackWords, pushActions, roomySms } from './feedback-words.ts';
import {
  factsOf,
  inLanguage,
  mailPreview,
  type NotificationInput,
  noticesOf,
  pushBody,
  shortened,
  smsTitle,
  titleOf,
} from './notification-words.ts';
import type { Text } from './text.ts';

/** One item of a digest: `link` is where it is read. */
type DigestEntry = Omit<NotificationInput, 'locale'> & { link: string };
export type DigestInput = { pace: 'daily' | 'weekly'; locale: Locale; entries: DigestEntry[] };

type Tools = {
  html: (name: string, values: Record<string, unknown>) => string;
  plain: (name: string, values: Record<string, unknown>) => string;
  textOf: (locale: Locale) => Text;
  brandOf: (text: Text) => Record<string, string>;
  publicUrl: string;
  opens: boolean;
};

/** Of a summary so much is said; the rest is behind the link. */
const entrySummary = 300;
const listed = 3;

/** Entries by their first topic, in the order in which the topics first come. */
const byTopic = (entries: DigestEntry[]): { topic: Topic | null; entries: DigestEntry[] }[] => {
  const groups = new Map<string | null, { topic: Topic | null; entries: DigestEntry[] }>();
  for (const entry of entries) {
    const slug = entry.topic?.slug ?? null;
    const group = groups.get(slug) ?? { topic: entry.topic, entries: [] };
    group.entries.push(entry);
    groups.set(slug, group);
  }
  return [...groups.values()];
};

const latestEnd = (entries: DigestEntry[]): number | null => {
  const ends = entries.map(({ version }) => version.content.expiresAt);
  return ends.some((end) => end === undefined) ? null : Math.max(...ends.map((end) => Date.parse(end ?? '')));
};

const urgencyOf = (entries: DigestEntry[]): SharedContent['urgency'] =>
  entries.some(({ version }) => version.content.urgency !== 'routine') ? 'important' : 'routine';

/** Renders digests. Pure but for the templates: equal entries, equal content, and the person's part stays in slots. */
export const makeDigestTemplate =
  ({ html, plain, textOf, brandOf, publicUrl, opens }: Tools) =>
  ({ pace, locale, entries }: DigestInput): SharedContent => {
    const text = textOf(locale);
    const shown = (entry: DigestEntry) => {
      const { content } = entry.version;
      const own = inLanguage(content, locale);
      return {
        item: entry.item,
        language: own.language,
        title: titleOf(text, entry.wording, content.urgency, own.title),
        notices: noticesOf(text, { ...entry, locale }),
        summary: shortened(own.summary.replace(/\s+/g, ' '), entrySummary),
        facts: factsOf(text, { ...entry, locale }),
        link: entry.link,
      };
    };
    const groups = byTopic(entries).map((group) => ({
      topic: group.topic?.title[locale] ?? null,
      entries: group.entries.map(shown),
    }));
    const titles = groups.flatMap((group) => group.entries.map((entry) => entry.title));
    const count = titles.length;
    const title =
      count === 1
        ? text(`messages:digest.${pace}.one`, { title: titles[0] })
        : text(`messages:digest.${pace}.subject`, { count });
    const said = feedbackWords(text, { publicUrl, opens });
    const values = {
      ...brandOf(text),
      ...said,
      sayings: said.messageSayings,
      locale,
      title,
      heading: text(`messages:digest.${pace}.heading`),
      lead: text('messages:digest.lead', { count }),
      preview: shortened(titles.join(text('messages:digest.titleJoin')), mailPreview),
      groups,
      read: text('messages:notification.read'),
      why: text('messages:notification.why'),
      manageLabel: text('messages:notification.manage'),
      unsubscribeLabel: text('messages:digest.unsubscribe'),
      stop: text('messages:notification.stop'),
      reason: slot('reason'),
      manage: slot('manage'),
      unsubscribe: slot('unsubscribe'),
    };
    const more = count > listed ? text('messages:digest.more', { count: count - listed }) : null;
    const short = plain('web-push/digest', { titles: titles.slice(0, listed), more });
    const sms = roomySms({
      render: (link, say) =>
        plain('sms/digest', { ...values, title: shortened(title, smsTitle[locale]), link, say }).trim(),
      kind: 'digest',
      itemUrl: count === 1 ? (entries[0]?.link ?? '') : `${publicUrl}/my/messages`,
      say: said.say,
      counted: null,
    });
    const named = entries.map(({ item, version, wording, topic, link }) => [
      ...[item, version.version, version.revision, wording, topic?.slug ?? null, link],
    ]);
    return {
      // the pace stands in it: the message keeps the key as its template
      key: `digest-${pace}-${createHash('sha256')
        .update(JSON.stringify([locale, named]))
        .digest('base64url')
        .slice(0, 22)}`,
      kind: 'notification',
      locale,
      title,
      text: `${plain('email/digest.txt', values)
        .replace(/\n{3,}/g, '\n\n')
        .trim()}\n`,
      html: html('email/digest.html', values),
      short: shortened(short.trim(), pushBody),
      sms,
      urgency: urgencyOf(entries),
      expiresAt: latestEnd(entries),
      listLabel: `digest-${pace}`,
      // a button says nothing of which item is meant
      ...(count === 1 ? { actions: pushActions(text) } : {}),
    };
  };
