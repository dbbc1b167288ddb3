import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { bearerOf, readKey } from '../../src/access/api-key.ts';
import { decodeCursor } from '../../src/cursor.ts';
import { AppError } from '../../src/errors.ts';
import { classifyBounce, returnKinds } from '../../src/feedback/bounces/classify-bounce.ts';
import { makeKeyring, newWrappedLookupKey } from '../../src/keyring.ts';
import { projectRoot } from '../../src/project-root.ts';
import { readCap } from '../../src/publishing/import/cap.ts';
import type { ReadEntry } from '../../src/publishing/import/entry.ts';
import { readAtom, readRss } from '../../src/publishing/import/feed.ts';
import { readGovuk } from '../../src/publishing/import/govuk.ts';
import { toCsv } from '../../src/reports/csv.ts';
import { makeReturnPaths, returnPathKey } from '../../src/return-path.ts';
import { readLink, signLink } from '../../src/signed-link.ts';
import { fuzzRounds } from '../helpers/soak.ts';

const patienceMs = 5_000;
const long = 1_800_000;

/** Runs `work`, which may refuse by an AppError and in no other way, and not for ever. */
const tried = (work: () => unknown): void => {
  const start = performance.now();
  try {
    work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
  if (performance.now() - start > patienceMs) throw new Error('it hangs');
};

/** A text with a stretch cut out, doubled, or replaced by something else. */
const damaged = (bases: readonly string[]): fc.Arbitrary<string> =>
  fc
    .record({
      base: fc.constantFrom(...bases),
      cuts: fc.array(
        fc.record({
          from: fc.double({ min: 0, max: 1, noNaN: true }),
          length: fc.nat(120),
          put: fc.oneof(
            fc.string({ unit: 'binary', maxLength: 20 }),
            fc.constantFrom('<', '>', '&', '"', ']]>', '<![CDATA[', '<!DOCTYPE x [<!ENTITY a "b">]>', '&a;', '\u0000'),
            fc.constantFrom('{', '}', '[', '"', '\\', '\n', '\r\n', '\ufeff', '\u202e', '9'.repeat(40), '-1', '1e999'),
          ),
          doubled: fc.boolean(),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    })
    .map(({ base, cuts }) =>
      cuts.reduce((text, { from, length, put, doubled }) => {
        const at = Math.floor(text.length * from);
        const stretch = text.slice(at, at + length);
        return text.slice(0, at) + (doubled ? stretch + stretch : put) + text.slice(at + length);
      }, base),
    );

const rss = `<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Town</title>
<link>https://town.example/</link><item><title>Water &amp; roads</title><link>https://town.example/1</link><guid>1</guid>
<pubDate>Wed, 10 Jun 2026 04:00:00 GMT</pubDate><description><![CDATA[<p>Off from 8.</p>]]></description><category>services</category>
</item></channel></rss>`;
const atom = `<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN"><title>镇</title>
<id>urn:x</id><updated>2026-06-10T04:00:00Z</updated><entry><title type="html">&lt;b&gt;停水&lt;/b&gt;</title><id>urn:x:1</id>
<updated>2026-06-10T04:00:00+08:00</updated><link rel="alternate" href="/1"/><summary>八点起</summary></entry></feed>`;
const cap = `<?xml version="1.0"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a-1</identifier><sender>w@x</sender>
<sent>2026-06-10T04:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><language>en</language>
<category>Met</category><event>Flood</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>
<expires>2026-06-11T04:00:00+08:00</expires><headline>Flood</headline><description>Keep away</description><area><areaDesc>River</areaDesc>
<geocode><valueName>SAME</valueName><value>006037</value></geocode></area></info></alert>`;
const govuk = JSON.stringify({
  ...{ base_path: '/water', title: 'Water', description: 'Off', document_type: 'news_story', locale: 'en' },
  public_updated_at: '2026-06-10T04:00:00Z',
  details: { body: '<p>x</p>', change_history: [{ note: 'n', public_timestamp: '2026-06-10T04:00:00Z' }] },
});

describe('whatever comes in, nothing is thrown but a refusal, and nothing hangs', () => {
  const readers: [string, (text: string) => Iterable<ReadEntry>, string][] = [
    ['RSS', readRss, rss],
    ['Atom', readAtom, atom],
    ['CAP', readCap, cap],
    ['GOV.UK', readGovuk, govuk],
  ];
  it.each(readers)(
    'in %s',
    (_name, read, base) => {
      expect([...read(base)].every(({ ok }) => ok)).toBe(true);
      const text = fc.oneof(
        { weight: 8, arbitrary: damaged([base]) },
        { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 500 }) },
        { weight: 1, arbitrary: fc.json() },
      );
      const property = fc.property(text, (one) => tried(() => [...read(one)]));
      fc.assert(property, { numRuns: fuzzRounds(300) });
    },
    long,
  );

  it(
    'in returned mail',
    () => {
      const folder = join(projectRoot, 'test/fixtures/bounces');
      const names = Object.keys(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as object);
      const mails = names.map((name) => readFileSync(join(folder, `${name}.eml`), 'latin1'));
      const property = fc.property(damaged(mails), (text) =>
        tried(() => expect(returnKinds).toContain(classifyBounce(Buffer.from(text, 'latin1')).kind)),
      );
      fc.assert(property, { numRuns: fuzzRounds(300) });
    },
    2 * long,
  );

  const keyring = makeKeyring('a secret for tests only', newWrappedLookupKey('a secret for tests only'));
  const now = Date.parse('2026-06-10T04:00:00Z');

  it(
    'in tokens: none is taken that was not signed',
    () => {
      const good = [
        signLink(keyring, 'confirm', 'subject-1', now + 1_000),
        signLink(keyring, 'unsubscribe', 'message-1'),
      ];
      const token = fc.oneof(damaged(good), fc.string({ unit: 'binary', maxLength: 200 }));
      const property = fc.property(token, (text) => {
        for (const purpose of ['confirm', 'unsubscribe', 'manage'] as const)
          if (readLink(keyring, purpose, text, now).ok) expect(good).toContain(text);
      });
      // what decoding passes over, in the mac's midst and after it
      const examples: [string][] = good.flatMap((one) => [[one.replace(/(.{9})$/, '<$1')], [`${one}=`], [`${one}!`]]);
      fc.assert(property, { numRuns: fuzzRounds(1_000), examples });
    },
    2 * long,
  );

  it(
    'in keys, cursors and return paths',
    () => {
      const paths = makeReturnPaths('bounces.example.org', returnPathKey(keyring));
      const text = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.base64String({ maxLength: 200 }),
        fc.json().map((json) => Buffer.from(json).toString('base64url')),
      );
      const property = fc.property(text, (one) => {
        tried(() => bearerOf(one));
        tried(() => readKey(one));
        tried(() => decodeCursor(one, [0, '']));
        tried(() => paths.read(`${one}@bounces.example.org`));
      });
      fc.assert(property, { numRuns: fuzzRounds(1_000) });
    },
    2 * long,
  );

  /** RFC 4180, read as a spreadsheet does. */
  const readCsv = (text: string): string[][] => {
    const rows: string[][] = [];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
      const row = rows.at(-1) ?? [];
      if (rows.length === 0) rows.push(row);
      row.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
      if (end === '\r\n') rows.push([]);
    }
    return rows.slice(0, -1);
  };

  it(
    'in CSV: every cell comes back as it went out, but led by an apostrophe where it could be a formula',
    () => {
      const cell = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.constantFrom('=1+1', '@x', '+3', '\t=2', '"', ',', '\r\n', '＝1'),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
      );
      const property = fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), (pairs) => {
        const [head, ...rows] = readCsv(
          toCsv(
            ['a', 'b'],
            pairs.map(([a, b]) => ({ a, b })),
          ),
        );
        expect(head).toEqual(['a', 'b']);
        expect(rows).toHaveLength(pairs.length);
        for (const [at, pair] of pairs.entries())
          for (const [column, value] of pair.entries()) {
            const told = rows[at]?.[column] ?? '';
            expect([String(value ?? ''), `'${value}`]).toContain(told);
            if (typeof value === 'string') expect(told).not.toMatch(/^[=+\-@]/);
          }
      });
      fc.assert(property, { numRuns: fuzzRounds(300) });
    },
    2 * long,
  );
});
