import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../src/project-root.ts';

export type CommandEnd = { code: number | null; out: string; errors: string };

/** Runs a built command of the operator (`scripts/<name>.ts`) to its end, in an environment of its own. */
export const runCommand = (name: string, args: string[], env: Record<string, string>): Promise<CommandEnd> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(projectRoot, 'dist/scripts', `${name}.js`), ...args], {
      cwd: projectRoot,
      env: { PATH: process.env.PATH, ...env },
    });
    let [out, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, errors }));
  });
