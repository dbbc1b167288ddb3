import { Secret, TOTP } from 'otpauth';
import type { Edges } from '../edges.ts';

/**
 * **Second step**: a time-based one-time password (RFC 6238: HMAC-SHA-1, six digits, steps of 30 seconds, which is what every
 * authenticator app takes), or one of ten recovery codes, each good once.
 */
const stepMs = 30_000;
/** RFC 4226 section 4: at least 128 bits, 160 recommended. */
const secretBytes = 20;
/** A clock may be one step off in either direction (RFC 6238 section 5.2). */
const drift = 1;

const recoveryCount = 10;
/** 80 bits: nothing to guess, also where somebody has what is kept of it. */
const recoveryBytes = 10;

/** A new secret, base32 (RFC 4648). */
export const newTotpSecret = ({ bytes }: Pick<Edges, 'bytes'>): string =>
  new Secret({ buffer: Uint8Array.from(bytes(secretBytes)).buffer }).base32;

const totpOf = (secret: string, label = ''): TOTP =>
  new TOTP({ issuer: 'Bellman', label, secret: Secret.fromBase32(secret), period: stepMs / 1000 });

/** The `otpauth:` address that an authenticator app reads from a QR code. */
export const totpUri = (secret: string, email: string): string => totpOf(secret, email).toString();

/** The code of a moment (ms): what an authenticator app would show. */
export const totpCode = (secret: string, now: number): string => totpOf(secret).generate({ timestamp: now });

/** The time step that a code belongs to, or null when it is no code of about now. Compared in constant time. */
export const totpStep = (secret: string, code: string, now: number): number | null => {
  const off = totpOf(secret).validate({ token: code, timestamp: now, window: drift });
  return off === null ? null : Math.floor(now / stepMs) + off;
};

/** Ten codes for the day when the app is lost, in groups of four characters. */
export const newRecoveryCodes = ({ bytes }: Pick<Edges, 'bytes'>): string[] =>
  Array.from({ length: recoveryCount }, () =>
    (new Secret({ buffer: Uint8Array.from(bytes(recoveryBytes)).buffer }).base32.match(/.{4}/g) ?? []).join('-'),
  );

/** What somebody typed, without blanks and hyphens, in capitals. */
export const normalCode = (typed: string): string => typed.normalize('NFKC').replace(/[\s-]/g, '').toUpperCase();

export const isTotpCode = (normal: string): boolean => /^\d{6}$/.test(normal);
