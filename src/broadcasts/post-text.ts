import type { Locale } from '../catalogue/topic.ts';
import type { ItemVersion } from '../publishing/item.ts';
import { textIn } from '../text.ts';

/** A post holds so many characters (open.weibo.com/wiki/2/statuses/share: no more than 140 Chinese characters). */
export const postMost = 140;

/** Weibo makes every link a short one of ten characters; what a link is longer than 140 bytes counts as well. */
const linkHalves = 20;
const linkFree = 140;
const linkPattern = /https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/g;

/** Latin letters count half, all else one; an emoji, which is two UTF-16 units, two. */
const halves = (text: string): number => {
  let count = 0;
  for (let at = 0; at < text.length; at++) count += text.charCodeAt(at) > 0xff ? 2 : 1;
  return count;
};

/** How long a text is as Weibo counts, in characters of 140. */
export const weiboLength = (text: string): number => {
  const links = text.match(linkPattern) ?? [];
  const ofLinks = links.reduce((sum, link) => sum + linkHalves + Math.max(0, Buffer.byteLength(link) - linkFree), 0);
  return Math.ceil((ofLinks + halves(text.replace(linkPattern, ''))) / 2);
};

const graphemes = new Intl.Segmenter('zh', { granularity: 'grapheme' });

/** The text cut between two characters so that it counts `most` halves at most, with an ellipsis where anything is missing. */
const cutTo = (text: string, most: number): string => {
  if (halves(text) <= most) return text;
  const room = most - halves('…');
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += halves(segment);
    if (used > room) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
};

/** One line; no topics (the platform refuses `#…#`), and nobody is addressed by accident. */
const harmless = (text: string): string =>
  text
    .replace(/https?:\/\/\S+/g, ' ')
    .replace(/[\p{C}\s]+/gu, ' ')
    .replaceAll('#', '＃')
    .replaceAll('@', '＠')
    .trim();

type Words = { locale: Locale; title: string; summary: string };

/** In Chinese where the item has it: that is who reads there. */
const wordsOf = ({ content }: Pick<ItemVersion, 'content'>): Words => {
  const own = /^zh\b/i.test(content.language);
  const chinese = own ? content : content.translations?.['zh-CN'];
  const { title, summary } = chinese ?? content;
  return { locale: chinese ? 'zh-CN' : 'en', title: harmless(title), summary: harmless(summary) };
};

/** `head` whole as far as it goes, then as much of `rest` as the link leaves room for. */
const fitted = (head: string, rest: string, link: string): string => {
  const room = postMost * 2 - linkHalves - Math.max(0, Buffer.byteLength(link) - linkFree) - halves(' ') - 1;
  const start = cutTo(head, room);
  const left = room - halves(start);
  const more = left >= 16 ? cutTo(rest, left) : '';
  return `${start}${more} ${link}`;
};

type Version = Pick<ItemVersion, 'item' | 'kind' | 'content' | 'note'>;

/** Where a post leads: our own page of the item, since the platform wants links of the application's own domain. */
const linkOf = (publicUrl: string, item: string): string => `${publicUrl}/items/${item}`;

/**
 * The text of a version's post. `earlier`: an earlier version stands on the account, and this one is a repost of it that names what
 * changed. Within 140 characters as Weibo counts them, the link whole.
 */
export const postText = (version: Version, publicUrl: string, earlier: boolean): string => {
  const { locale, title, summary } = wordsOf(version);
  const t = textIn(locale);
  const link = linkOf(publicUrl, version.item);
  if (version.kind === 'publication') return fitted(t('accounts:post.title', { title }), summary, link);
  const note = harmless(version.note ?? '');
  const mark = t(version.kind === 'withdrawal' ? 'accounts:post.withdrawn' : 'accounts:post.corrected');
  return earlier
    ? fitted(mark, `${note || title}`, link)
    : fitted(`${mark}${t('accounts:post.title', { title })}`, note || summary, link);
};
