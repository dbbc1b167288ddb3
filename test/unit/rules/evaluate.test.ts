import type { PersonFacts } from '../../../src/profiles/person-facts.ts';
import type { ItemContent } from '../../../src/publishing/item.ts';
import type { Condition } from '../../../src/rules/condition.ts';
import { evaluate, type Kleene, kleeneNot } from '../../../src/rules/evaluate.ts';
import { ruleContext } from '../../../src/rules/selection.ts';
import { topicParents } from '../subscriptions/fixtures.ts';
import { context, level, makeItem, makePerson, now, today } from './fixtures.ts';

const holds = (condition: Condition, content: Partial<ItemContent> = {}, person: Partial<PersonFacts> = {}): Kleene =>
  evaluate(condition, makeItem(content), makePerson(person), context).holds;

describe('leaves over the item', () => {
  const table: [what: string, leaf: Condition, content: Partial<ItemContent>, expected: boolean][] = [
    ['topics: its own', { item: 'topics', has: ['housing'] }, { topics: ['housing'] }, true],
    ['topics: a descendant', { item: 'topics', has: ['services'] }, { topics: ['rent'] }, true],
    ['topics: not what is above', { item: 'topics', has: ['rent'] }, { topics: ['housing'] }, false],
    ['topics: one of several', { item: 'topics', has: ['policies', 'rent'] }, { topics: ['rent'] }, true],
    ['topics: an item without', { item: 'topics', has: ['rent'] }, { topics: [] }, false],
    ['regions: within, by code', { item: 'regions', has: ['110000'] }, { regions: ['110101'] }, true],
    ['regions: within, by table', { item: 'regions', has: ['110000'] }, { regions: ['hill'] }, true],
    ['regions: within, by hyphen', { item: 'regions', has: ['US'] }, { regions: ['US-CA-001'] }, true],
    ['regions: not outwards', { item: 'regions', has: ['110101'] }, { regions: ['110000'] }, false],
    ['regions: an item without', { item: 'regions', has: ['110000'] }, {}, false],
    ['audiences', { item: 'audiences', has: ['x', 'y'] }, { audiences: ['y', 'z'] }, true],
    ['audiences: an item without', { item: 'audiences', has: ['x'] }, {}, false],
    ['keywords have no case', { item: 'keywords', has: ['STRASSE'] }, { keywords: ['Straße'] }, true],
    ['keywords are whole', { item: 'keywords', has: ['rent'] }, { keywords: ['rental'] }, false],
    ['category', { item: 'category', in: ['a', 'b'] }, { category: 'b' }, true],
    ['category: another', { item: 'category', in: ['a'] }, { category: 'A' }, false],
    ['category: an item without', { item: 'category', in: ['a'] }, {}, false],
    [
      'department: one of the item’s',
      { item: 'department', in: ['住建委'] },
      { departments: ['财政局', '住建委'] },
      true,
    ],
    ['documentType', { item: 'documentType', in: ['notice'] }, { documentType: 'notice' }, true],
    ['language has no case', { item: 'language', in: ['ZH-cn'] }, { language: 'zh-CN' }, true],
    ['language is no range here', { item: 'language', in: ['zh'] }, { language: 'zh-CN' }, false],
    ['urgency: equal', { item: 'urgency', atLeast: 'important' }, { urgency: 'important' }, true],
    ['urgency: above', { item: 'urgency', atLeast: 'important' }, { urgency: 'emergency' }, true],
    ['urgency: below', { item: 'urgency', atLeast: 'important' }, { urgency: 'routine' }, false],
    ['urgency: the least', { item: 'urgency', atLeast: 'routine' }, { urgency: 'routine' }, true],
  ];
  it.each(table)('%s', (_what, leaf, content, expected) => {
    expect(holds(leaf, content)).toBe(expected);
  });

  const texts: [what: string, word: string, content: Partial<ItemContent>, expected: boolean][] = [
    ['in the title', 'rent', { title: 'The rent rises' }, true],
    ['in the summary', 'rent', { summary: 'The rent rises' }, true],
    ['in the body', 'rent', { body: 'The rent rises' }, true],
    ['without a body', 'rent', {}, false],
    ['whatever the case', 'RENT', { title: 'Rent' }, true],
    ['whatever the width', 'ＲＥＮＴ', { title: 'rent' }, true],
    ['with its folding', 'STRASSE', { title: 'Die Straße' }, true],
    ['with a final sigma', 'ΟΔΟΣ', { title: 'η οδός, η οδος' }, true],
    ['not as part of a word', 'rent', { title: 'Rental and parents' }, false],
    ['a part first, the word after it', 'rent', { title: 'Parents pay rent.' }, true],
    ['at a hyphen', 'rent', { title: 'rent-free' }, true],
    ['not at an underscore', 'rent', { title: 'rent_free' }, false],
    ['at the very end', 'rent', { title: 'pay rent' }, true],
    ['beside Han script', 'rent', { title: '北京rent通知' }, true],
    ['several words', 'housing benefit', { title: 'The housing  benefit\nrises' }, true],
    ['several words, apart', 'housing benefit', { title: 'housing and benefit' }, false],
    ['not across two fields', 'one two', { title: 'one', summary: 'two' }, false],
    ['an accent makes another word', 'resume', { title: 'résumé' }, false],
    ['an apostrophe does not end a word', 'can', { title: "They can't" }, false],
    ['Han as a part', '住房', { title: '关于公共住房的通知' }, true],
    ['Han, other words', '住房', { title: '关于房屋居住的通知' }, false],
    ['Han with latin', 'A股', { title: '今日Ａ股行情' }, true],
    ['an emoji', '🏠', { title: 'Your 🏠' }, true],
  ];
  it.each(texts)('text: %s', (_what, word, content, expected) => {
    expect(holds({ item: 'text', contains: [word] }, content)).toBe(expected);
    expect(holds({ item: 'text', contains: ['nothing such', word] }, content)).toBe(expected);
  });
});

describe('leaves over the person', () => {
  const within = (codes: string[] | 'item.regions'): Condition => ({ person: 'region', within: codes });
  const regions: [what: string, leaf: Condition, content: Partial<ItemContent>, region: string | null, Kleene][] = [
    ['equal', within(['110100']), {}, '110100', true],
    ['inside, by code', within(['110000']), {}, '110101', true],
    ['inside, by table', within(['110000']), {}, 'hill', true],
    ['inside, by hyphen', within(['US']), {}, 'US-CA-001', true],
    ['one of several', within(['310000', 'US']), {}, 'US-CA', true],
    ['outwards', within(['110101']), {}, '110000', false],
    ['elsewhere', within(['310000']), {}, '110000', false],
    ['not told', within(['110000']), {}, null, null],
    ['the item’s', within('item.regions'), { regions: ['110000', 'US'] }, '110101', true],
    ['not the item’s', within('item.regions'), { regions: ['310000'] }, '110101', false],
    ['not what contains the item’s', within('item.regions'), { regions: ['110101'] }, '110000', false],
    ['the item’s, not told', within('item.regions'), { regions: ['110000'] }, null, null],
    ['an item without regions', within('item.regions'), {}, '110000', true],
    ['an item without regions, not told', within('item.regions'), {}, null, true],
    ['an item with an empty list, not told', within('item.regions'), { regions: [] }, null, true],
  ];
  it.each(regions)('region: %s', (_what, leaf, content, region, expected) => {
    expect(holds(leaf, content, { region })).toBe(expected);
  });

  const born = (birthYear: number): Partial<PersonFacts> => ({ attributes: { birthYear } });
  const works = (occupation: string | string[] | number): Partial<PersonFacts> => ({ attributes: { occupation } });
  const teacher: Condition = { person: 'attributes.occupation', in: ['teacher', 'farmer'] };
  const half = (topic: string): Condition => ({ person: 'interest', topic, atLeast: 0.5 });
  const rentOnly = { topics: ['rent'] };
  const table: [what: string, leaf: Condition, person: Partial<PersonFacts>, Kleene, content?: Partial<ItemContent>][] =
    [
      ['language: the range itself', { person: 'language', in: ['zh-CN'] }, { locale: 'zh-CN' }, true],
      ['language: a wider range', { person: 'language', in: ['zh'] }, { locale: 'zh-CN' }, true],
      ['language: a narrower range', { person: 'language', in: ['en-GB'] }, { locale: 'en' }, false],
      ['language: a mere prefix', { person: 'language', in: ['e'] }, { locale: 'en' }, false],
      ['language: without case', { person: 'language', in: ['ZH-cn'] }, { locale: 'zh-CN' }, true],
      ['language: any', { person: 'language', in: ['*'] }, { locale: 'en' }, true],
      ['language: another', { person: 'language', in: ['fr', 'de'] }, { locale: 'en' }, false],

      ['age: in between', { person: 'age', from: 18, to: 60 }, born(1990), true],
      ['age: the lower end is in', { person: 'age', from: 36, to: 60 }, born(1990), true],
      ['age: the upper end is in', { person: 'age', from: 18, to: 36 }, born(1990), true],
      ['age: too young', { person: 'age', from: 37 }, born(1990), false],
      ['age: too old', { person: 'age', to: 35 }, born(1990), false],
      ['age: one year', { person: 'age', from: 36, to: 36 }, born(1990), true],
      ['age: not told', { person: 'age', from: 18 }, {}, null],

      ['attribute: one value', teacher, works('teacher'), true],
      ['attribute: one of a list', teacher, works(['retired', 'farmer']), true],
      ['attribute: others', teacher, works(['retired']), false],
      ['attribute: told as an empty list', teacher, works([]), false],
      ['attribute: not told', teacher, {}, null],
      ['attribute: a number', { person: 'attributes.birthYear', in: [1990] }, born(1990), true],
      ['attribute: a number is no text', { person: 'attributes.birthYear', in: ['1990'] }, born(1990), false],
      ['attribute: a name of every object', { person: 'attributes.constructor', in: ['x'] }, {}, null],

      ['follows: the topic itself', { person: 'follows', topic: 'housing' }, { topics: ['housing'] }, true],
      ['follows: one above it', { person: 'follows', topic: 'rent' }, { topics: ['services'] }, true],
      ['follows: one below it', { person: 'follows', topic: 'services' }, { topics: ['rent'] }, false],
      ['follows: nothing', { person: 'follows', topic: 'services' }, {}, false],
      ['follows: the item’s', { person: 'follows', topic: 'item.topics' }, { topics: ['services'] }, true, rentOnly],
      [
        'follows: not the item’s',
        { person: 'follows', topic: 'item.topics' },
        { topics: ['policies'] },
        false,
        rentOnly,
      ],
      ['follows: below the item’s', { person: 'follows', topic: 'item.topics' }, { topics: ['rent'] }, false],
      [
        'follows: an item without',
        { person: 'follows', topic: 'item.topics' },
        { topics: ['rent'] },
        false,
        { topics: [] },
      ],

      // the threshold is rounded up to a level, the sum down
      ['interest: just enough', half('rent'), { interests: { rent: level(5) + 1 } }, true],
      ['interest: a level less', half('rent'), { interests: { rent: level(5) } }, false],
      ['interest: none', half('rent'), {}, false],
      ['interest: in what is above does not count', half('rent'), { interests: { services: level(50) } }, false],
      ['interest: the item’s', half('item.topics'), { interests: { rent: level(9) } }, true, rentOnly],
      [
        'interest: not in what is above the item’s',
        half('item.topics'),
        { interests: { housing: level(9) } },
        false,
        rentOnly,
      ],
      [
        'interest: an item without topics',
        half('item.topics'),
        { interests: { rent: level(9) } },
        false,
        { topics: [] },
      ],
      ['interest: at least 0 is everybody', { person: 'interest', topic: 'rent', atLeast: 0 }, {}, true],
      ['interest: a topic of every object', { person: 'interest', topic: 'valueOf', atLeast: 0.1 }, {}, false],

      ['channel: one of them', { person: 'channel', has: ['sms', 'email'] }, { channels: ['email'] }, true],
      ['channel: another', { person: 'channel', has: ['sms'] }, { channels: ['email', 'webPush'] }, false],
      ['channel: none', { person: 'channel', has: ['sms'] }, { channels: [] }, false],

      ['active: today', { person: 'activeWithin', days: 1 }, { lastActiveDay: today }, true],
      ['active: just in', { person: 'activeWithin', days: 7 }, { lastActiveDay: today - 7 }, true],
      ['active: just out', { person: 'activeWithin', days: 7 }, { lastActiveDay: today - 8 }, false],
      ['active: never', { person: 'activeWithin', days: 7 }, {}, false],
    ];
  it.each(table)('%s', (_what, leaf, person, expected, content = {}) => {
    expect(holds(leaf, content, person)).toBe(expected);
    expect(holds({ not: leaf }, content, person)).toBe(kleeneNot(expected));
  });

  it('counts ages by the year in the office’s time zone', () => {
    const newYear = Date.parse('2026-12-31T17:00:00Z');
    expect(ruleContext(newYear, 'Asia/Shanghai', topicParents).year).toBe(2027);
    expect(ruleContext(newYear, 'Europe/London', topicParents).year).toBe(2026);
  });

  it('lets interests fade: a threshold that holds today fails a half-life later', () => {
    const person = makePerson({ interests: { rent: level(6) } });
    const later = ruleContext(now + 30 * 24 * 60 * 60 * 1000, 'Asia/Shanghai', topicParents);
    expect(evaluate(half('rent'), makeItem(), person, context).holds).toBe(true);
    expect(evaluate(half('rent'), makeItem(), person, later).holds).toBe(false);
    expect(evaluate({ person: 'interest', topic: 'rent', atLeast: 0.3 }, makeItem(), person, later).holds).toBe(true);
  });
});
