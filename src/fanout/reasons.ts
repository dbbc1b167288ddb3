import type { Bilingual, Locale, Topic } from '../catalogue/topic.ts';
import type { Text } from '../text.ts';

/** Labels of a push's sources (api: bySource). `told:<item>` are those who got an earlier version of a corrected item. */
export const namedSource = (push: string): string => `push:${push}`;
export const toldSource = (item: string): string => `told:${item}`;

/** `explanations`: what the publishers of rules say of them, by the rule's label. */
export type ReasonWords = {
  text: Text;
  locale: Locale;
  topics: ReadonlyMap<string, Topic>;
  explanations: ReadonlyMap<string, Bilingual>;
};

/** What publishers of rules say of them, by label, from reasons that carry it. */
export const explanationsIn = (
  reasons: readonly { source: string; explanation: Bilingual | null }[],
): Map<string, Bilingual> =>
  new Map(reasons.flatMap(({ source, explanation }) => (explanation ? [[source, explanation] as const] : [])));

/** Why one source reaches a person, as a sentence in their language. */
export const sourceText = (source: string, { text, locale, topics, explanations }: ReasonWords): string => {
  const explanation = explanations.get(source);
  if (explanation) return explanation[locale];
  const [kind, second, ...rest] = source.split(':');
  if (kind === 'subscription' && second === 'topic') {
    const slug = rest.join(':');
    return text('reasons:source.topic', { topic: topics.get(slug)?.title[locale] ?? slug });
  }
  if (kind === 'subscription' && second === 'search') return text('reasons:source.search');
  if (kind === 'subscription' && second === 'item') return text('reasons:source.item');
  if (kind === 'told') return text('reasons:source.told');
  return text('reasons:source.named');
};

/** All reasons of a message as the one line that stands in it; equal sentences are said once. */
export const reasonLine = (sources: string[], words: ReasonWords): string =>
  [...new Set(sources.map((source) => sourceText(source, words)))].join(' ');

/** Why a row is deferred, digested, withheld, failed or cancelled, in plain words; null where nothing needs saying. */
export const codeText = (code: string | null, text: Text): string | null => {
  if (code === null) return null;
  const key = `reasons:code.${code}`;
  const words = text(key);
  // a provider's own code has no words of its own
  return words === key.slice('reasons:'.length) || words === key ? text('reasons:code.failed', { code }) : words;
};
