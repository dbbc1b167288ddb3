import { type Application, bindingDay } from '../applications/application.ts';
import type { CalendarService } from '../calendar/calendar-service.ts';
import type { Calendar, Day } from '../calendar/working-day.ts';
import type { Edges } from '../edges.ts';
import type { Storage } from '../storage/storage.ts';
import type { FormedItem } from './deadline-store.ts';
import type { Period } from './period.ts';
import { type Case, judge, type LimitSummary, limitOf, publishDays, summarise, warnDays } from './time-limit.ts';

/** A case that has few days left or none, with the staff who answer for it, and the day staff were given: a postponed one, too. */
export type Pressing = Case & { staff: string; departments: string[]; givenUntil: Day };

/** `unknownYears`: years whose holidays are not in the calendar; days off there are weekends alone. `more`: not all are in it. */
type DeadlineReport = Period & {
  rows: Case[];
  summary: LimitSummary[];
  unknownYears: number[];
  more: boolean;
  asOf: number;
};

export type DeadlineService = {
  /** Publications and answers whose clock started in the span. */
  report(period: Period): Promise<DeadlineReport>;
  /**
   * What waits with five working days left or fewer, or is late, the most pressing first; and the years without data. `more`: there
   * is still more that is late.
   */
  pressing(): Promise<{ rows: Pressing[]; unknownYears: number[]; more: boolean }>;
};

export type DeadlineStores = Pick<Storage, 'deadlines' | 'applications'>;

const rowsMost = 10_000;
/** What was formed longer ago and never published is no case of today's desk; the report has it. */
const pressingYears = 1;
/** In so many days 20 working days pass, whatever the holidays. */
const recentDays = 60;

const dayBefore = (day: Day, days: number): Day =>
  new Date(Date.parse(`${day}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);

/** Time limits: a read model over the days items were formed on and applications received. */
export const makeDeadlineService = (
  stores: DeadlineStores,
  { calendar: days, edges }: { calendar: CalendarService; edges: Pick<Edges, 'now'> },
): DeadlineService => {
  const ofItem = (calendar: Calendar, item: FormedItem, today: Day): Case =>
    judge(
      calendar,
      {
        ...{ kind: 'publication', id: item.id, title: item.title, startedOn: item.formedOn },
        dueOn: limitOf(calendar, 'publication', item.formedOn),
        doneOn: item.publishedAt === null ? null : days.dayOf(item.publishedAt),
      },
      today,
    );

  const ofApplication = (calendar: Calendar, application: Application, today: Day): Case => {
    const { id, receivedOn, postponement, answer } = application;
    return judge(
      calendar,
      {
        ...{ kind: 'answer', id, title: null, startedOn: receivedOn },
        dueOn: bindingDay(application, postponement?.told ? days.dayOf(postponement.at) : null),
        doneOn: answer && days.dayOf(answer.at),
      },
      today,
    );
  };

  return {
    report: async ({ from, to }) => {
      const calendar = await days.calendar();
      const today = days.dayOf();
      const items = await stores.deadlines.formed(from, to, { unpublished: false, limit: rowsMost + 1 });
      const received = await stores.applications.received(from, to, rowsMost + 1);
      const all = [
        ...items.map((item) => ofItem(calendar, item, today)),
        ...received
          .filter(({ state }) => state !== 'forgotten')
          .map((application) => ofApplication(calendar, application, today)),
      ];
      const rows = all.slice(0, rowsMost);
      const last = [from, ...rows.map(({ dueOn }) => dueOn)].sort().at(-1) ?? from;
      return {
        ...{ from, to, rows, summary: summarise(rows), asOf: edges.now() },
        unknownYears: rows.length === 0 ? [] : days.warnUnknown(calendar, from, last),
        more: all.length > rows.length,
      };
    },
    pressing: async () => {
      const calendar = await days.calendar();
      const today = days.dayOf();
      const horizon = calendar.after(today, warnDays);
      const since = `${Number(today.slice(0, 4)) - pressingYears}${today.slice(4)}`.replace(/-02-29$/, '-02-28');
      // what may still be done in time is asked for by itself: however much is late, it cuts off none of it
      const recent = dayBefore(today, recentDays);
      const asked = { unpublished: true, limit: rowsMost };
      const soon = await stores.deadlines.formed(recent, today, asked);
      const old = await stores.deadlines.formed(since, dayBefore(recent, 1), asked);
      const due = await stores.applications.openBetween(today, horizon, rowsMost);
      const passed = await stores.applications.openBetween('0000-01-01', dayBefore(today, 1), rowsMost);
      const items = [...soon, ...old];
      const waiting = [...new Map([...due, ...passed].map((one) => [one.id, one])).values()];
      const rows: Pressing[] = [
        ...items.map((item) => {
          const found = ofItem(calendar, item, today);
          return { ...found, staff: item.writer, departments: item.departments, givenUntil: found.dueOn };
        }),
        ...waiting.map((application) => ({
          ...ofApplication(calendar, application, today),
          ...{ staff: application.by, departments: [], givenUntil: application.dueOn },
        })),
      ].filter(({ state }) => state === 'due-soon' || state === 'overdue');
      const first = [today, ...rows.map(({ startedOn }) => startedOn)].sort()[0] ?? today;
      return {
        rows: rows.sort((a, b) => (a.daysLeft ?? 0) - (b.daysLeft ?? 0) || (a.id < b.id ? -1 : 1)),
        unknownYears: days.warnUnknown(calendar, first, calendar.after(today, publishDays)),
        more: [soon, old, due, passed].some(({ length }) => length === rowsMost),
      };
    },
  };
};
