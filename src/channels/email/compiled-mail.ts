import { createHash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import { encodeWords, foldLines } from 'nodemailer/lib/mime-funcs';
import { encode as encodeQp, wrap as wrapQp } from 'nodemailer/lib/qp';
import { type SharedContent, type SlotName, type Slots, slot, slotNames, slotPattern } from '../channel.ts';
import { escapeHtml, fillSlots } from '../slots.ts';

/** Who every mail is from. */
export type Sender = { name: string; address: string; domain: string };

/** A place in the encoded body: what it takes, and the soft line breaks (RFC 2045 section 6.7, rule 5) that set it off. */
type Place = {
  slot: SlotName;
  html: boolean;
  before: string;
  after: string;
  /** One for all places that take the same value in the same form. */
  last: { value: string | null; encoded: string };
};

/** What all recipients of a content share: the constant header lines and the encoded body, cut at its slots. */
export type CompiledMail = {
  head: string;
  /** The Subject line, or null where the title holds slots. */
  subject: string | null;
  title: string;
  locale: string;
  isList: boolean;
  body: (string | Place)[];
};

/** What differs from person to person. `date` is an RFC 5322 date-time. */
export type MailPerson = { to: string; messageId: string; date: string; slots: Slots };

const softBreak = '=\r\n';
/** 75, so that a soft break still fits into the 76 characters of a line. */
const lineLength = 75;

/** Header text holds no line break nor other control character, so that nobody can add a header (RFC 5322 section 2.2). */
const oneLine = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .trim();

/** CRLF throughout (RFC 5321 section 2.3.8): a lone CR or LF in the data is one server's line end and another's offence. */
const withLineEnds = (text: string): string => text.replace(/\r?\n|\r/g, '\r\n');

/** An unstructured header line, RFC 2047 encoded and folded; base64 is the shorter form for Chinese. */
const textHeader = (name: string, text: string, locale: string): string =>
  `${foldLines(`${name}: ${encodeWords(oneLine(text), locale.startsWith('zh') ? 'B' : 'Q', 52, true)}`, 76)}\r\n`;

/** The slot marks as they may stand in quoted-printable text: a soft break may fall between any two letters. */
const brokenMarks = new RegExp(
  slotNames.map((name) => `(?<${name}>${slot(name).split('').join(`(?:${softBreak})?`)})`).join('|'),
  'g',
);

const slotOf = (groups: Record<string, string | undefined>): SlotName =>
  slotNames.find((name) => groups[name] !== undefined) ?? slotNames[0];

const place = (
  encoded: string,
  start: number,
  end: number,
  slotName: SlotName,
  htmlFrom: number,
): Omit<Place, 'last'> => {
  const atLineStart = start === 0 || encoded[start - 1] === '\n';
  const atLineEnd = end === encoded.length || encoded.startsWith('\r\n', end);
  return {
    slot: slotName,
    html: start > htmlFrom,
    before: atLineStart ? '' : softBreak,
    after: atLineEnd ? '' : softBreak,
  };
};

/** Cuts an encoded body at its slot marks. */
const cutAtSlots = (encoded: string): (string | Place)[] => {
  const htmlFrom = encoded.search(/^content-type: text\/html/im);
  const pieces: (string | Place)[] = [];
  const lasts = new Map<string, Place['last']>();
  let from = 0;
  for (const match of encoded.matchAll(brokenMarks)) {
    const end = match.index + match[0].length;
    pieces.push(encoded.slice(from, match.index));
    const here = place(encoded, match.index, end, slotOf(match.groups ?? {}), htmlFrom);
    const form = `${here.slot} ${here.html}`;
    const last = lasts.get(form) ?? { value: null, encoded: '' };
    lasts.set(form, last);
    pieces.push({ ...here, last });
    from = end;
  }
  pieces.push(encoded.slice(from));
  return pieces;
};

/** RFC 2919 section 2: a list id is a dot-atom; what a label cannot spell in ASCII is hashed. */
const listId = (label: string, domain: string): string => {
  const ascii = label.toLowerCase().replace(/[^a-z0-9-]+/g, '-');
  const name = /[a-z0-9]/.test(ascii) ? ascii : `list-${createHash('sha256').update(label).digest('hex').slice(0, 12)}`;
  return `<${name}.${domain}>`;
};

/** Headers of a list: RFC 2919 and RFC 8058; a transactional mail has none. RFC 3834 section 5 names Auto-Submitted. */
const constantHeaders = (content: SharedContent, domain: string): Record<string, string> => ({
  'Auto-Submitted': 'auto-generated',
  'Content-Language': content.locale,
  ...(content.kind === 'notification'
    ? {
        'List-Id': listId(content.listLabel ?? 'notifications', domain),
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      }
    : {}),
});

const perPerson = /^(?:date|message-id|subject|to):.*(?:\r\n[ \t].*)*\r\n/gim;

/**
 * Composes the mail once: multipart/alternative, both parts quoted-printable. What is left per person is to fill slots and
 * to write four header lines.
 */
export const compileMail = async (content: SharedContent, sender: Sender): Promise<CompiledMail> => {
  const composed = await new MailComposer({
    from: { name: oneLine(sender.name), address: sender.address },
    text: withLineEnds(content.text),
    html: withLineEnds(content.html),
    encoding: 'quoted-printable',
    newline: 'win',
    headers: constantHeaders(content, sender.domain),
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build();
  const encoded = composed.toString('latin1');
  const bodyAt = encoded.indexOf('\r\n\r\n') + 2;
  const isPersonal = new RegExp(slotPattern.source).test(content.title);
  return {
    head: encoded.slice(0, bodyAt).replace(perPerson, ''),
    subject: isPersonal ? null : textHeader('Subject', content.title, content.locale),
    title: content.title,
    locale: content.locale,
    isList: content.kind === 'notification',
    body: cutAtSlots(encoded.slice(bodyAt)),
  };
};

const encoded = (value: string, html: boolean): string =>
  wrapQp(encodeQp(withLineEnds(html ? escapeHtml(value) : value)), lineLength);

/** Letters that quoted-printable and HTML leave as they are, in what fits into a line: a token, which is in a mail many times. */
const isPlain = (value: string): boolean => value.length < lineLength && /^[\w-][\w.-]*$/.test(value);

/**
 * What goes in at a place. Most values are the same from one person to the next, or from one place to the next, so the last one
 * is kept.
 */
const inBody = ({ last, html, before, after }: Place, value: string): string => {
  if (last.value !== value) {
    last.value = value;
    last.encoded = isPlain(value) ? value : encoded(value, html);
  }
  return before + last.encoded + after;
};

/** A URL between angle brackets (RFC 2369 section 2), cleared of what would end it. */
const bracketed = (url: string): string => `<${url.replace(/[<>\s]/g, '')}>`;

const isAscii = (text: string): boolean => !/[^ -~]/.test(text);

/** The whole message for one person, header and body, lines ended by CRLF. */
export const renderMail = (mail: CompiledMail, person: MailPerson): Buffer => {
  const { slots } = person;
  let text = mail.head;
  text += mail.subject ?? textHeader('Subject', fillSlots(mail.title, slots), mail.locale);
  text += `To: ${person.to}\r\nDate: ${person.date}\r\nMessage-ID: ${person.messageId}\r\n`;
  if (mail.isList) text += `List-Unsubscribe: ${bracketed(slots.unsubscribe)}\r\n`;
  for (const piece of mail.body) {
    text += typeof piece === 'string' ? piece : inBody(piece, slots[piece.slot]);
  }
  return Buffer.from(text, isAscii(person.to) ? 'latin1' : 'utf8');
};
