import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../src/project-root.ts';

const text = readFileSync(join(projectRoot, 'docs/security.md'), 'utf8');
const rows = text.split('\n').filter((line) => line.startsWith('| ') && !/^\| promise/.test(line));
const filesIn = (cell: string): string[] =>
  [...cell.matchAll(/`((?:src|test|scripts|jobs)\/[^`\s]+)`/g)].flatMap(([, path]) => path ?? []);

describe('docs/security.md', () => {
  it('names only files that are there', () => {
    expect(filesIn(text).filter((path) => !existsSync(join(projectRoot, path)))).toEqual([]);
  });

  it.each(rows)('has the place and the test of each promise: %s', (row) => {
    const [, , done = '', tested = ''] = row.split(' | ').length === 3 ? ['', ...row.split(' | ')] : [];
    expect(filesIn(done).length).toBeGreaterThan(0);
    expect(filesIn(tested).filter((path) => path.startsWith('test/')).length).toBeGreaterThan(0);
  });
});
