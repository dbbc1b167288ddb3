/** A piece of text; with `href` it is a link. */
export type Piece = { text: string; href?: string };

/** What RFC 3986 lets stand in a URL, and so neither spaces nor quotes nor the Han text that may follow without a space. */
const urls = /https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/gi;

const count = (text: string, character: string): number => text.split(character).length - 1;

/** Without what ends the sentence and not the URL: punctuation, and brackets that were opened before it. */
const trimmed = (url: string): string => {
  const shorter = url.replace(/[.,;:!?'*]+$/, '');
  const closes = [')', ']'].find((end) => shorter.endsWith(end));
  const opens = closes === ')' ? '(' : '[';
  if (closes && count(shorter, closes) > count(shorter, opens)) return trimmed(shorter.slice(0, -1));
  return shorter;
};

/** A name before an @ would let one host pass for another. */
const isLinkable = (url: string): boolean => {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password } = new URL(url);
  return /^https?:$/.test(protocol) && username === '' && password === '';
};

/** A line of plain text, its http and https URLs as links. */
export const linked = (line: string): Piece[] => {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of line.matchAll(urls)) {
    const url = trimmed(match[0]);
    if (!isLinkable(url)) continue;
    if (match.index > end) pieces.push({ text: line.slice(end, match.index) });
    pieces.push({ text: url, href: url });
    end = match.index + url.length;
  }
  return end < line.length ? [...pieces, { text: line.slice(end) }] : pieces;
};
