import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configTable, envExample } from '../src/config-docs.ts';
import { projectRoot } from '../src/project-root.ts';

const read = (name: string): string => readFileSync(join(projectRoot, name), 'utf8');

describe('the documents', () => {
  it('hold the configuration table of config.ts (npm run docs writes it)', () => {
    expect(read('README.md')).toContain(configTable());
  });

  it('hold every environment name in .env.example', () => {
    expect(read('.env.example')).toBe(envExample());
  });
});
