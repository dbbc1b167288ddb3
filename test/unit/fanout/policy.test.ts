import fc from 'fast-check';
import { DateTime } from 'luxon';
import { capDates, digestClockOf, digestSlot, lastDigestSlot, quietUntil } from '../../../src/fanout/local-time.ts';
import {
  capsOf,
  channelOrder,
  decide,
  isCapped,
  noticeClassOf,
  overCap,
  type PolicyInput,
  type Reason,
} from '../../../src/fanout/policy.ts';
import type { Address, Recipient } from '../../../src/subscriptions/subscriber.ts';

const at = (text: string): number => Date.parse(text);
const address = (channel: Address['channel'], overrides: Partial<Address> = {}): Address => ({
  lookup: `look-up of ${channel}`,
  subscriber: 7,
  channel,
  sealed: '',
  verifiedAt: 0,
  suppressed: null,
  ...overrides,
});
const person = (overrides: Partial<Recipient> = {}): Recipient => ({
  ordinal: 7,
  id: 'p7',
  locale: 'en',
  region: null,
  timeZone: 'Europe/London',
  quietHours: null,
  digestHour: null,
  consents: { personalisation: false },
  mergedInto: null,
  erasedAt: null,
  addresses: [address('email')],
  stoppedAll: false,
  ...overrides,
});
const follows = (
  pace: 'immediate' | 'daily' | 'weekly',
  channels: Address['channel'][] | null = null,
  source = 0,
): Reason => ({
  kind: 'subscription',
  source,
  pace,
  channels,
});
const input = (overrides: Partial<PolicyInput> = {}): PolicyInput => ({
  person: person(),
  item: { urgency: 'routine' },
  reasons: [follows('immediate')],
  tried: [],
  draw: 0.5,
  kept: null,
  preferredHour: null,
  now: at('2026-06-10T12:00:00Z'),
  defaults: { timeZone: 'Asia/Shanghai', caps: { day: 3, week: 10 }, fallbackMs: 900_000 },
  ...overrides,
});

describe('the order of the policy', () => {
  const night = { quietHours: { from: '00:00', to: '23:59' } };
  const past = '2026-06-10T11:00:00Z';
  const cases: [string, PolicyInput, object][] = [
    [
      'an erased person before all else',
      input({ person: person({ erasedAt: 1 }), reasons: [] }),
      { kind: 'withhold', code: 'erased' },
    ],
    [
      'one who leaves before all else, too',
      input({ person: person({ leavesAt: 1 }), reasons: [] }),
      { kind: 'withhold', code: 'leaving' },
    ],
    [
      'no reason left before a suppressed address',
      input({ reasons: [], person: person({ addresses: [address('email', { suppressed: 'hard' })] }) }),
      { kind: 'withhold', code: 'opted-out' },
    ],
    [
      'a suppressed address before an expired item',
      input({
        item: { urgency: 'routine', expiresAt: past },
        person: person({ addresses: [address('email', { suppressed: 'hard' })] }),
      }),
      { kind: 'withhold', code: 'suppressed' },
    ],
    ['no address at all', input({ person: person({ addresses: [] }) }), { kind: 'withhold', code: 'no-address' }],
    [
      'an expired item, though it is an emergency',
      input({ item: { urgency: 'emergency', expiresAt: past } }),
      { kind: 'withhold', code: 'expired' },
    ],
    [
      'pace before quiet hours',
      input({ reasons: [follows('daily')], person: person(night) }),
      { kind: 'digest', code: 'daily-digest' },
    ],
    ['quiet hours before the channel', input({ person: person(night) }), { kind: 'defer', code: 'quiet-hours' }],
    [
      'an emergency knows no pace and no quiet hours',
      input({ item: { urgency: 'emergency' }, reasons: [follows('weekly')], person: person(night) }),
      { kind: 'send', channel: 'email' },
    ],
    [
      'a name on a list is for now',
      input({ reasons: [{ kind: 'named', source: 0, channels: null }, follows('weekly', null, 1)] }),
      { kind: 'send', channel: 'email' },
    ],
  ];
  it.each(cases)('%s', (_name, given, expected) => expect(decide(given)).toMatchObject(expected));

  it('lets the fastest pace among the subscriptions win', () => {
    expect(
      decide(input({ reasons: [follows('weekly'), follows('immediate', null, 1), follows('daily', null, 2)] })),
    ).toMatchObject({ kind: 'send' });
  });

  it('does not defer past the deadline, and does where the deadline is later', () => {
    const deadline = (text: string) =>
      input({ item: { urgency: 'routine', deadline: text }, reasons: [follows('daily')] });
    expect(decide(deadline('2026-06-10T18:00:00Z'))).toMatchObject({ kind: 'send' });
    expect(decide(deadline('2026-06-12T18:00:00Z'))).toMatchObject({ kind: 'digest' });
  });
});

describe('what expires', () => {
  const expiring = (expiresAt: string, overrides: Partial<PolicyInput>) =>
    decide(input({ item: { urgency: 'routine', expiresAt }, ...overrides }));
  const night = { person: person({ quietHours: { from: '00:00', to: '23:59' } }) };

  it('meets the policy again when it expires, if it would wait longer', () => {
    const expiresAt = '2026-06-10T18:00:00+02:00';
    const until = at(expiresAt);
    expect(expiring(expiresAt, night)).toEqual({ kind: 'defer', until, code: 'quiet-hours' });
    expect(expiring(expiresAt, { reasons: [follows('daily')] })).toEqual({
      kind: 'digest',
      until,
      code: 'daily-digest',
    });
  });

  it('waits no longer than it would have to', () => {
    const later = '2026-07-10T18:00:00Z';
    expect(expiring(later, night)).toEqual(decide(input(night)));
    expect(expiring(later, { reasons: [follows('weekly')] })).toEqual(decide(input({ reasons: [follows('weekly')] })));
  });

  it('is sent now where its wait would pass the deadline, whatever comes first', () => {
    const item = { urgency: 'routine' as const, expiresAt: '2026-06-10T18:00:00Z', deadline: '2026-06-10T19:00:00Z' };
    expect(decide(input({ item, reasons: [follows('daily')] }))).toMatchObject({ kind: 'send' });
  });
});

describe('the channel', () => {
  const all = person({ addresses: [address('email'), address('sms'), address('webPush')] });
  it('is the first usable of the fastest subscription', () => {
    const reasons = [follows('daily', ['email']), follows('immediate', ['sms', 'webPush'], 1)];
    expect(decide(input({ person: all, reasons }))).toMatchObject({ channel: 'sms' });
  });
  it('goes on to the next when one failed for good', () => {
    expect(decide(input({ person: all, reasons: [follows('immediate', ['sms'])], tried: ['sms'] }))).toMatchObject({
      channel: 'email',
    });
  });
  it('is the one first used for whoever was told an earlier version', () => {
    expect(channelOrder([follows('immediate', ['email']), { kind: 'told', source: 1, channel: 'sms' }])[0]).toBe('sms');
  });
  it('carries every live endpoint of a browser user', () => {
    const two = person({
      addresses: [
        address('webPush'),
        address('webPush', { lookup: 'b' }),
        address('webPush', { lookup: 'c', suppressed: 'gone' }),
      ],
    });
    const decision = decide(input({ person: two }));
    expect(decision.kind === 'send' && decision.addresses.map((one) => one.lookup)).toEqual([
      'look-up of webPush',
      'b',
    ]);
  });
});

describe('quiet hours', () => {
  const until = (quiet: { from: string; to: string }, zone: string, now: string) => {
    const end = quietUntil(quiet, zone, at(now));
    return end === null ? null : new Date(end).toISOString();
  };
  it.each([
    ['inside, before midnight', '2026-06-10T21:30:00Z', '2026-06-11T06:00:00.000Z'],
    ['inside, after midnight', '2026-06-11T03:00:00Z', '2026-06-11T06:00:00.000Z'],
    ['at the end, which is outside', '2026-06-11T06:00:00Z', null],
    ['in the day', '2026-06-11T12:00:00Z', null],
  ])('%s', (_name, now, expected) =>
    expect(until({ from: '22:00', to: '07:00' }, 'Europe/London', now)).toBe(expected),
  );
  it('ends at the wall time on the night the clocks go forward, and on the night they go back', () => {
    expect(until({ from: '22:00', to: '07:00' }, 'Europe/London', '2026-03-28T23:00:00Z')).toBe(
      '2026-03-29T06:00:00.000Z',
    );
    expect(until({ from: '22:00', to: '07:00' }, 'Europe/London', '2026-10-24T22:00:00Z')).toBe(
      '2026-10-25T07:00:00.000Z',
    );
  });
  it('holds in zones of +5:45 and +14', () => {
    expect(until({ from: '22:00', to: '07:00' }, 'Asia/Kathmandu', '2026-06-10T17:00:00Z')).toBe(
      '2026-06-11T01:15:00.000Z',
    );
    expect(until({ from: '22:00', to: '07:00' }, 'Pacific/Kiritimati', '2026-06-10T09:00:00Z')).toBe(
      '2026-06-10T17:00:00.000Z',
    );
  });
  it('always ends after now, at the wall time that was asked for', () => {
    const clock = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
    const zone = fc.constantFrom(
      'Asia/Shanghai',
      'Europe/London',
      'America/New_York',
      'Asia/Kathmandu',
      'Pacific/Kiritimati',
    );
    fc.assert(
      fc.property(
        clock,
        clock,
        zone,
        fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') }),
        (from, to, name, now) => {
          const end = quietUntil({ from, to }, name, now);
          if (end === null) return;
          expect(end).toBeGreaterThan(now);
          expect(end - now).toBeLessThanOrEqual(25 * 3_600_000);
          const local = DateTime.fromMillis(end, { zone: name });
          const skipped = !DateTime.fromISO(`${local.toISODate()}T${to}`, { zone: name })
            .toFormat('HH:mm')
            .startsWith(to);
          if (!skipped) expect(local.toFormat('HH:mm')).toBe(to);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('digest slots', () => {
  const slot = (pace: 'daily' | 'weekly', zone: string, now: string, hour = 8) =>
    new Date(digestSlot(pace, { zone, hour }, at(now))).toISOString();

  it('are the next eight in the morning, weekly on a Monday, in the person’s zone', () => {
    expect(slot('daily', 'Asia/Shanghai', '2026-06-10T12:00:00Z')).toBe('2026-06-11T00:00:00.000Z');
    expect(slot('daily', 'Asia/Shanghai', '2026-06-10T23:59:59Z')).toBe('2026-06-11T00:00:00.000Z');
    expect(slot('daily', 'Europe/London', '2026-03-28T12:00:00Z')).toBe('2026-03-29T07:00:00.000Z');
    expect(slot('weekly', 'Asia/Shanghai', '2026-06-10T12:00:00Z')).toBe('2026-06-15T00:00:00.000Z');
    expect(slot('weekly', 'Asia/Shanghai', '2026-06-15T00:00:00Z')).toBe('2026-06-22T00:00:00.000Z');
  });

  it.each([
    ['daily', 'Asia/Kathmandu', 18, '2026-06-10T12:14:59Z', '2026-06-10T12:15:00.000Z'],
    ['daily', 'Pacific/Kiritimati', 0, '2026-06-10T10:00:00Z', '2026-06-11T10:00:00.000Z'],
    ['weekly', 'Pacific/Kiritimati', 23, '2026-06-15T08:59:59Z', '2026-06-15T09:00:00.000Z'],
    // on these nights there is no such hour: it moves forward
    ['daily', 'Europe/London', 1, '2026-03-28T12:00:00Z', '2026-03-29T01:00:00.000Z'],
    ['daily', 'Africa/Cairo', 0, '2026-04-23T12:00:00Z', '2026-04-23T22:00:00.000Z'],
    ['daily', 'Australia/Lord_Howe', 2, '2026-10-03T12:00:00Z', '2026-10-03T15:30:00.000Z'],
    // on these it comes twice: the first one counts, and the second is no other
    ['daily', 'Europe/London', 1, '2026-10-24T12:00:00Z', '2026-10-25T00:00:00.000Z'],
    ['daily', 'Europe/London', 1, '2026-10-25T00:00:00Z', '2026-10-26T01:00:00.000Z'],
  ] as const)('%s in %s at the hour %d, after %s', (pace, zone, hour, now, expected) =>
    expect(slot(pace, zone, now, hour)).toBe(expected),
  );

  it('are at the hour of the person, or else at the usual one', () => {
    const person = { timeZone: 'Asia/Kathmandu', digestHour: 0 };
    const defaults = { timeZone: 'Asia/Shanghai' };
    expect(digestClockOf(person, defaults)).toEqual({ zone: 'Asia/Kathmandu', hour: 0 });
    expect(digestClockOf({ ...person, digestHour: null }, defaults).hour).toBe(8);
    expect(digestClockOf(null, defaults)).toEqual({ zone: defaults.timeZone, hour: 8 });
  });
});

describe('the digest slot that has come last', () => {
  it.each([
    ['daily', 'Asia/Shanghai', '2026-06-10T12:00:00Z', '2026-06-10T00:00:00.000Z'],
    ['daily', 'Asia/Shanghai', '2026-06-11T00:00:00Z', '2026-06-11T00:00:00.000Z'],
    ['daily', 'Asia/Kathmandu', '2026-06-11T02:14:59Z', '2026-06-10T02:15:00.000Z'],
    ['daily', 'Asia/Kathmandu', '2026-06-11T02:15:00Z', '2026-06-11T02:15:00.000Z'],
    ['daily', 'Pacific/Kiritimati', '2026-06-10T18:00:00Z', '2026-06-10T18:00:00.000Z'],
    ['daily', 'Europe/London', '2026-03-29T06:59:59Z', '2026-03-28T08:00:00.000Z'],
    ['daily', 'Europe/London', '2026-10-25T08:00:00Z', '2026-10-25T08:00:00.000Z'],
    ['weekly', 'Asia/Shanghai', '2026-06-15T00:00:00Z', '2026-06-15T00:00:00.000Z'],
    ['weekly', 'Pacific/Kiritimati', '2026-06-14T17:59:59Z', '2026-06-07T18:00:00.000Z'],
    ['weekly', 'Europe/London', '2026-03-30T06:59:59Z', '2026-03-23T08:00:00.000Z'],
  ] as const)('%s in %s at %s', (pace, zone, now, expected) =>
    expect(new Date(lastDigestSlot(pace, { zone, hour: 8 }, at(now))).toISOString()).toBe(expected),
  );

  it('and the next one lie on both sides of every moment, a day or a week apart but for the clocks', () => {
    const zones = ['Asia/Shanghai', 'Europe/London', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Kiritimati'];
    fc.assert(
      fc.property(
        fc.constantFrom('daily' as const, 'weekly' as const),
        fc.constantFrom(...zones, 'Australia/Lord_Howe', 'Africa/Cairo', 'America/Havana'),
        fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') }),
        fc.integer({ min: 0, max: 23 }),
        (pace, zone, now, hour) => {
          const clock = { zone, hour };
          const [last, next] = [lastDigestSlot(pace, clock, now), digestSlot(pace, clock, now)];
          expect(last).toBeLessThanOrEqual(now);
          expect(next).toBeGreaterThan(now);
          const days = pace === 'daily' ? 1 : 7;
          expect(Math.abs(next - last - days * 86_400_000)).toBeLessThanOrEqual(3_600_000);
          for (const slot of [last, next]) {
            const local = DateTime.fromMillis(slot, { zone });
            const skipped = local.offset !== local.minus({ hours: 1 }).offset;
            if (!skipped) expect(local.toFormat('H:mm')).toBe(`${hour}:00`);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('what waited for a digest', () => {
  const leaves = (kept: PolicyInput['kept'], pace: 'immediate' | 'daily' | 'weekly', overrides = {}) =>
    decide(input({ kept, reasons: [follows(pace)], ...overrides }));
  it.each([
    ['daily', 'daily', { kind: 'send' }],
    ['weekly', 'weekly', { kind: 'send' }],
    ['daily', 'immediate', { kind: 'send' }],
    ['weekly', 'daily', { kind: 'send' }],
    ['due', 'weekly', { kind: 'send' }],
    ['daily', 'weekly', { kind: 'digest', code: 'weekly-digest' }],
    [null, 'daily', { kind: 'digest', code: 'daily-digest' }],
  ] as const)('for %s, of somebody whose pace is %s', (kept, pace, expected) =>
    expect(leaves(kept, pace)).toMatchObject(expected),
  );
  it('obeys quiet hours as it leaves', () => {
    const sleeper = person({ quietHours: { from: '00:00', to: '23:59' } });
    expect(leaves('daily', 'daily', { person: sleeper })).toMatchObject({ kind: 'defer', code: 'quiet-hours' });
  });
});

describe('the cap', () => {
  it('is half of it, and one at least, for whom it was too many', () => {
    expect(capsOf({}, { day: 3, week: 10 })).toEqual({ day: 3, week: 10 });
    expect(capsOf({ fewer: true }, { day: 3, week: 10 })).toEqual({ day: 1, week: 5 });
    expect(capsOf({ fewer: true }, { day: 1, week: 1 })).toEqual({ day: 1, week: 1 });
  });

  const rule: Reason = {
    ...{
      kind: 'rule',
      source: 1,
      pace: 'immediate',
      channels: ['email'],
      priority: 5,
      weight: 1,
      holdout: 0,
      hour: false,
    },
  };
  const condition: Reason = { kind: 'condition', source: 2, channels: null };
  it.each([
    ['a rule', [rule], 'routine', true],
    ['the condition of a push', [condition], 'routine', true],
    ['a rule beside a subscription', [rule, follows('weekly')], 'routine', false],
    ['a rule beside a name', [rule, { kind: 'named', source: 3, channels: null }], 'routine', false],
    ['an emergency', [rule], 'emergency', false],
    ['nothing', [], 'routine', false],
  ] as [string, Reason[], 'routine' | 'emergency', boolean][])('of %s', (_name, reasons, urgency, capped) =>
    expect(isCapped({ item: { urgency }, reasons })).toBe(capped),
  );

  it.each([
    ['Asia/Shanghai', '2026-06-14T15:59:59Z', '2026-06-14', '2026-W24'],
    ['Asia/Shanghai', '2026-06-14T16:00:00Z', '2026-06-15', '2026-W25'],
    ['Asia/Kathmandu', '2026-06-14T18:14:59Z', '2026-06-14', '2026-W24'],
    ['Asia/Kathmandu', '2026-06-14T18:15:00Z', '2026-06-15', '2026-W25'],
    ['Pacific/Kiritimati', '2026-06-14T10:00:00Z', '2026-06-15', '2026-W25'],
    ['Europe/London', '2027-01-01T12:00:00Z', '2027-01-01', '2026-W53'],
  ])('counts by the day and week in %s at %s', (zone, now, day, week) =>
    expect(capDates(zone, at(now))).toEqual({ day, week }),
  );

  const over = (full: 'day' | 'week', overrides: Partial<PolicyInput> = {}) => {
    const put = overCap(input({ reasons: [rule], ...overrides }), full);
    return put && [put.code, new Date(put.until).toISOString()];
  };
  const daily = { ...rule, pace: 'daily' } as Reason;
  it.each([
    ['the next morning', over('day'), ['cap-day', '2026-06-11T07:00:00.000Z']],
    ['Monday morning', over('week'), ['cap-week', '2026-06-15T07:00:00.000Z']],
    ['the next digest', over('day', { kept: 'daily', reasons: [daily] }), ['cap-day', '2026-06-11T07:00:00.000Z']],
    [
      'the digest of Monday',
      over('week', { kept: 'daily', reasons: [daily] }),
      ['cap-week', '2026-06-15T07:00:00.000Z'],
    ],
    [
      'the moment at which its item expires',
      over('day', { item: { urgency: 'routine', expiresAt: '2026-06-10T20:00:00Z' } }),
      ['cap-day', '2026-06-10T20:00:00.000Z'],
    ],
    [
      'nothing, where a deadline would pass',
      over('day', { item: { urgency: 'routine', deadline: '2026-06-10T20:00:00Z' } }),
      null,
    ],
  ])('makes a message wait for %s', (_name, put, expected) => expect(put).toEqual(expected));
});

describe('the hour of a rule', () => {
  const rule = (hour: boolean): Reason => ({
    ...{ kind: 'rule', source: 1, pace: 'immediate', channels: ['email'], priority: 5, weight: 1, holdout: 0, hour },
  });
  const decided = (preferredHour: number | null, hour = true, overrides: Partial<PolicyInput> = {}) => {
    const decision = decide(input({ reasons: [rule(hour)], preferredHour, ...overrides }));
    return 'until' in decision ? `${decision.code} ${new Date(decision.until).toISOString()}` : decision.kind;
  };
  it.each([
    ['later today', decided(19), 'preferred-hour 2026-06-10T18:00:00.000Z'],
    ['tomorrow', decided(7), 'preferred-hour 2026-06-11T06:00:00.000Z'],
    ['now', decided(13), 'send'],
    ['unknown', decided(null), 'send'],
    ['not to be chosen', decided(19, false), 'send'],
    [
      'past the deadline',
      decided(19, true, { item: { urgency: 'routine', deadline: '2026-06-10T15:00:00Z' } }),
      'send',
    ],
    ['of something that was asked for', decided(19, true, { reasons: [rule(true), follows('immediate')] }), 'send'],
    ['of an emergency', decided(19, true, { item: { urgency: 'emergency' } }), 'send'],
  ])('%s', (_name, decision, expected) => expect(decision).toBe(expected));
});

describe('a text after a web push', () => {
  const both = person({ addresses: [address('webPush'), address('sms')] });
  const fallback = (overrides: Partial<PolicyInput>) => {
    const decision = decide(input({ person: both, ...overrides }));
    return decision.kind === 'send' ? decision.fallback : decision.kind;
  };
  const text = { channel: 'sms', after: 900_000 };
  it.each([
    ['where the person named both', fallback({ reasons: [follows('immediate', ['webPush', 'sms'])] }), text],
    ['in an emergency', fallback({ item: { urgency: 'emergency' } }), text],
    ['not by default', fallback({}), null],
    ['not where texts come first', fallback({ reasons: [follows('immediate', ['sms', 'webPush'])] }), null],
    ['not after texts failed', fallback({ reasons: [follows('immediate', ['sms', 'webPush'])], tried: ['sms'] }), null],
    ['not for a digest', fallback({ kept: 'daily', reasons: [follows('daily', ['webPush', 'sms'])] }), null],
    [
      'not without a number',
      fallback({ person: person({ addresses: [address('webPush')] }), item: { urgency: 'emergency' } }),
      null,
    ],
  ])('%s', (_name, found, expected) => expect(found).toEqual(expected));
});

describe('suggestions', () => {
  const rule = (fields: Partial<Extract<Reason, { kind: 'rule' }>> = {}): Reason => ({
    kind: 'rule',
    source: 1,
    pace: 'immediate',
    channels: ['email'],
    priority: 5,
    weight: 1,
    holdout: 0,
    hour: false,
    ...fields,
  });
  const condition: Reason = { kind: 'condition', source: 2, channels: null };

  it('take their pace and channels from the rule only where no subscription matched', () => {
    expect(decide(input({ reasons: [rule({ pace: 'weekly' })] }))).toMatchObject({ code: 'weekly-digest' });
    expect(decide(input({ reasons: [rule(), follows('daily')] }))).toMatchObject({ code: 'daily-digest' });
    expect(decide(input({ reasons: [rule({ pace: 'weekly' }), follows('immediate')] }))).toMatchObject({
      kind: 'send',
    });
    expect(channelOrder([rule({ channels: ['sms'] }), follows('daily', ['webPush'])])[0]).toBe('webPush');
    expect(channelOrder([rule({ channels: ['sms'] })])[0]).toBe('sms');
  });

  it('follow the rule of the first priority, and among equals the fastest', () => {
    const slow = rule({ pace: 'weekly', priority: 1 });
    expect(decide(input({ reasons: [rule({ pace: 'daily', priority: 2 }), slow] }))).toMatchObject({
      code: 'weekly-digest',
    });
    expect(decide(input({ reasons: [slow, rule({ pace: 'daily', priority: 1 })] }))).toMatchObject({
      code: 'daily-digest',
    });
  });

  it('are held out below the largest share, by one draw', () => {
    const reasons = [rule({ holdout: 0.1 }), rule({ holdout: 0.3 })];
    expect(decide(input({ reasons, draw: 0.29 }))).toEqual({ kind: 'withhold', code: 'holdout' });
    expect(decide(input({ reasons, draw: 0.3 }))).toMatchObject({ kind: 'send' });
  });

  it('are held out neither from what was asked for, nor from a push of its own, nor from an emergency', () => {
    const held = rule({ holdout: 0.5 });
    expect(decide(input({ reasons: [held, follows('immediate')], draw: 0 }))).toMatchObject({ kind: 'send' });
    expect(decide(input({ reasons: [held, condition], draw: 0 }))).toMatchObject({ kind: 'send' });
    expect(decide(input({ reasons: [held], item: { urgency: 'emergency' }, draw: 0 }))).toMatchObject({ kind: 'send' });
  });

  it('are a class of notice of their own, below what must be delivered', () => {
    expect(noticeClassOf({ urgency: 'routine' }, [rule(), condition])).toBe('suggestion');
    expect(noticeClassOf({ urgency: 'routine' }, [rule(), follows('weekly')])).toBe('must');
    expect(noticeClassOf({ urgency: 'emergency' }, [rule()])).toBe('emergency');
  });
});
