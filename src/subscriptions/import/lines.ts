/** A line of a stream: its text, or what is wrong with its bytes. Lines count from 1, blank ones too. */
export type Line = { line: number; text: string } | { line: number; fault: string };

const newline = 0x0a;

const utf8 = new TextDecoder('utf-8', { fatal: true });

const decode = (line: number, bytes: Uint8Array): Line => {
  try {
    return { line, text: utf8.decode(bytes) };
  } catch {
    return { line, fault: 'is not valid UTF-8' };
  }
};

/**
 * Splits a stream of bytes at line feeds and leaves out blank lines. No more than `most` bytes of a line are held: what is
 * longer is dropped as it comes and answered as a fault.
 */
export const readLines = async function* (source: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Line> {
  let held: Uint8Array[] = [];
  let length = 0;
  let line = 1;

  const take = (bytes: Uint8Array): void => {
    length += bytes.length;
    if (length <= most) held.push(bytes);
    else held = [];
  };
  const finish = (): Line => {
    const done: Line =
      length > most ? { line, fault: `is longer than ${most} bytes` } : decode(line, Buffer.concat(held));
    held = [];
    length = 0;
    line += 1;
    return done;
  };
  const isBlank = (done: Line): boolean => 'text' in done && done.text.trim() === '';

  for await (const chunk of source) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      const done = finish();
      if (!isBlank(done)) yield done;
    }
    take(chunk.subarray(from));
  }
  const last = finish();
  if (!isBlank(last)) yield last;
};
