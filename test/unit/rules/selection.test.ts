import type { PersonFacts } from '../../../src/profiles/person-facts.ts';
import type { ItemContent } from '../../../src/publishing/item.ts';
import type { Condition } from '../../../src/rules/condition.ts';
import { itemHolds, itemOnly, leavesOf, needsNoConsent, selects } from '../../../src/rules/selection.ts';
import { context, makeItem, makePerson } from './fixtures.ts';

const always: Condition = { all: [] };
const inBeijing: Condition = { person: 'region', within: ['110000'] };
const inEnglish: Condition = { person: 'language', in: ['en'] };
const bySms: Condition = { person: 'channel', has: ['sms'] };
const teachers: Condition = { person: 'attributes.occupation', in: ['teacher'] };
const emergency: Partial<ItemContent> = { urgency: 'emergency' };

describe('whom a rule selects', () => {
  const beijinger: Partial<PersonFacts> = { region: '110101', channels: ['sms'] };
  const table: [string, when: Condition, who: Condition, Partial<ItemContent>, Partial<PersonFacts>, boolean][] = [
    ['when and who hold', { item: 'topics', has: ['housing'] }, inBeijing, {}, beijinger, true],
    ['when does not', { item: 'topics', has: ['policies'] }, inBeijing, {}, beijinger, false],
    ['who does not', always, { not: inBeijing }, {}, beijinger, false],
    ['who is unknown', always, inBeijing, {}, { region: null }, false],
    ['not of an unknown', always, { not: inBeijing }, {}, { region: null }, false],
    [
      'who may ask about the item',
      always,
      { all: [inBeijing, { item: 'topics', has: ['services'] }] },
      {},
      beijinger,
      true,
    ],
    ['no consent', always, inBeijing, {}, { ...beijinger, personalisation: false }, false],
    ['no address', always, inBeijing, {}, { ...beijinger, channels: [] }, false],
    ['an emergency by region', always, inBeijing, emergency, { ...beijinger, personalisation: false }, true],
    [
      'an emergency by region, language and channel',
      always,
      { all: [inBeijing, { any: [inEnglish, { not: bySms }] }] },
      emergency,
      { ...beijinger, personalisation: false },
      true,
    ],
    ['an emergency for everybody', always, always, emergency, { personalisation: false }, true],
    ['an emergency without an address', always, always, emergency, { personalisation: false, channels: [] }, false],
    [
      'an emergency that also asks for an attribute',
      always,
      { any: [inBeijing, teachers] },
      emergency,
      { ...beijinger, personalisation: false },
      false,
    ],
    ['an important item', always, inBeijing, { urgency: 'important' }, { ...beijinger, personalisation: false }, false],
  ];
  it.each(table)('%s', (_what, when, who, content, person, expected) => {
    expect(selects({ when, who }, makeItem(content), makePerson(person), context).selected).toBe(expected);
  });

  it('says what stood in the way', () => {
    const person = makePerson({ personalisation: false, channels: [] });
    expect(selects({ when: always, who: inBeijing }, makeItem(), person, context)).toMatchObject({
      selected: false,
      when: { holds: true },
      who: { holds: null },
      consent: false,
      reachable: false,
    });
  });
});

describe('what a condition asks about', () => {
  it('knows its leaves, however deep', () => {
    const condition: Condition = { all: [{ not: inBeijing }, { any: [bySms, { item: 'category', in: ['a'] }] }] };
    expect(leavesOf(condition)).toEqual([inBeijing, bySms, { item: 'category', in: ['a'] }]);
    expect(itemOnly(condition)).toBe(false);
    expect(itemOnly({ not: { item: 'category', in: ['a'] } })).toBe(true);
    expect(itemOnly(always)).toBe(true);
  });

  it('judges a when by the item alone', () => {
    expect(itemHolds({ not: { item: 'topics', has: ['policies'] } }, makeItem())).toBe(true);
    expect(itemHolds({ item: 'topics', has: ['policies'] }, makeItem())).toBe(false);
    expect(itemHolds({ not: inBeijing }, makeItem())).toBe(false);
  });

  it('needs consent for all but impersonal emergencies', () => {
    expect(needsNoConsent(inBeijing, makeItem(emergency))).toBe(true);
    expect(needsNoConsent(inBeijing, makeItem())).toBe(false);
    expect(needsNoConsent({ not: { person: 'activeWithin', days: 3 } }, makeItem(emergency))).toBe(false);
  });
});
