import fc from 'fast-check';
import type { ItemContent } from '../../../src/publishing/item.ts';
import { defineFollow, facets, type Search, type Target } from '../../../src/subscriptions/follow.ts';
import { anchorsOfItem, factsOfItem, followMatches } from '../../../src/subscriptions/matching.ts';
import { makeContent, regionParents, topicParents, trees } from './fixtures.ts';

const matches = (target: Target, content: Partial<ItemContent>, regions: string[] | null = null): boolean =>
  followMatches(defineFollow({ target, regions }), factsOfItem('item-1', makeContent(content), trees));

const search = (all: Search['all'], any?: Search['any']): Target => ({
  search: { ...(all && { all }), ...(any && { any }) },
});

describe('what a follow matches', () => {
  const table: [what: string, target: Target, item: Partial<ItemContent>, expected: boolean][] = [
    ['a topic: its own', { topic: 'housing' }, { topics: ['housing'] }, true],
    ['a topic: a descendant', { topic: 'services' }, { topics: ['rent'] }, true],
    ['a topic: not what is above it', { topic: 'rent' }, { topics: ['housing'] }, false],
    ['a topic: not a sibling', { topic: 'transport' }, { topics: ['housing'] }, false],
    ['an item: itself', { item: 'item-1' }, {}, true],
    ['an item: not another', { item: 'item-2' }, {}, false],
    ['any: one hit is enough', search(undefined, { keywords: ['rent', 'flat'] }), { keywords: ['flat'] }, true],
    ['any: no hit', search(undefined, { keywords: ['rent', 'flat'] }), { keywords: ['house'] }, false],
    ['all: every value', search({ keywords: ['rent', 'flat'] }), { keywords: ['flat', 'rent', 'more'] }, true],
    ['all: one is missing', search({ keywords: ['rent', 'flat'] }), { keywords: ['flat'] }, false],
    ['facets are ANDed', search({ category: ['a'] }, { audiences: ['b'] }), { category: 'a', audiences: ['c'] }, false],
    ['both facets hold', search({ category: ['a'] }, { audiences: ['b'] }), { category: 'a', audiences: ['b'] }, true],
    ['all and any of one facet', search({ keywords: ['a'] }, { keywords: ['b', 'c'] }), { keywords: ['a', 'c'] }, true],
    [
      'all and any of one facet share the one value',
      search({ keywords: ['a'] }, { keywords: ['a', 'b'] }),
      { keywords: ['a'] },
      true,
    ],
    [
      'all fails though any shares its value',
      search({ keywords: ['a', 'c'] }, { keywords: ['a', 'b'] }),
      { keywords: ['a', 'b'] },
      false,
    ],
    [
      'all and any of a scalar share its value',
      search({ category: ['a'] }, { category: ['a', 'b'] }),
      { category: 'a' },
      true,
    ],
    [
      'all and any of a scalar cannot be two',
      search({ category: ['a'] }, { category: ['b'] }),
      { category: 'a' },
      false,
    ],
    [
      'all and any of topics, by parent and child',
      search({ topics: ['services'] }, { topics: ['rent', 'policies'] }),
      { topics: ['rent'] },
      true,
    ],
    ['any of one facet fails', search({ keywords: ['a'] }, { keywords: ['b', 'c'] }), { keywords: ['a'] }, false],
    ['a scalar is a list of one', search({ category: ['a'] }), { category: 'a' }, true],
    ['a scalar cannot be two', search({ category: ['a', 'b'] }), { category: 'a' }, false],
    ['a scalar under any', search(undefined, { category: ['a', 'b'] }), { category: 'b' }, true],
    ['a facet the item lacks', search({ documentType: ['notice'] }), {}, false],
    ['an empty facet of the item', search(undefined, { audiences: ['a'] }), { audiences: [] }, false],
    ['topics with descendants', search({ topics: ['services'] }), { topics: ['rent'] }, true],
    ['topics, all of two branches', search({ topics: ['services', 'policies'] }), { topics: ['rent'] }, false],
    ['topics, parent and child by one', search({ topics: ['services', 'housing'] }), { topics: ['rent'] }, true],
    ['regions with descendants, by code', search({ regions: ['110000'] }), { regions: ['110101'] }, true],
    ['regions with descendants, by table', search({ regions: ['110000'] }), { regions: ['hill'] }, true],
    ['regions with descendants, by hyphen', search({ regions: ['US'] }), { regions: ['US-CA-001'] }, true],
    ['regions: not what contains it', search({ regions: ['US-CA'] }), { regions: ['US'] }, false],
    ['regions asked for, item without', search({ regions: ['US'] }), {}, false],
    [
      'all of two regions by one that lies in both',
      search({ regions: ['110000', '110100'] }),
      { regions: ['110101'] },
      true,
    ],
    ['all of two regions by one each', search({ regions: ['110000', 'US'] }), { regions: ['110101', 'US-CA'] }, true],
    ['all of two regions, one missing', search({ regions: ['110000', 'US'] }), { regions: ['110101'] }, false],
    ['regions by code, not by its letters alone', search({ regions: ['110100'] }), { regions: ['110000'] }, false],
    ['regions by hyphen, not by letters', search({ regions: ['US'] }), { regions: ['USA-CA'] }, false],
    ['topics asked for, item without', search({ topics: ['services'] }), { topics: [] }, false],
    ['a scalar facet that the item lacks, under any', search(undefined, { category: ['a'] }), {}, false],
    ['one facet held, another lacking', search({ keywords: ['a'], category: ['b'] }), { keywords: ['a'] }, false],
    ['urgency: not a higher one', search({ urgency: ['important'] }), { urgency: 'emergency' }, false],
    ['departments', search({ department: ['住建委'] }), { departments: ['财政局', '住建委'] }, true],
    ['language, without case', search({ language: ['zh-cn'] }), { language: 'zh-CN' }, true],
    ['urgency', search({ urgency: ['emergency'] }), { urgency: 'emergency' }, true],
    ['keywords without case', search({ keywords: ['STRASSE'] }), { keywords: ['Straße'] }, true],
    ['keywords in NFKC', search({ keywords: ['ＡＢＣ'] }), { keywords: ['abc'] }, true],
    ['keywords are whole, not parts', search({ keywords: ['rent'] }), { keywords: ['rental'] }, false],
    ['other values keep their case', search({ category: ['A'] }), { category: 'a' }, false],
    ['more values do not matter', search({ keywords: ['a'] }), { keywords: ['a', 'b'], category: 'x' }, true],
  ];
  it.each(table)('%s', (_what, target, item, expected) => {
    expect(matches(target, item)).toBe(expected);
  });

  const regionTable: [what: string, follow: string[], item: string[] | undefined, expected: boolean][] = [
    ['equal', ['110100'], ['110100'], true],
    ['the item lies in it', ['110000'], ['110101'], true],
    ['the item contains it', ['110101'], ['110000'], true],
    ['by the table, inwards', ['110000'], ['hill'], true],
    ['by the table, outwards', ['hill'], ['110000'], true],
    ['siblings', ['hill'], ['110100'], false],
    ['elsewhere', ['310000'], ['110000'], false],
    ['one of several', ['310000', 'US-CA'], ['US'], true],
    ['an item without regions', ['310000'], undefined, true],
    ['an item with an empty list', ['310000'], [], true],
  ];
  it.each(regionTable)('within regions: %s', (_what, follow, item, expected) => {
    for (const target of [{ topic: 'housing' }, search({ topics: ['housing'] }), { item: 'item-1' }])
      expect(matches(target, { regions: item }, follow)).toBe(expected);
  });
});

describe('the normal form', () => {
  it('is the same for equal wishes', () => {
    const a = defineFollow({
      target: search({ keywords: ['Rent', 'ｆｌａｔ'], category: ['x'] }, {}),
      regions: ['US', '110000', 'US'],
    });
    const b = defineFollow({
      target: { search: { all: { category: ['x'], keywords: ['flat', 'rent', 'RENT'] } } },
      regions: ['110000', 'US'],
    });
    expect(a).toEqual(b);
    expect(a.key).toMatch(/^[\w-]{43}$/);
  });

  it('names its source by the target alone, its key by target and regions', () => {
    const everywhere = defineFollow({ target: { topic: 'housing' }, regions: null });
    const here = defineFollow({ target: { topic: 'housing' }, regions: ['110000'] });
    expect(everywhere.source).toBe('subscription:topic:housing');
    expect(here.source).toBe(everywhere.source);
    expect(here.key).not.toBe(everywhere.key);
    expect(defineFollow({ target: { topic: 'housing' }, regions: [] })).toEqual(everywhere);
    expect(defineFollow({ target: { item: 'i1' }, regions: null }).source).toBe('subscription:item:i1');
    expect(defineFollow({ target: search({ category: ['a'] }), regions: null }).source).toMatch(
      /^subscription:search:[\w-]{22}$/,
    );
  });

  it('tells all from any', () => {
    const keys = [search({ keywords: ['a', 'b'] }), search(undefined, { keywords: ['a', 'b'] })].map(
      (target) => defineFollow({ target, regions: null }).key,
    );
    expect(keys[0]).not.toBe(keys[1]);
  });
});

const words = ['alpha', 'Beta', 'ＢＥＴＡ', 'straße', 'STRASSE', '住房'];
const valuesOf: Record<string, string[]> = {
  topics: [...topicParents.keys()],
  regions: [...regionParents.keys()],
  urgency: ['routine', 'important', 'emergency'],
  language: ['en', 'zh-CN', 'ZH-cn'],
};
const facetTable = fc
  .dictionary(fc.constantFrom(...facets), fc.constant(null), { maxKeys: 3 })
  .chain((keys) =>
    fc.record(
      Object.fromEntries(
        Object.keys(keys).map((facet) => [
          facet,
          fc.array(fc.constantFrom(...(valuesOf[facet] ?? words)), { minLength: 1, maxLength: 3 }),
        ]),
      ),
    ),
  );
const target: fc.Arbitrary<Target> = fc.oneof(
  fc.record({ topic: fc.constantFrom(...topicParents.keys()) }),
  fc.record({ item: fc.constantFrom('item-1', 'item-2') }),
  fc
    .record({ all: facetTable, any: facetTable })
    .filter(({ all, any }) => Object.keys({ ...all, ...any }).length > 0)
    .map((tables) => ({ search: tables as Search })),
);
const some = (values: string[]) => fc.array(fc.constantFrom(...values), { maxLength: 3 });
const content = fc.record({
  topics: some([...topicParents.keys()]),
  regions: fc.option(some([...regionParents.keys()]), { nil: undefined }),
  audiences: fc.option(some(words), { nil: undefined }),
  keywords: fc.option(some(words), { nil: undefined }),
  departments: fc.option(some(words), { nil: undefined }),
  category: fc.option(fc.constantFrom(...words), { nil: undefined }),
  documentType: fc.option(fc.constantFrom(...words), { nil: undefined }),
  urgency: fc.constantFrom('routine' as const, 'important' as const, 'emergency' as const),
  language: fc.constantFrom('en', 'zh-CN'),
});

describe('anchors', () => {
  it('find every follow that matches', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ target, regions: fc.option(some([...regionParents.keys()])) }), { maxLength: 20 }),
        content,
        (wishes, fields) => {
          const follows = wishes.map(defineFollow);
          const facts = factsOfItem('item-1', makeContent(fields), trees);
          const held = new Set(anchorsOfItem(facts));
          const found = follows.filter(({ anchors }) => anchors.some((one) => held.has(one)));
          expect(found.filter((one) => followMatches(one, facts))).toEqual(
            follows.filter((one) => followMatches(one, facts)),
          );
          expect(follows.every(({ anchors }) => anchors.length > 0)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
