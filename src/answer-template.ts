import { createHash } from 'node:crypto';
import { type SharedContent, slot } from './channels/channel.ts';
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
  smsTitle,
} from './notification-words.ts';
import type { Text } from './text.ts';

type Tools = {
  html: (name: string, values: Record<string, unknown>) => string;
  plain: (name: string, values: Record<string, unknown>) => string;
  textOf: (locale: NotificationInput['locale']) => Text;
  brandOf: (text: Text) => Record<string, string>;
};

/**
 * Renders the message by which an item answers an application (`number`: what applicant and office call it by). It was asked
 * for once and comes once, so that there is nothing to stop, to rate or to change: no such links, and no headers of a list.
 */
export const makeAnswerTemplate =
  ({ html, plain, textOf, brandOf }: Tools) =>
  (input: NotificationInput, number: string): SharedContent => {
    const { item, version, wording, locale } = input;
    const { content } = version;
    const text = textOf(locale);
    const words = (name: string): string => text(`messages:answer.${name}`, { number });
    const own = inLanguage(content, locale);
    const title = words(`subject.${wording}`);
    const notices = noticesOf(text, input);
    const values = {
      ...brandOf(text),
      locale,
      language: own.language,
      title,
      preview: shortened(own.title, mailPreview),
      lead: words('lead'),
      heading: own.title,
      notices,
      paragraphs: paragraphsOf(own.summary),
      facts: factsOf(text, input),
      read: wording === 'publication' ? words('read') : text(`messages:notification.${readKeys[wording]}`),
      link: slot('item'),
      proof: words('proof'),
      why: words('why'),
    };
    const key = createHash('sha256')
      .update(JSON.stringify([item, version.version, version.revision, wording, locale, number]))
      .digest('base64url')
      .slice(0, 22);
    return {
      key: `answer-${key}`,
      kind: 'transactional',
      locale,
      title,
      text: `${plain('email/answer.txt', values)
        .replace(/\n{3,}/g, '\n\n')
        .trim()}\n`,
      html: html('email/answer.html', values),
      short: shortened([...notices.slice(0, 1), own.title].join(' '), pushBody),
      sms: plain('sms/answer', { ...values, heading: shortened(own.title, smsTitle[locale]) }).trim(),
      urgency: content.urgency,
      expiresAt: content.expiresAt === undefined ? null : Date.parse(content.expiresAt),
      listLabel: null,
    };
  };
