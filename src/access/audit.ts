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

export type AuditVerdict = { ok: true; entries: number } | { ok: false; brokenAt: number };

/** Follows the chain over `entries` (ascending from `next.n`); answers the first entry that does not fit, or where to go on. */
export const followChain = (
  entries: AuditEntry[],
  next: { n: number; before: string },
): { brokenAt: number } | { n: number; before: string } => {
  let { n, before } = next;
  for (const entry of entries) {
    if (entry.n !== n || entry.hash !== auditHash(entry, before)) return { brokenAt: n };
    n += 1;
    before = entry.hash;
  }
  return { n, before };
};
