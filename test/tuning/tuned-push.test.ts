import { armDrawsOf } from '../../src/fanout/draws.ts';
import { type Arms, drawArms, passOf, propensityOf, valuesOf } from '../../src/rules/arms.ts';
import type { RuleContent } from '../../src/rules/rule.ts';
import { loadKeyring } from '../../src/secret.ts';
import type { Exposure } from '../../src/tuning/tuning.ts';
import { countsOf, makeResident, publishIn } from '../helpers/published.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const today = '2026-06-10';
const arms: Arms = {
  threshold: [
    { value: 0.1, probability: 0.3 },
    { value: 0.4, probability: 0.4 },
    { value: 0.7, probability: 0.3 },
  ],
};
const content = (overrides: Partial<RuleContent> = {}): RuleContent => ({
  name: 'Readers of services',
  explanation: { en: 'You look at services.', 'zh-CN': '您浏览过公共服务。' },
  when: { item: 'topics', has: ['services'] },
  who: { person: 'interest', topic: 'services', atLeast: 0.4 },
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
  holdout: 0,
  tune: { threshold: [0.1, 0.7] },
  ...overrides,
});

let town: Town;
beforeEach(async () => {
  town = await makeTown();
});
afterEach(() => town.close());

/** People who have looked at services so many times today; they follow something else. */
const readers = async (views: number[]): Promise<void> => {
  const consents = { personalisation: true };
  await town.people(views.map((_, at) => makeResident(`p${at}`, { consents, follow: [{ topic: 'budgets' }] })));
  const seen = views.flatMap((count, at) =>
    Array.from({ length: count }, () => ({
      subscriber: { externalId: `p${at}` },
      kind: 'view' as const,
      topic: 'services',
    })),
  );
  for (let at = 0; at < seen.length; at += 500) await town.browsing.record(seen.slice(at, at + 500));
};
const tunedRule = async (published: Arms = arms, overrides: Partial<RuleContent> = {}): Promise<string> => {
  const { rule } = await town.rules.create(content(overrides), publisher);
  await town.rules.activate(rule.id, null, publisher);
  await town.stores.tuning.publishArms([{ rule: rule.id, version: 1, day: today, arms: published, at: town.now() }]);
  return rule.id;
};
const publish = async (overrides = {}) => {
  const { push } = await publishIn(town, overrides);
  await town.drain();
  return push;
};
const exposed = async (): Promise<Exposure[]> =>
  (await town.stores.tuning.openExposures(town.now() + 1, { cursor: null, limit: 1_000 })).rows;
const ledger = async (push: string) => (await town.fanout.deliveries(push, null, { cursor: null, limit: 200 })).rows;

describe('a tuned rule', () => {
  it('is planned from its lowest arm, and each person is settled by what they drew, with its propensity', async () => {
    // 1 view: 0.17; 4 views: 0.44; 13 views: 0.72; none: out of reach
    await readers(Array.from({ length: 120 }, (_, at) => [0, 1, 4, 13][at % 4] ?? 0));
    const rule = await tunedRule();
    const push = await publish();
    const view = await town.fanout.get(push);
    expect(view?.bySource).toEqual([{ source: `rule:${rule}@1`, people: 90 }]);

    const keyring = await loadKeyring(town.stores.access, town.config.secret ?? '');
    const exposures = await exposed();
    expect(exposures).toHaveLength(90);
    let sent = 0;
    for (let at = 0; at < 120; at++) {
      const person = await town.stores.subscriptions.subscriber({ externalId: `p${at}` });
      const one = exposures.find(({ ordinal }) => ordinal === person?.ordinal);
      const views = [0, 1, 4, 13][at % 4] ?? 0;
      expect(one === undefined).toBe(views === 0);
      if (!one) continue;
      const drawn = drawArms(arms, armDrawsOf(keyring, rule, today, person?.id ?? ''));
      const threshold = valuesOf(arms, drawn).threshold ?? 1;
      const level = [0.1, 0.4, 0.7].findLast((value) => value <= views / (views + 5)) ?? null;
      expect(one).toMatchObject({
        push,
        rule,
        version: 1,
        day: today,
        level,
        drawn: { threshold },
        propensity: propensityOf(arms, drawn),
        others: 0,
        withheld: threshold > (level ?? 0),
      });
      expect(one.pass).toBeCloseTo(passOf(arms, level ?? 0), 12);
      sent += one.withheld ? 0 : 1;
    }
    expect(await countsOf(town, push)).toEqual({ sent, withheld: 90 - sent });
    expect([sent > 20, sent < 80]).toEqual([true, true]);
    const withheld = (await ledger(push)).filter(({ state }) => state === 'withheld');
    expect(new Set(withheld.map(({ code }) => code))).toEqual(new Set(['arm']));
  });

  it('never touches what was asked for, and logs nothing of it', async () => {
    await readers([1, 1, 1, 1, 1, 1]);
    await town.people([makeResident('fan', { consents: { personalisation: true } })]);
    await tunedRule({
      threshold: [
        { value: 0.1, probability: 0 },
        { value: 0.7, probability: 1 },
      ],
    });
    await town.browsing.record([{ subscriber: { externalId: 'fan' }, kind: 'view', topic: 'services' }]);
    const push = await publish();
    expect(await countsOf(town, push)).toEqual({ sent: 1, withheld: 6 });
    expect(await exposed()).toHaveLength(6);
  });

  it('is left alone in an emergency, and where no arms are published', async () => {
    await readers([1, 4, 13]);
    const { rule } = await town.rules.create(content(), publisher);
    await town.rules.activate(rule.id, null, publisher);
    expect(await countsOf(town, await publish())).toEqual({ sent: 2 });
    const lowest = {
      threshold: [
        { value: 0.1, probability: 1 },
        { value: 0.4, probability: 0 },
      ],
    };
    await town.stores.tuning.publishArms([{ rule: rule.id, version: 1, day: today, arms: lowest, at: town.now() }]);
    expect(await countsOf(town, await publish({ urgency: 'emergency' }))).toEqual({ sent: 2 });
    expect(await exposed()).toEqual([]);
    expect(await countsOf(town, await publish())).toEqual({ sent: 3 });
    expect(await exposed()).toHaveLength(3);
  });

  it('keeps what was drawn for a message that waits for tomorrow', async () => {
    await readers([4, 4, 4, 4, 4, 4, 4, 4]);
    const rule = await tunedRule({
      threshold: [
        { value: 0.1, probability: 0.5 },
        { value: 0.7, probability: 0.5 },
      ],
    });
    for (let at = 0; at < 8; at++) {
      const person = await town.stores.subscriptions.subscriber({ externalId: `p${at}` });
      await town.subscriptions.change(person?.id ?? '', { quietHours: { from: '00:00', to: '23:59' } });
    }
    const push = await publish();
    const before = await exposed();
    const waiting = before.filter(({ withheld }) => !withheld).length;
    expect(await countsOf(town, push)).toEqual({ deferred: waiting, withheld: 8 - waiting });
    const other = {
      threshold: [
        { value: 0.1, probability: 0 },
        { value: 0.7, probability: 1 },
      ],
    };
    await town.stores.tuning.publishArms([{ rule, version: 1, day: '2026-06-11', arms: other, at: town.now() }]);
    town.pass('2026-06-10T22:59:30Z');
    await town.drain();
    expect(await countsOf(town, push)).toEqual({ sent: waiting, withheld: 8 - waiting });
    expect(await exposed()).toEqual(before);
  });

  it('shows both audiences in the preview', async () => {
    await readers([1, 1, 4, 13]);
    const rule = await tunedRule();
    const { item } = await publishIn(town);
    const preview = await town.audience.preview({ item: { id: item }, who: null, rules: true, subscriptions: true }, 0);
    expect(preview.people).toBe(4);
    expect(preview.tuned).toEqual([
      { key: `rule:${rule}@1`, lowest: { threshold: 0.1, people: 4 }, current: { threshold: 0.4, people: 2 } },
    ]);
  });

  it('counts what another rule would have told anyway', async () => {
    await readers([1, 1, 1, 1]);
    await tunedRule({
      threshold: [
        { value: 0.1, probability: 0.25 },
        { value: 0.7, probability: 0.75 },
      ],
    });
    const { rule } = await town.rules.create(
      content({ who: { all: [] }, tune: {}, deliver: { channels: ['email'], pace: 'immediate', priority: 9 } }),
      publisher,
    );
    await town.rules.activate(rule.id, null, publisher);
    expect(await countsOf(town, await publish())).toEqual({ sent: 4 });
    for (const one of await exposed()) expect(one).toMatchObject({ others: 1, pass: 1, withheld: false });
    expect(await exposed()).toHaveLength(4);
  });
});
