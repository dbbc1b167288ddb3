import fc from 'fast-check';
import { type BrowsingEvent, eventKinds, eventWeights } from '../../../src/browsing/browsing-event.ts';
import type { ParentOf } from '../../../src/catalogue/topic.ts';
import { scaledWeight, weightAt } from '../../../src/profiles/interest.ts';
import { emptyProfile, type Profile } from '../../../src/profiles/profile.ts';
import {
  correctInterest,
  evidenceFor,
  foldUnder,
  forgetInterest,
  joinProfiles,
} from '../../../src/profiles/profile-fold.ts';

const parents: ParentOf = new Map([
  ['services', null],
  ['housing', 'services'],
  ['rent', 'housing'],
  ['policies', null],
  ['tax', 'policies'],
  ['ring-a', 'ring-b'],
  ['ring-b', 'ring-a'],
]);
const { apply: fold, touches } = foldUnder(parents);
const noon = Date.parse('2026-11-20T12:00:00Z');
const dayMs = 86_400_000;

const event = (fields: Partial<BrowsingEvent> = {}): BrowsingEvent => ({
  ordinal: 1,
  kind: 'view',
  at: noon,
  item: 'item-1',
  query: null,
  topics: ['rent'],
  hour: null,
  channel: null,
  ...fields,
});

const interestOf = (profile: Profile, topic: string, now = noon): number =>
  weightAt(profile.interests[topic]?.sum ?? 0, now);

describe('what an event does to a profile', () => {
  it('gives the topic its weight, the one above half, the next a quarter', () => {
    const profile = fold(emptyProfile, [event({ kind: 'useful' })]);
    expect(interestOf(profile, 'rent')).toBeCloseTo(4 / 9, 12);
    expect(interestOf(profile, 'housing')).toBeCloseTo(2 / 7, 12);
    expect(interestOf(profile, 'services')).toBeCloseTo(1 / 6, 12);
  });

  it('counts a topic that is reached in two ways once, by its larger share', () => {
    const profile = fold(emptyProfile, [event({ kind: 'useful', topics: ['rent', 'services', 'housing', 'rent'] })]);
    for (const topic of ['rent', 'housing', 'services']) expect(interestOf(profile, topic)).toBeCloseTo(4 / 9, 12);
    expect(profile.interests.services?.counts).toEqual({ useful: 1 });
  });

  it('comes to an end in a ring of topics', () => {
    const profile = fold(emptyProfile, [event({ kind: 'useful', topics: ['ring-a'] })]);
    expect(interestOf(profile, 'ring-a')).toBeCloseTo(4 / 9, 12);
    expect(interestOf(profile, 'ring-b')).toBeCloseTo(2 / 7, 12);
  });

  it('halves in thirty days without being written', () => {
    const profile = fold(emptyProfile, [event({ kind: 'useful' })]);
    expect(interestOf(profile, 'rent', noon + 30 * dayMs)).toBeCloseTo(2 / 7, 12);
  });

  it('lets "not for me" outweigh, unclipped, without calling it evidence', () => {
    const disliked = fold(emptyProfile, [event({ kind: 'not-for-me' })]);
    expect(interestOf(disliked, 'rent')).toBe(0);
    expect(disliked.interests.rent?.evidence).toEqual([]);
    expect(disliked.interests.rent?.counts).toEqual({ 'not-for-me': 1 });
    expect(interestOf(fold(disliked, [event({ kind: 'useful' })]), 'rent')).toBe(0);
    expect(interestOf(fold(disliked, [event({ kind: 'useful' }), event({ kind: 'useful' })]), 'rent')).toBe(0);
    const liked = [1, 2, 3].map(() => event({ kind: 'useful' }));
    expect(interestOf(fold(disliked, liked), 'rent')).toBeCloseTo(4 / 9, 12);
  });

  it('keeps the three that weigh most now as evidence', () => {
    const old = event({ kind: 'useful', at: noon - 89 * dayMs, item: 'old' });
    const events = [old, ...[1, 2, 3].map((n) => event({ at: noon - n, item: `new-${n}` }))];
    const kept = fold(emptyProfile, events).interests.rent?.evidence;
    expect(kept?.map(({ item }) => item)).toEqual(['new-1', 'new-2', 'new-3']);
  });

  it('keeps hour and channel of reactions, and of nothing else', () => {
    const profile = fold(emptyProfile, [
      event({ kind: 'click', hour: 19, channel: 'sms' }),
      event({ kind: 'useful', hour: 19, channel: 'sms' }),
      event({ kind: 'view', hour: 3, channel: 'email' }),
      event({ kind: 'not-for-me', hour: 4, channel: 'email' }),
    ]);
    expect(profile.hours[19]).toBe(2);
    expect(profile.hours.reduce((sum, count) => sum + count)).toBe(2);
    expect(profile.reactions).toEqual({ sms: 2 });
  });

  it('remembers activity that speaks for no topic', () => {
    const profile = fold(emptyProfile, [event({ kind: 'search', query: 'xyzzy', topics: [] })]);
    expect(profile).toEqual({ ...emptyProfile, lastActiveAt: noon });
  });
});

describe('the evidence for an interest', () => {
  const itemsFor = (profile: Profile, topic: string) => evidenceFor(profile, topic, parents).map(({ item }) => item);

  it('is that of the topic and of those below, which count less the farther below they are', () => {
    const profile = fold(emptyProfile, [
      event({ kind: 'useful', item: 'useful-rent' }),
      event({ kind: 'download', item: 'download-housing', topics: ['housing'] }),
      event({ item: 'view-services', topics: ['services'], at: noon - 1 }),
      event({ item: 'view-rent' }),
      event({ kind: 'download', item: 'tax', topics: ['tax'] }),
    ]);
    expect(itemsFor(profile, 'rent')).toEqual(['useful-rent', 'view-rent']);
    expect(itemsFor(profile, 'housing')).toEqual(['download-housing', 'useful-rent', 'view-rent']);
    expect(itemsFor(profile, 'services')).toEqual(['download-housing', 'useful-rent', 'view-services']);
  });

  it('names one deed once, though it spoke for two topics below', () => {
    const profile = fold(emptyProfile, [event({ topics: ['rent', 'housing'] })]);
    expect(itemsFor(profile, 'services')).toEqual(['item-1']);
  });

  it('leaves out what happened before the interest was deleted', () => {
    const profile = forgetInterest(fold(emptyProfile, [event()]), 'housing', noon);
    expect(itemsFor(fold(profile, [event({ at: noon + 1, item: 'later' })]), 'housing')).toEqual(['later']);
  });
});

describe('deleting an interest', () => {
  const read = fold(emptyProfile, [event({ kind: 'useful' })]);

  it('takes it away and leaves the others', () => {
    const profile = forgetInterest(read, 'rent', noon);
    expect(Object.keys(profile.interests)).toEqual(['housing', 'services']);
  });

  it('keeps it away for what happened until then, though it be told later', () => {
    const profile = fold(forgetInterest(read, 'rent', noon), [event({ at: noon }), event({ at: noon - dayMs })]);
    expect(profile.interests.rent).toBeUndefined();
    expect(profile.interests.housing?.counts).toEqual({ useful: 1, view: 2 });
  });

  it('lets it come back by what the person does afterwards', () => {
    const profile = fold(forgetInterest(read, 'rent', noon), [event({ at: noon + 1 })]);
    expect(profile.interests.rent).toMatchObject({ counts: { view: 1 }, since: noon + 1 });
  });

  it('never moves the time back', () => {
    expect(forgetInterest(forgetInterest(read, 'rent', noon), 'rent', noon - 5).cleared).toEqual({ rent: noon });
  });
});

describe('correcting an interest', () => {
  const read = fold(emptyProfile, [event({ kind: 'useful' })]);

  it.each([0.1, 0.45, 0.75])('makes it as strong as was said: %d', (weight) => {
    const later = noon + 40 * dayMs;
    const profile = correctInterest(read, 'rent', weight, later);
    expect(interestOf(profile, 'rent', later)).toBeCloseTo(weight, 9);
    expect(profile.interests.rent).toMatchObject({ counts: { useful: 1 }, corrected: later });
    expect(profile.interests.housing).toEqual(read.interests.housing);
  });

  it('is added to by what comes later, and remembered', () => {
    const profile = fold(correctInterest(read, 'rent', 0.1, noon), [event({ kind: 'useful', at: noon + 1 })]);
    expect(interestOf(profile, 'rent')).toBeGreaterThan(0.4);
    expect(profile.interests.rent?.corrected).toBe(noon);
    expect(joinProfiles(profile, read).interests.rent?.corrected).toBe(noon);
  });

  it('makes none where there is none', () => {
    expect(correctInterest(read, 'tax', 0.75, noon)).toBe(read);
    expect(correctInterest(read, 'constructor', 0.75, noon)).toBe(read);
  });
});

const anyEvent: fc.Arbitrary<BrowsingEvent> = fc
  .record({
    kind: fc.constantFrom(...eventKinds),
    at: fc.integer({ min: noon - 90 * dayMs, max: noon }),
    item: fc.option(fc.constantFrom('item-1', 'item-2', 'item-3')),
    query: fc.option(fc.constantFrom('rent', '公租房')),
    topics: fc.uniqueArray(fc.constantFrom(...parents.keys(), 'constructor'), { maxLength: 4 }),
    hour: fc.option(fc.integer({ min: 0, max: 23 })),
    channel: fc.option(fc.constantFrom('email' as const, 'sms' as const)),
  })
  .map((fields) => event(fields));

/** Few distinct times and kinds, so that evidences tie. */
const alikeEvent = anyEvent.map((one) => ({ ...one, at: noon - (one.at % 3), kind: 'view' as const }));
const anyEvents = fc.array(fc.oneof(anyEvent, alikeEvent), { maxLength: 40 });

/** A list in another order, cut into batches. */
const shuffledInBatches = (events: BrowsingEvent[], order: number[], cuts: number[]): BrowsingEvent[][] => {
  const shuffled = events
    .map((one, at) => ({ one, key: order[at % order.length] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ one }) => one);
  const batches: BrowsingEvent[][] = [[]];
  shuffled.forEach((one, at) => {
    if (cuts.includes(at)) batches.push([]);
    batches.at(-1)?.push(one);
  });
  return batches;
};

const expectSame = (one: Profile, other: Profile, events: BrowsingEvent[]): void => {
  const most = events.reduce((sum, { kind, at }) => sum + Math.abs(scaledWeight(eventWeights[kind], at)), 0);
  expect(Object.keys(other.interests).sort()).toEqual(Object.keys(one.interests).sort());
  for (const [topic, { sum, ...rest }] of Object.entries(one.interests)) {
    const { sum: otherSum = Number.NaN, ...otherRest } = other.interests[topic] ?? {};
    expect(Math.abs(otherSum - sum)).toBeLessThanOrEqual(1e-9 * most);
    expect(otherRest).toEqual(rest);
  }
  expect({ ...other, interests: {} }).toEqual({ ...one, interests: {} });
};

describe('whatever the order', () => {
  it('folds to the same profile in any order and in any batches', () => {
    fc.assert(
      fc.property(
        anyEvents,
        fc.array(fc.integer(), { minLength: 1, maxLength: 40 }),
        fc.array(fc.nat({ max: 40 })),
        fc.option(fc.integer({ min: noon - 90 * dayMs, max: noon })),
        (events, order, cuts, clearedAt) => {
          const start = clearedAt === null ? emptyProfile : forgetInterest(emptyProfile, 'housing', clearedAt);
          const batches = shuffledInBatches(events, order, cuts);
          expectSame(
            fold(start, events),
            batches.reduce((profile, batch) => fold(profile, batch), start),
            events,
          );
        },
      ),
    );
  });

  it('needs no more of a profile than the interests that it names, and changes no others', () => {
    fc.assert(
      fc.property(anyEvents, anyEvents, (some, others) => {
        const before = fold(emptyProfile, some);
        const named = touches(others);
        const part = Object.fromEntries(Object.entries(before.interests).filter(([topic]) => named.includes(topic)));
        const after = fold({ ...before, interests: part }, others);
        expect({ ...after, interests: { ...before.interests, ...after.interests } }).toEqual(fold(before, others));
        expect(Object.keys(after.interests).filter((topic) => !named.includes(topic))).toEqual([]);
      }),
    );
  });

  it('joins two profiles into the one that all their events make', () => {
    fc.assert(
      fc.property(anyEvents, anyEvents, (some, others) => {
        const joined = joinProfiles(fold(emptyProfile, some), fold(emptyProfile, others));
        expectSame(fold(emptyProfile, [...some, ...others]), joined, [...some, ...others]);
      }),
    );
  });

  it('keeps what one of two joined profiles had deleted away', () => {
    const deleted = forgetInterest(emptyProfile, 'rent', noon);
    const older = fold(emptyProfile, [event({ at: noon - 1 })]);
    const newer = fold(emptyProfile, [event({ at: noon + 1 })]);
    expect(joinProfiles(deleted, older).interests.rent).toBeUndefined();
    expect(joinProfiles(older, deleted).interests.rent).toBeUndefined();
    expect(joinProfiles(deleted, newer).interests.rent).toEqual(newer.interests.rent);
  });
});
