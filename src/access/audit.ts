import { createHash } from 'node:crypto';
import type { AuditEntry } from './access-store.ts';

/** The hash before the first entry. */
export const auditStart = '';

/** JSON with the keys of every object sorted, so that equal values have equal texts (after RFC 8785). */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, entry: unknown) =>
    entry !== null && typeof entry === 'object' && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
      : entry,
  );

/** SHA-256 over the entry and the hash before it, base64url. */
export const auditHash = (entry: Omit<AuditEntry, 'hash'>, before: string): string => {
  const { n, at, actor, action, subject, details } = entry;
  return createHash('sha256')
    .update(`${before}\n${canonicalJson({ n, at, actor, action, subject, details })}`)
    .digest('base64url');
};

/** The last entry of a log, as somebody wrote it down elsewhere: by it a log that was cut off, or written anew, is known. */
export type AuditHead = { n: number; hash: string };

/** `head` is null while the log is empty. Broken: the first entry that is missing, altered, or not the one that was written down. */
export type AuditVerdict =
  | { ok: true; entries: number; head: AuditHead | null }
  | { ok: false; brokenAt: number; why: 'missing' | 'altered' | 'another' };

/** Where a walk along the chain stands: the next number, and the hash before it. */
export type AuditStep = { n: number; before: string };

type Break = Extract<AuditVerdict, { ok: false }>;

/** Follows the chain over `entries` (ascending from `next.n`); answers the first entry that does not fit, or where to go on. */
export const followChain = (entries: AuditEntry[], next: AuditStep, known: AuditHead | null): Break | AuditStep => {
  let { n, before } = next;
  for (const entry of entries) {
    if (entry.n !== n) return { ok: false, brokenAt: n, why: 'missing' };
    if (entry.hash !== auditHash(entry, before)) return { ok: false, brokenAt: n, why: 'altered' };
    if (n === known?.n && entry.hash !== known.hash) return { ok: false, brokenAt: n, why: 'another' };
    n += 1;
    before = entry.hash;
  }
  return { n, before };
};
