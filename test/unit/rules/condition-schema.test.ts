import { z } from 'zod';
import type { Fault } from '../../../src/errors.ts';
import { faultsOf } from '../../../src/reading.ts';
import { conditionSchema } from '../../../src/rules/condition-schema.ts';
import { textFaults } from '../../../src/text-faults.ts';

const body = z.strictObject({ who: conditionSchema });

const faults = (who: unknown): Fault[] => {
  const parsed = body.safeParse({ who });
  return parsed.success ? [] : faultsOf(parsed.error);
};
const leaf = { item: 'category', in: ['a'] };
const nested = (depth: number): unknown => (depth === 1 ? leaf : { not: nested(depth - 1) });

describe('the condition schema', () => {
  const fine: [string, unknown][] = [
    ['all', { all: [leaf, leaf] }],
    ['any', { any: [leaf] }],
    ['not', { not: leaf }],
    ['everything', { all: [] }],
    ['nothing', { any: [] }],
    ...['topics', 'regions', 'audiences', 'keywords'].map((item): [string, unknown] => [item, { item, has: ['x'] }]),
    ...['category', 'department', 'documentType', 'language'].map((item): [string, unknown] => [
      item,
      { item, in: ['x', 'y'] },
    ]),
    ['urgency', { item: 'urgency', atLeast: 'important' }],
    ['text', { item: 'text', contains: ['住房', 'rent'] }],
    ['region', { person: 'region', within: ['110000'] }],
    ['region of the item', { person: 'region', within: 'item.regions' }],
    ['language', { person: 'language', in: ['zh', 'en-GB', '*'] }],
    ['age', { person: 'age', from: 60 }],
    ['age up to', { person: 'age', to: 0 }],
    ['age of one year', { person: 'age', from: 18, to: 18 }],
    ['attributes', { person: 'attributes.occupation', in: ['teacher'] }],
    ['attributes in numbers', { person: 'attributes.birthYear', in: [1980, 1981] }],
    ['follows', { person: 'follows', topic: 'housing' }],
    ['follows of the item', { person: 'follows', topic: 'item.topics' }],
    ['interest', { person: 'interest', topic: 'item.topics', atLeast: 0.4 }],
    ['channel', { person: 'channel', has: ['sms', 'webPush', 'email', 'wechat'] }],
    ['activeWithin', { person: 'activeWithin', days: 1 }],
    ['200 conditions', { all: Array.from({ length: 199 }, () => leaf) }],
    ['10 deep', nested(10)],
  ];
  it.each(fine)('takes %s as it is', (_what, who) => {
    expect(body.parse({ who })).toEqual({ who });
  });

  it('trims', () => {
    expect(conditionSchema.parse({ item: 'text', contains: [' rent '] })).toEqual({ item: 'text', contains: ['rent'] });
  });

  const refused: [string, unknown, path: string, message: RegExp][] = [
    ['nothing at all', undefined, 'who', /must be a condition/],
    ['null', null, 'who', /must be a condition/],
    ['a text', 'all', 'who', /must be a condition/],
    ['a list', [leaf], 'who', /must be a condition/],
    ['an empty object', {}, 'who', /exactly one of/],
    ['an unknown name', { al: [] }, 'who.al', /not known/],
    ['two at once', { all: [], any: [] }, 'who', /exactly one of/],
    ['item and person', { item: 'topics', person: 'age', has: ['x'] }, 'who', /exactly one of/],
    ['a name beside all', { all: [leaf], note: 'x' }, 'who.note', /not known/],
    ['a name beside not', { not: leaf, note: 'x' }, 'who.note', /not known/],
    ['all that is no list', { all: leaf }, 'who.all', /must be a list/],
    ['not that is a list', { not: [leaf] }, 'who.not', /must be a condition/],
    ['a name in a leaf', { all: [leaf, { ...leaf, has: ['x'] }] }, 'who.all.1.has', /not known/],
    ['a fault deep inside', { all: [leaf, leaf, { any: [{ item: 'category', in: 'a' }] }] }, 'who.all.2.any.0.in', /./],
    ['a fault in a value', { all: [leaf, leaf, { item: 'category', in: ['a', 7] }] }, 'who.all.2.in.1', /string/],
    ['a missing value', { item: 'category' }, 'who.in', /is required/],
    ['an empty list', { item: 'topics', has: [] }, 'who.has', /./],
    ['an empty text', { item: 'topics', has: [' '] }, 'who.has.0', /./],
    ['an unknown subject', { item: 'colour', in: ['red'] }, 'who.item', /must be one of: topics, regions/],
    ['a subject that is none', { item: 7 }, 'who.item', /must be one of/],
    ['a subject of another kind', { person: 'topics', has: ['x'] }, 'who.person', /attributes\.<name>/],
    ['attributes without a name', { person: 'attributes', in: ['x'] }, 'who.person', /must be one of/],
    ['an inherited name', { item: 'toString', in: ['x'] }, 'who.item', /must be one of/],
    ['an unknown urgency', { item: 'urgency', atLeast: 'high' }, 'who.atLeast', /./],
    ['interest at 1', { person: 'interest', topic: 'x', atLeast: 1 }, 'who.atLeast', /below 1/],
    ['interest below 0', { person: 'interest', topic: 'x', atLeast: -0.1 }, 'who.atLeast', /./],
    ['interest not a number', { person: 'interest', topic: 'x', atLeast: '0.5' }, 'who.atLeast', /number/],
    ['0 days', { person: 'activeWithin', days: 0 }, 'who.days', /./],
    ['half a day', { person: 'activeWithin', days: 1.5 }, 'who.days', /./],
    ['age backwards', { person: 'age', from: 60, to: 18 }, 'who.from', /not be above to/],
    ['age of nobody in particular', { person: 'age' }, 'who', /from, to or both/],
    ['an unknown channel', { person: 'channel', has: ['fax'] }, 'who.has.0', /./],
    ['a language that is none', { person: 'language', in: ['zh_CN'] }, 'who.in.0', /language range/],
    ['regions by another name', { person: 'region', within: 'item.topics' }, 'who.within', /./],
    ['an attribute of yes', { person: 'attributes.a', in: [true] }, 'who.in.0', /text or a whole number/],
    ['a line break', { item: 'text', contains: ['a\nb'] }, 'who.contains.0', /control characters/],
    ['a right-to-left override', { item: 'text', contains: ['a\u202eb'] }, 'who.contains.0', /writing direction/],
    ['an isolate', { item: 'keywords', has: ['\u2066a\u2069'] }, 'who.has.0', /writing direction/],
    ['201 conditions', { all: Array.from({ length: 200 }, () => leaf) }, 'who', /more than 200/],
    ['11 deep', nested(11), 'who', /more than 10 deep/],
  ];
  it.each(refused)('refuses %s', (_what, who, path, message) => {
    expect(faults(who)).toEqual(
      expect.arrayContaining([expect.objectContaining({ path, message: expect.stringMatching(message) })]),
    );
  });

  it('names every fault at once', () => {
    const found = faults({ all: [{ item: 'category', in: [] }, { nope: 1 }, { person: 'activeWithin', days: 0 }] });
    expect(found.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['who.all.0.in', 'who.all.1.nope', 'who.all.1', 'who.all.2.days']),
    );
  });

  it('counts every node, groups too', () => {
    const pairs = Array.from({ length: 100 }, () => ({ not: leaf }));
    expect(faults({ all: pairs.slice(1) })).toEqual([]);
    expect(faults({ all: pairs })).toHaveLength(1);
  });

  it('refuses the character U+0000 here and at the door', () => {
    const who = { item: 'text', contains: ['a\u0000b'] };
    expect(faults(who)).toHaveLength(1);
    expect(textFaults({ who })).toHaveLength(1);
  });

  it('is looked through for such characters in a time that grows with its size alone', () => {
    const depth = 100_000;
    const deep: unknown = JSON.parse(`${'{"not":'.repeat(depth)}"a\\u0000"${'}'.repeat(depth)}`);
    expect(textFaults(deep)).toHaveLength(1);
  }, 5_000);

  it('refuses what is huge without walking through it all', () => {
    let deep: unknown = leaf;
    for (let n = 0; n < 200_000; n++) deep = n % 2 ? { not: deep } : { all: [deep] };
    expect(faults(deep)).toEqual([{ path: 'who', message: expect.stringMatching(/more than 10 deep/) }]);
    const wide = { any: Array.from({ length: 300_000 }, () => ({ item: 'text', contains: ['0123456789'.repeat(3)] })) };
    expect(faults(wide)).toEqual([{ path: 'who', message: expect.stringMatching(/more than 200/) }]);
    expect(faults({ item: 'text', contains: ['x'.repeat(10_000_000)] })).toHaveLength(1);
  });

  it('does not take what is nested elsewhere for conditions', () => {
    let deep: unknown = [];
    for (let n = 0; n < 200_000; n++) deep = [deep];
    expect(faults({ item: 'category', in: deep })).not.toEqual([]);
    expect(faults({ strange: deep }).map(({ path }) => path)).toContain('who.strange');
    expect(faults({ not: deep })).not.toEqual([]);
  });

  it('is shown whole in the document', () => {
    const { $defs } = z.toJSONSchema(z.object({ who: conditionSchema }), { io: 'input', unrepresentable: 'any' });
    expect($defs?.Condition?.anyOf).toHaveLength(3 + 10 + 9);
    expect(JSON.stringify($defs?.Condition)).toContain('"$ref":"#/$defs/Condition"');
  });
});
