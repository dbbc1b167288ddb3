import { readOutbox } from '../../src/channels/outbox.ts';
import { describeWithMongo, openMongoTown } from '../helpers/open-mongo.ts';
import { activeRule, count, publishAndCount } from '../helpers/reports.ts';
import { makeTown, publisher, type Town, type TownOptions } from '../helpers/town.ts';

const day = 86_400_000;
const signal = new AbortController().signal;

/** What the night leaves of a ledger that is old. */
const describeFold = (name: string, storage?: TownOptions['storage']): unknown =>
  describe(`the folding of the ledger on ${name}`, () => {
    let town: Town;
    beforeEach(async () => {
      town = await makeTown({ ...(storage ? { storage } : {}), env: { LEDGER_DAYS: '30', SURVEY_SHARE: '0' } });
      const person = { verified: true, locale: 'en', region: '110000', consents: { personalisation: true } };
      await town.people([
        { ...person, externalId: 'a', email: 'a@example.org', follow: [{ topic: 'services' }] },
        { ...person, externalId: 'b', email: 'b@example.org', follow: [{ topic: 'budgets', pace: 'daily' }] },
      ]);
    });
    afterEach(() => town.close());

    const reportsNow = async () => {
      const span = { from: '2026-06-01', to: '2026-12-31' };
      return {
        funnel: (await town.reports.funnel(span, 'topic')).rows,
        rules: (await town.reports.rules(span)).rows,
        coverage: (await town.reports.coverage(span)).rows,
      };
    };
    const rowsOf = async (push: string) =>
      (await town.stores.ledger.page(push, null, { cursor: null, limit: 10 })).rows.length;
    const grown = async (days: number): Promise<void> => {
      town.pass(days * day);
      await count(town);
    };

    it('takes rows, and changes neither reports nor counts, also when all is counted anew', async () => {
      await activeRule(town);
      const { push } = await publishAndCount(town);
      await grown(8);
      const before = [await reportsNow(), (await town.fanout.get(push))?.counts];
      expect(before[1]).toMatchObject({ sent: 2 });
      expect(await town.foldLedger(signal)).toBe(0);
      await grown(23);
      expect(await town.foldLedger(signal)).toBe(2);
      expect(await rowsOf(push)).toBe(0);
      expect(await town.foldLedger(signal)).toBe(0);
      await count(town);
      expect([await reportsNow(), (await town.fanout.get(push))?.counts]).toEqual(before);
      await town.reportCounter.rebuild(signal);
      expect([await reportsNow(), (await town.fanout.get(push))?.counts]).toEqual(before);
    });

    it('goes on where a process died', async () => {
      await activeRule(town);
      const { push } = await publishAndCount(town);
      await grown(40);
      await town.stores.folds.begin(push);
      expect(await town.stores.folds.dropRows(push, 1)).toBe(1);
      expect(await town.foldLedger(signal)).toBe(1);
      expect(await rowsOf(push)).toBe(0);
      const whole = await town.stores.folds.candidates(town.now(), { cursor: null, limit: 9 });
      expect(whole.rows).toEqual([]);
    });

    it('leaves links to stop in force, of a message and of a digest', async () => {
      await publishAndCount(town);
      await publishAndCount(town, { topics: ['budgets'] });
      town.pass(2 * day);
      await town.drain();
      const mails = await readOutbox(town.dataDir, { limit: 10 });
      await grown(40);
      expect(await town.foldLedger(signal)).toBe(2);
      for (const to of ['a@example.org', 'b@example.org']) {
        const token = mails.find((mail) => mail.to === to)?.unsubscribe.split('/u/')[1] ?? '';
        expect((await town.fanout.unsubscribeView(token)).sources).toMatchObject([{ live: true }]);
        await town.feedback.unsubscribe(token, false);
        expect((await town.fanout.unsubscribeView(token)).sources).toMatchObject([{ live: false }]);
      }
      const before = await reportsNow();
      // what came back of an old push is counted a quarter of an hour later
      for (const pause of [0, 1]) await grown(pause);
      expect((await reportsNow()).coverage).toEqual(before.coverage);
    });

    it('tells nobody again, and whoever was told of a correction', async () => {
      const { item } = await publishAndCount(town);
      await grown(40);
      expect(await town.foldLedger(signal)).toBe(1);
      await town.fanout.correct(
        item,
        { change: 'major', note: 'At noon.', fields: { summary: 'At noon.' } },
        publisher,
      );
      await town.drain();
      const mails = (await readOutbox(town.dataDir, { limit: 10 })).filter(({ to }) => to === 'a@example.org');
      expect(mails.map(({ title }) => title)).toEqual(['Corrected: Rent subsidy', 'Rent subsidy']);
    });

    it('leaves what still waits, what named people, and everything while reports are behind', async () => {
      const { push } = await publishAndCount(town);
      const { item } = await publishAndCount(town, { visibility: 'targeted' });
      const a = await town.stores.subscriptions.subscriber({ externalId: 'a' });
      const named = await town.fanout.push(
        { item, audience: { kind: 'people', subscribers: [a?.id ?? ''] }, channels: null, note: 'x' },
        publisher,
      );
      const { push: waits } = await publishAndCount(town, { topics: ['budgets'] });
      town.pass(40 * day);
      expect(await town.foldLedger(signal)).toBe(0);
      await count(town);
      expect(await town.foldLedger(signal)).toBe(1);
      expect([await rowsOf(push), await rowsOf(waits)]).toEqual([0, 1]);
      await town.drain();
      await grown(40);
      await town.foldLedger(signal);
      expect([await rowsOf(named.id), await rowsOf(waits)]).toEqual([1, 0]);
    });
  });

describeFold('SQLite');
describeWithMongo('the folding of the ledger on MongoDB', () => describeFold('MongoDB', openMongoTown));
