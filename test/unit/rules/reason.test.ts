import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { defaultAttributes } from '../../../src/catalogue/attribute.ts';
import type { Locale } from '../../../src/catalogue/topic.ts';
import type { PersonFacts } from '../../../src/profiles/person-facts.ts';
import { projectRoot } from '../../../src/project-root.ts';
import type { ItemContent } from '../../../src/publishing/item.ts';
import type { Telling } from '../../../src/rules/because.ts';
import type { Condition } from '../../../src/rules/condition.ts';
import { evaluate } from '../../../src/rules/evaluate.ts';
import { becauseOf, factsUsed, reasonOf } from '../../../src/rules/reason.ts';
import { condition, context, item, level, makeItem, makePerson, person, today } from './fixtures.ts';

const names: Record<string, [en: string, zh: string]> = {
  services: ['Public services', '公共服务'],
  housing: ['Housing', '住房'],
  rent: ['Rent', '租房'],
  '110000': ['Beijing', '北京市'],
  '110101': ['Dongcheng', '东城区'],
  '310000': ['Shanghai', '上海市'],
};
const named = (key: string) => ({ en: names[key]?.[0] ?? key, 'zh-CN': names[key]?.[1] ?? key });
const trees = {
  topics: ['services', 'housing', 'rent'].map((slug) => ({ slug, title: named(slug), parent: null })),
  regions: ['110000', '110101', '310000'].map((code) => ({ code, name: named(code), parent: null })),
};
const telling = (locale: Locale, content: Partial<ItemContent>, facts: Partial<PersonFacts>): Telling => ({
  item: makeItem(content),
  person: makePerson(facts),
  context,
  locale,
  trees,
  attributes: defaultAttributes,
});
const verdictOf = (one: Condition, { item: of, person: to }: Telling) => evaluate(one, of, to, context);

const attributes = (told: PersonFacts['attributes']) => ({ attributes: told });
const age = (from?: number, to?: number): Condition => ({ person: 'age', ...(from && { from }), ...(to && { to }) });
const tenant: Condition = { person: 'attributes.household', in: ['tenant', 'low-income'] };
const interested: Condition = { person: 'interest', topic: 'housing', atLeast: 0.3 };
const inBeijing: Condition = { person: 'region', within: ['110000'] };

describe('why one condition holds or not', () => {
  const table: [Condition, Partial<ItemContent>, Partial<PersonFacts>, en: string, zh: string][] = [
    [inBeijing, {}, { region: '110101' }, 'You live in Dongcheng.', '您所在地区为东城区。'],
    [inBeijing, {}, { region: '310000' }, 'You do not live in Beijing.', '您所在地区不属于北京市。'],
    [inBeijing, {}, {}, 'You have not told us where you live.', '您没有填写所在地区。'],
    [
      { person: 'region', within: 'item.regions' },
      {},
      {},
      'The notice is not limited to any region.',
      '这条信息不限地区。',
    ],
    [
      { person: 'language', in: ['zh'] },
      {},
      { locale: 'zh-CN' },
      'You use this service in Chinese (China).',
      '您使用本服务的语言是中文（中国）。',
    ],
    [
      { person: 'language', in: ['zh', 'fr'] },
      {},
      {},
      'You do not use this service in Chinese or French.',
      '您使用本服务的语言不是中文或法语。',
    ],
    [age(60), {}, attributes({ birthYear: 1960 }), 'You are 60 or older.', '您年龄在60岁以上（含）。'],
    [age(60), {}, attributes({ birthYear: 1990 }), 'You are younger than 60.', '您年龄不满60岁。'],
    [
      age(18, 60),
      {},
      attributes({ birthYear: 1990 }),
      'You are between 18 and 60 years old.',
      '您年龄在18至60岁之间。',
    ],
    [age(undefined, 18), {}, attributes({ birthYear: 1990 }), 'You are older than 18.', '您年龄超过18岁。'],
    [age(18), {}, {}, 'You have not told us your year of birth.', '您没有填写出生年份。'],
    [tenant, {}, {}, 'You told us nothing about “Household”.', '您没有填写“家庭情况”。'],
    [
      { person: 'attributes.birthYear', in: [1990, 1991] },
      {},
      attributes({ birthYear: 1991 }),
      'You told us “Year of birth: 1991”.',
      '您填写了“出生年份：1991”。',
    ],
    [
      { person: 'follows', topic: 'rent' },
      {},
      { topics: ['services'] },
      'You follow “Public services”.',
      '您关注了“公共服务”。',
    ],
    [{ person: 'follows', topic: 'rent' }, {}, {}, 'You do not follow “Rent”.', '您没有关注“租房”。'],
    [
      { person: 'follows', topic: 'item.topics' },
      { topics: [] },
      {},
      'You follow nothing that the notice is filed under.',
      '您没有关注这条信息所属的任何主题。',
    ],
    [interested, {}, { interests: { housing: level(9) } }, 'You are interested in “Housing”.', '您对“住房”感兴趣。'],
    [interested, {}, {}, 'You have shown too little interest in “Housing”.', '您对“住房”的兴趣不够明显。'],
    [
      { person: 'channel', has: ['sms', 'email'] },
      {},
      {},
      'You can be reached by email.',
      '您可以通过电子邮件联系到。',
    ],
    [
      { person: 'channel', has: ['sms', 'webPush'] },
      {},
      {},
      'You cannot be reached by text message or push notification.',
      '您无法通过短信或推送通知联系到。',
    ],
    [
      { person: 'activeWithin', days: 7 },
      {},
      { lastActiveDay: today },
      'You were active in the last 7 days.',
      '您最近7天内有活动。',
    ],
    [{ person: 'activeWithin', days: 1 }, {}, {}, 'You were not active in the last day.', '您最近1天内没有活动。'],
    [
      { item: 'topics', has: ['services', 'policies'] },
      {},
      {},
      'The notice is about “Public services”.',
      '这条信息属于“公共服务”。',
    ],
    [{ item: 'regions', has: ['110000'] }, {}, {}, 'The notice does not name Beijing.', '这条信息没有涉及北京市。'],
    [
      { item: 'keywords', has: ['a', 'b', 'c', 'd', 'e'] },
      {},
      {},
      'The notice does not have the keyword “a”, “b”, “c” and 2 more.',
      '这条信息的关键词不包括“a”、“b”、“c”等5项。',
    ],
    [
      { item: 'urgency', atLeast: 'important' },
      {},
      {},
      'The notice has only the urgency “Routine”.',
      '这条信息的紧急程度仅为“一般”。',
    ],
    [{ item: 'text', contains: ['title', 'rent'] }, {}, {}, 'The notice mentions “title”.', '这条信息提到了“title”。'],
    [
      { all: [age(18)] },
      {},
      {},
      'Too little is known to say whether all of these conditions hold.',
      '所知信息不足，无法判断这组条件是否全部成立。',
    ],
    [{ not: inBeijing }, {}, { region: '310000' }, 'What is ruled out here does not hold.', '此处排除的情形不成立。'],
  ];
  it.each(table)('%j of %j and %j', (one, content, facts, en, zh) => {
    const say = (locale: Locale): string => {
      const told = telling(locale, content, facts);
      return becauseOf(verdictOf(one, told), told);
    };
    expect([say('en'), say('zh-CN')]).toEqual([en, zh]);
  });
});

describe('why somebody was selected', () => {
  const facts: Partial<PersonFacts> = {
    region: '110101',
    attributes: { household: ['tenant'], birthYear: 1990 },
    interests: { housing: level(9) },
    lastActiveDay: today,
  };
  const reason = (who: Condition, locale: Locale = 'en'): string => {
    const told = telling(locale, {}, facts);
    return reasonOf(verdictOf(who, told), told);
  };

  it('says all that had to be so, to the person', () => {
    const who: Condition = { all: [inBeijing, interested] };
    expect(reason(who)).toBe('You live in Dongcheng and are interested in “Housing”.');
    expect(reason(who, 'zh-CN')).toBe('您所在地区为东城区，并且对“住房”感兴趣。');
    expect(reason({ all: [inBeijing, interested, { person: 'activeWithin', days: 30 }] })).toBe(
      'You live in Dongcheng, are interested in “Housing” and were active in the last 30 days.',
    );
  });

  it('says of alternatives those that are so, of what is ruled out that it is not', () => {
    const elsewhere: Condition = { person: 'region', within: ['310000'] };
    expect(reason({ any: [elsewhere, interested] })).toBe('You are interested in “Housing”.');
    expect(reason({ not: elsewhere })).toBe('You do not live in Shanghai.');
    expect(reason({ not: { any: [elsewhere, { person: 'channel', has: ['sms'] }] } })).toBe(
      'You do not live in Shanghai and cannot be reached by text message.',
    );
    expect(reason({ not: { all: [elsewhere, interested] } })).toBe('You do not live in Shanghai.');
  });

  it('speaks of the notice only where nothing is said of the person', () => {
    const about: Condition = { item: 'topics', has: ['services'] };
    expect(reason({ all: [about, inBeijing] })).toBe('You live in Dongcheng.');
    expect(reason(about)).toBe('The notice is about “Public services”.');
    expect(reason({ all: [] })).toBe('This goes to everybody whom we may tell.');
  });

  it('says nothing twice, and stays short', () => {
    expect(reason({ all: [inBeijing, inBeijing] })).toBe('You live in Dongcheng.');
    const many = Array.from({ length: 50 }, (_, n): Condition => ({ person: 'age', from: n + 1 }));
    expect(reason({ all: many.slice(0, 30) }).length).toBeLessThan(200);
  });

  it('keeps the facts that it was decided by, and no others', () => {
    const used = (who: Condition): Record<string, string> => {
      const told = telling('en', {}, facts);
      return factsUsed(verdictOf(who, told), told);
    };
    expect(used({ all: [inBeijing, { any: [tenant, { person: 'channel', has: ['sms'] }] }] })).toEqual({
      region: '110101',
      'attributes.household': 'tenant',
    });
    expect(used({ all: [interested, age(18)] })).toEqual({
      'interest.housing': `level ${level(9)}`,
      'attributes.birthYear': '1990',
    });
    expect(used({ not: { person: 'channel', has: ['sms'] } })).toEqual({ channels: 'email' });
    expect(used({ person: 'region', within: 'item.regions' })).toEqual({});
  });
});

describe('the words', () => {
  it('are there for every condition, whatever its outcome', () => {
    fc.assert(
      fc.property(condition, item, person, fc.constantFrom<Locale[]>('en', 'zh-CN'), (one, of, to, locale) => {
        const told: Telling = { ...telling(locale, {}, {}), item: of, person: to };
        const all = [...leaves(evaluate(one, of, to, context))];
        for (const text of [
          ...all.map((verdict) => becauseOf(verdict, told)),
          reasonOf(evaluate(one, of, to, context), told),
        ]) {
          expect(text).not.toMatch(/because\.|\{\{|undefined|null/);
          expect(text).toMatch(locale === 'en' ? /^[A-Z].*\.$/ : /。$/);
        }
      }),
    );
  });

  it('are the same in both languages but for the forms of number', () => {
    const keys = (value: unknown, path = ''): string[] =>
      value !== null && typeof value === 'object'
        ? Object.entries(value).flatMap(([key, inside]) => keys(inside, `${path}.${key.replace(/_(one|other)$/, '')}`))
        : [path];
    const read = (locale: Locale): Set<string> =>
      new Set(keys(JSON.parse(readFileSync(join(projectRoot, 'locales', locale, 'reasons.json'), 'utf8'))));
    expect(read('en')).toEqual(read('zh-CN'));
  });
});

function* leaves(verdict: ReturnType<typeof evaluate>): Generator<ReturnType<typeof evaluate>> {
  yield verdict;
  for (const part of verdict.parts) yield* leaves(part);
}
