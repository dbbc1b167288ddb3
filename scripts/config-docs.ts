import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { channelTable } from '../src/channel-docs.ts';
import { configTable, envExample } from '../src/config-docs.ts';
import { projectRoot } from '../src/project-root.ts';

/** Puts a table between its two marks in a document. */
const putTable = (name: string, mark: string, table: string): void => {
  const [start, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const file = join(projectRoot, name);
  const [before, rest] = readFileSync(file, 'utf8').split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${name} has lost its marks of ${mark}`);
  writeFileSync(file, `${before}${start}\n${table}\n${end}${after}`);
};

putTable('README.md', 'configuration', configTable());
putTable('docs/channels.md', 'channels', channelTable());
writeFileSync(join(projectRoot, '.env.example'), envExample());
