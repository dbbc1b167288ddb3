import type { Trees } from '../catalogue/catalogue-service.ts';
import { wordsOf } from '../catalogue/item-words.ts';
import type { Locale } from '../catalogue/topic.ts';
import { type Text, textIn } from '../text.ts';
import type { Facet, Target } from './follow.ts';

/** `items`: those of the followed items that may still be read. */
export type FollowWords = {
  locale: Locale;
  trees: Trees;
  items: ReadonlyMap<string, Parameters<typeof wordsOf>[0]>;
};

const valueWords = (facet: Facet, value: string, text: Text, { locale, trees }: FollowWords): string => {
  if (facet === 'topics') return trees.topics.find(({ slug }) => slug === value)?.title[locale] ?? value;
  if (facet === 'regions') return trees.regions.find(({ code }) => code === value)?.name[locale] ?? value;
  return facet === 'urgency' ? text(`pages:urgency.${value}`) : value;
};

/** What is followed, in words. */
export const followWords = (target: Target, words: FollowWords): string => {
  const text = textIn(words.locale);
  if ('topic' in target) return text('pages:target.topic', { name: valueWords('topics', target.topic, text, words) });
  if ('item' in target) {
    const item = words.items.get(target.item);
    const name = item ? wordsOf(item, words.locale).title : text('pages:target.unknownItem');
    return text('pages:target.item', { name });
  }
  const parts = (['all', 'any'] as const).flatMap((mode) =>
    Object.entries(target.search[mode] ?? {}).map(([facet, values]) =>
      text('pages:target.facet', {
        facet: text(`pages:facet.${facet}`),
        values: values
          .map((value) => valueWords(facet as Facet, value, text, words))
          .join(text(mode === 'all' ? 'pages:target.and' : 'pages:target.or')),
      }),
    ),
  );
  return text('pages:target.search', { what: parts.join(text('pages:target.joint')) });
};
