import type { Signer } from '../keyring.ts';
import { readLink, signLink } from '../signed-link.ts';

/**
 * One token stands behind all links of a message but the one that unsubscribes: what is said about it, its counted links,
 * its pixel. What differs from link to link follows it: `~<item>` in a digest, `~0` where no person sees a link (no dot: a line
 * of a mail may begin there).
 */
/** For how long anything may be said or counted; the pages of an older token still open. */
export const validMs = 180 * 86_400_000;
const dayMs = 86_400_000;

/** What follows the token in a link that people do not see. */
export const honeypot = '0';

/** The token of a message that leaves now; it ends with a day, so that a message made anew has the same. */
export const messageToken = (keyring: Signer, message: string, now: number): string =>
  signLink(keyring, 'feedback', message, (Math.floor(now / dayMs) + 1) * dayMs + validMs);

export type MessageTokenReading = { message: string; part: string | null; expired: boolean };

/** The message that a token stands for, with what followed it; null for what is not ours. */
export const readMessageToken = (keyring: Signer, token: string, now: number): MessageTokenReading | null => {
  const [signed = '', part = null, ...rest] = token.split('~');
  const reading = readLink(keyring, 'feedback', signed, now);
  if (rest.length > 0 || reading.subject === undefined) return null;
  return { message: reading.subject, part, expired: !reading.ok };
};
