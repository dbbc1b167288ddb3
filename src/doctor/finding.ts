/** What one check came to. `advice` says what to do about it; `fail` means that the service cannot do its work like this. */
export type Finding = { check: string; level: 'ok' | 'warn' | 'fail'; text: string; advice?: string };

export const ok = (check: string, text: string): Finding => ({ check, level: 'ok', text });
export const warn = (check: string, text: string, advice: string): Finding => ({ check, level: 'warn', text, advice });
export const fail = (check: string, text: string, advice: string): Finding => ({ check, level: 'fail', text, advice });

/** Lines for a terminal: one a finding, what to do below it. */
export const report = (findings: Finding[]): string =>
  findings
    .map(({ check, level, text, advice }) => {
      const line = `${level.padEnd(4)}  ${check.padEnd(8)}  ${text}`;
      return advice === undefined ? line : `${line}\n${' '.repeat(16)}-> ${advice}`;
    })
    .join('\n');

/** 1 where anything fails, else 0: warnings stop nobody. */
export const exitCode = (findings: Finding[]): 0 | 1 => (findings.some(({ level }) => level === 'fail') ? 1 : 0);
