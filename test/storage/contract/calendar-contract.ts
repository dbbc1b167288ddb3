import type { CalendarStore } from '../../../src/calendar/calendar-store.ts';
import type { CalendarYear } from '../../../src/calendar/working-day.ts';
import { eachPair, type Pair } from './pair.ts';

const makeYear = (fields: Partial<CalendarYear> = {}): CalendarYear => ({
  year: 2025,
  holidays: ['2025-10-01', '2025-10-02'],
  workdays: ['2025-09-28'],
  source: '国务院办公厅通知',
  ...fields,
});

/** What every store of the working-day calendar keeps. */
export const describeCalendarStore = (name: string, open: () => Promise<Pair<CalendarStore>>): unknown =>
  describe(`calendar store: ${name}`, () => {
    let store: CalendarStore;
    let other: CalendarStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    it('keeps years whole, ascending, and one in place of another', async () => {
      expect(await store.years()).toEqual([]);
      await store.putYear(makeYear({ year: 2026, holidays: [], workdays: [] }));
      await other.putYear(makeYear());
      await store.putYear(makeYear({ source: 'an operator' }));
      expect(await other.years()).toEqual([
        makeYear({ source: 'an operator' }),
        makeYear({ year: 2026, holidays: [], workdays: [] }),
      ]);
    });

    it('puts years in from the start only where there are none', async () => {
      await store.putYear(makeYear({ source: 'an operator' }));
      const seeds = [makeYear(), makeYear({ year: 2024 })];
      await Promise.all([store.seedYears(seeds), other.seedYears(seeds)]);
      expect((await store.years()).map(({ year, source }) => [year, source])).toEqual([
        [2024, '国务院办公厅通知'],
        [2025, 'an operator'],
      ]);
      await store.seedYears([]);
    });
  });
