import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const isThere = spawnSync('xmllint', ['--version']).error === undefined;

if (!isThere && process.env.REQUIRE_XMLLINT === '1') throw new Error('REQUIRE_XMLLINT is 1, but there is no xmllint');
if (!isThere) console.log('SKIPPED: validation with xmllint (Debian: libxml2-utils), which is not there');

const run = async (xml: string, options: string[]): Promise<string> => {
  const child = spawn('xmllint', ['--nonet', ...options, '-'], { stdio: 'pipe' });
  const [out, faults]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => faults.push(chunk));
  child.stdin.end(xml);
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(Buffer.concat(faults).toString());
  return Buffer.concat(out).toString();
};

/** Checks a document with libxml2: that it is well-formed XML, and against a schema (a path) where one is named. Throws what is wrong. */
export const xmllint = async (xml: string, schema?: { xsd: string } | { rng: string }): Promise<void> => {
  const against = schema === undefined ? [] : 'xsd' in schema ? ['--schema', schema.xsd] : ['--relaxng', schema.rng];
  if (isThere) await run(xml, ['--noout', ...against]);
};

/** What an XPath expression says of a document, by libxml2; null where that is not there. */
export const askXml = async (xml: string, path: string): Promise<string | null> =>
  isThere ? (await run(xml, ['--xpath', path])).trimEnd() : null;
