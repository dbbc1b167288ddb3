import type { Verdict } from '../result.ts';

/** SMPP 3.4 section 5.1.3, command_status: what is wrong with the number or the text. */
const permanent: Record<number, Pick<Verdict, 'reason' | 'addressGone'>> = {
  1: { reason: 'too-large' },
  11: { reason: 'bad-address', addressGone: true },
  51: { reason: 'bad-address', addressGone: true },
  80: { reason: 'bad-address', addressGone: true },
  81: { reason: 'bad-address', addressGone: true },
  102: { reason: 'refused' },
};

const throttled: ReadonlySet<number> = new Set([0x14, 0x58]);
const signIn: ReadonlySet<number> = new Set([0x04, 0x05, 0x0d, 0x0e, 0x0f]);
const sender: ReadonlySet<number> = new Set([0x0a, 0x48, 0x49]);

/** Sorts a command_status; null: it was accepted. */
export const classifySmpp = (status: number): Verdict | null => {
  if (status === 0) return null;
  const known = permanent[status];
  if (known) return { kind: 'permanent', ...known };
  if (throttled.has(status)) return { kind: 'throttled', reason: 'throttled', retryAfterMs: 1_000 };
  if (signIn.has(status)) return { kind: 'transient', reason: 'auth' };
  return { kind: 'transient', reason: sender.has(status) ? 'sender-refused' : 'provider-error' };
};

/** `ESME status 0x0000000B`, as operators look it up. */
export const smppWords = (status: number): string =>
  `command_status 0x${status.toString(16).toUpperCase().padStart(8, '0')}`;
