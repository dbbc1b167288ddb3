import { type Fields, readFields } from './mime-tree.ts';

/** One recipient of a delivery status notification (RFC 3464 section 2.3). */
export type ReportedRecipient = {
  /** The address that the message was sent to, if the report knows it; else the one that delivery was tried to. */
  address: string;
  /** failed, delayed, delivered, relayed or expanded (section 2.3.3); null where it does not say. */
  action: string | null;
  status: string | null;
  /** Diagnostic-Code without its type, and what else the reporter says of this recipient. */
  words: string;
};

/** Our messages have one recipient each. */
const mostRecipients = 100;
const longestAddress = 1_000;

/** RFC 3461 section 4's xtext (`+2B`) and RFC 6533 section 3's unitext (`\x{E5}`). */
const unescaped = (text: string, type: string): string =>
  type === 'utf-8'
    ? text
        .replace(/\\x\{([\da-f]{1,6})\}/gi, (all, hex: string) => {
          const point = Number.parseInt(hex, 16);
          return point <= 0x10ffff ? String.fromCodePoint(point) : all;
        })
        .replace(/\+([\dA-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;

/** `rfc822; <who@example.org>` without its type (RFC 3464 section 2.1.2) and what surrounds it; '' where it names nobody. */
export const addressOf = (value: string): string => {
  const [, type = '', rest = ''] = /^\s*(?:([\w.-]+)\s*;)?(.*)$/s.exec(value.slice(0, longestAddress)) ?? [];
  const bare = rest.replace(/\([^()]*\)\s*$/, '').trim();
  const named = /<([^<>]*)>/.exec(bare)?.[1] ?? bare;
  return unescaped(
    named
      .trim()
      .replace(/^['"]+|['"]+$/g, '')
      .replace(/^smtp:|^mailto:/i, ''),
    type.toLowerCase(),
  );
};

const isAddress = (text: string): boolean => /^[^\s@]+@[^\s@]+$/.test(text);

const knownActions = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'];

const actionOf = (value: string | undefined): string | null => {
  const said = /^[a-z]+/.exec((value ?? '').trim().toLowerCase())?.[0] ?? '';
  return knownActions.find((one) => one === said) ?? (said.startsWith('fail') ? 'failed' : null);
};

const first = (fields: Fields, name: string): string => fields.get(name)?.[0] ?? '';

const recipientOf = (fields: Fields): ReportedRecipient => {
  const [original, final] = ['original-recipient', 'final-recipient'].map((name) => addressOf(first(fields, name)));
  const actual = addressOf(first(fields, 'x-actual-recipient'));
  const status = /[245]\.\d{1,3}\.\d{1,3}/.exec(first(fields, 'status'))?.[0] ?? null;
  const diagnostics = (fields.get('diagnostic-code') ?? []).map((one) => one.replace(/^\s*[\w.-]{1,30}\s*;/, ''));
  const more = [...diagnostics, ...remarksOf(fields)];
  return {
    address: [original, final, actual].find((one) => one && isAddress(one)) ?? final ?? original ?? '',
    action: actionOf(first(fields, 'action')),
    status,
    words: more.join('\n'),
  };
};

/** Fields and comments in which reporters say what went wrong: `Status: 5.1.1 (bad destination mailbox address)`. */
const remarksOf = (fields: Fields): string[] =>
  ['status', 'action', 'x-notes', 'x-supplementary-info', 'x-postfix-reason']
    .map((name) =>
      name.startsWith('x-') ? first(fields, name) : (/\(([^()]{3,300})\)/.exec(first(fields, name))?.[1] ?? ''),
    )
    .filter((one) => one !== '');

const isRecipientField = /^(?:original|final|x-actual)-recipient[ \t]*:/im;

/** The groups of fields between blank lines; one without a recipient field belongs to the recipient before it. */
const groupsOf = (text: string): string[] => {
  const groups: string[] = [];
  let names = false;
  for (const block of text.split(/\n[ \t]*\n/).slice(0, mostRecipients * 2)) {
    const last = groups.at(-1);
    const starts = isRecipientField.test(block);
    if (!starts && names && /^(?:action|status|diagnostic-code)[ \t]*:/im.test(block))
      groups[groups.length - 1] = `${last}\n${block}`;
    else {
      groups.push(block);
      names = starts;
    }
  }
  return groups;
};

/** Some reporters leave no blank line between two recipients: each further Final-Recipient begins one. */
const splitDoubled = (group: string): string[] => {
  const finals = [...group.matchAll(/^final-recipient[ \t]*:/gim)];
  if (finals.length < 2) return [group];
  const starts = finals.map(({ index }) => index);
  return starts.map((start, no) => group.slice(no === 0 ? 0 : start, starts[no + 1] ?? group.length));
};

/** The recipients of a message/delivery-status or message/global-delivery-status body (RFC 3464, RFC 6533 section 5). */
export const readDeliveryStatus = (text: string): ReportedRecipient[] =>
  groupsOf(text)
    .filter((group) => isRecipientField.test(group))
    .flatMap(splitDoubled)
    .slice(0, mostRecipients)
    .map((group) => recipientOf(readFields(group)));

/** The fields of a whole report: those of an abuse report (RFC 5965 section 3) stand in one group. */
export const readReportFields = (text: string): Fields => readFields(text.replace(/\n[ \t]*\n/g, '\n'));

/** What looks like an address in values of fields; of very many the first. */
export const addressesIn = (values: string[]): string[] =>
  values
    .flatMap((value) => value.slice(0, 10_000).split(/[\s<>,;:"'()]+/))
    .filter((word) => word.length <= 384 && /^.{1,128}@.{1,255}$/.test(word))
    .slice(0, 100);
