import { hash, verify } from '@node-rs/argon2';
import type { Fault } from '../errors.ts';

/** Argon2id (RFC 9106) with the parameters that OWASP's Password Storage Cheat Sheet names: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Long enough to stand alone (NIST SP 800-63B-4 section 3.1.1.2); the longest bounds the work of hashing. */
const leastLength = 15;
const mostLength = 200;

/** The same password typed on another keyboard is the same (NIST SP 800-63B-4: NFKC before hashing). */
const normal = (password: string): string => password.normalize('NFKC');

/** What is wrong with a new password, or null. Length counts in characters. */
export const passwordFault = (password: string, email: string): Fault | null => {
  const length = [...normal(password)].length;
  if (length < leastLength) return { path: 'password', message: `must have at least ${leastLength} characters` };
  if (length > mostLength) return { path: 'password', message: `must have at most ${mostLength} characters` };
  if (normal(password).toLowerCase() === email) return { path: 'password', message: 'must not be the email address' };
  return new Set(normal(password)).size < 5 ? { path: 'password', message: 'repeats too few characters' } : null;
};

/** The hash to keep, in PHC form with its salt and parameters. */
export const hashPassword = (password: string): Promise<string> => hash(normal(password), cost);

export const passwordFits = (kept: string, password: string): Promise<boolean> =>
  [...password].length > mostLength ? Promise.resolve(false) : verify(kept, normal(password));
