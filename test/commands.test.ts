import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './helpers/run-command.ts';

const lookers: [name: string, args: string[]][] = [
  ['audit-verify', []],
  ['evidence', ['key']],
  ['keys-rotate', ['--stopped']],
  ['rebuild-counters', []],
];
const add = ['add', 'ann@example.org', '--name', 'Ann', '--roles', 'admin'];

describe('a command of the operator, in an environment that is not that of the service', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'bellman-commands-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));
  const database = () => join(dataDir, 'bellman.db');

  it.each([...lookers, ['staff', add], ['backup', ['x']], ['restore', ['x']], ['secret-change', []]] as typeof lookers)(
    'names what is wrong in it, without a stack: %s',
    async (name, args) => {
      const { code, errors } = await runCommand(name, args, { DATA_DIR: dataDir, PORT: 'x' });
      expect(code).toBe(2);
      expect(errors).toMatch(/^the environment has 1 fault\(s\):\n {2}PORT: .*\n$/);
    },
  );

  it.each(lookers)('makes no empty database to look into: %s', async (name, args) => {
    const { code, out, errors } = await runCommand(name, args, { DATA_DIR: dataDir });
    expect({ code, made: existsSync(database()) }).toEqual({ code: 1, made: false });
    expect(out).not.toMatch(/whole|sealed|counted/);
    expect(errors).toMatch(/^There is no database at .*bellman\.db\. Is DATA_DIR/);
  });

  it('makes one for the first account, and says so; with another SECRET it is told in one line', async () => {
    const made = await runCommand('staff', add, { DATA_DIR: dataDir, SECRET: 'a secret for tests only' });
    expect(made).toMatchObject({ code: 0, out: expect.stringContaining('/staff/set-up/') });
    expect(made.errors).toMatch(/^There is no database at .* A new one is made\.\n$/);
    const again = await runCommand('staff', ['link', 'ann@example.org'], { DATA_DIR: dataDir, SECRET: 'a'.repeat(16) });
    expect(again).toMatchObject({ code: 1, out: '' });
    expect(again.errors).toMatch(/^SECRET does not open .*\.\n$/);
  });
});
