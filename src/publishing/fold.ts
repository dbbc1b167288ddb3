import type { ItemContent } from './item.ts';

/**
 * A text as it is compared in searches: NFKC, case folded (Unicode's full folding as far as the built-in case mappings go:
 * ß is ss, final sigma is sigma), white space runs one blank.
 */
export const fold = (text: string): string =>
  text
    .normalize('NFKC')
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKC')
    .replace(/\s+/gu, ' ')
    .trim();

/** All of an item that a search looks in, folded; a line break keeps a match from running across two fields. */
export const searchText = (content: ItemContent): string =>
  [
    content.title,
    content.summary,
    ...(content.keywords ?? []),
    ...Object.values(content.translations ?? {}).flatMap(({ title, summary }) => [title, summary]),
  ]
    .map(fold)
    .join('\n');
