import { toCsv } from '../../../src/reports/csv.ts';
import {
  coverageRow,
  funnelRow,
  ruleRow,
  satisfactionRow,
  shareOf,
  worstServed,
} from '../../../src/reports/figures.ts';
import { lastDays, monthsIn, periodBefore, periodOf } from '../../../src/reports/period.ts';
import { countedBy, hiddenRows, maskedRow, maskedRows, maskedWorst } from '../../../src/web/masked-rows.ts';

describe('figures of reports', () => {
  it('says nothing is known of a share of nothing', () => {
    expect(shareOf(0, 0)).toEqual({ share: null, interval: [0, 1] });
    const { share, interval } = shareOf(50, 100);
    expect(share).toBe(0.5);
    expect(interval[0]).toBeCloseTo(0.4028, 3);
    expect(interval[1]).toBeCloseTo(0.5972, 3);
  });

  it('names where people stand, and why, most first', () => {
    const row = funnelRow('x', { matched: 9, withheld: 3, 'withheld:expired': 1, 'withheld:holdout': 2, 'failed:': 4 });
    expect(row).toMatchObject({ key: 'x', matched: 9, sent: 0, withheld: 3 });
    expect(row.byCode.map(({ code, people }) => [code, people])).toEqual([
      ['holdout', 2],
      ['expired', 1],
    ]);
  });

  it('shows a rule without judged messages as unknown, not as bad', () => {
    const row = ruleRow('r', 1, { sent: 5 });
    expect(row.posterior.mean).toBe(0.5);
    expect(row.posterior.interval[1] - row.posterior.interval[0]).toBeGreaterThan(0.99);
    expect(row.lift).toBeNull();
  });

  it('measures lift between the arms', () => {
    const { lift } = ruleRow('r', 1, { told: 1000, toldViewed: 300, heldOut: 500, heldOutViewed: 100 });
    expect(lift?.lift).toBeCloseTo(0.1, 10);
    expect(lift?.interval[0]).toBeGreaterThan(0.05);
    expect(lift?.interval[1]).toBeLessThan(0.15);
  });

  it('names the worst served by more than chance before the lowest, and no channel, nobody unknown, no handful', () => {
    const large = coverageRow('region', 'large', { entitled: 10_000, reached: 9_500 });
    const low = coverageRow('region', 'low', { entitled: 300, reached: 250 });
    const chance = coverageRow('region', 'chance', { entitled: 10, reached: 8 });
    const others = [
      coverageRow('region', 'few', { entitled: 9, reached: 0 }),
      coverageRow('region', 'none', { entitled: 90, reached: 0 }),
      coverageRow('channel', 'sms', { entitled: 500, reached: 0 }),
    ];
    expect(worstServed([large, chance, low, ...others])).toMatchObject({ key: 'low', certain: true });
    expect(worstServed([large, chance])).toMatchObject({ key: 'chance', certain: false });
    expect(worstServed(others)).toBeNull();
    expect(worstServed([])).toBeNull();
  });

  it('takes the mean of ratings, and the share of good ones', () => {
    expect(satisfactionRow('t', { rated1: 1, rated4: 1, rated5: 2 })).toMatchObject({
      ...{ ratings: 4, mean: 3.75, byRating: [1, 0, 0, 1, 2], share: 0.75 },
    });
    expect(satisfactionRow('t', {}).mean).toBeNull();
  });
});

describe('periods of reports', () => {
  const now = Date.parse('2026-06-10T18:00:00Z');
  it('read days and moments in the time zone of the office', () => {
    expect(periodOf({}, 'Asia/Shanghai', now)).toEqual({ from: '2026-03-13', to: '2026-06-11' });
    expect(periodOf({ to: '2026-01-31' }, 'Asia/Shanghai', now)).toEqual({ from: '2025-11-02', to: '2026-01-31' });
    const asked = { from: '2026-05-31T20:00:00Z', to: '2026-06-01T04:00:00+08:00' };
    expect(periodOf(asked, 'Asia/Shanghai', now)).toEqual({ from: '2026-06-01', to: '2026-06-01' });
  });

  it('have a period before them of the same length', () => {
    const week = lastDays(7, 'UTC', now);
    expect(week).toEqual({ from: '2026-06-04', to: '2026-06-10' });
    expect(periodBefore(week)).toEqual({ from: '2026-05-28', to: '2026-06-03' });
  });

  it.each([
    ['2026-06-10', '2026-06-20', null, ['2026-06-10 2026-06-20']],
    ['2026-06-01', '2026-06-30', '2026-06 2026-06', []],
    ['2026-05-31', '2026-07-01', '2026-06 2026-06', ['2026-05-31 2026-05-31', '2026-07-01 2026-07-01']],
    ['2025-12-15', '2026-02-28', '2026-01 2026-02', ['2025-12-15 2025-12-31']],
    ['2026-01-02', '2026-02-27', null, ['2026-01-02 2026-02-27']],
  ])('%s to %s hold the months %s and the days %j', (from, to, months, days) => {
    const found = monthsIn({ from, to });
    expect(found.months && `${found.months.from} ${found.months.to}`).toBe(months);
    expect(found.days.map((one) => `${one.from} ${one.to}`)).toEqual(days);
  });
});

describe('rows that few people are in', () => {
  const row = { key: 'x', version: 3, sent: 4, list: [1], more: { a: 1 } };
  it('lose their numbers', () => {
    expect(maskedRow(row, 4, false, ['version'])).toEqual({
      ...{ key: 'x', version: 3, sent: null, list: [], more: null, fewerThan: 10 },
    });
  });
  it.each([
    [0, false],
    [10, false],
    [4, true],
  ])('unless %d people are in it, or exactly (%j)', (people, exact) => {
    expect(maskedRow(row, people, exact)).toBe(row);
  });
});

describe('rows that could be worked out from a total', () => {
  const hiddenOf = (...people: number[]) =>
    [
      ...hiddenRows(
        people.map((matched) => ({ matched })),
        countedBy.funnel,
      ),
    ]
      .map(({ matched }) => matched)
      .sort((a, b) => a - b);
  it.each<[number[], number[]]>([
    [[40, 30, 12], []],
    [
      [40, 30, 4],
      [4, 30],
    ],
    [
      [40, 12, 4, 12],
      [4, 12],
    ],
    [
      [40, 5, 6],
      [5, 6],
    ],
    [
      [40, 3, 4],
      [3, 4, 40],
    ],
    [
      [40, 4, 0],
      [4, 40],
    ],
    [[4], [4]],
    [[], []],
  ])('of %j hides %j', (people, hidden) => expect(hiddenOf(...people)).toEqual(hidden));

  it('are looked for group by group, and shown to whoever sees all', () => {
    const row = (group: 'region' | 'language', key: string, entitled: number) =>
      coverageRow(group, key, { entitled, reached: 1 });
    const rows = [row('region', 'a', 50), row('region', 'b', 3), row('region', 'c', 60), row('language', 'en', 113)];
    expect(maskedRows(rows, countedBy.coverage, false).map(({ entitled }) => entitled)).toEqual([null, null, 60, 113]);
    expect(maskedRows(rows, countedBy.coverage, true)).toEqual(rows);
    const worst = worstServed(rows);
    expect(worst).toMatchObject({ key: 'en' });
    expect(maskedWorst(worst, maskedRows(rows, countedBy.coverage, false))).toBe(worst);
    const other = { ...row('region', 'a', 50), certain: true };
    expect(maskedWorst(other, maskedRows(rows, countedBy.coverage, false))).toEqual({
      ...{ group: 'region', key: 'a', entitled: null, reached: null, share: null, interval: [] },
      ...{ certain: true, fewerThan: 10 },
    });
  });
});

describe('CSV', () => {
  it.each([
    ['=1+1', "'=1+1"],
    [' +1', "' +1"],
    ['-1', "'-1"],
    ['@x', "'@x"],
    ['\t=1', "'\t=1"],
    ['\uFF1D1', "'\uFF1D1"],
    ['plain', 'plain'],
  ])('keeps %j from being a formula', (text, cell) => {
    expect(toCsv(['a'], [{ a: text }])).toBe(`a\r\n${cell}\r\n`);
  });
  it('quotes, and keeps numbers numbers', () => {
    expect(toCsv(['a', 'b', 'c'], [{ a: -1, b: 'x"y\nz', c: null }])).toBe('a,b,c\r\n-1,"x""y\nz",\r\n');
  });
});
