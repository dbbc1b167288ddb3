import { followSchema, toFollowRequest } from '../../../src/subscriptions/follow.ts';
import { followFaults, followParts, itemsNamed } from '../../../src/subscriptions/follow-check.ts';
import { trees } from './fixtures.ts';

const known = { trees, items: new Set(['i1']) };
const request = (input: unknown) => toFollowRequest(followSchema.parse(input));

describe('a follow as it is sent', () => {
  it('is read with its defaults', () => {
    expect(request({ topic: ' housing ' })).toEqual({
      target: { topic: 'housing' },
      regions: null,
      pace: 'immediate',
      channels: null,
    });
    expect(request({ item: 'i1', pace: 'weekly', channels: ['sms', 'email', 'sms'], regions: ['US'] })).toEqual({
      target: { item: 'i1' },
      regions: ['US'],
      pace: 'weekly',
      channels: ['sms', 'email'],
    });
  });

  it.each([
    [{}],
    [{ topic: 'a', item: 'b' }],
    [{ topic: '' }],
    [{ topic: 'a', pace: 'hourly' }],
    [{ topic: 'a', colour: 'red' }],
    [{ search: {} }],
    [{ search: { all: {} } }],
    [{ search: { all: { keywords: [] } } }],
    [{ search: { all: { shoe: ['44'] } } }],
    [{ search: { any: { keywords: ['x'] }, none: {} } }],
    [{ topic: 'a', channels: [] }],
    [{ topic: 'a', channels: ['pigeon'] }],
  ])('is refused: %j', (input) => {
    expect(followSchema.safeParse(input).success).toBe(false);
  });
});

describe('what a follow names', () => {
  it('may all exist', () => {
    for (const input of [
      { topic: 'rent', regions: ['US-CA'] },
      { item: 'i1' },
      { search: { all: { topics: ['rent'], regions: ['hill'], urgency: ['emergency'], category: ['whatever'] } } },
    ])
      expect(followFaults(followParts(request(input)), known, 'follow.0')).toEqual([]);
  });

  it('is named where it does not exist, all of it', () => {
    const search = { all: { topics: ['rent', 'moon'], urgency: ['extreme'] }, any: { regions: ['Narnia'] } };
    expect(followFaults({ search, regions: ['US', 'Oz'] }, known, 'follow.0')).toEqual([
      { path: 'follow.0.search.all.topics.1', message: 'unknown topic: moon' },
      { path: 'follow.0.search.all.urgency.0', message: 'unknown urgency: extreme' },
      { path: 'follow.0.search.any.regions.0', message: 'unknown region: Narnia' },
      { path: 'follow.0.regions.1', message: 'unknown region: Oz' },
    ]);
    expect(followFaults({ topic: 'moon' }, known, 'f')).toEqual([{ path: 'f.topic', message: 'unknown topic: moon' }]);
    expect(followFaults({ item: 'i2' }, known, 'f')).toEqual([{ path: 'f.item', message: 'unknown item: i2' }]);
  });

  it('lists the items once', () => {
    expect(itemsNamed([{ item: 'a' }, undefined, { topic: 'b' }, { item: 'a' }])).toEqual(['a']);
  });
});
