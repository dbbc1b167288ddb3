import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { classifyBounce, type ReturnKind, returnKinds } from '../../../../src/feedback/bounces/classify-bounce.ts';
import { projectRoot } from '../../../../src/project-root.ts';

const folder = join(projectRoot, 'test/fixtures/bounces');
/** By file: the recipients it reports, as address, status and kind. */
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<
  string,
  [address: string, status: string | null, kind: string][]
>;
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.eml'))
  .map((name) => name.slice(0, -'.eml'.length))
  .sort();

const kindOf = (name: string): ReturnKind => name.split('/')[0] as ReturnKind;
const read = (name: string) => classifyBounce(readFileSync(join(folder, `${name}.eml`)));

/** Right and wrong by class, one line each: what the README's command prints. */
const tableOf = (results: { name: string; kind: ReturnKind }[]): string => {
  const lines = returnKinds.map((kind) => {
    const own = results.filter(({ name }) => kindOf(name) === kind);
    const counts = returnKinds.map((found) => own.filter((one) => one.kind === found).length);
    const right = own.filter((one) => one.kind === kind).length;
    return [kind, ...counts, `${right}/${own.length}`];
  });
  const columns = [['is \\ found', ...returnKinds, 'right'], ...lines];
  return columns.map((cells) => cells.map((cell) => String(cell).padStart(11)).join('')).join('\n');
};

describe('bounce classification', () => {
  it('has fixtures of every class, and expectations of every fixture', () => {
    expect(files.length).toBeGreaterThan(60);
    expect(Object.keys(expected).sort()).toEqual(files);
    expect(new Set(files.map(kindOf))).toEqual(new Set(returnKinds));
  });

  it('prints the table of right and wrong by class', () => {
    const results = files.map((name) => ({ name, kind: read(name).kind }));
    process.stdout.write(`${tableOf(results)}\n`);
    expect(results.filter(({ name, kind }) => kind !== kindOf(name))).toEqual([]);
  });

  it.each(files)('%s', (name) => {
    const { kind, recipients } = read(name);
    expect(kind).toBe(kindOf(name));
    expect(recipients.map((one) => [one.address, one.status, one.kind])).toEqual(expected[name]);
  });

  it.each(files)('%s with CRLF, or without its last third, is never worse than unknown', (name) => {
    const text = readFileSync(join(folder, `${name}.eml`)).toString('latin1');
    const crlf = classifyBounce(Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1'));
    expect(crlf.kind).toBe(kindOf(name));
    const cut = classifyBounce(Buffer.from(text.slice(0, (text.length * 2) / 3), 'latin1'));
    if (kindOf(name) !== 'hard') expect(cut.kind).not.toBe('hard');
  });
});
