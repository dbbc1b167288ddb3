import type { Feedback } from '../../../src/feedback/feedback.ts';
import { addCells, type Cells, monthOf, spansOf } from '../../../src/reports/counters.ts';
import { ageBand, foldBatch, type Member, type PushFacts } from '../../../src/reports/fold-batch.ts';
import { at, makeDelivery } from '../../helpers/fanout-builders.ts';
import { feedbackOn } from '../../helpers/reports.ts';

const day = 86_400_000;
const rule = 'rule:r1@2';
const facts = (overrides: Partial<PushFacts> = {}): PushFacts => ({
  item: 'item-1',
  topics: ['services', 'budgets'],
  sources: [
    { source: 'subscription:topic:services', holdout: 0 },
    { source: rule, holdout: 0.1 },
    { source: 'rule:r2@1', holdout: 0.2 },
  ],
  year: 2026,
  drawnAt: at,
  now: at + 60_000,
  hourOf: (moment) => new Date(moment).getUTCHours(),
  ...overrides,
});
const sent = (fields: object = {}) => makeDelivery({ state: 'sent', message: 'm', ...fields });
const member = (fields: Partial<Member> = {}): Member => ({
  rows: [sent()],
  feedback: [],
  group: { ordinal: 1, heir: 1, region: '110000', locale: 'zh-CN', birthYear: 1990 },
  views: null,
  ...fields,
});
const said = (kind: Feedback['kind'], fields: Partial<Feedback> = {}) =>
  feedbackOn(sent(), 'item-1', at + 1_000, { kind, ...fields });
const total = (members: Member[], overrides: Partial<PushFacts> = {}) =>
  foldBatch(members, facts(overrides)).cells.total?.[''] ?? {};

describe('what a batch counts', () => {
  it('puts each person under each of its keys once, and under every topic', () => {
    const { cells } = foldBatch([member()], facts());
    const one = { matched: 1, sent: 1, entitled: 1, reached: 1 };
    expect(cells).toEqual({
      total: { '': one },
      channel: { email: one },
      topic: { services: one, budgets: one },
      rule: { none: one },
      region: { 110000: one },
      hour: { '08': one },
      age: { '35-49': one },
      language: { 'zh-CN': one },
    });
  });

  it('counts a person with two messages once, by the better one, and each message under its channel', () => {
    const rows = [
      sent({ channel: 'webPush', state: 'sent' }),
      sent({ channel: 'sms', state: 'delivered', message: 'n' }),
    ];
    const { cells } = foldBatch([member({ rows })], facts());
    expect(cells.total?.['']).toMatchObject({ matched: 1, sent: 1, delivered: 1 });
    expect(cells.channel).toMatchObject({ webPush: { sent: 1 }, sms: { sent: 1, delivered: 1 } });
    expect(cells.channel?.webPush?.delivered).toBeUndefined();
  });

  it.each<[Feedback['kind'], Partial<Feedback>, object]>([
    ['shown', {}, { seen: 1, delivered: 1 }],
    ['click', {}, { seen: 1, clicked: 1 }],
    ['useful', {}, { seen: 1, acted: 1, useful: 1 }],
    ['rating', { rating: 4 }, { acted: 1, rated4: 1 }],
    ['rating', { rating: 3 }, { seen: 1, rated3: 1 }],
    ['not-for-me', {}, { seen: 1, notForMe: 1 }],
    ['too-many', {}, { tooMany: 1 }],
    ['stop', {}, { stops: 1 }],
    ['complaint', {}, { complaints: 1 }],
  ])('takes %s %j as %j', (kind, fields, expected) => {
    const found = total([member({ feedback: [said(kind, fields)] })]);
    expect(found).toMatchObject({ sent: 1, ...expected });
    if (kind !== 'useful' && fields.rating !== 4) expect(found.acted).toBeUndefined();
    if (kind !== 'click') expect(found.clicked).toBeUndefined();
  });

  it('keeps every step a part of the one before', () => {
    const withheld = makeDelivery({ state: 'withheld', code: 'opted-out', channel: null });
    const all = [
      member({ feedback: [said('useful'), said('click')] }),
      member({ rows: [], feedback: [] }),
      member({ rows: [withheld], feedback: [said('useful')] }),
      member({ rows: [sent({ state: 'bounced', code: 'hard' })] }),
    ];
    expect(total(all)).toEqual({
      ...{ matched: 4, sent: 2, delivered: 1, seen: 1, clicked: 1, acted: 1, useful: 2 },
      ...{ planned: 1, withheld: 1, bounced: 1, 'withheld:opted-out': 1, 'bounced:hard': 1 },
      ...{ entitled: 3, reached: 1 },
    });
  });

  it.each([
    ['opted-out', 0],
    ['already-told', 0],
    ['holdout', 0],
    ['superseded', 0],
    ['no-address', 1],
    ['suppressed', 1],
    ['expired', 1],
  ])('owes a message to whoever is withheld for %s: %d', (code, entitled) => {
    const found = total([member({ rows: [makeDelivery({ state: 'withheld', code, channel: null })] })]);
    expect([found.entitled ?? 0, found.reached ?? 0]).toEqual([entitled, 0]);
  });

  it('judges a message of a rule when its 72 hours are over, and says when that is', () => {
    const row = sent({ reasons: [1], noticeClass: 'suggestion' });
    const one = member({ rows: [row], feedback: [said('useful')] });
    const two = member({ rows: [row], feedback: [said('click'), said('stop')] });
    const young = foldBatch([one, two], facts());
    expect(young.cells.rule?.[rule]).toMatchObject({ sent: 2, useful: 1, stops: 1 });
    expect(young.cells.rule?.[rule]?.judged).toBeUndefined();
    expect(young.again).toBe(at + 3 * day);
    const old = foldBatch([one, two], facts({ now: at + 3 * day }));
    expect(old.cells.rule?.[rule]).toMatchObject({ judged: 2, rewarded: 1, unwanted: 1 });
    expect(old.again).toBe(at + 7 * day);
    expect(foldBatch([one], facts({ now: at + 7 * day })).again).toBeNull();
    expect(foldBatch([member()], facts({ sources: [{ source: 'push:x', holdout: 0 }] })).again).toBeNull();
  });

  it('compares for lift only who was drawn alike: tied before, by one rule with a holdout, for nothing else', () => {
    const views = { ordinal: 1, tiedAt: at - 1, viewed: [{ item: 'other', topics: ['budgets'] }] };
    const told = { rows: [sent({ reasons: [1], noticeClass: 'suggestion' })], views };
    const held = (reasons: number[]) => ({
      rows: [makeDelivery({ state: 'withheld', code: 'holdout', channel: null, reasons, noticeClass: 'suggestion' })],
      views: { ...views, viewed: [] },
    });
    const arms = (members: Partial<Member>[]) => {
      const { cells } = foldBatch(members.map(member), facts());
      const { told: a, toldViewed, heldOut, heldOutViewed } = cells.rule?.[rule] ?? {};
      return [a ?? 0, toldViewed ?? 0, heldOut ?? 0, heldOutViewed ?? 0];
    };
    expect(arms([told, held([1]), held([1])])).toEqual([1, 1, 2, 0]);
    expect(arms([{ ...told, views: { ...views, tiedAt: at } }])).toEqual([0, 0, 0, 0]);
    expect(arms([{ ...told, views: { ...views, tiedAt: null } }])).toEqual([0, 0, 0, 0]);
    expect(arms([{ ...told, views: null }])).toEqual([0, 0, 0, 0]);
    expect(arms([held([1, 2])])).toEqual([0, 0, 0, 0]);
    expect(arms([{ ...told, rows: [sent({ reasons: [0, 1], noticeClass: 'must' })] }])).toEqual([0, 0, 0, 0]);
    expect(arms([{ ...told, views: { ...views, viewed: [{ item: 'x', topics: ['other'] }] } }])).toEqual([1, 0, 0, 0]);
    expect(
      arms([{ ...told, rows: [makeDelivery({ state: 'withheld', code: 'already-told', reasons: [1] })] }]),
    ).toEqual([0, 0, 0, 0]);
  });

  it('does not stumble over people who told nothing, or over what things are called', () => {
    const { cells } = foldBatch(
      [
        member({ group: null }),
        member({ group: { ordinal: 1, heir: 1, region: null, locale: null, birthYear: null } }),
      ],
      facts({ topics: ['constructor', '__proto__'] }),
    );
    expect([cells.region?.none?.matched, cells.age?.none?.matched, cells.language?.none?.matched]).toEqual([2, 2, 2]);
    expect(Object.keys(cells.topic ?? {})).toEqual(['constructor', '__proto__']);
    expect(Object.entries(cells.topic ?? {}).map(([, one]) => one.matched)).toEqual([2, 2]);
  });

  it('counts nothing of nobody', () => {
    expect(foldBatch([], facts())).toEqual({ cells: {}, again: at + 7 * day });
  });

  it('adds up', () => {
    const sum: Cells = {};
    addCells(sum, { topic: { a: { sent: 1 } } });
    addCells(sum, { topic: { a: { sent: 2, acted: 1 }, b: { sent: 1 } }, total: { '': { sent: 3 } } });
    expect(sum).toEqual({ topic: { a: { sent: 3, acted: 1 }, b: { sent: 1 } }, total: { '': { sent: 3 } } });
  });

  it.each([
    [0, '0-17'],
    [17, '0-17'],
    [18, '18-34'],
    [64, '50-64'],
    [65, '65+'],
    [101, '65+'],
  ])('puts the age of %d into %s', (age, band) => {
    expect(ageBand(age)).toBe(band);
  });

  it('names the spans of days', () => {
    expect([monthOf('2026-06-10'), spansOf('2026-06-10', '2026-06-11')]).toEqual([
      '2026-06',
      ['2026-06-10', '2026-06', '2026-06-11'],
    ]);
  });
});
