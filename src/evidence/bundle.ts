import { createHash, createPublicKey, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../access/audit.ts';

/**
 * **Evidence**: what one item was, who approved it, whom it reached by what rules, and of one person, if asked for, what became
 * of their messages. People stand in it by their pseudonymous ids alone, so it survives their erasure.
 */
export type Evidence = {
  format: 'bellman-evidence/1';
  service: string;
  issuedAt: string;
  item: { id: string; externalId: string | null; state: string; version: number; revision: number; writer: string };
  approvals: { department: string | null; staff: string; at: string }[];
  versions: {
    version: number;
    revision: number;
    kind: string;
    at: string;
    note: string | null;
    content: object;
    sha256: string;
  }[];
  rules: {
    rule: string;
    version: number;
    name: string;
    writer: string;
    approvedBy: string | null;
    createdAt: string;
    sha256: string;
  }[];
  pushes: {
    id: string;
    version: number;
    state: string;
    createdAt: string;
    finishedAt: string | null;
    matched: number;
    counts: Record<string, number>;
    bySource: { source: string; people: number }[];
  }[];
  /** What was done with the item, from the audit log: `hash` is the entry's own in the chain. */
  history: { n: number; at: string; actor: string; action: string; hash: string }[];
  /** The last entry of the audit log: by it a log that was changed since is known (`npm run audit:verify -- --head`). */
  auditHead: { n: number; hash: string } | null;
  person?: {
    subscriber: string;
    erased: boolean;
    deliveries: {
      id: string;
      channel: string | null;
      state: string;
      code: string | null;
      because: string[];
      at: string;
      attempts: { at: string; provider: string; ok: boolean; response: string }[];
    }[];
  };
};

/** A bundle as it is handed out: `text` says the same in words, and the signature is over both. */
export type Bundle = {
  evidence: Evidence;
  text: string;
  signature: { algorithm: 'Ed25519'; key: string; value: string };
};

export const bundleShape = z.object({
  evidence: z.looseObject({ format: z.literal('bellman-evidence/1') }),
  text: z.string(),
  signature: z.object({ algorithm: z.literal('Ed25519'), key: z.string(), value: z.string() }),
});

/** SHA-256 over the canonical JSON, hex. */
export const fingerprint = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');

/** What a key is called: the beginning of the SHA-256 of its public form (SPKI). */
export const keyName = (publicPem: string): string =>
  createHash('sha256')
    .update(createPublicKey(publicPem).export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);

const signedBytes = (evidence: unknown, text: string): Buffer => Buffer.from(canonicalJson({ evidence, text }));

/** Signs with Ed25519 (RFC 8032) over the canonical JSON of evidence and text. */
export const signBundle = (evidence: Evidence, keys: { privateKey: string; publicKey: string }): Bundle => {
  const text = evidenceText(evidence);
  const value = sign(null, signedBytes(evidence, text), keys.privateKey).toString('base64');
  return { evidence, text, signature: { algorithm: 'Ed25519', key: keyName(keys.publicKey), value } };
};

export type BundleVerdict = { ok: true; text: string } | { ok: false; why: 'form' | 'key' | 'signature' };

/** Whether a file is a bundle that the holder of this public key (PEM) signed, whole and unaltered. Needs nothing else. */
export const verifyBundle = (file: string, publicPem: string): BundleVerdict => {
  let read: unknown;
  try {
    read = JSON.parse(file);
  } catch {
    return { ok: false, why: 'form' };
  }
  const parsed = bundleShape.safeParse(read);
  if (!parsed.success) return { ok: false, why: 'form' };
  const { evidence, text, signature } = parsed.data;
  if (signature.key !== keyName(publicPem)) return { ok: false, why: 'key' };
  const fits = verify(null, signedBytes(evidence, text), publicPem, Buffer.from(signature.value, 'base64'));
  return fits ? { ok: true, text } : { ok: false, why: 'signature' };
};

const indented = (lines: string[]): string[] => (lines.length > 0 ? lines : ['none']).map((line) => `  ${line}`);
const countsText = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .filter(([, people]) => people > 0)
    .map(([state, people]) => `${people} ${state}`)
    .join(', ') || 'nobody';

const personText = ({ subscriber, erased, deliveries }: NonNullable<Evidence['person']>): string[] => [
  '',
  `Person ${subscriber}${erased ? ' (erased since)' : ''}`,
  ...indented(
    deliveries.flatMap((one) => [
      `${one.at}  ${one.channel ?? 'no channel'}: ${one.state}${one.code ? ` (${one.code})` : ''}, because of ${one.because.join(', ') || 'nothing any more'}`,
      ...one.attempts.map(
        (attempt) => `  ${attempt.at}  ${attempt.provider}: ${attempt.ok ? 'taken' : 'refused'}  ${attempt.response}`,
      ),
    ]),
  ),
];

/** The evidence in plain words, one fact a line. */
const evidenceText = (evidence: Evidence): string => {
  const { item, approvals, versions, rules, pushes, history, auditHead } = evidence;
  const lines = [
    `Evidence of delivery, issued by ${evidence.service} at ${evidence.issuedAt}`,
    '',
    `Item ${item.id}${item.externalId ? ` (${item.externalId})` : ''}: ${item.state}, version ${item.version}.${item.revision}, written by ${item.writer}`,
    '',
    'Versions',
    ...indented(
      versions.map(
        (one) =>
          `${one.at}  ${one.version}.${one.revision} ${one.kind}, SHA-256 ${one.sha256}${one.note ? `: ${one.note}` : ''}`,
      ),
    ),
    '',
    'Approvals',
    ...indented(approvals.map((one) => `${one.at}  ${one.staff}${one.department ? ` for ${one.department}` : ''}`)),
    '',
    'Rules',
    ...indented(
      rules.map(
        (one) =>
          `${one.rule}@${one.version} ${one.name}, written by ${one.writer}, approved by ${one.approvedBy ?? 'nobody'}, SHA-256 ${one.sha256}`,
      ),
    ),
    '',
    'Pushes',
    ...indented(
      pushes.flatMap((push) => [
        `${push.createdAt}  ${push.id} of version ${push.version}: ${push.state}; ${push.matched} matched: ${countsText(push.counts)}`,
        ...push.bySource.map(({ source, people }) => `  ${source}: ${people}`),
      ]),
    ),
    '',
    'History in the audit log',
    ...indented(history.map((one) => `${one.at}  ${one.n} ${one.actor} ${one.action} ${one.hash}`)),
    ...(auditHead ? [`The log then ended with entry ${auditHead.n}, ${auditHead.hash}`] : []),
    ...(evidence.person ? personText(evidence.person) : []),
  ];
  return `${lines.join('\n')}\n`;
};
