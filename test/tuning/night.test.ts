import { readOutbox } from '../../src/channels/outbox.ts';
import type { Feedback, FeedbackKind } from '../../src/feedback/feedback.ts';
import { lineageOf } from '../../src/rules/arms.ts';
import type { RuleContent } from '../../src/rules/rule.ts';
import { textIn } from '../../src/text.ts';
import { evidenceText } from '../../src/tuning/evidence-words.ts';
import { dayOf } from '../../src/tuning/tally.ts';
import type { Tally } from '../../src/tuning/tuning.ts';
import { makeResident, publishIn } from '../helpers/published.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const dayMs = 24 * 60 * 60 * 1000;
const whole = { cursor: null, limit: 1_000 };
const admin = { staff: 'admin', roles: ['admin', 'publisher'], departments: [] };

const content = (overrides: Partial<RuleContent> = {}): RuleContent => ({
  name: 'Readers of services',
  explanation: { en: 'You look at services.', 'zh-CN': '您浏览过公共服务。' },
  when: { item: 'topics', has: ['services'] },
  who: { person: 'interest', topic: 'services', atLeast: 0.4 },
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
  holdout: 0,
  tune: { threshold: [0.1, 0.85] },
  ...overrides,
});

let town: Town;
beforeEach(async () => {
  town = await makeTown();
});
afterEach(() => town.close());

const night = (): Promise<void> => town.tuneAtNight(new AbortController().signal);
const activeRule = async (overrides: Partial<RuleContent> = {}, writer = publisher): Promise<string> => {
  const { rule } = await town.rules.create(content(overrides), writer);
  await town.rules.activate(rule.id, null, writer);
  return rule.id;
};
const active = async (rule: string) => {
  const found = (await town.stores.rules.active()).find((one) => one.rule === rule);
  return found && { version: found.version, who: found.content.who };
};
/** What came back so far, of which people above 0.55 found most useful, and those between 0.4 and 0.55 little. */
const learned = async (rule: string, overrides: Partial<RuleContent> = {}): Promise<void> => {
  const day = dayOf(town.now()) - 20;
  const shares: [number, number][] = [
    [0.1, 0.02],
    [0.25, 0.03],
    [0.4, 0.12],
    [0.55, 0.71],
    [0.7, 0.7],
    [0.85, 0.72],
  ];
  const lineage = lineageOf(content(overrides));
  const tallies = shares.map(
    ([level, share]): Tally => ({
      ...{ rule, lineage, day, parameter: 'threshold', arm: String(level), channel: 'email' },
      ...{ eligible: 1_000, sent: 800, useful: Math.round(800 * share), unwanted: Math.round(160 * (1 - share)) },
    }),
  );
  await town.stores.tuning.putTallies(day, day, tallies);
};
const changes = async () => (await town.tuning.changes(whole)).rows;

describe('rewards', () => {
  const push = async (pace: 'immediate' | 'weekly' = 'immediate') => {
    const consents = { personalisation: true };
    await town.people([0, 1, 2, 3].map((at) => makeResident(`p${at}`, { consents, follow: [{ topic: 'budgets' }] })));
    for (const at of [0, 1, 2, 3])
      await town.browsing.record(
        Array.from({ length: 5 }, () => ({ subscriber: { externalId: `p${at}` }, kind: 'view', topic: 'services' })),
      );
    const rule = await activeRule({ deliver: { channels: ['email'], pace, priority: 5 } });
    const arms = { threshold: [{ value: 0.4, probability: 1 }] };
    await town.stores.tuning.publishArms([{ rule, version: 1, day: '2026-06-10', arms, at: town.now() }]);
    const published = await publishIn(town);
    await town.drain();
    return { rule, ...published };
  };
  const say = async (
    item: string,
    pushId: string,
    who: number,
    kind: FeedbackKind,
    machine: Feedback['machine'] = null,
  ) => {
    const person = await town.stores.subscriptions.subscriber({ externalId: `p${who}` });
    const [row] = await town.stores.ledger.deliveriesOf(pushId, [person?.ordinal ?? 0]);
    await town.stores.feedback.record({
      ...{ id: `${who} ${kind}`, kind, rating: null, comment: null, push: pushId, item, version: 1 },
      ...{ ordinal: person?.ordinal ?? 0, channel: 'email', message: row?.message ?? '', at: town.now(), machine },
    });
  };
  const closed = async () =>
    (await town.stores.tuning.closedExposures({ rule: null, from: 0, to: town.now() }, whole)).rows;

  it('are closed 72 hours after sending, and counted once however often the night runs', async () => {
    const { rule, item, push: id } = await push();
    town.pass(dayMs);
    await say(item, id, 0, 'useful');
    await say(item, id, 1, 'click');
    await say(item, id, 1, 'not-for-me');
    await say(item, id, 2, 'click', 'too-soon');
    town.pass(dayMs);
    await night();
    expect(await closed()).toEqual([]);
    town.pass(1.5 * dayMs);
    await say(item, id, 3, 'useful');
    await night();
    await night();
    const came = (await closed()).map(({ reward, unwanted, channel, sentAt }) => [reward, unwanted, channel, sentAt]);
    const at = Date.parse('2026-06-10T04:00:00Z');
    expect(came).toEqual([
      [1, false, 'email', at],
      [0, true, 'email', at],
      [0, false, 'email', at],
      [0, false, 'email', at],
    ]);
    const tallies = await town.stores.tuning.talliesOf(rule, lineageOf(content()), 0);
    const counts = { eligible: 4, sent: 4, useful: 1, unwanted: 1 };
    expect(tallies).toHaveLength(2);
    expect(tallies).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ parameter: 'threshold', arm: '0.4', channel: 'email', ...counts }),
        expect.objectContaining({ parameter: 'all', arm: '', channel: 'email', ...counts }),
      ]),
    );
  });

  it('of a weekly digest wait until it has left', async () => {
    await push('weekly');
    town.pass(4 * dayMs);
    await night();
    expect(await closed()).toEqual([]);
    town.pass(4 * dayMs);
    await town.drain();
    await night();
    expect(await closed()).toEqual([]);
    town.pass(4 * dayMs);
    await night();
    expect(await closed()).toHaveLength(4);
  });

  it('of messages that never left are none', async () => {
    const { push: id } = await push('weekly');
    await town.fanout.cancel(id, publisher);
    await town.drain();
    town.pass(4 * dayMs);
    await night();
    expect(await closed()).toEqual([]);
    expect((await town.stores.tuning.openExposures(town.now(), whole)).rows).toEqual([]);
  });
});

describe('a night', () => {
  it('publishes arms for tomorrow, in the days of the office, and leaves other rules alone', async () => {
    town.pass('2026-06-10T19:20:00Z');
    const rule = await activeRule();
    const plain = await activeRule({ tune: {} });
    await night();
    const ids = [rule, plain].map((one) => ({ rule: one, version: 1 }));
    // 03:20 of the 11th in Shanghai
    const found = await town.stores.tuning.armsOf(ids, '2026-01-01', '2026-12-31');
    expect(found).toMatchObject([{ rule, day: '2026-06-12' }]);
    const probabilities = found[0]?.arms.threshold?.map(({ probability }) => probability) ?? [];
    expect(probabilities.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12);
    expect(Math.min(...probabilities)).toBeCloseTo(0.01, 12);
  });

  it('proposes what the evidence speaks for, once; applying makes a version, undoing brings the old one back', async () => {
    const rule = await activeRule();
    await learned(rule);
    await night();
    town.pass(dayMs);
    await night();
    const [change, ...others] = await changes();
    expect(others).toEqual([]);
    expect(change).toMatchObject({
      rule,
      parameter: 'threshold',
      from: 0.4,
      to: 0.55,
      state: 'proposed',
      fromVersion: 1,
    });
    expect(change && evidenceText(change.evidence, textIn('en'))).toMatch(
      /^71 % ± 2 useful above, 12 % ± 3 between the old and the new threshold, n = [\d,]+$/,
    );
    expect(change && evidenceText(change.evidence, textIn('zh-CN'))).toMatch(/71 % ± 2.*12 % ± 3/);
    const before = await active(rule);
    expect(before?.version).toBe(1);

    const applied = await town.tuning.apply(change?.id ?? '', admin);
    expect(applied).toMatchObject({ state: 'applied', fromVersion: 1, toVersion: 2, by: 'admin' });
    expect(await active(rule)).toEqual({ version: 2, who: { person: 'interest', topic: 'services', atLeast: 0.55 } });
    await expect(town.tuning.apply(change?.id ?? '', admin)).rejects.toMatchObject({ code: 'wrong-state' });

    expect(await town.tuning.undo(change?.id ?? '', admin)).toMatchObject({ state: 'undone', by: 'admin' });
    expect(await active(rule)).toEqual(before);
    await expect(town.tuning.undo(change?.id ?? '', admin)).rejects.toMatchObject({ code: 'wrong-state' });
    await night();
    expect(await active(rule)).toEqual(before);
    await expect(town.tuning.apply('unknown', admin)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('applies where the publisher lets it, and no more what staff have undone', async () => {
    const tune = { threshold: [0.1, 0.85] as [number, number], apply: true };
    const rule = await activeRule({ tune });
    await learned(rule, { tune });
    await night();
    expect(await active(rule)).toMatchObject({ version: 2, who: { atLeast: 0.55 } });
    const [change] = await changes();
    expect(change).toMatchObject({ state: 'applied', by: 'tuning', toVersion: 2 });
    const [arms] = await town.stores.tuning.armsOf([{ rule, version: 2 }], '2026-01-01', '2026-12-31');
    expect(arms?.arms.threshold?.find(({ value }) => value === 0.55)?.probability).toBeGreaterThan(0.8);

    await town.tuning.undo(change?.id ?? '', admin);
    expect(await active(rule)).toMatchObject({ version: 1 });
    town.pass(dayMs);
    await night();
    expect(await active(rule)).toMatchObject({ version: 1, who: { atLeast: 0.4 } });
    const [after] = await town.stores.tuning.armsOf([{ rule, version: 1 }], '2026-06-12', '2026-06-12');
    expect(after?.arms.threshold?.find(({ value }) => value === 0.4)?.probability).toBeCloseTo(0.95, 12);
  });

  it('undoes one value where the rule has moved on since', async () => {
    const rule = await activeRule();
    await learned(rule);
    await night();
    const [change] = await changes();
    await town.tuning.apply(change?.id ?? '', admin);
    const moved = { ...content({ who: { person: 'interest', topic: 'services', atLeast: 0.55 } }), name: 'Renamed' };
    await town.rules.put(rule, moved, null, publisher);
    await town.rules.activate(rule, null, publisher);
    await town.tuning.undo(change?.id ?? '', admin);
    expect(await active(rule)).toEqual({ version: 4, who: { person: 'interest', topic: 'services', atLeast: 0.4 } });
    expect((await town.rules.get(rule))?.version.content.name).toBe('Renamed');
  });

  it('refuses a change whose rule is another one by now, or waits for its review', async () => {
    const rule = await activeRule();
    await learned(rule);
    await night();
    const [change] = await changes();
    await town.rules.put(rule, content({ when: { item: 'topics', has: ['budgets'] } }), null, publisher);
    await town.rules.activate(rule, null, publisher);
    await expect(town.tuning.apply(change?.id ?? '', admin)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('pauses a rule that is surely of too little use, and tells whoever wrote it; undone, it is left alone', async () => {
    const owner = await town.access.addStaff({
      ...{ email: 'owner@office.example', name: 'Owner', roles: ['publisher'], departments: [] },
    });
    const tune = { floor: 0.1 };
    const rule = await activeRule({ tune }, { staff: owner.id, roles: ['publisher'], departments: [] });
    const lineage = lineageOf(content({ tune }));
    const day = dayOf(town.now()) - 20;
    await town.stores.tuning.putTallies(day, day, [
      {
        ...{ rule, lineage, day, parameter: 'all', arm: '', channel: 'email' },
        ...{ eligible: 2_000, sent: 2_000, useful: 60, unwanted: 100 },
      },
    ]);
    await night();
    expect((await town.rules.get(rule))?.rule.state).toBe('paused');
    const [change] = await changes();
    expect(change).toMatchObject({ parameter: 'state', to: 'paused', state: 'applied', evidence: { kind: 'worth' } });
    await town.drain();
    const letters = (await readOutbox(town.dataDir, { limit: 10 })).filter(({ to }) => to === 'owner@office.example');
    expect(letters).toHaveLength(1);
    expect(letters[0]?.text).toContain('3 % ± 1');
    await night();
    expect(await changes()).toHaveLength(1);

    await town.tuning.undo(change?.id ?? '', admin);
    expect((await town.rules.get(rule))?.rule.state).toBe('active');
    await night();
    expect((await town.rules.get(rule))?.rule.state).toBe('active');
    expect(await town.access.verifyAudit()).toMatchObject({ ok: true });
  });
});

describe('what would have happened', () => {
  /** Closed exposures of people at two levels, of whom half were told; those above find three in four of use. */
  const logged = async (rule: string, people: number): Promise<void> => {
    const exposures = Array.from({ length: people }, (_, ordinal) => ({
      ...{ push: 'push', ordinal, rule, version: 1, lineage: lineageOf(content()), day: '2026-06-01' },
      ...{ level: ordinal % 2 === 0 ? 0.25 : 0.7, drawn: {}, propensity: 0.5, pass: 0.5, others: 0 },
      ...{ withheld: ordinal % 4 < 2, at: town.now() - 5 * dayMs },
    }));
    await town.stores.tuning.expose(exposures);
    await town.stores.tuning.closeExposures(
      exposures.map(({ push, ordinal, withheld, level }) => ({
        ...{
          push,
          ordinal,
          channel: withheld ? null : ('email' as const),
          sentAt: withheld ? null : town.now() - 5 * dayMs,
        },
        reward: !withheld && level === 0.7 && ordinal % 16 !== 3 ? (1 as const) : (0 as const),
        unwanted: !withheld && level === 0.25,
      })),
    );
  };

  it('is estimated from the logged draws, all four ways', async () => {
    const rule = await activeRule();
    await logged(rule, 800);
    const { threshold, current, found } = await town.tuning.whatIf(rule, 0.5);
    expect([threshold, current, found.n, found.told]).toEqual([0.55, 0.4, 800, 0.5]);
    const useful = found.useful;
    if (!useful.ok) throw new Error(useful.reason);
    for (const name of ['ips', 'direct', 'doublyRobust'] as const)
      expect(Math.abs(useful.estimates[name] - 0.375)).toBeLessThan(0.005);
    expect(useful.intervals.doublyRobust[0]).toBeLessThan(0.375);
    expect(found.unwanted).toMatchObject({ ok: true, estimates: { ips: 0 } });
  });

  it('is refused with a reason', async () => {
    const rule = await activeRule();
    expect((await town.tuning.whatIf(rule, 0.5)).found.useful).toMatchObject({ ok: false, reason: 'too-few' });
    await logged(rule, 400);
    expect((await town.tuning.whatIf(rule, 0.1)).found.useful).toMatchObject({ ok: false, reason: 'no-overlap' });
    const fixed = await activeRule({ tune: {} });
    await expect(town.tuning.whatIf(fixed, 0.5)).rejects.toMatchObject({ code: 'invalid' });
    await expect(town.tuning.whatIf('unknown', 0.5)).rejects.toMatchObject({ code: 'not-found' });
  });
});
