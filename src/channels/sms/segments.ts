import { SegmentedMessage } from 'sms-segments-calculator';

/** The parts that a text travels in. `coding`: SMPP data_coding, 0 for GSM 03.38, 8 for UCS-2. */
export type SmsParts = { coding: 0 | 8; bodies: Buffer[] };

const units = (codes: number[], coding: 0 | 8): Buffer => {
  if (coding === 0) return Buffer.from(codes);
  const bytes = Buffer.alloc(codes.length * 2);
  codes.forEach((code, at) => {
    bytes.writeUInt16BE(code, at * 2);
  });
  return bytes;
};

const byLibrary = (text: string): SmsParts => {
  const message = new SegmentedMessage(text);
  const coding = message.encodingName === 'GSM-7' ? 0 : 8;
  const bodies = message.segments.map((segment) =>
    units(
      segment.flatMap((char) => ('raw' in char ? (char as { codeUnits: number[] }).codeUnits : [])),
      coding,
    ),
  );
  return { coding, bodies };
};

/** Characters seen so far with their septets, by the library's own table; null: outside GSM 03.38. */
const septets = new Map<string, Buffer | null>();
/** More than the characters of a language's daily use; a text of ever new ones only begins the table anew. */
const mostRemembered = 10_000;
export const mostSeptets = { alone: 160, together: 153 };

const septetsOf = (char: string): Buffer | null => {
  const known = septets.get(char);
  if (known !== undefined) return known;
  const { coding, bodies } = byLibrary(char);
  const found = coding === 0 ? Buffer.concat(bodies) : null;
  if (septets.size === mostRemembered) septets.clear();
  septets.set(char, found);
  return found;
};

/** The parts of a text all of whose characters are in GSM 03.38; null for any other. */
const inGsm = (text: string): SmsParts | null => {
  const codes: Buffer[] = [];
  let length = 0;
  for (const char of text) {
    const code = septetsOf(char);
    if (code === null) return null;
    codes.push(code);
    length += code.length;
  }
  if (length <= mostSeptets.alone) return { coding: 0, bodies: [Buffer.concat(codes, length)] };
  const parts: { codes: Buffer[]; length: number }[] = [];
  for (const code of codes) {
    const last = parts.at(-1);
    if (last && last.length + code.length <= mostSeptets.together) {
      last.codes.push(code);
      last.length += code.length;
    } else parts.push({ codes: [code], length: code.length });
  }
  return { coding: 0, bodies: parts.map((part) => Buffer.concat(part.codes, part.length)) };
};

/** Characters of one unit each that never join with the next: Latin, Chinese, punctuation. */
const plainUnits =
  /^[\n\u0020-\u007e\u00a0-\u02ff\u2010-\u2027\u2030-\u205e\u3000-\u3029\u3030-\u3096\u4e00-\u9fff\uff01-\uff9d]*$/;
export const mostUnits = { alone: 70, together: 67 };

/** The parts of a text in UCS-2 that may be cut anywhere; null for any other. */
const inPlainUnits = (text: string): SmsParts | null => {
  if (!plainUnits.test(text)) return null;
  const each = text.length <= mostUnits.alone ? mostUnits.alone : mostUnits.together;
  const bodies = Array.from({ length: Math.ceil(text.length / each) }, (_, part) =>
    Buffer.from(text.slice(part * each, (part + 1) * each), 'utf16le').swap16(),
  );
  return { coding: 8, bodies };
};

/**
 * Splits a text as phones put it together (3GPP TS 23.040 section 9.2.3.24): one part holds 160 characters of GSM 03.38 or
 * 70 UTF-16 units, each of several 153 or 67. One character outside GSM 03.38 turns the whole text to UCS-2. Neither an
 * escape sequence nor a character of two units is ever cut. Every person's text has links of its own, and the library takes
 * half a millisecond for each: what is GSM 03.38 alone, or may be cut anywhere, is put together here.
 */
export const splitSms = (text: string): SmsParts => {
  const clean = text.replace(/\r\n?/g, '\n');
  return (clean === '' ? null : (inGsm(clean) ?? inPlainUnits(clean))) ?? byLibrary(clean);
};

/** The header of part `part` (from 1) of `total`: information element 0, an eight-bit reference (3GPP TS 23.040 section 9.2.3.24.1). */
export const concatHeader = (reference: number, total: number, part: number): Buffer =>
  Buffer.from([0x05, 0x00, 0x03, reference & 0xff, total, part]);
