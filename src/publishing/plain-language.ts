import type { Locale } from '../catalogue/topic.ts';

/** What an office counts as hard to read in one language: a sentence above so many words (of Chinese: characters), and words that have a plainer one. */
export type PlainRules = { longSentence: number; jargon: { word: string; better: string }[] };

/** Something that could be said more plainly. `long`: how many words (characters) a sentence has, and how it begins. */
export type PlainHint =
  | { kind: 'long'; length: number; begins: string }
  | { kind: 'jargon'; word: string; better: string }
  | { kind: 'blank'; text: string };

const begins = 24;
/** What a template leaves to be filled in: [date], 【日期】. */
const blanks = /\[[^[\]\n]{1,60}\]|【[^【】\n]{1,60}】/g;
const sentenceEnds = /[.!?](?=\s|$)|[。！？；]|\n+/;

const lengthOf = (sentence: string, locale: Locale): number =>
  locale === 'zh-CN'
    ? (sentence.match(/[\p{L}\p{N}]/gu)?.length ?? 0)
    : sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Chinese writes no blanks between words; elsewhere a word has to stand by itself. */
const holds = (text: string, word: string): boolean =>
  /\p{Script=Han}/u.test(word)
    ? text.includes(word)
    : new RegExp(`(?<![\\p{L}\\p{N}])${escaped(word)}(?![\\p{L}\\p{N}])`, 'iu').test(text);

/** What could be said more plainly in a text of that language; nothing of it is a fault but a blank that was left. */
export const plainHints = (text: string, locale: Locale, rules: PlainRules): PlainHint[] => [
  ...[...new Set(text.match(blanks) ?? [])].map((blank): PlainHint => ({ kind: 'blank', text: blank })),
  ...text.split(sentenceEnds).flatMap((sentence): PlainHint[] => {
    const length = lengthOf(sentence, locale);
    const start = sentence.trim();
    const short = start.length > begins ? `${start.slice(0, begins).trimEnd()}…` : start;
    return length > rules.longSentence ? [{ kind: 'long', length, begins: short }] : [];
  }),
  ...rules.jargon.filter(({ word }) => holds(text, word)).map((one): PlainHint => ({ kind: 'jargon', ...one })),
];
