import { chinaYears } from '../../../src/calendar/china.ts';
import { makeCalendar } from '../../../src/calendar/working-day.ts';
import { toCsv } from '../../../src/reports/csv.ts';
import { periodOf } from '../../../src/reports/period.ts';
import { type Case, judge, limitOf, summarise } from '../../../src/reports/time-limit.ts';

const calendar = makeCalendar(chinaYears);
const one = {
  kind: 'answer' as const,
  id: 'x',
  title: null,
  startedOn: '2025-01-24',
  dueOn: '2025-02-20',
  doneOn: null,
};

describe('a time limit', () => {
  it.each([
    ['2025-02-12', 'open', 6],
    ['2025-02-13', 'due-soon', 5],
    ['2025-02-20', 'due-soon', 0],
    ['2025-02-21', 'overdue', -1],
    ['2025-02-24', 'overdue', -2],
  ])('on %s is %s, %d working days before its end', (today, state, daysLeft) => {
    expect(judge(calendar, one, today)).toMatchObject({ state, daysLeft, allowed: 15 });
  });

  it('that ended on a Friday is passed on the Saturday after it', () => {
    expect(judge(calendar, { ...one, dueOn: '2025-02-21' }, '2025-02-22')).toMatchObject({
      state: 'overdue',
      daysLeft: -1,
    });
  });

  it('is kept on its last day, and late after it', () => {
    const done = (doneOn: string) => judge(calendar, { ...one, doneOn }, '2025-06-01');
    expect(done('2025-02-20')).toMatchObject({ state: 'kept', taken: 15, daysLeft: null });
    expect(done('2025-02-21')).toMatchObject({ state: 'late', taken: 16 });
    expect(done('2025-01-24')).toMatchObject({ state: 'kept', taken: 0 });
  });

  it('is 20 working days for publication: over National Day 2025', () => {
    expect(limitOf(calendar, 'publication', '2025-09-24')).toBe('2025-10-28');
    expect(limitOf(calendar, 'answer', '2025-01-24')).toBe('2025-02-20');
  });

  it('is summed up by kind', () => {
    const cases = ['kept', 'kept', 'late', 'open', 'overdue'].map((state) => ({ kind: 'answer', state }) as Case);
    expect(summarise(cases)).toEqual([
      { kind: 'publication', cases: 0, kept: 0, late: 0, open: 0, 'due-soon': 0, overdue: 0, share: null },
      { kind: 'answer', cases: 5, kept: 2, late: 1, open: 1, 'due-soon': 0, overdue: 1, share: 0.5 },
    ]);
  });
});

describe('the span of a report', () => {
  it('is 90 days up to today where nothing is said, and takes days and times', () => {
    const zone = 'Asia/Shanghai';
    expect(periodOf({}, zone, Date.parse('2026-06-10T04:00:00Z'))).toEqual({ from: '2026-03-12', to: '2026-06-10' });
    expect(
      periodOf({ from: '2026-01-01', to: '2026-02-01T20:00:00Z' }, zone, Date.parse('2026-06-10T04:00:00Z')),
    ).toEqual({
      from: '2026-01-01',
      to: '2026-02-02',
    });
  });
});

describe('a report as CSV', () => {
  it('quotes what needs it, and lets no text become a formula', () => {
    const rows = [
      { a: 'plain', b: 1 },
      { a: 'a "quoted", text\nof two lines', b: -1.5 },
      { a: '=HYPERLINK("http://x")', b: null },
      { a: ' +1', b: true },
      { a: '＝1+1', b: 0 },
      { a: '-1', b: 0 },
      { a: '\t@SUM(A1)', b: 0 },
      { a: '预算 = 1', b: 0 },
    ];
    expect(toCsv(['a', 'b'], rows)).toBe(
      [
        'a,b',
        'plain,1',
        '"a ""quoted"", text\nof two lines",-1.5',
        '"\'=HYPERLINK(""http://x"")",',
        "' +1,true",
        "'＝1+1,0",
        "'-1,0",
        "'\t@SUM(A1),0",
        '预算 = 1,0',
        '',
      ].join('\r\n'),
    );
    expect(toCsv(['a'], [])).toBe('a\r\n');
  });
});
