import { readComplaint, reportOf } from './complaint.ts';
import { addressesIn, type ReportedRecipient, readDeliveryStatus, readReportFields } from './delivery-status.ts';
import { type Diagnosis, diagnose, type FailureKind } from './diagnosis.ts';
import type { Reason } from './diagnosis-words.ts';
import { type Signs, signsOf, soundsDelayed, soundsLikeBounce } from './mail-signs.ts';
import {
  enclosedFields,
  enclosedMail,
  type Fields,
  fieldText,
  fieldTexts,
  type Part,
  readMail,
  textOf,
  walk,
} from './mime-tree.ts';
import { type NamedRecipient, type Notice, namedRecipients, quotedWords, readNotice } from './notice-text.ts';

/** What a mail that came back is. */
export const returnKinds = ['hard', 'soft', 'blocked', 'complaint', 'auto-reply', 'none'] as const;
export type ReturnKind = (typeof returnKinds)[number];

/** One recipient that a report names as failed, delayed or complaining. `status`: RFC 3463's, null where none is known. */
export type FailedRecipient = {
  address: string;
  status: string | null;
  kind: FailureKind | 'complaint';
  reason: Reason | 'complaint';
  /** The message is late, and is still tried. */
  isDelayed: boolean;
  /** The words of whoever refused: the proof. */
  words: string;
};

/** **returned mail**: what came back, whom it is about, and what is known of the mail that it answers. */
export type ReturnedMail = {
  kind: ReturnKind;
  recipients: FailedRecipient[];
  /** The mail's own Message-ID, without brackets, or null. */
  id: string | null;
  /** Addresses that may be our return path: where it was sent, and whom it or the mail within says that the mail came from. */
  paths: string[];
  /** Of the mail that came back with it: its Message-ID without brackets, and when it was sent (ms). */
  original: { messageId: string | null; date: number | null };
};

/** All parts of a mail, its signs, and its text, as the steps below need them. */
export type Mail = { root: Part; parts: Part[]; signs: Signs; notice: Notice; original: Fields | null };

const proofMost = 500;

const open = (bytes: Uint8Array): Mail => {
  const root = readMail(bytes);
  const parts = walk(root);
  const notice = readNotice(parts);
  const enclosed = parts.find(({ type }) =>
    /^(?:message\/(?:rfc822|global|partial)|(?:text\/rfc822|message\/(?:rfc822|global))-headers)$/.test(type),
  );
  const original = enclosed && enclosed !== root ? enclosedFields(enclosed) : notice.original;
  return { root, parts, signs: signsOf(root.fields), notice, original };
};

const isStatusPart = ({ type }: Part): boolean => /^message\/(?:global-)?delivery-status$/.test(type);

/** Reports whose machine-readable part came as plain text, and reports pasted into the only text there is. */
const isPlainStatus = (text: string): boolean =>
  /^(?:original|final)-recipient[ \t]*:/im.test(text) && /^(?:action|status|diagnostic-code)[ \t]*:/im.test(text);

/** The recipients of a DSN (RFC 3464), or null where the mail is none. */
const readReport = ({ root, parts, signs }: Mail): ReportedRecipient[] | null => {
  const reports = parts.filter(isStatusPart);
  const isReport = root.type === 'multipart/report' || signs.fromDaemon || signs.bounceSubject || signs.emptyPath;
  const more =
    reports.length > 0 || !isReport
      ? []
      : parts.filter((part) => part.type === 'text/plain' && isPlainStatus(textOf(part)));
  const all = [...reports, ...more].flatMap((part) => readDeliveryStatus(textOf(part)));
  return reports.length > 0 || all.length > 0 ? all : null;
};

const fine = ['delivered', 'relayed', 'expanded'];

const failed = (address: string, found: Diagnosis, words: string, isDelayed: boolean): FailedRecipient => ({
  address,
  status: found.status,
  kind: found.kind,
  reason: found.reason,
  isDelayed,
  words: words.replace(/\s+/g, ' ').trim().slice(0, proofMost),
});

/** The first diagnosis that is sure, else the first of all: each wider evidence is asked only where the narrower one said little. */
const diagnoseBy = (
  action: string | null,
  status: string | null,
  evidence: string[],
): { found: Diagnosis; words: string } => {
  let first: { found: Diagnosis; words: string } | null = null;
  for (const words of evidence) {
    const found = diagnose({ action, status, words });
    if (found.isSure) return { found, words };
    if (first === null || (first.found.reason === 'other' && found.reason !== 'other')) first = { found, words };
  }
  return first ?? { found: diagnose({ action, status, words: '' }), words: '' };
};

/** What notices quote of the refusing server says more than what they say around it. */
const quotesFirst = (texts: string[]): string[] => [...texts.flatMap((one) => quotedWords(one) ?? []), ...texts];

const actionOf = ({ action, status }: ReportedRecipient, isLate: boolean): string | null => {
  if (action !== null) return action;
  if (status?.startsWith('2')) return 'delivered';
  return status?.startsWith('4') && isLate ? 'delayed' : null;
};

const judgeReport = (mail: Mail, reported: ReportedRecipient[]): FailedRecipient[] => {
  const { text } = mail.notice;
  const isLate = soundsDelayed(text);
  const named = namedRecipients(text, new Set());
  return reported.flatMap((one) => {
    const action = actionOf(one, isLate);
    if (action !== null && fine.includes(action)) return [];
    const spoken = named.find(({ address }) => address.toLowerCase() === one.address.toLowerCase());
    const around = spoken ? [spoken.near, spoken.words] : [];
    const evidence = [one.words, ...quotesFirst([...around, text])];
    const { found, words } = diagnoseBy(action, one.status, evidence);
    return [
      failed(one.address || (mail.signs.failedRecipients[0] ?? ''), found, one.words || words, action === 'delayed'),
    ];
  });
};

/** Whom the notice speaks of: those it names, those its head names, or those the returned mail was for. */
const spokenOf = ({ root, notice, signs, original }: Mail): NamedRecipient[] => {
  const own = addressesIn(
    ['from', 'to', 'sender', 'delivered-to', 'x-original-to', 'reply-to'].flatMap((name) =>
      fieldTexts(root.fields, name),
    ),
  );
  const sender = addressesIn(original ? [...fieldTexts(original, 'from'), ...fieldTexts(original, 'return-path')] : []);
  const named = namedRecipients(notice.text, new Set([...own, ...sender].map((one) => one.toLowerCase())));
  const listed = signs.failedRecipients.map((address) => {
    const found = named.find((one) => one.address.toLowerCase() === address.toLowerCase());
    return found ?? { address, near: '', words: notice.text };
  });
  if (listed.length > 0) return listed;
  if (named.length > 0) return named;
  const to = addressesIn(original ? fieldTexts(original, 'to') : []);
  return to.length === 1 ? to.map((address) => ({ address, near: '', words: notice.text })) : [];
};

const judgeNotice = (mail: Mail): { kind: FailureKind; recipients: FailedRecipient[] } => {
  const { text } = mail.notice;
  const isDelayed = soundsDelayed(text) || /\b(?:delay|warning)/i.test(fieldText(mail.root.fields, 'subject'));
  const action = isDelayed ? 'delayed' : null;
  const recipients = spokenOf(mail).map(({ address, near, words: all }) => {
    const { found, words } = diagnoseBy(action, null, quotesFirst([near, all, text]));
    return failed(address, found, words, isDelayed);
  });
  return {
    kind: recipients.length > 0 ? gravest(recipients) : diagnose({ action, status: null, words: text }).kind,
    recipients,
  };
};

const gravest = (recipients: FailedRecipient[]): FailureKind =>
  (['hard', 'blocked', 'soft'] as const).find((kind) => recipients.some((one) => one.kind === kind)) ?? 'soft';

/** Whether a mail without a report is a bounce all the same. One that answers by itself must come from a mail system, too. */
const isNotice = ({ signs, notice, root, original }: Mail): boolean => {
  if (signs.failedRecipients.length > 0) return true;
  const speaks = soundsLikeBounce(notice.text);
  const isReport = root.type === 'multipart/report';
  if (signs.autoReplySubject) return false;
  // whoever is away from the postmaster's desk says so in words of notices, but returns no mail
  if (signs.fromDaemon)
    return signs.bounceSubject || isReport || (speaks && (!signs.autoReplyFields || original !== null));
  if (signs.autoReplyFields) return false;
  if (!signs.bounceSubject) return signs.emptyPath && isReport;
  return signs.emptyPath || isReport || (speaks && (original !== null || namesMail(notice.text)));
};

/** Parcels fail to be delivered, too: a notice about a mail names an address, or quotes a reply. */
const namesMail = (text: string): boolean => /\S@\S|\b[45]\d\d[ -]|\b[45]\.\d\.\d/.test(text);

const isReceipt = ({ root, parts }: Mail): boolean =>
  parts.some(({ type }) => /^message\/(?:global-)?disposition-notification$/.test(type)) ||
  (root.type === 'multipart/report' && /disposition-notification/i.test(root.params.get('report-type') ?? ''));

const judge = (mail: Mail): { kind: ReturnKind; recipients: FailedRecipient[] } => {
  const complaint = readComplaint(mail);
  if (complaint === 'no-complaint') return { kind: 'none', recipients: [] };
  if (complaint !== null) return { kind: 'complaint', recipients: complaint };
  // a reader's receipt (RFC 8098) says nothing of delivery
  if (isReceipt(mail)) return { kind: 'none', recipients: [] };
  const reported = readReport(mail);
  if (reported !== null && reported.length > 0) {
    const recipients = judgeReport(mail, reported);
    return { kind: recipients.length > 0 ? gravest(recipients) : 'none', recipients };
  }
  if (reported !== null || isNotice(mail)) return judgeNotice(mail);
  const { autoReplyFields, autoReplySubject } = mail.signs;
  return { kind: autoReplyFields || autoReplySubject ? 'auto-reply' : 'none', recipients: [] };
};

const sentToFields = ['to', 'delivered-to', 'x-original-to', 'envelope-to', 'x-envelope-to', 'x-rcpt-to'];

const idIn = (fields: Fields | null): string | null => {
  const said = fields ? fieldText(fields, 'message-id') : '';
  return /<([^<>\s]{1,500})>/.exec(said)?.[1] ?? (said !== '' && said.length <= 500 ? said : null);
};

const dateIn = (fields: Fields | null): number | null => {
  const at = Date.parse(fields ? fieldText(fields, 'date') : '');
  return Number.isNaN(at) ? null : at;
};

const isAbuseReport = ({ root, parts }: Mail): boolean =>
  root.type === 'multipart/report' && reportOf(parts) !== undefined;

/** The complaint (RFC 5965) that somebody hands on as an attachment, as abuse desks do with what their feedback loops send. */
const handedOn = ({ root, parts }: Mail): Uint8Array | null => {
  if (root.type === 'multipart/report') return null;
  const enclosed = parts.find(({ type }) => /^message\/(?:rfc822|global)$/.test(type));
  if (!enclosed || enclosed === root) return null;
  const within = enclosedMail(enclosed);
  return isAbuseReport(open(within)) ? within : null;
};

/**
 * Says what a mail that came back is: a bounce (RFC 3464 in the frame of RFC 6522, RFC 6533, or plain words of a mail system), a
 * complaint (RFC 5965), a program's answer (RFC 3834), or none of these. Pure; never throws; time grows with the length.
 */
export const classifyBounce = (bytes: Uint8Array): ReturnedMail => {
  const mail = open(bytes);
  const { fields } = mail.root;
  const within = handedOn(mail);
  if (within) return { ...classifyBounce(within), id: idIn(fields) };
  const report = reportOf(mail.parts);
  const paths = [
    ...sentToFields.flatMap((name) => fieldTexts(fields, name)),
    ...(report ? fieldTexts(readReportFields(textOf(report)), 'original-mail-from') : []),
    ...(mail.original ? fieldTexts(mail.original, 'return-path') : []),
  ];
  return {
    ...judge(mail),
    id: idIn(fields),
    paths: addressesIn(paths),
    original: { messageId: idIn(mail.original), date: dateIn(mail.original) },
  };
};
