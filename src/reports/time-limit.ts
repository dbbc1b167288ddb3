import { answerDays } from '../applications/application.ts';
import { type Calendar, type Day, daysLeft } from '../calendar/working-day.ts';

/** Information is published within so many working days of the day it was formed on. */
export const publishDays = 20;
/** Warnings come so many working days before a time limit is passed. */
export const warnDays = 5;

/** The two time limits: an item's publication, an application's answer. */
export const limitKinds = ['publication', 'answer'] as const;
export type LimitKind = (typeof limitKinds)[number];

/** How a time limit stands: kept, passed with it done, waiting, waiting with few days left, waiting and passed. */
export const limitStates = ['kept', 'late', 'open', 'due-soon', 'overdue'] as const;
type LimitState = (typeof limitStates)[number];

/** One case: what it is about, the day its clock started, the day it was due, the day it was done (null: not yet). */
export type Case = {
  kind: LimitKind;
  id: string;
  title: string | null;
  startedOn: Day;
  dueOn: Day;
  doneOn: Day | null;
  /** The working days that may be taken, and those that were taken so far or until it was done. */
  allowed: number;
  taken: number;
  /** Working days from today to the day it is due; negative when passed, null once done. */
  daysLeft: number | null;
  state: LimitState;
};

const stateOf = (dueOn: Day, doneOn: Day | null, daysLeft: number): LimitState => {
  if (doneOn !== null) return doneOn <= dueOn ? 'kept' : 'late';
  if (daysLeft < 0) return 'overdue';
  return daysLeft <= warnDays ? 'due-soon' : 'open';
};

/** The day a case is due by the law alone. */
export const limitOf = (calendar: Calendar, kind: LimitKind, startedOn: Day): Day =>
  calendar.after(startedOn, kind === 'publication' ? publishDays : answerDays);

/** Judges one case on a day. */
export const judge = (
  calendar: Calendar,
  one: Pick<Case, 'kind' | 'id' | 'title' | 'startedOn' | 'dueOn' | 'doneOn'>,
  today: Day,
): Case => {
  const left = daysLeft(calendar, today, one.dueOn);
  return {
    ...one,
    allowed: calendar.between(one.startedOn, one.dueOn),
    taken: Math.max(0, calendar.between(one.startedOn, one.doneOn ?? today)),
    daysLeft: one.doneOn === null ? left : null,
    state: stateOf(one.dueOn, one.doneOn, left),
  };
};

/** How many cases of a kind stand how; `share` of those decided (kept, late or overdue) that were kept, null for none. */
export type LimitSummary = { kind: LimitKind; cases: number; share: number | null } & Record<LimitState, number>;

export const summarise = (cases: readonly Case[]): LimitSummary[] =>
  limitKinds.map((kind) => {
    const own = cases.filter((one) => one.kind === kind);
    const counts = Object.fromEntries(
      limitStates.map((state) => [state, own.filter((one) => one.state === state).length]),
    ) as Record<LimitState, number>;
    const decided = counts.kept + counts.late + counts.overdue;
    return { kind, cases: own.length, ...counts, share: decided === 0 ? null : counts.kept / decided };
  });
