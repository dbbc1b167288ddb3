import { createHash } from 'node:crypto';
import type { Calendar, Day } from '../calendar/working-day.ts';
import type { Locale } from '../catalogue/topic.ts';

/** **application**: somebody's request for information. received -> (postponed ->) answered; forgotten with its applicant. */
export const applicationStates = ['received', 'postponed', 'answered', 'forgotten'] as const;
export type ApplicationState = (typeof applicationStates)[number];

/** An answer is due within so many working days of the day of receipt, which does not count. */
export const answerDays = 15;
/** It may be postponed once, by so many working days at most. */
const postponeDays = 20;

/** How many characters may be written: by who applies, and as the reason of a postponement. */
export const applicationMost = 20_000;
export const reasonMost = 2_000;

/**
 * The one postponement: made at `at` (ms) by a member of staff, until a day. Its reason is among what is written. `told`: there
 * was an address to write it to; else the office has to.
 */
type Postponement = { until: Day; at: number; by: string; told: boolean };

/** The answer: a targeted item, and the push by which it goes to the applicant. */
type Answer = { item: string; push: string; at: number; by: string };

/**
 * An application as it is kept. `applicant` is a subscriber's ordinal, or their contact's (`contact`; null until there is something
 * to send). `written` is sealed (`Written`) and null once the applicant was forgotten; `lookup` is that of a contact's email.
 * `dueOn` is the day that counts now. `owes`: what a process that dies may have left undone, which a sweep makes good.
 */
export type Application = {
  id: string;
  /** What applicant and office call it by (`numberOf`). */
  number: string;
  /** Counts changes, for who reads before they write. */
  beat: number;
  state: ApplicationState;
  contact: boolean;
  applicant: number | null;
  lookup: string | null;
  written: string | null;
  receivedAt: number;
  receivedOn: Day;
  /** 15 working days after the receipt. */
  firstDueOn: Day;
  dueOn: Day;
  postponement: Postponement | null;
  answer: Answer | null;
  /** When the signed link to the answer was opened first, in ms. */
  openedAt: number | null;
  owes: 'letter' | 'push' | null;
  /** The staff account that registered it. */
  by: string;
  createdAt: number;
};

/** What an application says in words, and of a contact where and in which language it is answered; sealed at rest. */
export type Written = { text: string; email: string | null; locale?: Locale | null; reason: string | null };

// letters and digits that nobody mistakes for one another on paper or on the telephone
const numerals = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';

/**
 * The number of an application: the day of its receipt and six signs of its id's hash, as 20260608-7KX2MQ. It names the
 * application, and is no key to it.
 */
export const numberOf = (id: string, receivedOn: Day): string => {
  const signs = [...createHash('sha256').update(id).digest().subarray(0, 6)].map((byte) => numerals[byte % 32]);
  return `${receivedOn.replaceAll('-', '')}-${signs.join('')}`;
};

type Dates = Pick<Application, 'receivedAt' | 'receivedOn' | 'firstDueOn' | 'dueOn'>;

/** The dates of an application received at a moment (ms) of a day. */
export const datesOf = (calendar: Calendar, receivedAt: number, receivedOn: Day): Dates => {
  const due = calendar.after(receivedOn, answerDays);
  return { receivedAt, receivedOn, firstDueOn: due, dueOn: due };
};

/** The same with the days that a calendar which has changed makes due; null where none moves. A postponed day stays. */
export const redated = (calendar: Calendar, application: Application): Application | null => {
  const { receivedAt, receivedOn, postponement } = application;
  const { firstDueOn } = datesOf(calendar, receivedAt, receivedOn);
  const dueOn = postponement && postponement.until > firstDueOn ? postponement.until : firstDueOn;
  const same = firstDueOn === application.firstDueOn && dueOn === application.dueOn;
  return same ? null : { ...application, firstDueOn, dueOn };
};

/** The last day to which an application may be postponed. */
export const lastDay = (calendar: Calendar, { firstDueOn }: Pick<Application, 'firstDueOn'>): Day =>
  calendar.after(firstDueOn, postponeDays);

/** Why an application cannot be postponed to a day, as of today, by what is at fault; null if it can. */
export const postponeFault = (
  calendar: Calendar,
  application: Pick<Application, 'state' | 'firstDueOn'>,
  until: Day,
  today: Day,
): 'state' | 'early' | 'past' | 'late' | null => {
  if (application.state !== 'received') return 'state';
  if (until <= application.firstDueOn) return 'early';
  if (until < today) return 'past';
  return until > lastDay(calendar, application) ? 'late' : null;
};

/** postponed: a new day is due, and the applicant has to be told. */
export const postponed = (
  application: Application,
  postponement: Postponement,
  written: string | null,
): Application => ({
  ...application,
  state: 'postponed',
  dueOn: postponement.until,
  postponement,
  written,
  owes: postponement.told ? 'letter' : null,
});

/** answered: the push to the applicant has to be written. */
export const answered = (application: Application, answer: Answer): Application => ({
  ...application,
  state: 'answered',
  answer,
  owes: 'push',
});

/** Waits again: its answer can no longer be pushed. */
export const reopened = (application: Application): Application => ({
  ...application,
  state: application.postponement ? 'postponed' : 'received',
  answer: null,
  owes: null,
});

/**
 * The day that the law holds the office to. A postponement counts only if it was told while the answer was not late yet;
 * `postponedOn` is the day on which it was told, null where nobody could be.
 */
export const bindingDay = (
  { firstDueOn, dueOn }: Pick<Application, 'firstDueOn' | 'dueOn'>,
  postponedOn: Day | null,
): Day => (postponedOn !== null && postponedOn <= firstDueOn ? dueOn : firstDueOn);
