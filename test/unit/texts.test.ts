import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultAttributes } from '../../src/catalogue/attribute.ts';
import { projectRoot } from '../../src/project-root.ts';
import { locales, textIn } from '../../src/text.ts';

const keysOf = (value: unknown, path = ''): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => keysOf(inner, path === '' ? name : `${path}.${name}`))
    : [path];

/** The keys of a catalogue; the plural forms of one text, which languages have more or fewer of, count as one. */
const textsOf = (locale: string, file: string): string[] => {
  const content: unknown = JSON.parse(readFileSync(join(projectRoot, 'locales', locale, file), 'utf8'));
  return [...new Set(keysOf(content).map((key) => key.replace(/_(zero|one|two|few|many|other)$/, '')))].sort();
};

describe('the texts', () => {
  it.each(readdirSync(join(projectRoot, 'locales', 'en')))('of %s are there in both languages', (file) => {
    expect(textsOf('zh-CN', file)).toEqual(textsOf('en', file));
  });

  it.each(locales)('name every value that may be told from the start (%s)', (locale) => {
    const t = textIn(locale);
    const unnamed = defaultAttributes.flatMap(({ name, values }) =>
      (values ?? []).filter((value) => t(`attribute.${name}.${value}`, { defaultValue: '' }) === ''),
    );
    expect(unnamed).toEqual([]);
  });
});
