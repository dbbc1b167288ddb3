import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configTable, envExample } from '../src/config-docs.ts';
import { projectRoot } from '../src/project-root.ts';

const start = '<!-- configuration -->';
const end = '<!-- /configuration -->';
const readme = join(projectRoot, 'README.md');
const text = readFileSync(readme, 'utf8');
const [before, rest] = text.split(start);
const after = rest?.split(end)[1];
if (before === undefined || after === undefined) throw new Error('README.md has lost its configuration marks');
writeFileSync(readme, `${before}${start}\n${configTable()}\n${end}${after}`);
writeFileSync(join(projectRoot, '.env.example'), envExample());
