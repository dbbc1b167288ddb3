import type { Locale } from '../../../catalogue/topic.ts';
import { momentAsWritten } from '../../../date-format.ts';
import { primaryOf } from '../../../publishing/both-languages.ts';
import type { ItemContent } from '../../../publishing/item.ts';
import { dayInWords, regionName, topicTitle, type Voice } from '../../pages/present.ts';
import { columnsOf, languageName, typedOfItem } from './item-form.ts';

/** The title in the reader's language where there is one, with the language that it is in. */
export const titleFor = (content: ItemContent, locale: Locale): { title: string; lang: string } => {
  if (primaryOf(content.language) === primaryOf(locale)) return { title: content.title, lang: content.language };
  const found = Object.entries(content.translations ?? {}).find(([tag]) => primaryOf(tag) === primaryOf(locale));
  return found ? { title: found[1].title, lang: found[0] } : { title: content.title, lang: content.language };
};

/** What stands in an item, for whoever checks it: the words by language, and every fact with its name. */
export const wordsOfItem = (content: ItemContent, voice: Voice) => {
  const typed = typedOfItem(content, voice);
  const { t, locale } = voice;
  const and = t('target.and');
  const facts: [string, string | undefined][] = [
    ['topics', content.topics.map((slug) => topicTitle(voice, slug)).join(and)],
    ['regions', (content.regions ?? []).map((code) => regionName(voice, code)).join(and)],
    ['departments', (content.departments ?? []).join(and)],
    ['audiences', (content.audiences ?? []).join(and)],
    ['keywords', (content.keywords ?? []).join(and)],
    ['category', content.category],
    ['documentType', content.documentType],
    ['urgency', t(`urgency.${content.urgency}`)],
    ['deadline', content.deadline && momentAsWritten(locale, content.deadline)],
    ['expiresAt', content.expiresAt && momentAsWritten(locale, content.expiresAt)],
    ['formedAt', content.formedAt && dayInWords(voice, content.formedAt)],
    ['visibility', t(`publisher:visibility.${content.visibility}`)],
  ];
  return {
    columns: columnsOf(typed).map((tag) => ({
      tag,
      name: languageName(voice, tag),
      title: typed.texts[`title-${tag}`] ?? '',
      summary: typed.texts[`summary-${tag}`] ?? '',
      url: typed.texts[`url-${tag}`] ?? '',
    })),
    body: content.body ?? '',
    lang: content.language,
    facts: facts.flatMap(([name, value]) => (value ? [{ key: t(`publisher:field.${name}`), value }] : [])),
  };
};
