import { readOutbox } from '../../src/channels/outbox.ts';
import { isSampled } from '../../src/fanout/worker/surveys.ts';
import { describeWithMongo, openMongoTown } from '../helpers/open-mongo.ts';
import { makeTown, publisher, type Town, type TownOptions } from '../helpers/town.ts';

const minute = 60_000;

/** From the message to what becomes of what is said about it. */
const describeFeedback = (name: string, storage?: TownOptions['storage']): unknown =>
  describe(`feedback on ${name}`, () => {
    let town: Town;
    beforeEach(async () => {
      town = await makeTown({
        ...(storage ? { storage } : {}),
        startAt: '2026-06-10T10:00:00Z',
        env: { CAP_PER_DAY: '3', SURVEY_SHARE: '1', ALLOW_PRIVATE_ENDPOINTS: 'on' },
      });
      await town.people([
        {
          externalId: 'ana',
          email: 'ana@example.org',
          verified: true,
          locale: 'en',
          consents: { personalisation: true },
          attributes: { household: ['tenant'] },
          follow: [{ topic: 'budgets' }],
        },
      ]);
      const rule = {
        name: 'Tenants',
        explanation: { en: 'You rent a home.', 'zh-CN': '您租房居住。' },
        when: { item: 'topics' as const, has: ['services'] },
        who: { person: 'attributes.household' as const, in: ['tenant'] },
        deliver: { channels: ['email' as const], pace: 'immediate' as const, priority: 5 },
        holdout: 0,
        tune: {},
      };
      const made = await town.rules.create(rule, publisher);
      await town.rules.activate(made.rule.id, null, publisher);
    });
    afterEach(() => town.close());

    const publish = async (title: string): Promise<string> => {
      const fields = { title, summary: 'x', language: 'en', topics: ['services'] };
      const item = await town.publishing.create(
        { ...fields, urgency: 'routine', visibility: 'public' },
        null,
        publisher,
      );
      await town.fanout.publish(item.id, publisher);
      await town.drain();
      return item.id;
    };
    const texts = async (): Promise<string[]> =>
      (await readOutbox(town.dataDir, { limit: 100 })).map(({ text }) => text);
    const tokenOf = (text = ''): string => /\/f\/([\w.-]+)/.exec(text)?.[1] ?? '';
    const person = async () => (await town.subscriptions.person({ externalId: 'ana' }))?.person;
    const said = { rating: null, comment: null };

    it('“too many” halves what rules suggest from the next message on, until it is taken back', async () => {
      await publish('One');
      const token = tokenOf((await texts())[0]);
      await town.feedback.give(token, { kind: 'too-many', ...said });
      expect(await town.feedback.view(token)).toMatchObject({ fewer: true, follows: 1, digest: false });
      await publish('Two');
      expect(await texts()).toHaveLength(1);
      const { id = '' } = (await person()) ?? {};
      await town.feedback.wish(id, { fewer: false });
      await publish('Three');
      expect(await texts()).toHaveLength(2);
      expect(await town.feedback.slowDown(token)).toBe(1);
      expect(await town.feedback.slowDown(token)).toBe(0);
    });

    it('what is said changes the profile once, goes with the person and ends with the rule it stops', async () => {
      const item = await publish('One');
      const token = tokenOf((await texts())[0]);
      for (const kind of ['useful', 'useful', 'not-for-me', 'stop'] as const)
        await town.feedback.give(token, { kind, ...said });
      const { id = '', ordinal = 0 } = (await person()) ?? {};
      const profile = await town.stores.profiles.profile(ordinal);
      expect(profile?.interests.services?.counts).toEqual({ useful: 1, 'not-for-me': 1 });
      const given = await town.feedback.ofPerson(id, 10);
      expect(given.map(({ kind }) => kind).sort()).toEqual(['not-for-me', 'stop', 'useful']);
      expect(given[0]?.item).toEqual({ id: item, title: 'One', targeted: false });
      await publish('Two');
      expect(await texts()).toHaveLength(1);
    });

    it('what is learned survives a crash before it is kept', async () => {
      await publish('One');
      const token = tokenOf((await texts())[0]);
      const { record } = town.browsing;
      town.browsing.record = () => Promise.reject(new Error('the process died'));
      await expect(town.feedback.give(token, { kind: 'not-for-me', ...said })).rejects.toThrow('died');
      town.browsing.record = record;
      await town.feedback.give(token, { kind: 'not-for-me', ...said });
      const { ordinal = 0 } = (await person()) ?? {};
      const profile = await town.stores.profiles.profile(ordinal);
      expect(profile?.interests.services?.counts).toEqual({ 'not-for-me': 1 });
    });

    it('the same said again is told once, other words anew, and the words never', async () => {
      await town.webhooks.add('https://127.0.0.1:9/hook', ['feedback.received']);
      await publish('One');
      const token = tokenOf((await texts())[0]);
      for (const comment of ['My words', 'My words', null, 'Other words']) {
        await town.feedback.give(token, { kind: 'rating', rating: 4, comment });
        town.pass(minute);
      }
      const [webhook] = await town.webhooks.list();
      const { rows } = await town.webhooks.deliveries(webhook?.id ?? '', null, { cursor: null, limit: 10 });
      expect(rows.map(({ body }) => JSON.parse(body).data.rating)).toEqual([4, 4]);
      expect(JSON.stringify(rows)).not.toContain('words');
    });

    it('words that are kept while their person is erased go, too', async () => {
      await publish('One');
      const token = tokenOf((await texts())[0]);
      const { id = '' } = (await person()) ?? {};
      const { record } = town.stores.feedback;
      town.stores.feedback.record = async (feedback) => {
        town.stores.feedback.record = record;
        await town.subscriptions.erase(id);
        return record(feedback);
      };
      await town.feedback.give(token, { kind: 'rating', rating: 4, comment: 'My words' });
      const { feedback } = await town.stores.feedback.between(0, town.now() + 1, { cursor: null, limit: 10 });
      expect(feedback.map(({ rating, comment }) => [rating, comment])).toEqual([[4, null]]);
    });

    it('a digest of several items is judged item by item', async () => {
      await town.people([
        {
          ...{ externalId: 'bo', email: 'bo@example.org', verified: true, locale: 'en' },
          follow: [{ topic: 'budgets', pace: 'daily' }],
        },
      ]);
      const items: string[] = [];
      for (const title of ['One', 'Two']) {
        const fields = { title, summary: 'x', language: 'en', topics: ['budgets'] };
        const item = await town.publishing.create(
          { ...fields, urgency: 'routine', visibility: 'public' },
          null,
          publisher,
        );
        await town.fanout.publish(item.id, publisher);
        await town.drain();
        items.push(item.id);
      }
      town.pass(86_400_000);
      await town.drain();
      const token = tokenOf((await texts()).find((text) => text.includes('Your daily summary')));
      expect(await town.feedback.view(token)).toMatchObject({ digest: true, whole: true });
      expect(await town.feedback.view(`${token}~${items[1]}`)).toMatchObject({ digest: true, whole: false });
      await expect(town.feedback.give(token, { kind: 'not-for-me', ...said })).rejects.toMatchObject({
        code: 'invalid',
      });
      await town.feedback.report(token, 'not-for-me');
      await town.feedback.give(`${token}~${items[1]}`, { kind: 'not-for-me', ...said });
      const { feedback } = await town.stores.feedback.between(0, town.now() + 1, { cursor: null, limit: 10 });
      expect(feedback.map(({ kind, item }) => [kind, item])).toEqual([['not-for-me', items[1]]]);
    });

    it('clicks are judged by all that is followed', async () => {
      const item = await publish('One');
      const token = tokenOf((await texts())[0]);
      town.pass(5 * minute);
      expect(await town.feedback.click(token, false)).toBe(`http://localhost:3000/items/${item}`);
      const people = async () =>
        (await town.stores.feedback.between(0, town.now() + 1, { cursor: null, limit: 10 })).feedback.length;
      expect(await people()).toBe(1);
      for (const kind of ['useful', 'not-for-me', 'stop'] as const) await town.feedback.looked(token, kind, false);
      expect(await people()).toBe(0);
      town.pass(5 * minute);
      await Promise.all([1, 2, 3].map(() => town.feedback.click(token, false)));
      expect(await people()).toBe(1);
      expect(await town.feedback.click('x', false)).toBeNull();
      expect(await town.feedback.forgetOld(new AbortController().signal)).toBe(0);
      town.pass('2027-01-10T10:00:00Z');
      expect(await town.feedback.forgetOld(new AbortController().signal)).toBe(5);
    });

    it('one mail in 30 days asks how satisfied they are', async () => {
      await publish('One');
      await publish('Two');
      expect((await texts()).filter((text) => text.includes('/rating-5'))).toHaveLength(1);
    });
  });

describeFeedback('SQLite');
describeWithMongo('feedback on MongoDB', () => describeFeedback('MongoDB', openMongoTown));

describe('the sample of a survey', () => {
  it('is about the share that was asked for, and the same each time', async () => {
    const town = await makeTown();
    const ids = Array.from({ length: 4_000 }, (_, n) => town.keyring.mac('m', String(n), 16).toString('base64url'));
    await town.close();
    const sampled = ids.filter((id) => isSampled(id, 0.2));
    expect(sampled.length).toBeGreaterThan(700);
    expect(sampled.length).toBeLessThan(900);
    expect(ids.filter((id) => isSampled(id, 0.2))).toEqual(sampled);
    expect([isSampled(ids[0] ?? '', 0), isSampled(ids[0] ?? '', 1)]).toEqual([false, true]);
  });
});
