import type { Condition } from '../../../src/rules/condition.ts';
import { conditionSentences } from '../../../src/rules/condition-words.ts';

const trees = {
  topics: [{ slug: 'housing', title: { en: 'Housing', 'zh-CN': '住房' }, parent: null }],
  regions: [
    { code: '110000', name: { en: 'Beijing', 'zh-CN': '北京市' }, parent: null },
    { code: '310000', name: { en: 'Shanghai', 'zh-CN': '上海市' }, parent: null },
  ],
};
const attributes = [
  { name: 'occupation', type: 'enum-list' as const, values: ['farmer'], title: { en: 'Occupation', 'zh-CN': '职业' } },
];
const said = (condition: Condition, locale: 'en' | 'zh-CN' = 'en'): string =>
  conditionSentences(condition, { locale, trees: trees as never, attributes: attributes as never }).join(' ');

const beijing: Condition = { person: 'region', within: ['110000'] };
const follows: Condition = { person: 'follows', topic: 'housing' };
const region: Condition = { person: 'region', within: ['110000', '310000'] };

describe('a condition in words', () => {
  const cases: [Condition, string, string][] = [
    [
      { any: [region, follows] },
      'You live in Beijing or Shanghai or follow “Housing”.',
      '您所在地区为北京市或上海市，或者关注了“住房”。',
    ],
    [
      { all: [region, follows] },
      'You live in Beijing or Shanghai. You follow “Housing”.',
      '您所在地区为北京市或上海市。 您关注了“住房”。',
    ],
    [
      { not: { any: [region, { person: 'age', from: 60 }] } },
      'You do not live in Beijing or Shanghai. You are younger than 60.',
      '您所在地区不属于北京市或上海市。 您年龄不满60岁。',
    ],
    [
      { any: [{ all: [region, { person: 'age', from: 18, to: 30 }] }, { person: 'follows', topic: 'item.topics' }] },
      'You (live in Beijing or Shanghai and are between 18 and 30 years old) or follow what the notice is about.',
      '您（所在地区为北京市或上海市，并且年龄在18至30岁之间），或者关注了这条信息所属的主题。',
    ],
    [
      {
        any: [
          { person: 'region', within: 'item.regions' },
          { item: 'urgency', atLeast: 'important' },
        ],
      },
      'You live in a region that the notice concerns or the notice is “Important” or more urgent.',
      '您居住在信息涉及的地区，或者信息的紧急程度为“重要”或更高。',
    ],
    [
      {
        not: {
          all: [
            { item: 'topics', has: ['housing'] },
            { item: 'text', contains: ['rent', '房租'] },
          ],
        },
      },
      'The notice is not about “Housing” or does not mention “rent” or “房租”.',
      '信息不属于“住房”，或者没有提到“rent”或“房租”。',
    ],
    [
      { not: { not: { person: 'attributes.occupation', in: ['farmer'] } } },
      'You told us “Occupation: Farmer”.',
      '您填写了“职业：农民”。',
    ],
    [{ all: [] }, '', ''],
  ];
  it.each(cases)('%j', (condition, english, chinese) => {
    expect([said(condition), said(condition, 'zh-CN')]).toEqual([english, chinese]);
  });

  it('reads a double negation as none, and a group of one as its part', () => {
    expect(said({ all: [{ any: [{ all: [beijing] }] }] })).toBe('You live in Beijing.');
  });
});
