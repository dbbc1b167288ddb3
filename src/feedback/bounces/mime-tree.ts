import { decodeCharset, decodeHeader, decodeTransfer } from './mime-text.ts';

/** Header fields by lower-case name, each value unfolded, in the order they stand; bytes as latin1. */
export type Fields = ReadonlyMap<string, readonly string[]>;

/** **part**: a mail, or one part of it (RFC 2045 section 2.4). `body` is as it was sent, bytes as latin1. */
export type Part = {
  fields: Fields;
  /** `multipart/report`, lower case; text/plain where none is said (RFC 2045 section 5.2). */
  type: string;
  params: ReadonlyMap<string, string>;
  body: string;
  /** Empty but for a multipart. What an enclosed mail holds is never looked into as parts of this one. */
  parts: Part[];
};

/** Beyond these a mail is read as far as it goes: nobody's bounce is so deep, and whoever makes one gets no more of our time. */
const deepest = 8;
const mostParts = 60;
const longestHead = 256 * 1024;
const mostFields = 1_000;
const mostDecoded = 256 * 1024;
/** RFC 2046 section 5.1.1 allows 70; looking for a long one in a long body takes the product of both. */
const longestBoundary = 200;

/** Name, colon, value; the name is printable ASCII without a colon (RFC 5322 section 2.2). */
const field = /^([!-9;-~]{1,100})[ \t]*:(.*)$/s;

/** Reads fields from lines; what is no field continues the one before (some reporters forget to indent). */
export const readFields = (head: string): Fields => {
  const fields = new Map<string, string[]>();
  let last: string[] | null = null;
  let count = 0;
  for (const line of head.slice(0, longestHead).split(/\r\n|\n|\r/)) {
    const match = /^[ \t]/.test(line) ? null : field.exec(line);
    if (match) {
      count += 1;
      if (count > mostFields) break;
      const name = (match[1] ?? '').toLowerCase();
      last = fields.get(name) ?? [];
      last.push((match[2] ?? '').trim());
      fields.set(name, last);
    } else if (last && line.trim() !== '' && !/^>?From /.test(line)) {
      last[last.length - 1] += ` ${line.trim()}`;
    }
  }
  return fields;
};

/** The first value of a field, decoded (RFC 2047); '' where there is none. */
export const fieldText = (fields: Fields, name: string): string => decodeHeader(fields.get(name)?.[0] ?? '').trim();

/** Every value of a field, decoded. */
export const fieldTexts = (fields: Fields, name: string): string[] => (fields.get(name) ?? []).map(decodeHeader);

const unquoted = (text: string): string => (/^"(.*)"$/s.exec(text)?.[1] ?? text).replace(/\\(.)/g, '$1');

/** `type/subtype; name=value; …` (RFC 2045 section 5.1), extended values (RFC 2231 section 4) under their plain names. */
const readContentType = (value: string): Pick<Part, 'type' | 'params'> => {
  const bare = value.replace(/\([^()]*\)/g, ' ');
  const type = (/^\s*([\w.+-]+\/[\w.+-]+)/.exec(bare)?.[1] ?? 'text/plain').toLowerCase();
  const params = new Map<string, string>();
  for (const [, name = '', text = ''] of bare.matchAll(/;\s*([\w-]+)\*?\d?\*?\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]+)/g))
    params.set(name.toLowerCase(), unquoted(text));
  return { type, params };
};

const emptyLine = /\r?\n[ \t]*\r?\n/g;

/** Where the head ends and where the body begins. What does not begin with a field, as a part may, is all body. */
const splitHead = (raw: string, isWhole: boolean): { head: string; body: string } => {
  const start = isWhole ? (/^(?:\s*\n)?(?:>?From [^\n]*\n)?/.exec(raw)?.[0].length ?? 0) : 0;
  if (!field.test(raw.slice(start, start + 1_000).split('\n', 1)[0] ?? '')) return { head: '', body: raw.slice(start) };
  emptyLine.lastIndex = start;
  const gap = emptyLine.exec(raw);
  if (!gap) return { head: raw.slice(start), body: '' };
  return { head: raw.slice(start, gap.index), body: raw.slice(gap.index + gap[0].length) };
};

/** The bodies between the delimiter lines of a multipart (RFC 2046 section 5.1.1); a missing last delimiter ends at the end. */
const splitParts = (body: string, boundary: string): string[] => {
  const delimiter = `--${boundary}`;
  const found: string[] = [];
  let from = -1;
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + delimiter.length)) {
    if (at > 0 && body[at - 1] !== '\n') continue;
    if (from >= 0) found.push(body.slice(from, at));
    if (found.length >= mostParts || body.startsWith('--', at + delimiter.length)) return found;
    const lineEnd = body.indexOf('\n', at);
    if (lineEnd < 0) return found;
    from = lineEnd + 1;
  }
  if (from >= 0) found.push(body.slice(from));
  return found;
};

/** The boundary as declared, or, where the declared one is not there, as the first delimiter line shows it. */
const boundaryOf = (params: Part['params'], body: string): string | null => {
  const declared = params.get('boundary')?.trimEnd();
  if (declared && declared.length <= longestBoundary && body.includes(`--${declared}`)) return declared;
  return /^--([^\s-][^\r\n]{0,199})\r?$/m.exec(body.slice(0, 64 * 1024))?.[1]?.trimEnd() ?? null;
};

const readPart = (raw: string, depth: number, left: { parts: number }): Part => {
  left.parts -= 1;
  const { head, body } = splitHead(raw, depth === 0);
  const fields = readFields(head);
  const { type, params } = readContentType(fields.get('content-type')?.[0] ?? '');
  const part: Part = { fields, type, params, body, parts: [] };
  const boundary = type.startsWith('multipart/') && depth < deepest ? boundaryOf(params, body) : null;
  if (boundary === null) return part;
  for (const one of splitParts(body, boundary)) if (left.parts > 0) part.parts.push(readPart(one, depth + 1, left));
  return part;
};

/**
 * Reads a whole mail (RFC 5322, RFC 2045). Never throws; time and memory grow with its length only. It is a reader of our own
 * because the library takes charsets at their word, where systems that write GB18030 without saying so are many, and answers
 * texts and attachments, not the tree that says which part reports and which was returned.
 */
export const readMail = (bytes: Uint8Array): Part =>
  readPart(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'), 0, { parts: mostParts });

/** The part and all parts within it, in the order they stand. */
export const walk = (part: Part): Part[] => [part, ...part.parts.flatMap(walk)];

/** The body's text, decoded; of a very long one the beginning. */
export const textOf = ({ fields, params, body }: Part): string =>
  decodeCharset(
    decodeTransfer(body.slice(0, mostDecoded), fields.get('content-transfer-encoding')?.[0] ?? ''),
    params.get('charset') ?? '',
  ).replace(/\r\n?/g, '\n');

/** The mail that a message/rfc822 or message/global part encloses; of a very long one the beginning. */
export const enclosedMail = ({ fields, body }: Part): Uint8Array =>
  decodeTransfer(body.slice(0, mostDecoded), fields.get('content-transfer-encoding')?.[0] ?? '');

/** The head of the mail that a part encloses: message/rfc822, message/global, or their heads alone (RFC 6522 section 4). */
export const enclosedFields = (part: Part): Fields => {
  const encoding = part.fields.get('content-transfer-encoding')?.[0] ?? '';
  const raw = decodeTransfer(part.body.slice(0, mostDecoded), encoding).toString('latin1');
  return readFields(splitHead(`${raw}\n\n`, true).head);
};
