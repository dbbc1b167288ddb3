import type { FailureReason, Verdict } from '../result.ts';

/** What nodemailer says of a failed attempt; `response` is the server's reply line(s). */
export type SmtpFault = {
  code?: string | undefined;
  command?: string | undefined;
  responseCode?: number | undefined;
  response?: string | undefined;
};

/** The enhanced status code of a reply (RFC 3463), its class left out: "550 5.1.1 …" -> "1.1". */
const detailOf = (response: string): string => /^\d{3}[ -][245]\.(\d{1,3}\.\d{1,3})\b/.exec(response)?.[1] ?? '';

const busyWords = /\brate\b|too (?:many|fast|much)|throttl|slow down|quota of messages|concurren/i;

const permanentReasons: Record<string, FailureReason> = {
  '1.0': 'no-such-address',
  '1.1': 'no-such-address',
  '1.6': 'no-such-address',
  '1.10': 'no-such-address',
  '1.2': 'no-such-host',
  '4.4': 'no-such-host',
  '1.3': 'bad-address',
  '2.0': 'mailbox-disabled',
  '2.1': 'mailbox-disabled',
  '2.2': 'mailbox-full',
  '2.3': 'too-large',
  '3.4': 'too-large',
};

const permanentReason = (detail: string, code: number): FailureReason => {
  const known = permanentReasons[detail];
  if (known) return known;
  if (detail.startsWith('7.')) return 'refused-by-policy';
  if (detail.startsWith('6.')) return 'content-refused';
  if (detail === '' && (code === 550 || code === 551)) return 'no-such-address';
  if (detail === '' && code === 552) return 'too-large';
  if (detail === '' && code === 553) return 'bad-address';
  return 'refused';
};

/** Replies 4xx that speak of load (RFC 3463 section 3: system full, congestion, too many recipients), not of the address. */
const loadDetails: ReadonlySet<string> = new Set(['3.1', '3.2', '4.5', '5.3', '7.28']);

const transient = (detail: string, code: number, response: string): Verdict => {
  if (loadDetails.has(detail) || busyWords.test(response) || (detail === '' && (code === 421 || code === 452)))
    return { kind: 'throttled', reason: 'throttled', retryAfterMs: 30_000 };
  if (detail === '2.2') return { kind: 'transient', reason: 'mailbox-full', retryAfterMs: 600_000 };
  if (detail === '7.1' || /gr[ea]y-?list/i.test(response))
    return { kind: 'transient', reason: 'greylisted', retryAfterMs: 300_000 };
  return { kind: 'transient', reason: 'deferred' };
};

/** A recipient is refused because we are (no relaying, not signed in), which says nothing of the address. */
const isAboutUs = (detail: string, code: number, response: string): boolean =>
  code === 530 ||
  ((detail === '' || detail.startsWith('7.')) &&
    /\brelay(?:ing)?\b(?![@.-])|authenticat(?:ion|ed?) (?:is )?required|must (?:first )?authenticate|not authenticated/i.test(
      response,
    ));

const unanswered: Record<string, FailureReason> = {
  ETIMEDOUT: 'timeout',
  ETLS: 'tls',
  EAUTH: 'auth',
  ENOAUTH: 'auth',
  EPROTOCOL: 'bad-answer',
};

const noReply = ({ code = '', command = '' }: SmtpFault): Verdict => {
  if (code === 'EENVELOPE') return { kind: 'permanent', reason: 'bad-address' };
  if (code === 'EMESSAGE')
    return { kind: 'permanent', reason: command === 'MAIL FROM' ? 'too-large' : 'content-refused' };
  return { kind: 'transient', reason: unanswered[code] ?? 'connection' };
};

/** Stages where a refusal is about us or the server, so that another provider or a later hour may do. */
const isAboutAddress = (command: string): boolean => command.startsWith('RCPT') || command.startsWith('DATA');

/**
 * Sorts a failure (RFC 5321 section 4.2.1: 4yz transient, 5yz permanent). Only a refusal of the recipient or of the message
 * is permanent; one at connecting, signing in or MAIL FROM is the provider's fault, and so is "no relaying": taken for a refusal of
 * the recipient, a password that was forgotten in EMAIL_URL would suppress every address of a town.
 */
export const classifySmtp = (fault: SmtpFault): Verdict => {
  const { responseCode: code = 0, response = '', command = '' } = fault;
  if (fault.code === 'EAUTH') return { kind: 'transient', reason: 'auth' };
  if (code < 400) return code === 0 ? noReply(fault) : { kind: 'transient', reason: 'bad-answer' };
  const detail = detailOf(response);
  if (code < 500) return transient(detail, code, response);
  if (command.startsWith('RCPT') && isAboutUs(detail, code, response))
    return { kind: 'transient', reason: 'sender-refused' };
  if (isAboutAddress(command)) return { kind: 'permanent', reason: permanentReason(detail, code) };
  if (detail === '3.4' || code === 552) return { kind: 'permanent', reason: 'too-large' };
  return { kind: 'transient', reason: command === 'MAIL FROM' ? 'sender-refused' : 'provider-error' };
};
