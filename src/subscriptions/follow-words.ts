import type { Trees } from '../catalogue/catalogue-service.ts';
import type { Locale } from '../catalogue/topic.ts';
import { type Text, textIn } from '../text.ts';
import type { Facet, Target } from './follow.ts';

/** `itemTitle`: the title of a followed item, null where nobody may read it any more. */
export type FollowWords = { locale: Locale; trees: Trees; itemTitle: (id: string) => string | null };

const valueWords = (facet: Facet, value: string, text: Text, { locale, trees }: FollowWords): string => {
  if (facet === 'topics') return trees.topics.find(({ slug }) => slug === value)?.title[locale] ?? value;
  if (facet === 'regions') return trees.regions.find(({ code }) => code === value)?.name[locale] ?? value;
  return facet === 'urgency' ? text(`pages:urgency.${value}`) : value;
};

/** What is followed, in words. */
export const followWords = (target: Target, words: FollowWords): string => {
  const text = textIn(words.locale);
  if ('topic' in target) return text('pages:target.topic', { name: valueWords('topics', target.topic, text, words) });
  if ('item' in target)
    return text('pages:target.item', { name: words.itemTitle(target.item) ?? text('pages:target.unknownItem') });
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
