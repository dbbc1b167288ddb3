import { postMost, postText, weiboLength } from '../../../src/broadcasts/post-text.ts';
import type { ItemContent } from '../../../src/publishing/item.ts';

const site = 'https://gov.example.org';
const content = (fields: Partial<ItemContent> = {}): ItemContent => ({
  title: '公租房申请开始受理',
  summary: '请符合条件的家庭于六月三十日前提交材料。',
  language: 'zh-CN',
  topics: ['services'],
  urgency: 'routine',
  visibility: 'public',
  ...fields,
});
const version = (
  fields: Partial<ItemContent> = {},
  kind: 'publication' | 'correction' | 'withdrawal' = 'publication',
  note: string | null = null,
) => ({
  item: 'item-1',
  kind,
  content: content(fields),
  note,
});

describe('the length of a post', () => {
  it.each([
    ['', 0],
    ['公租房', 3],
    ['abc', 2],
    ['abcd', 2],
    ['公租房 A', 4],
    ['👍', 2],
    ['https://gov.example.org/items/1', 10],
    ['看 https://gov.example.org/items/1 吧', 13],
    [`https://gov.example.org/${'x'.repeat(140)}`, 22],
  ])('of %j is %d', (text, length) => {
    expect(weiboLength(text)).toBe(length);
  });
});

describe('the text of a post', () => {
  it('says what there is and where', () => {
    expect(postText(version(), site, false)).toBe(
      '【公租房申请开始受理】请符合条件的家庭于六月三十日前提交材料。 https://gov.example.org/items/item-1',
    );
  });

  it('is in Chinese where the item has it', () => {
    const english = { title: 'Housing', summary: 'Apply now.', language: 'en' };
    expect(postText(version(english), site, false)).toBe('[Housing] Apply now. https://gov.example.org/items/item-1');
    const both = { ...english, translations: { 'zh-CN': { title: '公租房', summary: '开始受理。' } } };
    expect(postText(version(both), site, false)).toContain('【公租房】开始受理。');
  });

  it('names nobody, no topic and no other link', () => {
    const text = postText(
      version({ title: '#住房# @某人', summary: 'see https://elsewhere.example/x\nnow' }),
      site,
      false,
    );
    expect(text).toBe('【＃住房＃ ＠某人】see now https://gov.example.org/items/item-1');
  });

  it('of a correction is a repost that says what changed, or a post of its own', () => {
    const corrected = version({}, 'correction', '截止日期改为七月十五日');
    expect(postText(corrected, site, true)).toBe('【更正】截止日期改为七月十五日 https://gov.example.org/items/item-1');
    expect(postText(corrected, site, false)).toMatch(/^【更正】【公租房申请开始受理】截止日期改为七月十五日 /);
    expect(postText(version({}, 'withdrawal', '政策已失效'), site, true)).toMatch(/^【撤回】政策已失效 /);
  });

  it.each([
    ['汉字', '字'.repeat(600)],
    ['Latin', 'word '.repeat(600)],
    ['emoji', '👨‍👩‍👧'.repeat(200)],
    ['mixed', '住房 A-1 号👍'.repeat(100)],
  ])('fits, cut between characters, and uses its room: %s', (_name, long) => {
    for (const one of [
      version({ summary: long }),
      version({ title: long.slice(0, 400) }),
      version({}, 'correction', long),
    ]) {
      const text = postText(one, site, one.kind === 'correction');
      expect(weiboLength(text)).toBeLessThanOrEqual(postMost);
      expect(weiboLength(text)).toBeGreaterThan(postMost - 12);
      expect(text).toMatch(/… https:\/\/gov\.example\.org\/items\/item-1$/);
      expect(text).not.toMatch(/[\p{Surrogate}\u200d]…/u);
    }
  });
});
