import { range } from '../../helpers/fanout-builders.ts';
import { ledgerBench, type OpenedLedger } from './ledger-bench.ts';

const limits = { day: 3, week: 10 };
const slot = (of: string, fields: object = {}) => ({ ordinal: 7, of, day: '2026-06-10', week: '2026-W24', ...fields });

/** What every ledger keeps about caps: places of a person by local day and ISO week. */
export const describeCaps = (name: string, open: () => Promise<OpenedLedger>): unknown =>
  describe(`ledger, caps: ${name}`, () => {
    const bench = ledgerBench(open);
    const take = async (...slots: ReturnType<typeof slot>[]) => bench.one.ledger.takeSlots(slots, limits);

    it('gives a person so many places a day, and says when the day is full', async () => {
      expect(await take(slot('a'), slot('b'), slot('c'), slot('d'))).toEqual(['taken', 'taken', 'taken', 'day']);
      expect(await take(slot('d'))).toEqual(['day']);
      expect(await take(slot('d', { day: '2026-06-11' }))).toEqual(['taken']);
      expect(await take(slot('d', { ordinal: 8 }))).toEqual(['taken']);
    });

    it('gives one message one place, however often it asks', async () => {
      expect(await take(slot('a'), slot('a'))).toEqual(['taken', 'taken']);
      expect(await take(slot('a'), slot('b'), slot('c'))).toEqual(['taken', 'taken', 'taken']);
      expect(await take(slot('a'), slot('a', { day: '2026-06-11' }), slot('d'))).toEqual(['taken', 'taken', 'day']);
    });

    it('says when the week is full, and starts anew with the next', async () => {
      const week = ['08', '09', '10', '11'].flatMap((day) => ['a', 'b', 'c'].map((n) => `${day}${n}`));
      const asked = week.map((of) => slot(of, { day: `2026-06-${of.slice(0, 2)}` }));
      const taken = await take(...asked);
      expect(taken).toEqual([...Array(10).fill('taken'), 'week', 'week']);
      expect(await take(slot('next', { day: '2026-06-15', week: '2026-W25' }))).toEqual(['taken']);
    });

    it('takes back what was withheld, and no more', async () => {
      await take(slot('a'), slot('b'), slot('c'));
      await bench.two.ledger.giveBackSlots([slot('b'), slot('unknown'), slot('a', { ordinal: 9 })]);
      await bench.two.ledger.giveBackSlots([slot('b')]);
      expect(await take(slot('d'), slot('e'))).toEqual(['taken', 'day']);
    });

    it('gives no more than there are to many who ask at once', async () => {
      const asked = range(1, 8).map((n) => (n % 2 ? bench.one : bench.two).ledger.takeSlots([slot(`m${n}`)], limits));
      const taken = (await Promise.all(asked)).flat();
      expect(taken.filter((one) => one === 'taken')).toHaveLength(3);
    });

    it('forgets the weeks before one', async () => {
      await take(slot('a'), slot('b'), slot('c'));
      await bench.one.ledger.forgetSlots('2026-W24');
      expect(await take(slot('d'))).toEqual(['day']);
      await bench.one.ledger.forgetSlots('2026-W25');
      expect(await take(slot('d'))).toEqual(['taken']);
    });

    it('takes nothing for nobody', async () => expect(await take()).toEqual([]));
  });
