import { randomBytes } from 'node:crypto';
import {
  isTotpCode,
  newRecoveryCodes,
  newTotpSecret,
  normalCode,
  totpCode,
  totpStep,
  totpUri,
} from '../../../src/access/totp.ts';

const edges = { bytes: randomBytes };
/** The secret of RFC 6238's test vectors, "12345678901234567890", in base32. */
const vectors = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describe('one-time codes', () => {
  it.each([
    [59, '287082', 1],
    [1111111109, '081804', 37037036],
    [1234567890, '005924', 41152263],
    [2000000000, '279037', 66666666],
    [20000000000, '353130', 666666666],
  ])('are those of RFC 6238 appendix B at %i seconds', (seconds, code, step) => {
    expect(totpCode(vectors, seconds * 1000)).toBe(code);
    expect(totpStep(vectors, code, seconds * 1000)).toBe(step);
  });

  it('are good for one step before and after, and name the step they belong to', () => {
    const now = 60_000_000;
    const code = totpCode(vectors, now);
    expect([-30_000, 0, 30_000].map((off) => totpStep(vectors, code, now + off))).toEqual([2000, 2000, 2000]);
    expect([-60_000, 60_000].map((off) => totpStep(vectors, code, now + off))).toEqual([null, null]);
    for (const wrong of ['', '12345', 'abcdef', `${code}0`]) expect(totpStep(vectors, wrong, now)).toBeNull();
  });

  it('come from secrets of 160 random bits, which an app reads from an otpauth address', () => {
    const secret = newTotpSecret(edges);
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(newTotpSecret(edges)).not.toBe(secret);
    const uri = new URL(totpUri(secret, 'li@example.org'));
    expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
      'otpauth:',
      'totp',
      '/Bellman:li@example.org',
    ]);
    expect(uri.searchParams.get('secret')).toBe(secret);
  });

  it('are read as people type them', () => {
    expect(normalCode(' 123 456 ')).toBe('123456');
    expect(normalCode('１２３４５６')).toBe('123456');
    expect(normalCode('abcd-efgh')).toBe('ABCDEFGH');
    expect([isTotpCode('123456'), isTotpCode('1234567'), isTotpCode('ABCDEF')]).toEqual([true, false, false]);
  });

  it('have ten recovery codes of 80 bits beside them, all different', () => {
    const codes = newRecoveryCodes(edges);
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$/);
  });
});
