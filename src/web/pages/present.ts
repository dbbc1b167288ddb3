import type { Trees } from '../../catalogue/catalogue-service.ts';
import type { PublicChange, PublicItem } from '../../catalogue/item-reader.ts';
import { wordsOf } from '../../catalogue/item-words.ts';
import { regionWithAncestors } from '../../catalogue/region.ts';
import type { Locale } from '../../catalogue/topic.ts';
import { dateFormat, momentAsWritten, momentIn } from '../../date-format.ts';
import type { Text } from '../../text.ts';
import { linked } from './linked.ts';

/** What a presenter needs to speak to one visitor. */
export type Voice = { locale: Locale; t: Text; timeZone: string; trees: Trees };

export const topicTitle = (voice: Voice, slug: string): string =>
  voice.trees.topics.find((topic) => topic.slug === slug)?.title[voice.locale] ?? slug;

export const regionName = (voice: Voice, code: string): string =>
  voice.trees.regions.find((region) => region.code === code)?.name[voice.locale] ?? code;

/** A day, as people write it: 12 March 2025, 2025年3月12日. */
export const dayOf = (voice: Pick<Voice, 'locale' | 'timeZone'>, at: number): string =>
  dateFormat(voice.locale, { dateStyle: 'long', timeZone: voice.timeZone }).format(at);

/** A day of the calendar (YYYY-MM-DD) in words. */
export const dayInWords = ({ locale }: Pick<Voice, 'locale'>, day: string): string =>
  dayOf({ locale, timeZone: 'UTC' }, Date.parse(`${day}T00:00:00Z`));

/** A day and the time on it, with its offset. */
export const momentOf = (voice: Pick<Voice, 'locale' | 'timeZone'>, at: number): string =>
  momentIn(voice.locale, at, voice.timeZone);

const paragraphs = (body: string | undefined): string[][] =>
  (body ?? '')
    .split(/\n\s*\n/)
    .map((block) =>
      block
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean),
    )
    .filter((block) => block.length > 0);

/** A notice in a list. */
export const noticeCard = (voice: Voice, item: PublicItem) => {
  const { title, summary, lang } = wordsOf(item, voice.locale);
  const short = summary.length > 280 ? `${summary.slice(0, 279).trimEnd()}…` : summary;
  return {
    href: `/items/${item.id}`,
    title,
    summary: summary === title ? '' : short,
    lang,
    date: item.publishedAt === null ? '' : dayOf(voice, item.publishedAt),
    urgency: item.content.urgency,
    withdrawn: item.state === 'withdrawn',
    topics: item.content.topics.slice(0, 3).map((slug) => topicTitle(voice, slug)),
  };
};

/** A notice on its own page. */
export const noticePage = (voice: Voice, item: PublicItem & { history: PublicChange[] }) => {
  const { content } = item;
  const words = wordsOf(item, voice.locale);
  return {
    ...noticeCard(voice, item),
    id: item.id,
    summary: words.summary === words.title ? '' : words.summary,
    url: words.url ?? content.url ?? null,
    body: paragraphs(content.body).map((lines) => lines.map(linked)),
    bodyLang: content.language,
    changeNote: item.changeNote,
    history: item.history.map(({ kind, note, at }) => ({ kind, note, at: momentOf(voice, at) })),
    departments: content.departments ?? [],
    regions: (content.regions ?? []).map((code) => regionName(voice, code)),
    keywords: content.keywords ?? [],
    deadline: content.deadline ? momentAsWritten(voice.locale, content.deadline) : null,
    topicLinks: content.topics.map((slug) => ({ slug, title: topicTitle(voice, slug) })),
  };
};

/** Regions as choices of a list: inner ones are indented below what contains them. */
export const regionChoices = (voice: Voice): { value: string; text: string }[] =>
  voice.trees.regions
    .map((region) => {
      const path = regionWithAncestors(voice.trees.regionParents, region.code);
      return {
        value: region.code,
        text: `${'\u2003'.repeat(path.length - 1)}${region.name[voice.locale]}`,
        key: path.toReversed().join('/'),
      };
    })
    .sort((a, b) => a.key.localeCompare(b.key))
    .map(({ value, text }) => ({ value, text }));
