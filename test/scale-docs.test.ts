import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../src/project-root.ts';

const stores = join(projectRoot, 'src/storage/mongo');
const source = readdirSync(stores, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(stores, name), 'utf8'))
  .join('\n');
/** What is opened by its name, and what the list of indexes names. */
const opened = source.matchAll(/(?:\.collection(?:<[^()]*>)?\(|\b(?:collectionOf|talliesOf)\(db, )'([a-z_]+)'/g);
const indexed = /const indexes[^{]*\{([\s\S]*?)\n\};/.exec(source)?.[1]?.matchAll(/^ {2}([a-z_]+): \[/gm) ?? [];
const collections = [...new Set([...opened, ...indexed].map(([, name]) => name ?? ''))].sort();

it('docs/scale.md says of each collection of MongoDB, once, how it is sharded and why', () => {
  expect(collections.length).toBeGreaterThan(50);
  const text = readFileSync(join(projectRoot, 'docs/scale.md'), 'utf8');
  const table = text.slice(text.indexOf('| collection')).split('\n\n')[0] ?? '';
  const rows = table.split('\n').slice(2);
  const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, name]) => name));
  expect(named.sort()).toEqual(collections);
  expect(
    rows.filter((row) => row.split('|').some((cell, at, all) => at > 0 && at < all.length - 1 && !cell.trim())),
  ).toEqual([]);
});
