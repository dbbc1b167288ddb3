import { chinaYears } from '../../../src/calendar/china.ts';
import { dayAt, endOf, isDay, makeCalendar, startOf, yearFaults } from '../../../src/calendar/working-day.ts';

const calendar = makeCalendar(chinaYears);

describe('working days', () => {
  it.each([
    ['2025-01-26', true, 'a Sunday made up for Spring Festival'],
    ['2025-01-27', true, 'the Monday before it'],
    ['2025-01-28', false, 'New Year’s Eve of the lunar year'],
    ['2025-02-04', false, 'the last day of it'],
    ['2025-02-05', true, 'the Wednesday after it'],
    ['2025-02-08', true, 'a Saturday made up for it'],
    ['2025-02-09', false, 'a plain Sunday'],
    ['2025-09-28', true, 'a Sunday made up for National Day'],
    ['2025-10-08', false, 'the last day of National Day and Mid-Autumn'],
    ['2025-10-09', true, 'the day after'],
    ['2025-10-11', true, 'a Saturday made up'],
    ['2024-02-18', true, 'a Sunday made up in 2024'],
    ['2026-01-04', true, 'a Sunday made up in 2026'],
    ['2026-01-02', false, 'the Friday after New Year 2026'],
    ['2026-02-14', true, 'a Saturday made up in 2026'],
    ['2026-02-23', false, 'the ninth day of Spring Festival 2026'],
    ['2026-02-24', true, 'the day after Spring Festival 2026'],
    ['2026-02-28', true, 'a Saturday made up in 2026'],
    ['2026-04-06', false, 'the Monday of Qingming 2026'],
    ['2026-05-09', true, 'a Saturday made up in 2026'],
    ['2026-06-19', false, 'Dragon Boat 2026'],
    ['2026-09-20', true, 'a Sunday made up in 2026'],
    ['2026-09-25', false, 'Mid-Autumn 2026'],
    ['2026-10-07', false, 'the last day of National Day 2026'],
    ['2026-10-08', true, 'the day after it'],
    ['2026-10-10', true, 'a Saturday made up in 2026'],
  ])('%s is worked: %s (%s)', (day, worked) => {
    expect(calendar.isWorkingDay(day)).toBe(worked);
  });

  it('counts the days after one, over Spring Festival and National Day', () => {
    // 24 January is a Friday: 26, 27 January, 5, 6, 7, 8, 10-14, 17-20 February
    expect(calendar.after('2025-01-24', 15)).toBe('2025-02-20');
    expect(calendar.between('2025-01-24', '2025-02-20')).toBe(15);
    // 26 September is a Friday: 28-30 September, 9-11, 13-17, 20-23 October
    expect(calendar.after('2025-09-26', 15)).toBe('2025-10-23');
    expect(calendar.between('2025-09-26', '2025-10-23')).toBe(15);
    expect(calendar.after('2025-10-01', 1)).toBe('2025-10-09');
  });

  it('counts any span as its days say, one by one', () => {
    const first = Date.parse('2023-12-20');
    const dayNo = (n: number) => new Date(first + n * 86_400_000).toISOString().slice(0, 10);
    let counted = 0;
    for (let n = 1; n < 1_120; n++) {
      if (calendar.isWorkingDay(dayNo(n))) counted += 1;
      expect([dayNo(n), calendar.between(dayNo(0), dayNo(n))]).toEqual([dayNo(n), counted]);
    }
    expect(calendar.after(dayNo(0), counted) <= dayNo(1_119)).toBe(true);
  });

  it('counts backwards with a minus, and nothing from a day to itself', () => {
    expect(calendar.between('2025-02-20', '2025-01-24')).toBe(-15);
    expect(calendar.between('2025-02-20', '2025-02-20')).toBe(0);
    expect(calendar.between('2025-01-31', '2025-02-02')).toBe(0);
  });

  it('has as many days off as the State Council gave, each made up for by whole days', () => {
    for (const { year, holidays, workdays } of chinaYears) {
      expect([year, yearFaults({ year, holidays, workdays, source: '' })]).toEqual([year, []]);
      const weekend = (day: string) => [0, 6].includes(new Date(day).getUTCDay());
      expect([year, workdays.filter((day) => !weekend(day))]).toEqual([year, []]);
      // working days that the holidays cost, less those made up: 11 statutory days in 2024, 13 since 2025, some on weekends
      expect([year, holidays.filter((day) => !weekend(day)).length - workdays.length]).toEqual([
        year,
        { 2024: 11, 2025: 13, 2026: 13 }[year],
      ]);
    }
  });

  it('knows weekends alone in a year without data, and says which that is', () => {
    expect(calendar.isWorkingDay('2031-10-01')).toBe(true);
    expect(calendar.isWorkingDay('2031-10-04')).toBe(false);
    expect(calendar.unknownYears('2026-12-30', '2028-01-02')).toEqual([2027, 2028]);
    expect(calendar.unknownYears('2024-01-01', '2026-12-31')).toEqual([]);
    expect(makeCalendar([]).between('1969-12-31', '1970-01-04')).toBe(2);
  });

  it('names every fault of a year', () => {
    const faults = yearFaults({
      year: 2027,
      holidays: ['2027-01-01', '2027-02-30', '2026-12-31', '2027-01-01'],
      workdays: ['2027-01-01', 'soon'],
      source: 'x',
    });
    expect(faults.map(({ path }) => path)).toEqual([
      'holidays.1',
      'holidays.2',
      'holidays.3',
      'workdays.0',
      'workdays.1',
    ]);
  });
});

describe('days of an office', () => {
  it('begin and end in its time zone', () => {
    expect(dayAt('Asia/Shanghai', Date.parse('2025-01-26T16:30:00Z'))).toBe('2025-01-27');
    expect(startOf('Asia/Shanghai', '2025-01-27')).toBe(Date.parse('2025-01-26T16:00:00Z'));
    expect(endOf('Asia/Shanghai', '2025-01-27')).toBe('2025-01-27T23:59:59+08:00');
    expect(startOf('Europe/Berlin', '2025-03-31') - startOf('Europe/Berlin', '2025-03-30')).toBe(23 * 3_600_000);
    expect([isDay('2024-02-29'), isDay('2025-02-29'), isDay('2025-2-1'), isDay('')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
