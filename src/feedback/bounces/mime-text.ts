/**
 * Decoding of what stands in a mail. Bytes are held as latin1 strings, one character a byte, until their charset is known.
 * Nothing here throws: what cannot be decoded is answered as it stands.
 */

const isAsciiOnly = (bytes: Buffer): boolean => bytes.every((byte) => byte < 0x80);

const decodeAs = (label: string, bytes: Buffer, fatal: boolean): string | null => {
  try {
    return new TextDecoder(label, { fatal }).decode(bytes);
  } catch {
    return null;
  }
};

/** The charsets that old mail servers of China, Taiwan and the West write without saying so, strictest first. */
const guesses = ['utf-8', 'gb18030', 'big5', 'windows-1252'];

/** Names that say nothing about bytes above 127. */
const saysNothing = /^(?:us-ascii|ascii|ansi_x3\.\S*|unknown\S*|x-unknown|default|iso-8859-1|binary|)$/i;

/**
 * Text of bytes by a charset's label (RFC 2045 section 5.1). Where the label is missing, wrong or says ASCII of what is not,
 * the first charset that fits all bytes is taken.
 */
export const decodeCharset = (bytes: Buffer, label: string): string => {
  if (isAsciiOnly(bytes) && !/^(?:iso-2022|utf-?7|hz)/i.test(label)) return bytes.toString('latin1');
  const named = saysNothing.test(label) ? null : decodeAs(label, bytes, true);
  if (named !== null) return named;
  for (const guess of guesses) {
    const text = decodeAs(guess, bytes, true);
    if (text !== null) return text;
  }
  return bytes.toString('latin1');
};

/** `text` without the letters of `ends` at its end; a loop, since a pattern for that takes the square of the length. */
export const withoutEnd = (text: string, ends: string): string => {
  let end = text.length;
  while (end > 0 && ends.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
};

const fromQuotedPrintable = (raw: string): Buffer =>
  Buffer.from(
    raw
      .split('\n')
      .map((line, no, { length }) => (no < length - 1 ? `${withoutEnd(line, ' \t\r')}\n` : line))
      .join('')
      .replace(/=\n/g, '')
      .replace(/=([\da-fA-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );

/** The bytes of a body by its Content-Transfer-Encoding (RFC 2045 section 6). */
export const decodeTransfer = (raw: string, encoding: string): Buffer => {
  const name = encoding.trim().toLowerCase();
  if (name === 'base64') return Buffer.from(raw.replace(/[^A-Za-z\d+/]/g, ''), 'base64');
  return name === 'quoted-printable' ? fromQuotedPrintable(raw) : Buffer.from(raw, 'latin1');
};

const word = /=\?([^?\s*]{1,40})(?:\*[^?\s]*)?\?([bq])\?([^?\n]{0,2000})\?=/gi;

const wordBytes = (encoding: string, text: string): Buffer =>
  encoding.toLowerCase() === 'b'
    ? decodeTransfer(text, 'base64')
    : decodeTransfer(text.replaceAll('_', ' '), 'quoted-printable');

/**
 * A header value with its encoded words decoded (RFC 2047 section 2; neighbours of one charset together, as some senders cut
 * a letter in two) and its raw bytes read as `decodeCharset` guesses (RFC 6532).
 */
export const decodeHeader = (raw: string): string => {
  let text = '';
  let end = 0;
  let pending: { charset: string; bytes: Buffer[] } | null = null;
  const flush = (): void => {
    if (pending) text += decodeCharset(Buffer.concat(pending.bytes), pending.charset);
    pending = null;
  };
  for (const match of raw.matchAll(word)) {
    const [all, charset = '', encoding = '', content = ''] = match;
    const between = raw.slice(end, match.index);
    if (pending === null || between.trim() !== '' || pending.charset !== charset.toLowerCase()) {
      flush();
      // blanks between two encoded words are not shown (RFC 2047 section 6.2)
      if (end === 0 || between.trim() !== '') text += decodeCharset(Buffer.from(between, 'latin1'), '');
      pending = { charset: charset.toLowerCase(), bytes: [] };
    }
    pending.bytes.push(wordBytes(encoding, content));
    end = match.index + all.length;
  }
  flush();
  return text + decodeCharset(Buffer.from(raw.slice(end), 'latin1'), '');
};
