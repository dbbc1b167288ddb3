import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const isThere = spawnSync('xmllint', ['--version']).error === undefined;

if (!isThere && process.env.REQUIRE_XMLLINT === '1') throw new Error('REQUIRE_XMLLINT is 1, but there is no xmllint');
if (!isThere) console.log('skipped: validation with xmllint (Debian: libxml2-utils), which is not there');

/** Checks a document with libxml2: that it is well-formed XML, and against a schema (a path) where one is named. Throws what is wrong. */
export const xmllint = async (xml: string, schema?: { xsd: string } | { rng: string }): Promise<void> => {
  if (!isThere) return;
  const against = schema === undefined ? [] : 'xsd' in schema ? ['--schema', schema.xsd] : ['--relaxng', schema.rng];
  const child = spawn('xmllint', ['--noout', '--nonet', ...against, '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  child.stdin.end(xml);
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(said.join(''));
};
