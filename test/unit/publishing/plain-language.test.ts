import { missingLanguages } from '../../../src/publishing/both-languages.ts';
import { plainHints } from '../../../src/publishing/plain-language.ts';
import { plainRules } from '../../../src/publishing/plain-list.ts';

const rules = {
  longSentence: 5,
  jargon: [
    { word: 'remit', better: 'pay' },
    { word: '予以', better: '删去' },
  ],
};

describe('what could be said more plainly', () => {
  it('is a sentence that is too long, by words or by Chinese characters', () => {
    expect(plainHints('One two three four five. One two three four five six.', 'en', rules)).toEqual([
      { kind: 'long', length: 6, begins: 'One two three four five…' },
    ]);
    expect(plainHints('一二三四五。一二三四五六！好', 'zh-CN', rules)).toEqual([
      { kind: 'long', length: 6, begins: '一二三四五六' },
    ]);
    expect(plainHints('Bus 1.5\nstops at\nthe mill', 'en', rules)).toEqual([]);
  });

  it('is jargon as a word of its own, and in Chinese wherever it stands', () => {
    expect(plainHints('Remit it.', 'en', rules)).toEqual([{ kind: 'jargon', word: 'remit', better: 'pay' }]);
    expect(plainHints('Unremitting.', 'en', rules)).toEqual([]);
    expect(plainHints('不予以办', 'zh-CN', rules)).toEqual([{ kind: 'jargon', word: '予以', better: '删去' }]);
  });

  it('is a blank of a template, each once', () => {
    expect(plainHints('[date] and [date] 【日期】', 'en', rules)).toEqual([
      { kind: 'blank', text: '[date]' },
      { kind: 'blank', text: '【日期】' },
    ]);
  });

  it('has a list in both languages', () => {
    for (const locale of ['en', 'zh-CN'] as const) {
      const words = plainRules[locale].jargon.map(({ word }) => word);
      expect([new Set(words).size, words.length > 10]).toEqual([words.length, true]);
    }
  });
});

describe('both languages of the office', () => {
  const words = { title: 'x', summary: 'x' };
  it.each([
    [{ language: 'zh-Hans' }, ['en']],
    [{ language: 'en-GB', translations: { zh: words } }, []],
    [{ language: 'fr' }, ['zh-CN', 'en']],
    [{ language: 'fr', translations: { 'zh-CN': words, en: words } }, []],
  ])('of %j lack %j', (content, missing) => expect(missingLanguages(content)).toEqual(missing));
});
