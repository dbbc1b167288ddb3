import type { Text } from '../../text.ts';

/** A day from midnight to midnight as it is drawn: stretches and a mark in minutes, and the same in words. */
export type DayPicture = {
  /** Quiet stretches: none, one, or two where they go over midnight; always two, an empty one has no width. */
  quiet: { from: number; minutes: number }[];
  /** When summaries come. */
  digest: number;
  words: string;
};

const dayMinutes = 24 * 60;

/** Minutes after midnight of a time such as 22:30; null for anything else. */
const minutesOf = (time: string): number | null => {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? [];
  return hour === undefined ? null : Number(hour) * 60 + Number(minute);
};

const none = { from: 0, minutes: 0 };

const stretches = (from: number, to: number): DayPicture['quiet'] =>
  from < to
    ? [{ from, minutes: to - from }, none]
    : [
        { from, minutes: dayMinutes - from },
        { from: 0, minutes: to },
      ];

/** Quiet hours and the hour of summaries on a picture of the day; times that are none are left out of it. */
export const dayPicture = (t: Text, typed: { from: string; to: string; digestHour: string }): DayPicture => {
  const [from, to] = [minutesOf(typed.from), minutesOf(typed.to)];
  const isQuiet = from !== null && to !== null && from !== to;
  return {
    quiet: isQuiet ? stretches(from, to) : [none, none],
    digest: minutesOf(typed.digestHour) ?? 0,
    words: [
      isQuiet ? t('settings.dayQuiet', { from: typed.from, to: typed.to }) : t('settings.dayLoud'),
      t('settings.dayDigest', { at: typed.digestHour }),
    ].join(' '),
  };
};
