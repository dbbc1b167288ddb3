import { DateTime } from 'luxon';
import { type QuietHours, type Recipient, usualDigestHour } from '../subscriptions/subscriber.ts';
import type { CapSlot } from './ledger-store.ts';

/** The zone that a person lives by. */
export const zoneOf = (person: Pick<Recipient, 'timeZone'>, defaults: { timeZone: string }): string =>
  person.timeZone ?? defaults.timeZone;

/** When a person's digests come: at this hour of a day in this zone. It also ends a night without a digest. */
export type DigestClock = { zone: string; hour: number };

/** The clock of a person's digests; that of nobody in particular (null) is everybody's who chose nothing. */
export const digestClockOf = (
  person: Pick<Recipient, 'timeZone' | 'digestHour'> | null,
  defaults: { timeZone: string },
): DigestClock => ({
  zone: zoneOf(person ?? { timeZone: null }, defaults),
  hour: person?.digestHour ?? usualDigestHour,
});

/** The person's calendar day and ISO week (8601) at a moment. */
export const capDates = (zone: string, now: number): Pick<CapSlot, 'day' | 'week'> => {
  const local = DateTime.fromMillis(now, { zone });
  return { day: local.toFormat('yyyy-MM-dd'), week: local.toFormat("kkkk-'W'WW") };
};

/**
 * The end of the quiet hours that `now` lies in, or null. Hours are local wall times, the end is exclusive, and a window
 * may pass midnight; on a daylight-saving night a wall time that does not exist moves forward (luxon's rule).
 */
export const quietUntil = (quiet: QuietHours | null, zone: string, now: number): number | null => {
  if (!quiet || quiet.from === quiet.to) return null;
  const local = DateTime.fromMillis(now, { zone });
  for (const daysBack of [1, 0]) {
    const day = local.minus({ days: daysBack });
    const from = at(day, quiet.from);
    const to = at(quiet.to > quiet.from ? day : day.plus({ days: 1 }), quiet.to);
    if (from <= now && now < to) return to;
  }
  return null;
};

const at = (day: DateTime, clock: string): number => {
  const [hour, minute] = clock.split(':').map(Number);
  return day
    .startOf('day')
    .set({ hour: hour ?? 0, minute: minute ?? 0 })
    .toMillis();
};

/**
 * The digest moment of the day or ISO week that `now` lies in, moved by whole days or weeks of the calendar. An hour that the
 * day does not have moves forward (luxon's rule).
 */
const slotAt = (pace: 'daily' | 'weekly', { zone, hour }: DigestClock, now: number, steps: number): number => {
  const local = DateTime.fromMillis(now, { zone });
  const start =
    pace === 'daily' ? local.startOf('day').plus({ days: steps }) : local.startOf('week').plus({ weeks: steps });
  return start.set({ hour }).toMillis();
};

/** The next digest slot after `now`: tomorrow's or today's digest hour where the person lives; weekly on Monday (ISO week). */
export const digestSlot = (pace: 'daily' | 'weekly', clock: DigestClock, now: number): number => {
  const slot = slotAt(pace, clock, now, 0);
  return slot > now ? slot : slotAt(pace, clock, now, 1);
};

/** The digest slot that has come last: at `now` or before it. */
export const lastDigestSlot = (pace: 'daily' | 'weekly', clock: DigestClock, now: number): number => {
  const slot = slotAt(pace, clock, now, 0);
  return slot <= now ? slot : slotAt(pace, clock, now, -1);
};

/** The next moment, now excluded, at which a local clock shows that full hour. */
export const nextHour = (hour: number, zone: string, now: number): number => {
  const local = DateTime.fromMillis(now, { zone });
  const today = local.startOf('day').set({ hour }).toMillis();
  return today > now ? today : local.startOf('day').plus({ days: 1 }).set({ hour }).toMillis();
};

/** The hour that a person's clock shows. */
export const hourAt = (zone: string, now: number): number => DateTime.fromMillis(now, { zone }).hour;

/** Tomorrow's digest hour: nobody wants at midnight what yesterday had no room for. */
export const nextDay = (clock: DigestClock, now: number): number => slotAt('daily', clock, now, 1);
