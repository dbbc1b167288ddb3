import { type Application, bindingDay } from '../applications/application.ts';
import type { CalendarService } from '../calendar/calendar-service.ts';
import type { Calendar, Day } from '../calendar/working-day.ts';
import type { Edges } from '../edges.ts';
import type { Storage } from '../storage/storage.ts';
import type { FormedItem } from './deadline-store.ts';
import type { Span } from './span.ts';
import { type Case, judge, type LimitSummary, limitOf, publishDays, summarise, warnDays } from './time-limit.ts';

/** A case that has few days left or none, with the staff who answer for it. */
export type Pressing = Case & { staff: string; departments: string[] };

/** `unknownYears`: years whose holidays are not in the calendar; days off there are weekends alone. `more`: not all are in it. */
type DeadlineReport = Span & {
  rows: Case[];
  summary: LimitSummary[];
  unknownYears: number[];
  more: boolean;
  asOf: number;
};

export type DeadlineService = {
  /** Publications and answers whose clock started in the span. */
  report(span: Span): Promise<DeadlineReport>;
  /** What waits with five working days left or fewer, or is late, the most pressing first; and the years without data. */
  pressing(): Promise<{ rows: Pressing[]; unknownYears: number[] }>;
};

export type DeadlineStores = Pick<Storage, 'deadlines' | 'applications'>;

const rowsMost = 10_000;
/** What was formed longer ago and never published is no case of today's desk; the report has it. */
const pressingYears = 1;

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
        dueOn: bindingDay(application, postponement && days.dayOf(postponement.at)),
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
      const items = await stores.deadlines.formed(since, today, { unpublished: true, limit: rowsMost });
      const waiting = await stores.applications.openUntil(horizon, rowsMost);
      const rows: Pressing[] = [
        ...items.map(({ writer, departments, ...item }) => ({
          ...ofItem(calendar, { ...item, writer, departments }, today),
          staff: writer,
          departments,
        })),
        ...waiting.map((application) => ({
          ...ofApplication(calendar, application, today),
          staff: application.by,
          departments: [],
        })),
      ].filter(({ state }) => state === 'due-soon' || state === 'overdue');
      const first = [today, ...rows.map(({ startedOn }) => startedOn)].sort()[0] ?? today;
      return {
        rows: rows.sort((a, b) => (a.daysLeft ?? 0) - (b.daysLeft ?? 0) || (a.id < b.id ? -1 : 1)),
        unknownYears: days.warnUnknown(calendar, first, calendar.after(today, publishDays)),
      };
    },
  };
};
