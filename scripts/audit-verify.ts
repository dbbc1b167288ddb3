import { parseArgs } from 'node:util';
import type { AuditHead, AuditVerdict } from '../src/access/audit.ts';
import { commandConfig, openCommand } from './command.ts';

const usage = `Follows the hash chain of the audit log, in the store that the environment names. The service may be running.

  npm run audit:verify
  npm run audit:verify -- --head <n>:<hash>    also that entry n is still the one whose hash was written down

Ends with 0 when every entry fits, and with 1 naming the first one that does not.
`;

/** The head in `n:hash` form; null when it is of another form. */
const headOf = (text: string): AuditHead | null => {
  const [, n, hash] = /^(\d{1,15}):([\w-]{43})$/.exec(text) ?? [];
  return n && hash ? { n: Number(n), hash } : null;
};

const words = { missing: 'is missing', altered: 'was altered', another: 'is not the one that was written down' };

const wordsOf = (verdict: AuditVerdict): string => {
  if (!verdict.ok) return `The audit log is broken: entry ${verdict.brokenAt} ${words[verdict.why]}.`;
  const { entries, head } = verdict;
  const keep = head
    ? ` Keep this somewhere else, to see later that nothing was cut off: --head ${head.n}:${head.hash}`
    : '';
  return `The audit log is whole: ${entries} entries.${keep}`;
};

const readHead = (): AuditHead | null => {
  const { values } = parseArgs({ options: { head: { type: 'string' } } });
  if (values.head === undefined) return null;
  const head = headOf(values.head);
  if (!head) throw new TypeError('--head must be <n>:<hash>, as this command printed it');
  return head;
};

const run = async (head: AuditHead | null): Promise<void> => {
  const { services, close } = await openCommand(commandConfig());
  try {
    const verdict = await services.access.verifyAudit(head);
    (verdict.ok ? process.stdout : process.stderr).write(`${wordsOf(verdict)}\n`);
    process.exitCode = verdict.ok ? 0 : 1;
  } finally {
    await close();
  }
};

try {
  await run(readHead());
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
