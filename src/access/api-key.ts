import { createHash } from 'node:crypto';
import { type Edges, newId } from '../edges.ts';

/**
 * **API key**: `<id>.<secret>`. The secret has 256 random bits, so a plain SHA-256 of it is enough at rest: there is
 * nothing to guess, and a slow hash would only slow every request.
 */
export type KeyText = { id: string; secret: string };

const shape = /^([\w-]{1,64})\.([\w-]{1,256})$/;
const bearer = /^Bearer +(\S+) *$/i;

/** The key text of an Authorization header (RFC 6750 section 2.1), or null when it is of another form. */
export const bearerOf = (header: string): string | null => bearer.exec(header)?.[1] ?? null;

/** Splits a key into its parts, or null when it is of another form. */
export const readKey = (text: string): KeyText | null => {
  const [, id, secret] = shape.exec(text) ?? [];
  return id && secret ? { id, secret } : null;
};

export const newKey = (edges: Pick<Edges, 'bytes'>): KeyText => ({
  id: newId(edges),
  secret: edges.bytes(32).toString('base64url'),
});

export const writeKey = ({ id, secret }: KeyText): string => `${id}.${secret}`;

/** SHA-256 of a secret, base64url: what is kept. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
