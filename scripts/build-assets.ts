import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { compile } from 'sass';
import { projectRoot } from '../src/project-root.ts';

/**
 * Builds public/assets/<hash>/ (style sheet, ES modules, each also compressed) and public/assets/current.json, which names the hash. The folder
 * carries the hash, not the files, so that modules can import one another by a relative name and still be cached for ever.
 */
const modules = join(projectRoot, 'public', 'modules');
const frontend = join(projectRoot, 'node_modules', 'govuk-frontend', 'dist', 'govuk', 'govuk-frontend.min.js');
const uplot = join(projectRoot, 'node_modules', 'uplot', 'dist');
const assets = join(projectRoot, 'public', 'assets');

const css = compile(join(projectRoot, 'templates', 'styles', 'bellman.scss'), {
  loadPaths: [join(projectRoot, 'node_modules')],
  style: 'compressed',
  quietDeps: true,
}).css;

const sources = new Map<string, string>([
  ['bellman.css', css],
  ['govuk-frontend.min.js', readFileSync(frontend, 'utf8')],
  ['uplot.js', readFileSync(join(uplot, 'uPlot.iife.min.js'), 'utf8')],
  ['uplot.css', readFileSync(join(uplot, 'uPlot.min.css'), 'utf8')],
  ...readdirSync(modules).map((name): [string, string] => [name, readFileSync(join(modules, name), 'utf8')]),
]);

const hash = createHash('sha256');
for (const [name, content] of [...sources].sort(([a], [b]) => a.localeCompare(b))) hash.update(`${name}\0${content}\0`);
const version = hash.digest('base64url').slice(0, 12);

rmSync(assets, { recursive: true, force: true });
mkdirSync(join(assets, version), { recursive: true });
for (const [name, content] of sources) {
  const file = join(assets, version, name);
  writeFileSync(file, content);
  writeFileSync(`${file}.br`, brotliCompressSync(content));
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
}
writeFileSync(join(assets, 'current.json'), JSON.stringify({ version }));
