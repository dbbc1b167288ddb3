import { type Reason, reasonIn } from './diagnosis-words.ts';

/** What a failed recipient means for the address: gone for good, perhaps better later, or refused because of us or the content. */
export type FailureKind = 'hard' | 'soft' | 'blocked';

/** What is known of one recipient: RFC 3464's Action and Status fields, and the words of whoever refused. */
export type Evidence = { action: string | null; status: string | null; words: string };

/** `isSure`: the words or a specific status code said it, so that looking further would tell no more. */
export type Diagnosis = { kind: FailureKind; reason: Reason; status: string | null; isSure: boolean };

const mostWords = 4_000;

/** Enhanced status codes (RFC 3463 section 2), told from addresses and version numbers: behind a reply code first, then `#5.1.1`. */
const statusForms = [
  /(?<!\d)[245]\d\d[ \-#:([]{1,4}([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)/,
  /#[<\s]?([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)/,
  /(?<![\d.[])([245]\.[0-7]\.\d{1,3})(?![\d.]*\d)/,
];

const statusIn = (words: string): string | null => {
  for (const form of statusForms) {
    const found = form.exec(words)?.[1];
    if (found) return found;
  }
  return null;
};

/** SMTP reply codes (RFC 5321 section 4.2) where a reply may begin. */
const replyIn = (words: string): number | null => {
  const found =
    /(?:^|[\n:;>"'(\u3002\uff1a]|<<<|said|smtp|error|code)\s{0,4}([45][0-57]\d)(?=[\s\-#,.)\u3000]|$)/i.exec(
      words,
    )?.[1];
  return found === undefined ? null : Number(found);
};

type Found = { kind: FailureKind; reason: Reason };

/** Codes of the class 5 by their subject and detail; of those not here the subject alone speaks (RFC 3463 section 3, RFC 5248). */
const details: Readonly<Record<string, Found>> = {
  '1.0': { kind: 'hard', reason: 'no-such-user' },
  '1.1': { kind: 'hard', reason: 'no-such-user' },
  '1.2': { kind: 'hard', reason: 'no-such-domain' },
  '1.3': { kind: 'hard', reason: 'bad-address' },
  '1.6': { kind: 'hard', reason: 'moved' },
  '1.7': { kind: 'blocked', reason: 'sender-refused' },
  '1.8': { kind: 'blocked', reason: 'sender-refused' },
  // RFC 7505 section 4: the domain takes no mail
  '1.10': { kind: 'hard', reason: 'no-such-domain' },
  '2.1': { kind: 'hard', reason: 'mailbox-disabled' },
  '2.2': { kind: 'soft', reason: 'mailbox-full' },
  '2.3': { kind: 'soft', reason: 'too-large' },
  '3.4': { kind: 'soft', reason: 'too-large' },
  '4.6': { kind: 'soft', reason: 'loop' },
  '4.7': { kind: 'soft', reason: 'expired' },
  // Exchange Online's own: the domain does not exist
  '4.310': { kind: 'hard', reason: 'no-such-domain' },
  // RFC 7293 section 9: the mailbox, or the domain, has another owner by now
  '7.17': { kind: 'hard', reason: 'moved' },
  '7.18': { kind: 'hard', reason: 'moved' },
};

const subjects: Readonly<Record<string, Found>> = {
  '1': { kind: 'soft', reason: 'other' },
  '2': { kind: 'soft', reason: 'mailbox' },
  '3': { kind: 'soft', reason: 'system' },
  '4': { kind: 'soft', reason: 'network' },
  '5': { kind: 'soft', reason: 'protocol' },
  '6': { kind: 'soft', reason: 'content' },
  '7': { kind: 'blocked', reason: 'policy' },
};

/** Subjects whose codes are given for want of a better one. */
const vague = /^[45]\.(?:0\.\d+|[23456]\.0|5\.\d+)$/;

const byStatus = (status: string | null): Found | null => {
  if (status === null) return null;
  const [group, subject = '', detail] = status.split('.');
  const known = details[`${subject}.${detail}`] ?? subjects[subject] ?? null;
  if (group === '5' || known === null) return known;
  return { kind: 'soft', reason: known.reason };
};

/** By the reply code alone (RFC 5321 section 4.2.3, RFC 7504); a bare refusal of an address is taken at its word. */
const byReply = (code: number | null, isBare: boolean): Found | null => {
  if (code === null) return null;
  if (code < 500) return { kind: 'soft', reason: 'try-later' };
  if (code === 521 || code === 556) return { kind: 'hard', reason: 'no-such-domain' };
  if (isBare && (code === 550 || code === 551 || code === 553)) return { kind: 'hard', reason: 'no-such-user' };
  if (code === 552) return { kind: 'soft', reason: 'mailbox-full' };
  if ([530, 535, 541, 554, 571].includes(code)) return { kind: 'blocked', reason: 'refused' };
  return { kind: 'soft', reason: code < 510 ? 'protocol' : 'refused' };
};

/** What the words say with codes, addresses and links taken out, which hold words of their own. */
const plainWords = (words: string): string =>
  words
    .slice(0, mostWords)
    .normalize('NFKC')
    .slice(0, mostWords)
    .toLowerCase()
    .replace(/https?:\/\/[^\s<>"']{1,500}/g, ' ')
    .replace(/[^\s<>()[\]:;,"'|=]{1,200}@[^\s<>()[\]:;,"'|=]{1,200}/g, '@')
    .replace(/[\u2018\u2019`´]/g, "'")
    // a reply of several lines repeats its code on each (RFC 5321 section 4.2.1)
    .replace(/\s[245]\d\d-(?:[245]\.\d{1,3}\.\d{1,3})?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** The server's code, its reply, or the reporter's: whoever was nearer to the refusal decides whether it may pass. */
const isTransientBy = (said: string | null, reply: number | null, reported: string | null): boolean => {
  if (said !== null) return said.startsWith('4');
  return reply === null ? (reported ?? '').startsWith('4') : reply < 500;
};

/** A reporter that has given up, and says 4.0.0 for want of a better code, does not say that trying again would help. */
const undecided = (status: string | null): string | null => (status === '4.0.0' ? null : status);

const lettersIn = (plain: string): number => plain.replace(/smtp|[^\p{L}]/gu, '').length;

/**
 * What became of one recipient. The enhanced code that the refusing server gave outranks the reporter's Status; its words
 * outrank both, because full mailboxes and policies are often given the code of an unknown user. A failure that the code calls
 * transient is never hard.
 */
export const diagnose = ({ action, status, words }: Evidence): Diagnosis => {
  const plain = plainWords(words);
  const said = statusIn(words.slice(0, mostWords));
  const reply = replyIn(words.slice(0, mostWords));
  const reported = status !== null && /^[45]\.\d{1,3}\.\d{1,3}$/.test(status) ? status : null;
  const code = said !== null && (!said.startsWith('2') || reported === null) ? said : reported;
  const isTransient = isTransientBy(said, reply, action === 'failed' ? undecided(reported) : reported);
  const known = code ?? (reply === null ? null : `${reply < 500 ? 4 : 5}.0.0`);

  const heard = reasonIn(plain, code);
  const byCode = byStatus(code);
  const found = heard ?? byCode ?? byReply(reply, lettersIn(plain) < 12);
  const isSure = heard !== null || (byCode !== null && code !== null && !vague.test(code));
  if (action === 'delayed') return { kind: 'soft', reason: found?.reason ?? 'delayed', status: known, isSure: true };
  if (found === null) return { kind: 'soft', reason: 'other', status: known, isSure: false };
  const kind = isTransient && found.kind === 'hard' ? 'soft' : found.kind;
  return { kind, reason: found.reason, status: known, isSure };
};
