import type { Locale } from '../../../catalogue/topic.ts';
import type { SharedContent, Slots } from '../../../channels/channel.ts';
import { escapeHtml, fillSlots } from '../../../channels/slots.ts';
import { splitSms } from '../../../channels/sms/segments.ts';
import { missingLanguages, primaryOf } from '../../../publishing/both-languages.ts';
import type { ItemContent } from '../../../publishing/item.ts';
import { type PlainHint, plainHints } from '../../../publishing/plain-language.ts';
import { plainRules } from '../../../publishing/plain-list.ts';
import { locales, textIn } from '../../../text.ts';
import { topicTitle, type Voice } from '../../pages/present.ts';
import { numberText } from '../../staff/report-tables.ts';
import type { StaffDeps } from '../../staff/staff-pages.ts';
import { smsCost } from '../sms-cost.ts';
import { languageName } from './item-form.ts';

type Deps = Pick<StaffDeps, 'templates' | 'config' | 'edges'>;

/** How long a message's token is: its links are as long in the preview as they will be. */
const tokenLength = 52;

/** What one person's message would hold: links of the right length that lead nowhere, and the reason of whoever follows the topic. */
const slotsOf = ({ config }: Deps, id: string, { content, voice }: { content: ItemContent; voice: Voice }): Slots => {
  const token = 'x'.repeat(tokenLength);
  const t = textIn(voice.locale);
  const [topic] = content.topics;
  return {
    item: content.translations?.[voice.locale]?.url ?? content.url ?? `${config.publicUrl}/items/${id}`,
    unsubscribe: `${config.publicUrl}/u/${token}`,
    manage: `${config.publicUrl}/my/${token}`,
    reason: topic ? t('reasons:source.topic', { topic: topicTitle(voice, topic) }) : t('reasons:source.named'),
    token,
  };
};

/** What stands for a title or a summary that nobody has written yet. */
const readable = (content: ItemContent, { t }: Voice): ItemContent => {
  const blank = t('publisher:preview.blank');
  return { ...content, title: content.title || blank, summary: content.summary || blank };
};

const sharedOf = (
  { templates, config, edges }: Deps,
  { id, content, voice, locale }: { id: string; content: ItemContent; voice: Voice; locale: Locale },
): SharedContent => {
  const topic = voice.trees.topics.find(({ slug }) => slug === content.topics[0]) ?? null;
  const version = {
    ...({ item: id, version: 1, revision: 0, kind: 'publication', note: null, announce: true } as const),
    ...{ content: readable(content, voice), at: edges.now() },
  };
  return templates.notification({
    item: id,
    version,
    wording: 'publication',
    locale,
    topic,
    tracked: config.feedback.clicks,
  });
};

/** How many parts the text message of an item has at most, in any of our languages. */
export const mostParts = (deps: Deps, id: string, content: ItemContent, voice: Voice): number =>
  Math.max(
    ...locales.map((locale) => {
      const slots = slotsOf(deps, id, { content, voice: { ...voice, locale } });
      return splitSms(fillSlots(sharedOf(deps, { id, content, voice, locale }).sms, slots)).bodies.length;
    }),
  );

/** The HTML of the mail as it would leave, in one language. */
export const mailOf = (
  deps: Deps,
  asked: { id: string; content: ItemContent; voice: Voice; locale: Locale },
): string => {
  const slots = slotsOf(deps, asked.id, { content: asked.content, voice: { ...asked.voice, locale: asked.locale } });
  return fillSlots(sharedOf(deps, asked).html, slots, escapeHtml);
};

const hintWords = ({ t }: Voice, hint: PlainHint, locale: Locale): string => {
  if (hint.kind === 'jargon') return t('publisher:hint.jargon', { word: hint.word, better: hint.better });
  if (hint.kind === 'blank') return t('publisher:hint.blank', { text: hint.text });
  return t(`publisher:hint.long.${locale}`, { count: hint.length, begins: hint.begins });
};

/** Title, summary and body in one language, as far as they are written. */
const textsIn = (content: ItemContent, locale: Locale): string[] => {
  const { language, title, summary, body = '' } = content;
  if (primaryOf(language) === primaryOf(locale)) return [title, summary, body];
  const tag = Object.keys(content.translations ?? {}).find((one) => primaryOf(one) === primaryOf(locale));
  const words = tag === undefined ? undefined : content.translations?.[tag];
  return words ? [words.title, words.summary] : [];
};

/** What could be said more plainly, by language, in words. */
const hintsOf = (content: ItemContent, voice: Voice) =>
  [...locales].reverse().map((locale) => ({
    language: languageName(voice, locale),
    hints: [
      ...new Set(
        textsIn(content, locale)
          .flatMap((text) => plainHints(text, locale, plainRules[locale]))
          .map((hint) => hintWords(voice, hint, locale)),
      ),
    ],
  }));

/** The message on every channel in both languages, by the renderers that make the real ones; and what is missing or hard to read. */
export const previewsOf = (deps: Deps, id: string, content: ItemContent, voice: Voice) => ({
  missing: missingLanguages(content).map((locale) => languageName(voice, locale)),
  hints: hintsOf(content, voice),
  messages: [...locales].reverse().map((locale) => {
    const shared = sharedOf(deps, { id, content, voice, locale });
    const slots = slotsOf(deps, id, { content, voice: { ...voice, locale } });
    const sms = fillSlots(shared.sms, slots);
    const parts = splitSms(sms);
    return {
      locale,
      language: languageName(voice, locale),
      title: fillSlots(shared.title, slots),
      text: fillSlots(shared.text, slots),
      push: { body: fillSlots(shared.short, slots), actions: (shared.actions ?? []).map(({ title }) => title) },
      sms: {
        text: sms,
        parts: voice.t('publisher:preview.parts', { count: parts.bodies.length }),
        cost: smsCost(deps, voice, parts.bodies.length),
        letters: voice.t(`publisher:preview.coding.${parts.coding}`, { count: numberText(voice, [...sms].length) }),
      },
    };
  }),
});
