import type { Topic } from '../catalogue/topic.ts';

/** What of a title has to be in a search for the title to be meant. */
const meantShare = 0.5;
/** So that half of a title stays half, however its words were added up. */
const tiny = 1e-9;
const topicsMost = 5;
const queryMost = 200;
const wordsMost = 30;

/** Words that say nothing about what is looked for. */
const empty = new Set(
  'a an and at by for from in of on or the to with 的 和 与 及 在 了 是 怎么 如何 关于 有关'.split(' '),
);

const segmenter = new Intl.Segmenter('zh', { granularity: 'word' });

/** Invisible and directional marks (Unicode Cc, Cf): they turn text around or hide it, and nobody searches for them. */
const invisible = /[\p{Cc}\p{Cf}]+/gu;

/** A search as it is kept and compared: NFKC, without invisible marks, blanks run together, at most 200 characters. */
export const cleanQuery = (query: string): string =>
  [...query.normalize('NFKC').replace(invisible, ' ').replace(/\s+/gu, ' ').trim()].slice(0, queryMost).join('');

const fold = (text: string): string => cleanQuery(text).toUpperCase().toLowerCase().normalize('NFKC');

/** Harman's S-stemmer: plurals of English words meet their singular; words of other scripts stay. */
const singular = (word: string): string => {
  if (!/^[a-z]{4,}$/.test(word)) return word;
  if (/[^ae]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/[^aeo]es$/.test(word)) return word.slice(0, -1);
  return /[^us]s$/.test(word) ? word.slice(0, -1) : word;
};

/** The words of a text that say something, folded; Chinese is cut into words by the segmenter. */
const wordsOf = (text: string): string[] => {
  const words = [...segmenter.segment(fold(text))].filter((part) => part.isWordLike).map((part) => part.segment);
  return [...new Set(words.filter((word) => !empty.has(word)).map(singular))].slice(0, wordsMost);
};

/** One way in which a topic is called; `weight`: how rare its words are together. */
type Name = { topic: string; words: string[]; weight: number };

/** Names by word, and by their whole text; `rarity`: how much a word tells, the fewer names hold it the more. */
export type TopicNames = { byWord: Map<string, Name[]>; byText: Map<string, string[]>; rarity: Map<string, number> };

const put = <T>(map: Map<string, T[]>, key: string, value: T): void => {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
};

/** A word that publishers put on items of a topic. */
export type Keyword = { keyword: string; topic: string };

/** Prepares the topics' titles in both languages, their slugs and keywords for `topicsOfSearch`; once for a tree. */
export const topicNames = (topics: readonly Topic[], keywords: readonly Keyword[] = []): TopicNames => {
  const names: TopicNames = { byWord: new Map(), byText: new Map(), rarity: new Map() };
  const called = (topic: string, texts: string[]): void => {
    for (const text of new Set(texts.map(fold))) {
      if (text.length > 1) put(names.byText, text, topic);
      const name = { topic, words: wordsOf(text), weight: 0 };
      for (const word of name.words) put(names.byWord, word, name);
    }
  };
  for (const { slug, title } of topics) called(slug, [title.en, title['zh-CN'], slug.replaceAll('-', ' ')]);
  for (const { keyword, topic } of keywords) called(topic, [keyword]);
  for (const [word, holders] of names.byWord) {
    const held = new Set(holders.map(({ topic }) => topic)).size;
    const rarity = Math.log(1 + topics.length / held);
    names.rarity.set(word, rarity);
    for (const name of holders) name.weight += rarity;
  }
  return names;
};

const isHan = /\p{Script=Han}/u;

/** Topics whose whole name stands in the search; in Han script a name needs no blanks around it. */
const namedIn = (query: string, { byText }: TopicNames): string[] => {
  const found: string[] = [];
  for (let from = 0; from < query.length; from++) {
    if (!isHan.test(query[from] ?? '')) continue;
    for (let to = from + 2; to <= query.length && to <= from + 40; to++)
      found.push(...(byText.get(query.slice(from, to)) ?? []));
  }
  return [...(byText.get(query) ?? []), ...found];
};

/**
 * The topics that a search is about, best first, at most five: those whose title or keyword stands in it (in either language),
 * and those of which it holds at least half of a title, slug or keyword, words weighed by how rare they are among the topics.
 */
export const topicsOfSearch = (query: string, names: TopicNames): string[] => {
  const folded = fold(query);
  const words = wordsOf(query);
  const best = new Map<string, number>();
  const meant = (topic: string, share: number): void => void best.set(topic, Math.max(best.get(topic) ?? 0, share));
  for (const topic of namedIn(folded, names)) meant(topic, 2);
  const held = new Map<Name, number>();
  for (const word of words)
    for (const name of names.byWord.get(word) ?? [])
      held.set(name, (held.get(name) ?? 0) + (names.rarity.get(word) ?? 0));
  for (const [{ topic, weight }, sum] of held) if (sum >= meantShare * weight - tiny) meant(topic, sum / weight);
  return [...best]
    .sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
    .slice(0, topicsMost)
    .map(([topic]) => topic);
};
