import ical, { ICalEventStatus, ICalEventTransparency } from 'ical-generator';
import type { PublicItem } from '../catalogue/item-reader.ts';
import { wordsOf } from '../catalogue/item-words.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { Text } from '../text.ts';
import { entryId } from './feed.ts';

export type CalendarTools = { locale: Locale; t: Text; publicUrl: string; name: string; self: string };

/** Words of document types by which an office asks for comments. */
const consultation = /consultation|call[\s_-]?for[\s_-]?(?:evidence|comments)|征求意见|意见征集|公开征询|听证/i;

/** Whether an item asks people for their comments until its deadline. */
const isConsultation = ({ documentType }: Pick<PublicItem['content'], 'documentType'>): boolean =>
  consultation.test(documentType ?? '');

// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 5545 section 3.1 has no place for them in a text
const controls = /[\u0000-\u0008\u000B-\u001F\u007F]/g;
const clean = (text: string): string => text.replace(/\r\n?/g, '\n').replace(controls, '');

/** How often subscribers are asked to come by again, in seconds (RFC 7986 section 5.7). */
const refreshSeconds = 3_600;

/**
 * The deadlines among items as a calendar (RFC 5545): an event without length at the moment of each, under a UID that stays
 * through corrections, with a SEQUENCE that counts them; a withdrawn item's is cancelled.
 */
export const calendarOf = (items: PublicItem[], tools: CalendarTools): string => {
  const { locale, t, publicUrl, name, self } = tools;
  const calendar = ical({
    name: clean(name),
    prodId: { company: 'Bellman', product: 'Bellman', language: locale.toUpperCase() },
    url: self,
    ttl: refreshSeconds,
  });
  for (const item of items) {
    const { deadline } = item.content;
    if (deadline === undefined) continue;
    const words = wordsOf(item, locale);
    const url = `${publicUrl}/items/${encodeURIComponent(item.id)}`;
    const title = t(isConsultation(item.content) ? 'feeds:consultation' : 'feeds:deadline', { title: words.title });
    const event = calendar.createEvent({
      id: entryId(item.id),
      sequence: (item.version - 1) * 1_000 + Math.min(item.revision, 999),
      start: new Date(deadline),
      stamp: new Date(item.updatedAt),
      lastModified: new Date(item.updatedAt),
      summary: clean(title),
      description: clean(`${words.summary}\n\n${url}`),
      url,
      status: item.state === 'withdrawn' ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
      transparency: ICalEventTransparency.TRANSPARENT,
    });
    event.categories(item.content.topics.map((slug) => ({ name: clean(slug) })));
  }
  return `${calendar.toString()}\r\n`;
};
