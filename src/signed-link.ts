import { equalBytes, type Signer } from './keyring.ts';

/**
 * Signed tokens for links: `<subject>.<expiry>.<mac>`, or `<subject>..<mac>` for one that never expires. The MAC covers
 * purpose, subject and expiry, so a token of one purpose is worthless for another. The subject is a public id (a
 * message's, a sign-up's), never a database id and never an address.
 */
export type LinkPurpose =
  | 'confirm'
  | 'unsubscribe'
  | 'manage'
  | 'session'
  | 'item'
  | 'report'
  | 'feedback'
  | 'csrf'
  | 'visitor'
  | 'stay'
  | 'staff-set-up'
  | 'staff-first'
  | 'wechat-bind';

export type LinkReading = { ok: true; subject: string } | { ok: false; reason: 'bad' | 'expired'; subject?: string };

/** 128 bits of MAC: RFC 2104 section 5's half of SHA-256. */
const macBytes = 16;

const input = (subject: string, expiry: string): string => `${subject}.${expiry}`;

/**
 * Purposes of links in mails that people keep. Those that were signed before SECRET changed go on; all others are made anew by
 * signing in again, so a secret that became known signs nobody in.
 */
const lasting: readonly LinkPurpose[] = ['unsubscribe', 'item', 'feedback', 'report', 'confirm', 'stay'];

/** Signs `subject` (URL-safe characters only, no dot). `expiresAt` in ms; left out, the token never expires. */
export const signLink = (
  keyring: Pick<Signer, 'sign'>,
  purpose: LinkPurpose,
  subject: string,
  expiresAt?: number,
): string => {
  const expiry = expiresAt === undefined ? '' : Math.ceil(expiresAt / 1000).toString(36);
  return `${subject}.${expiry}.${keyring.sign(`link:${purpose}`, input(subject, expiry), macBytes).toString('base64url')}`;
};

/** Reads a token; an expired one still names its subject, so that a page can offer a fresh link. */
export const readLink = (
  keyring: Pick<Signer, 'sign' | 'signedBefore'>,
  purpose: LinkPurpose,
  token: string,
  now: number,
): LinkReading => {
  const parts = token.split('.');
  const [subject, expiry, mac] = parts;
  if (parts.length !== 3 || !subject || expiry === undefined || !mac) return { ok: false, reason: 'bad' };
  const signed = [`link:${purpose}`, input(subject, expiry), macBytes] as const;
  // as text: decoding passes over what is not base64url, and one link is one text
  const given = Buffer.from(mac);
  const isThis = (one: Buffer): boolean => equalBytes(given, Buffer.from(one.toString('base64url')));
  const isOurs =
    isThis(keyring.sign(...signed)) || (lasting.includes(purpose) && keyring.signedBefore(...signed).some(isThis));
  if (!isOurs) return { ok: false, reason: 'bad' };
  if (expiry !== '' && Number.parseInt(expiry, 36) * 1000 < now) return { ok: false, reason: 'expired', subject };
  return { ok: true, subject };
};
