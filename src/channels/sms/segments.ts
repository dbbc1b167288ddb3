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

/**
 * Splits a text as phones put it together (3GPP TS 23.040 section 9.2.3.24): one part holds 160 characters of GSM 03.38 or
 * 70 UTF-16 units, each of several 153 or 67. One character outside GSM 03.38 turns the whole text to UCS-2. Neither an
 * escape sequence nor a character of two units is ever cut.
 */
export const splitSms = (text: string): SmsParts => {
  const message = new SegmentedMessage(text.replace(/\r\n?/g, '\n'));
  const coding = message.encodingName === 'GSM-7' ? 0 : 8;
  const bodies = message.segments.map((segment) =>
    units(
      segment.flatMap((char) => ('raw' in char ? (char as { codeUnits: number[] }).codeUnits : [])),
      coding,
    ),
  );
  return { coding, bodies };
};

/** The header of part `part` (from 1) of `total`: information element 0, an eight-bit reference (3GPP TS 23.040 section 9.2.3.24.1). */
export const concatHeader = (reference: number, total: number, part: number): Buffer =>
  Buffer.from([0x05, 0x00, 0x03, reference & 0xff, total, part]);
