import { readConfig } from '../../../src/config.ts';
import { exitCode, type Finding, report } from '../../../src/doctor/finding.ts';
import { judgeConfig, judgeFaults, judgeNode } from '../../../src/doctor/judge-config.ts';
import {
  type DkimFact,
  judgeClock,
  judgeDkim,
  judgeService,
  judgeSmtp,
  judgeVapid,
} from '../../../src/doctor/judge-outside.ts';
import { judgeDisk, judgeMongo, judgeSecret, judgeSqlite } from '../../../src/doctor/judge-store.ts';

const sqlite = { kind: 'there' as const, bytes: 4_000_000, version: 11, newest: 11, quickCheck: 'ok' };
const mongo = { kind: 'there' as const, setName: 'rs0', sharded: false, writable: true };
const disk = { kind: 'there' as const, free: 50e9, size: 100e9, databaseBytes: 4e6, mode: 0o100600 };
const smtp = { host: 'mail.example.org', port: 587, ok: true as const, secure: true, auth: true };
const key = 'MIIBIjANBg';
const dkim = (
  fact: { kind: 'none' } | { kind: 'unreachable'; code: string } | { kind: 'records'; records: string[] },
) => judgeDkim({ name: 's1._domainkey.town.test', publicKey: key, ...fact } as DkimFact);
const service = (status: number | null, here: number | null) =>
  judgeService({ publicUrl: 'https://a.org', status, port: 3000, here });

describe('the judgements of the doctor', () => {
  const table: [what: string, finding: Finding, level: Finding['level'], words: RegExp][] = [
    ['a sound database', judgeSqlite(sqlite), 'ok', /schema 11/],
    ['no database yet', judgeSqlite({ kind: 'none' }), 'ok', /first start/],
    ['a database that cannot be read', judgeSqlite({ kind: 'fault', fault: 'no' }), 'fail', /^no$/],
    ['a damaged database', judgeSqlite({ ...sqlite, quickCheck: 'row 3 missing' }), 'fail', /row 3 missing/],
    ['an older schema', judgeSqlite({ ...sqlite, version: 9 }), 'warn', /9 of 11/],
    ['a newer schema', judgeSqlite({ ...sqlite, version: 12 }), 'fail', /newer/],
    ['a replica set', judgeMongo(mongo), 'ok', /rs0/],
    ['a sharded cluster', judgeMongo({ ...mongo, setName: null, sharded: true }), 'ok', /sharded/],
    ['a server that stands alone', judgeMongo({ ...mongo, setName: null }), 'warn', /alone/],
    ['a secondary', judgeMongo({ ...mongo, writable: false }), 'fail', /no writes/],
    ['no server', judgeMongo({ kind: 'fault', fault: 'away' }), 'fail', /away/],
    ['a secret that fits', judgeSecret(true), 'ok', /opens/],
    ['another secret', judgeSecret(false), 'fail', /another one/],
    ['a secret that nobody could try', judgeSecret('unread'), 'warn', /while the store cannot be read/],
    ['a store without a key', judgeSecret(null), 'ok', /nothing/],
    ['room', judgeDisk(disk)[0] as Finding, 'ok', /50,000 MB free/],
    ['little room', judgeDisk({ ...disk, free: 1.5e9 })[0] as Finding, 'warn', /1,500 MB/],
    ['no room for a backup', judgeDisk({ ...disk, databaseBytes: 60e9 })[0] as Finding, 'warn', /free/],
    ['no room', judgeDisk({ ...disk, free: 1e8 })[0] as Finding, 'fail', /100 MB/],
    ['no data folder', judgeDisk({ kind: 'fault', fault: 'x' })[0] as Finding, 'fail', /x/],
    ['an open secret', judgeDisk({ ...disk, mode: 0o100644 })[1] as Finding, 'warn', /others may read/],
    ['a mail server', judgeSmtp(smtp), 'ok', /over TLS, signed in/],
    ['one without TLS', judgeSmtp({ ...smtp, secure: false }), 'warn', /without TLS/],
    ['one without TLS here', judgeSmtp({ ...smtp, host: '127.0.0.1', secure: false }), 'ok', /takes us, signed in$/],
    ['a wrong password', judgeSmtp({ ...smtp, ok: false, code: 'EAUTH', message: '535' }), 'fail', /EAUTH: 535/],
    [
      'TLS where there is none',
      judgeSmtp({ ...smtp, ok: false, code: 'ESOCKET', message: '80:error:SSL:wrong version number:\n' }),
      'fail',
      /does not speak TLS/,
    ],
    ['our DKIM record', dkim({ kind: 'records', records: [`v=DKIM1; k=rsa; p=MIIB IjANBg`] }), 'ok', /our key/],
    ['another key', dkim({ kind: 'records', records: ['v=DKIM1; p=AAAA'] }), 'fail', /another key/],
    ['a revoked key', dkim({ kind: 'records', records: ['v=DKIM1; p='] }), 'fail', /revoked/],
    ['a record of something else', dkim({ kind: 'records', records: ['hello'] }), 'fail', /another key/],
    ['no record', dkim({ kind: 'none' }), 'fail', /no record/],
    ['no DNS', dkim({ kind: 'unreachable', code: 'ETIMEOUT' }), 'warn', /ETIMEOUT/],
    ['VAPID keys of the store', judgeVapid({ source: 'store', subject: 'mailto:a@b.org' }), 'ok', /kept/],
    ['the usual subject', judgeVapid({ source: 'store', subject: 'mailto:x@localhost' }), 'warn', /SUBJECT/],
    ['a clock that is right', judgeClock([{ of: 'x', aheadMs: 900 }]), 'ok', /0\.9 s/],
    [
      'a clock that is off',
      judgeClock([
        { of: 'x', aheadMs: 9_000 },
        { of: 'y', aheadMs: 0 },
      ]),
      'warn',
      /9\.0 s against x/,
    ],
    [
      'a wrong clock',
      judgeClock([
        { of: 'x', aheadMs: 1 },
        { of: 'y', aheadMs: -60_000 },
      ]),
      'fail',
      /60\.0 s against y/,
    ],
    ['no other clock', judgeClock([]), 'warn', /no other/],
    ['a service that is ready', service(200, 200), 'ok', /ready/],
    ['one that is not', service(503, 503), 'warn', /503/],
    ['one that the proxy does not reach', service(null, 200), 'warn', /runs here, on port 3000/],
    ['none', service(null, null), 'warn', /nothing answers .* nor on port 3000/],
    ['an old Node', judgeNode('20.9.0', '>=20.19'), 'fail', /20\.9\.0/],
    ['a new Node', judgeNode('22.1.0', '>=20.19'), 'ok', /22/],
    ['the least Node', judgeNode('20.19.0', '>=20.19'), 'ok', /20\.19/],
  ];
  it.each(table)('judge %s', (_what, finding, level, words) => {
    expect(finding).toMatchObject({ level, text: expect.stringMatching(words) });
    // whoever is told that something is wrong is told what to do
    expect((finding.advice ?? '') !== '').toBe(level !== 'ok');
  });

  it('say what to publish where the DKIM record is wrong', () => {
    expect(dkim({ kind: 'none' }).advice).toContain(`v=DKIM1; k=rsa; p=${key}`);
  });

  const levels = (env: Record<string, string>) =>
    judgeConfig(readConfig(env)).map(({ level, text }) => `${level} ${text.split(/[ :]/)[0]}`);
  it('judge a configuration for an office', () => {
    const office = {
      PUBLIC_URL: 'https://notices.example.org',
      EMAIL_URL: 'smtp://mail.example.org',
      EMAIL_FROM: 'Town <a@example.org>',
      EMAIL_BOUNCES: 'bounces.example.org',
    };
    expect(levels(office)).toEqual(['ok people']);
    expect(levels({ ...office, PUBLIC_URL: 'http://notices.example.org' })).toEqual(['fail PUBLIC_URL']);
    expect(levels({ ...office, REVIEW: 'off', ALLOW_PRIVATE_ENDPOINTS: 'on', ROLE: 'web' })).toEqual([
      ...['ok people', 'warn REVIEW', 'warn ALLOW_PRIVATE_ENDPOINTS', 'warn ROLE'],
    ]);
    expect(levels({})).toEqual(['warn PUBLIC_URL', 'warn EMAIL_URL', 'warn EMAIL_FROM', 'warn EMAIL_BOUNCES']);
  });

  it('name every fault of one that cannot be read, and end with 1 for what fails alone', () => {
    const faults = judgeFaults([{ name: 'PORT', message: 'must be a number' }]);
    expect(report(faults)).toMatch(/^fail {2}config {4}PORT must be a number\n {16}-> /);
    expect([exitCode(faults), exitCode([judgeClock([])]), exitCode([])]).toEqual([1, 0, 0]);
  });
});
