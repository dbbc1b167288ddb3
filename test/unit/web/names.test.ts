import { idOfForm, namesOf, valuesNamed, wordsIn } from '../../../src/web/publisher/names.ts';

const topics = [
  { value: 'services', names: ['Public services', '公共服务', 'services'] },
  { value: 'other', names: ['Other: environment, work safety', '其他', 'other'] },
];

describe('names in a field', () => {
  it('stand for values in either language, by code, and also where a name holds a comma', () => {
    expect(valuesNamed('public services、其他', topics).values).toEqual(['services', 'other']);
    expect(valuesNamed('Other: environment, work safety; services', topics).values).toEqual(['other', 'services']);
    expect(valuesNamed(' ; ', topics)).toEqual({ values: [], unknown: [] });
  });

  it('that stand for nothing are answered with the nearest', () => {
    expect(valuesNamed('Public servces', topics).unknown).toEqual([
      { name: 'Public servces', nearest: 'Public services' },
    ]);
    expect(valuesNamed('x', []).unknown).toEqual([{ name: 'x', nearest: null }]);
  });

  it('are shown so that they can be read again', () => {
    const shown = namesOf(['other', 'services', 'gone'], topics);
    expect(shown).toBe('Other: environment, work safety; Public services; gone');
    expect(valuesNamed(shown, topics).values).toEqual(['other', 'services']);
  });

  it('that are free are words, each once', () => {
    expect(wordsIn('bus， tram、bus\nline 12; ')).toEqual(['bus', 'tram', 'line 12']);
  });
});

describe('the id of what a form makes', () => {
  it('is the same for the same form and person, another for another, and none for what is no form of ours', () => {
    const once = 'a'.repeat(22);
    expect(idOfForm('li', once)).toBe(idOfForm('li', once));
    expect(idOfForm('li', once)).toMatch(/^[\w-]{22}$/);
    expect(idOfForm('wang', once)).not.toBe(idOfForm('li', once));
    for (const wrong of ['', 'short', `${once}~`]) expect(idOfForm('li', wrong)).toBeNull();
  });
});
