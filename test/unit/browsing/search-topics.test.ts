import { cleanQuery, topicNames, topicsOfSearch } from '../../../src/browsing/search-topics.ts';
import { defaultTopics } from '../../../src/catalogue/default-topics.ts';
import type { Topic } from '../../../src/catalogue/topic.ts';

const topic = (slug: string, zh: string, en: string): Topic => ({ slug, title: { en, 'zh-CN': zh }, parent: null });
const names = topicNames([
  ...defaultTopics,
  topic('housing', '住房保障', 'Housing'),
  topic('public-transport', '公共交通', 'Public transport'),
  topic('school-admission', '入学', 'School admission'),
  topic('water', '供水', 'Water supply'),
]);
const about = (query: string): string[] => topicsOfSearch(query, names);

describe('the topics of a search', () => {
  it.each([
    ['housing', ['housing']],
    ['HOUSING subsidy 2026', ['housing']],
    ['ｈｏｕｓｉｎｇ', ['housing']],
    ['public transport', ['public-transport']],
    ['regulation', ['policies']],
    ['policy', ['policies']],
    ['public services', ['services']],
    ['how to get a school admission for twins', ['school-admission']],
    ['water supply and housing', ['housing', 'water']],
    ['住房保障', ['housing']],
    ['海淀区住房保障申请条件', ['housing']],
    ['公共交通', ['public-transport']],
    ['孩子入学需要什么材料', ['school-admission']],
    ['政策法规', ['policies']],
    ['最新政策', ['policies']],
  ])('%s: %j', (query, topics) => {
    expect(about(query)).toEqual(topics);
  });

  it.each(['public', 'the', '的', '', '   ', '🏠', 'xyzzy', '入', '\u202e'])('finds nothing in %j', (query) => {
    expect(about(query)).toEqual([]);
  });

  it('goes by the keywords of a topic’s items too, whole or in good part', () => {
    const known = topicNames(
      [topic('housing', '住房保障', 'Housing'), topic('water', '供水', 'Water supply')],
      [
        { keyword: '公租房', topic: 'housing' },
        { keyword: 'Rent subsidy', topic: 'housing' },
        { keyword: 'meters', topic: 'water' },
      ],
    );
    const queries = ['公租房申请', 'subsidy', 'water meter reading', 'flowers'];
    expect(queries.map((query) => topicsOfSearch(query, known))).toEqual([['housing'], ['housing'], ['water'], []]);
  });

  it('finds at most five, the best first', () => {
    const many = Array.from({ length: 9 }, (_, n) => topic(`flood-${n}`, `防汛${n}`, `Flood ${n}`));
    const found = topicsOfSearch('flood 3', topicNames(many));
    expect(found).toHaveLength(1);
    expect(topicsOfSearch('flood 1 2 3 4 5 6 7', topicNames(many))).toHaveLength(5);
    expect(found[0]).toBe('flood-3');
  });

  it('answers at once among 10,000 topics', () => {
    const many = topicNames(Array.from({ length: 10_000 }, (_, n) => topic(`topic-${n}`, `主题${n}号`, `Topic ${n}`)));
    const startedAt = performance.now();
    expect(topicsOfSearch('topic 4711', many)).toEqual(['topic-4711']);
    expect(topicsOfSearch('主题'.repeat(1_000), many).length).toBeLessThanOrEqual(5);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe('a search as it is kept', () => {
  it('loses what turns text around or hides in it', () => {
    expect(cleanQuery(' rent\u202e\u2066 \u0000subsidy\u200b\n\t２０２６ ')).toBe('rent subsidy 2026');
  });

  it('is cut between characters', () => {
    expect(cleanQuery('🏠'.repeat(300))).toBe('🏠'.repeat(200));
  });
});
