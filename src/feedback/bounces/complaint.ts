import type { FailedRecipient, Mail } from './classify-bounce.ts';
import { addressesIn, addressOf, readReportFields } from './delivery-status.ts';
import { type Fields, fieldText, fieldTexts, type Part, textOf } from './mime-tree.ts';

/** Feedback-Types that are no complaint of a reader (RFC 5965 section 7.3, RFC 6591 section 3.1). */
const noComplaint = /^(?:not-spam|auth-failure|dmarc|other-report)/i;

const complaint = (address: string): FailedRecipient => ({
  address,
  status: null,
  kind: 'complaint',
  reason: 'complaint',
  isDelayed: false,
  words: '',
});

const complainants = ({ root, original }: Mail, report: Fields | null): FailedRecipient[] => {
  const named = ['original-rcpt-to', 'removal-recipient', 'redacted-address'].flatMap(
    (name) => report?.get(name) ?? [],
  );
  const hidden = ['x-hmxmroriginalrecipient', 'x-original-recipient'].flatMap((name) => [
    ...(root.fields.get(name) ?? []),
    ...(original?.get(name) ?? []),
  ]);
  const to = addressesIn(original ? fieldTexts(original, 'to') : []);
  const first = [named, hidden, to]
    .map((list) => list.map(addressOf).filter((one) => one.includes('@')))
    .find((list) => list.length > 0);
  return [...new Set(first ?? [])].map(complaint);
};

/** The report of an abuse report; some reporters call it plain text. */
export const reportOf = (parts: Part[]): Part | undefined =>
  parts.find(({ type }) => type === 'message/feedback-report') ??
  parts.find((part) => part.type === 'text/plain' && /^feedback-type[ \t]*:\s*\w/im.test(part.body.slice(0, 4_000)));

/** A reader's complaint: ARF (RFC 5965), or one of the forms that mailbox providers had before and beside it. */
export const readComplaint = (mail: Mail): FailedRecipient[] | 'no-complaint' | null => {
  const { root, parts, notice, original } = mail;
  const part = reportOf(parts);
  const isReport = root.type === 'multipart/report' && /feedback-report/i.test(root.params.get('report-type') ?? '');
  if (part || isReport) {
    const report = readReportFields(part ? textOf(part) : notice.text);
    return noComplaint.test(fieldText(report, 'feedback-type')) ? 'no-complaint' : complainants(mail, report);
  }
  const isOlder =
    /^(?:yes|true|secure|plain|bulk)/i.test(fieldText(root.fields, 'x-xarf') || fieldText(root.fields, 'x-arf')) ||
    root.fields.has('x-hmxmroriginalrecipient') ||
    (/^complaint about message from/i.test(fieldText(root.fields, 'subject')) && original !== null) ||
    /^this is an? (?:email|e-mail|spam) (?:abuse|complaint) report/i.test(notice.text.trim()) ||
    (/@reports\.spamcop\.net/i.test(fieldText(root.fields, 'from')) &&
      /^\[spamcop/i.test(fieldText(root.fields, 'subject')));
  return isOlder ? complainants(mail, null) : null;
};
