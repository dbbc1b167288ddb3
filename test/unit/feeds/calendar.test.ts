import ICAL from 'ical.js';
import type { PublicItem } from '../../../src/catalogue/item-reader.ts';
import { calendarOf } from '../../../src/feeds/calendar.ts';
import { textIn } from '../../../src/text.ts';
import { makeItemContent } from '../../helpers/published.ts';

const makeItem = (content: Partial<PublicItem['content']>, overrides: Partial<PublicItem> = {}): PublicItem => ({
  id: 'item-1',
  externalId: null,
  state: 'published',
  version: 1,
  revision: 0,
  content: { ...makeItemContent(), deadline: '2026-07-01T17:00:00+08:00', ...content },
  changeNote: null,
  publishedAt: Date.UTC(2026, 5, 1),
  updatedAt: Date.UTC(2026, 5, 1),
  ...overrides,
});

/** Reads by RFC 5545 section 3.1: lines end in CRLF, hold 75 octets at most and go on after a blank. */
const read = (text: string): Record<string, string>[] => {
  expect(text.endsWith('\r\nEND:VCALENDAR\r\n')).toBe(true);
  const lines = text.split('\r\n');
  for (const line of lines) {
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    expect(line).not.toContain('\n');
  }
  const events: Record<string, string>[] = [];
  for (const line of lines.join('\r\n').replaceAll('\r\n ', '').split('\r\n')) {
    if (line === 'BEGIN:VEVENT') events.push({});
    const [name = '', ...rest] = line.split(':');
    const event = events.at(-1);
    if (event)
      event[name.split(';')[0] ?? ''] = rest
        .join(':')
        .replace(/\\n/gi, '\n')
        .replace(/\\([\\;,])/g, '$1');
  }
  return events;
};

const calendar = (items: PublicItem[], locale: 'en' | 'zh-CN' = 'en'): string =>
  calendarOf(items, {
    locale,
    t: textIn(locale),
    publicUrl: 'https://notices.example.org',
    name: 'Services',
    self: 'https://notices.example.org/feeds/topics/services/calendar.ics',
  });

describe('the calendar of deadlines', () => {
  it('holds those that have one, at its moment', () => {
    const [event, ...others] = read(calendar([makeItem({}), makeItem({ deadline: undefined }, { id: 'item-2' })]));
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      DTSTART: '20260701T090000Z',
      SUMMARY: 'Deadline: Water is off',
      STATUS: 'CONFIRMED',
      SEQUENCE: '0',
      URL: 'https://notices.example.org/items/item-1',
      CATEGORIES: 'services',
    });
  });

  it('says of a consultation that it closes', () => {
    for (const documentType of ['open_consultation', 'Call for evidence', '征求意见稿'])
      expect(read(calendar([makeItem({ documentType })]))[0]?.SUMMARY).toBe('Consultation closes: Water is off');
    expect(read(calendar([makeItem({ documentType: '征求意见' })], 'zh-CN'))[0]?.SUMMARY).toContain('征求意见截止');
  });

  it('says the same to another parser, of deadlines and consultations alike', () => {
    const title = '停水; "通知", \\ 与 🚰 '.repeat(9).trim();
    const items = [
      makeItem({ title, topics: ['services', 'a,b'] }),
      makeItem({ documentType: '征求意见稿', deadline: '2026-12-31T23:59:59-05:00' }, { id: 'item-2', version: 3 }),
      makeItem({}, { id: 'item-3', state: 'withdrawn' }),
    ];
    for (const locale of ['en', 'zh-CN'] as const) {
      const root = new ICAL.Component(ICAL.parse(calendar(items, locale)));
      expect([root.name, root.getFirstPropertyValue('version')]).toEqual(['vcalendar', '2.0']);
      expect(String(root.getFirstPropertyValue('prodid'))).toMatch(/^-\/\//);
      const events = root.getAllSubcomponents('vevent').map((one) => new ICAL.Event(one, { strictExceptions: true }));
      const say = textIn(locale);
      expect(events.map(({ summary }) => summary)).toEqual([
        say('feeds:deadline', { title }),
        say('feeds:consultation', { title: 'Water is off' }),
        say('feeds:deadline', { title: 'Water is off' }),
      ]);
      expect(events.map(({ startDate }) => startDate.toJSDate().toISOString())).toEqual([
        '2026-07-01T09:00:00.000Z',
        '2027-01-01T04:59:59.000Z',
        '2026-07-01T09:00:00.000Z',
      ]);
      expect(events.map(({ sequence }) => Number(sequence))).toEqual([0, 2_000, 0]);
      expect(new Set(events.map(({ uid }) => uid)).size).toBe(3);
      const [first, , last] = root.getAllSubcomponents('vevent');
      expect(first?.getFirstProperty('categories')?.getValues()).toEqual(['services', 'a,b']);
      expect(last?.getFirstPropertyValue('status')).toBe('CANCELLED');
      expect(first?.getFirstPropertyValue('dtstamp')).toBeTruthy();
    }
  });

  it('keeps an event through corrections, and cancels that of a withdrawn item', () => {
    const states = [makeItem({}), makeItem({}, { revision: 2 }), makeItem({}, { version: 2, state: 'withdrawn' })];
    const events = states.map((item) => read(calendar([item]))[0]);
    expect(new Set(events.map((event) => event?.UID)).size).toBe(1);
    expect(events.map((event) => Number(event?.SEQUENCE))).toEqual([0, 2, 1_000]);
    expect(events[2]?.STATUS).toBe('CANCELLED');
  });

  it('brings nothing in by its texts', () => {
    const title = `Long; title, with \\ signs\r\nEND:VEVENT\nX:y\u0000 ${'很长的标题'.repeat(30)}`;
    const events = read(calendar([makeItem({ title, summary: 'a\r\nBEGIN:VALARM\rb' })]));
    expect(events).toHaveLength(1);
    expect(events[0]?.SUMMARY).toBe(`Deadline: ${title.replace('\r\n', '\n').replace('\u0000', '')}`);
    expect(events[0]?.DESCRIPTION).toBe('a\nBEGIN:VALARM\nb\n\nhttps://notices.example.org/items/item-1');
  });
});
