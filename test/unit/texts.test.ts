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

const filesUnder = (folder: string): string[] =>
  readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js|njk|liquid)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes(join('public', 'assets')));

const sources = ['src', 'jobs', 'scripts', 'templates'].flatMap(filesUnder).map((path) => ({
  path: path.slice(projectRoot.length + 1),
  code: readFileSync(path, 'utf8'),
}));

/** Every key there is, as code names it: those of the pages without the name of their catalogue. */
const known = readdirSync(join(projectRoot, 'locales', 'en')).flatMap((file) => {
  const namespace = file.replace(/\.json$/, '');
  return textsOf('en', file).map((key) => (namespace === 'pages' ? key : `${namespace}:${key}`));
});
const knownKeys = new Set(known);
const plain = (key: string): string => key.replace(/^pages:/, '');
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A key that is put together as it is used: what is fixed of it has to stand there, the rest may be anything. */
const patternOf = (pieces: string[]): RegExp =>
  new RegExp(`^${pieces.map((piece) => escaped(plain(piece))).join('[\\w.:-]+?')}$`);

/** The fixed pieces of a sum of texts and names, "a." + b + ".c": what stands between two of them may be anything. */
const piecesOf = (sum: string): string[] =>
  sum
    .split(' + ')
    .map((part) => /^"(.*)"$/.exec(part.trim())?.[1] ?? '\0')
    .join('')
    .split('\0');

type Named = { path: string; key: string } | { path: string; pieces: string[] };

/** Keys that texts are asked for by: t('a.b'), t("a." + b), text(`messages:a.${b}`). */
const asked: Named[] = sources.flatMap(({ path, code }): Named[] => [
  ...[...code.matchAll(/\b(?:t|text|words\.text)\(\s*(['"])([\w:.-]+)\1\s*[,)]/g)].map(([, , key = '']) => ({
    path,
    key,
  })),
  ...[...code.matchAll(/\bt\(("[\w:.-]+" \+ [^,)]*)/g)].map(([, sum = '']) => ({ path, pieces: piecesOf(sum) })),
  ...[...code.matchAll(/\b(?:t|text|words\.text)\(\s*`([^`]*\$\{[^`]*)`/g)].map(([, key = '']) => ({
    path,
    pieces: key.split(/\$\{[^}]*\}/),
  })),
]);

/** All that stands between quotes anywhere: keys are also handed on (`fault.email`), and halves of them chosen between. */
const quoted = new Set(
  sources.flatMap(({ code }) => [...code.matchAll(/(['"`])([\w:.-]+)\1/g)].map(([, , text = '']) => plain(text))),
);
const madeUp = [
  ...asked.flatMap((one) => ('pieces' in one ? [patternOf(one.pieces)] : [])),
  ...sources.flatMap(({ code }) =>
    [...code.matchAll(/`([\w:.-]*\$\{[^`\s]*)`/g)]
      .map(([, key = '']) => key.split(/\$\{[^}]*\}/))
      .filter(([start = '']) => /[.:]$/.test(start))
      .map(patternOf),
  ),
];

describe('the keys of the texts', () => {
  it('that are asked for are there', () => {
    const missing = asked.filter((one) =>
      'key' in one
        ? !knownKeys.has(plain(one.key))
        : one.pieces.join('').length > 0 && !known.some((key) => patternOf(one.pieces).test(key)),
    );
    expect(missing).toEqual([]);
    const faults = [...quoted].filter((text) => /^fault\.\w+$/.test(text) && !knownKeys.has(text));
    expect(faults).toEqual([]);
  });

  it('that are there are asked for', () => {
    // a part is handed a group of texts by its name
    const isGrouped = (key: string): boolean => /\..*\./.test(key) && quoted.has(key.replace(/\.[^.]*$/, ''));
    const isUsed = (key: string): boolean =>
      quoted.has(key) || isGrouped(key) || madeUp.some((pattern) => pattern.test(key));
    const unused = known.filter((key) => !isUsed(key));
    expect(unused).toEqual([]);
  });

  it('are not found where nobody wrote them', () => {
    expect(madeUp.some((pattern) => pattern.test('nobody'))).toBe(false);
  });
});
