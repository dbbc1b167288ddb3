import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { classifyBounce, returnKinds } from '../../../../src/feedback/bounces/classify-bounce.ts';
import { diagnose } from '../../../../src/feedback/bounces/diagnosis.ts';
import { projectRoot } from '../../../../src/project-root.ts';

const folder = join(projectRoot, 'test/fixtures/bounces');
const names = Object.keys(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as object);
const fixtures = names.map((name) => readFileSync(join(folder, `${name}.eml`)));

/** Whole, or with a stretch cut out, doubled or replaced: what a broken relay might make of a bounce. */
const damaged = fc
  .record({
    base: fc.constantFrom(...fixtures),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(400),
    put: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ maxLength: 80 }).map(Buffer.from)),
    isDoubled: fc.boolean(),
  })
  .map(({ base, from, length, put, isDoubled }) => {
    const at = Math.floor(base.length * from);
    const stretch = isDoubled ? base.subarray(at, at + length) : Buffer.alloc(0);
    return Buffer.concat([base.subarray(0, at), stretch, put, base.subarray(isDoubled ? at : at + length)]);
  });

/** The longest that one message may take, in ms; generous, because the machine may be busy. */
const patienceMs = 20_000;

const within = (bytes: Uint8Array): ReturnType<typeof classifyBounce> => {
  // time of the processor, not of the wall: a machine that does much else is no fault of the reader
  const start = process.cpuUsage();
  const found = classifyBounce(bytes);
  expect(process.cpuUsage(start).user / 1_000).toBeLessThan(patienceMs);
  expect(returnKinds).toContain(found.kind);
  return found;
};

describe('whatever comes in', () => {
  it('never makes the classifier throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => void classifyBounce(bytes)),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(damaged, (bytes) => void classifyBounce(bytes)),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 2_000 }), (words) => {
        diagnose({ action: null, status: null, words });
      }),
      { numRuns: 300 },
    );
  });

  it('never turns a complaint or an answer into a hard bounce by damage to its body', () => {
    const tame = names.flatMap((name, no) =>
      /^(?:complaint|auto-reply)\//.test(name) ? [fixtures[no] as Buffer] : [],
    );
    fc.assert(
      fc.property(fc.constantFrom(...tame), fc.string({ maxLength: 200 }), (mail, more) => {
        expect(classifyBounce(Buffer.concat([mail, Buffer.from(`\n${more}\n550 5.1.1 user unknown\n`)])).kind).not.toBe(
          'hard',
        );
      }),
    );
  });

  const head = 'From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail\n';
  const million = 10 * 1024 * 1024;
  const report = `${head}Content-Type: message/delivery-status\n\n`;
  const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
  const huge: [string, () => string][] = [
    ['one line', () => `${head}\n${'a'.repeat(million)}`],
    ['blanks', () => ' '.repeat(million)],
    ['line ends', () => `${head}\n${'\n'.repeat(million)}`],
    ['addresses', () => `${head}\n${'<a@b.example>: user unknown\n'.repeat(million / 28)}`],
    ['one header', () => `${head}X: ${'=?utf-8?q?a?= '.repeat(million / 14)}\n\nx`],
    ['headers', () => `${head}${'X-A: b\n'.repeat(million / 7)}\nx`],
    ['open tags', () => `${head}Content-Type: text/html\n\n${'<div>'.repeat(million / 5)}`],
    ['open brackets', () => `${head}Content-Type: text/html\n\n${'<'.repeat(million)}`],
    ['delimiters', () => `${head}Content-Type: multipart/mixed; boundary=b\n\n${'--b\n'.repeat(million / 4)}`],
    ['near delimiters', () => `${head}Content-Type: multipart/mixed; boundary=b\n\n${'x--b'.repeat(million / 4)}`],
    [
      'nested parts',
      () =>
        Array.from({ length: 5_000 }, (_, no) => `Content-Type: multipart/mixed; boundary=b${no}\n\n--b${no}\n`).join(
          '',
        ),
    ],
    [
      'recipients',
      () =>
        `${head}Content-Type: message/delivery-status\n\n${'Final-Recipient: rfc822; a@b\nAction: failed\n\n'.repeat(million / 45)}`,
    ],
    ['words', () => `${head}\n<a@b.example>: ${'user mailbox recipient account '.repeat(million / 31)}`],
    ['quoted-printable', () => `${head}Content-Transfer-Encoding: quoted-printable\n\n${'=41 \t'.repeat(million / 5)}`],
    ['parameters', () => `${head}Content-Type: text/plain; ${'a="\\'.repeat(million / 5)}\n\nx`],
    ['blanks within lines', () => `${head}Content-Transfer-Encoding: quoted-printable\n\n${' '.repeat(million)}x`],
    ['a long sender', () => `Subject: x\nFrom: ${'a'.repeat(million)}\n\nx`],
    ['blanks in the return path', () => `Subject: x\nReturn-Path: <${' '.repeat(200_000)}x\n\nx`],
    ['quotes', () => `${report}Final-Recipient: rfc822; ${`'`.repeat(200_000)}x\n\n`],
    ['failed recipients', () => `${head}X-Failed-Recipients: ${'a@b.example,'.repeat(million / 12)}\n\n550 x`],
    ['dots behind an address', () => `${head}\nuser unknown: ${'a@b.example'}${'.'.repeat(60_000)} x`],
    ['addresses in a line', () => `${head}\n<a@b.example>: ${'a@'.repeat(30_000)} x`],
    [
      'a long boundary',
      () => `${head}Content-Type: multipart/mixed; boundary=b${'-'.repeat(200_000)}\n\n${'-'.repeat(million)}`,
    ],
    [
      'false boundaries',
      () => `${head}Content-Type: multipart/mixed; boundary=b\n\n${`--a${' '.repeat(400)}x\n`.repeat(million / 404)}`,
    ],
    [
      'blocks without a recipient',
      () => `${report}${'x\n'.repeat(100_000)}Final-Recipient: rfc822; a@b\n\n${'Status: 5.0.0\n\n'.repeat(3_000)}`,
    ],
    [
      'words that might go on',
      () => `${report}${`Final-Recipient: rfc822; a@b\nDiagnostic-Code: x; ${'exceed'.repeat(600)}\n\n`.repeat(70)}`,
    ],
    [
      'letters that grow',
      () => `${head}Content-Type: text/plain; charset=utf-8\n\n<a@b.example>: ${utf8('\ufdfa'.repeat(20_000))}`,
    ],
    ['comments', () => `${head}Content-Type: text/plain ${'('.repeat(million)}\n\nx`],
  ];
  it.each(huge)('is read in time: ten megabytes of %s', (_name, text) => {
    within(Buffer.from(text(), 'latin1'));
  });
});
