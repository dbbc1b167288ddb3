import { makeKeyring, newWrappedLookupKey } from '../../../src/keyring.ts';
import {
  lookupOf,
  maskContact,
  normaliseContact,
  openContact,
  sealContact,
} from '../../../src/subscriptions/address.ts';
import type { Contact } from '../../../src/subscriptions/subscriber.ts';

const rules = { phoneCountry: 'CN', insecureEndpoints: false };
const email = (text: string): Contact => ({ channel: 'email', email: text });
const phone = (text: string): Contact => ({ channel: 'sms', phone: text });
const point = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url');
const auth = Buffer.alloc(16, 9).toString('base64url');
const push = (fields: { endpoint?: string; p256dh?: string; auth?: string } = {}): Contact => ({
  channel: 'webPush',
  endpoint: fields.endpoint ?? 'https://push.example.org/abc',
  keys: { p256dh: fields.p256dh ?? point, auth: fields.auth ?? auth },
});
const secret = 'a secret of a test';
const keyring = makeKeyring(secret, newWrappedLookupKey(secret));

describe('normal forms', () => {
  it.each([
    [' Zhang.San@Example.ORG ', 'zhang.san@example.org'],
    ['a+b@mail.example.org', 'a+b@mail.example.org'],
    ['wang@例子.中国', 'wang@xn--fsqu00a.xn--fiqs8s'],
    ['Ü@bücher.example', 'ü@xn--bcher-kva.example'],
    ['u\u0308@example.org', '\u00fc@example.org'],
  ])('email %j', (written, normal) => {
    expect(normaliseContact(email(written), rules)).toEqual({ ok: true, contact: email(normal) });
  });

  it.each([
    '',
    '@example.org',
    'a@',
    'a@b',
    'a b@example.org',
    'a@exa mple.org',
    'a@@example.org',
    '.a@example.org',
    'a..b@example.org',
    'a@-x.org',
    'a@127.0.0.1',
    'a@[127.0.0.1]',
    'a@example.org/x',
    'a@example.org:25',
    'a@example%2eorg',
    'a,b@example.org',
    'a@example.org\r\nBcc: c@example.org',
    'a\r\n@example.org',
    '"a"@example.org',
    `${'a'.repeat(65)}@example.org`,
    `a@${'b.'.repeat(130)}org`,
  ])('email is refused: %#', (written) => {
    expect(normaliseContact(email(written), rules)).toEqual({
      ok: false,
      faults: [{ path: 'email', message: 'is not an email address' }],
    });
  });

  it.each([
    ['138 0013 8000', '+8613800138000'],
    ['+86 138-0013-8000', '+8613800138000'],
    ['１３８００１３８０００', '+8613800138000'],
    ['+44 7400 123456', '+447400123456'],
  ])('phone %j', (written, normal) => {
    expect(normaliseContact(phone(written), rules)).toEqual({ ok: true, contact: phone(normal) });
  });

  it.each(['', '12', 'abc', '+86', '138001380001380013800', '13800138000 ext 5'])('phone %j is refused', (written) => {
    expect(normaliseContact(phone(written), rules)).toMatchObject({ ok: false, faults: [{ path: 'phone' }] });
  });

  it('a number without a prefix is of the country', () => {
    expect(normaliseContact(phone('07400 123456'), { ...rules, phoneCountry: 'GB' })).toEqual({
      ok: true,
      contact: phone('+447400123456'),
    });
  });

  it('an endpoint stays as given', () => {
    const odd = push({ endpoint: 'https://PUSH.example.org/a?b=%41' });
    expect(normaliseContact(odd, rules)).toEqual({ ok: true, contact: odd });
  });

  it.each([
    [push({ endpoint: 'http://push.example.org/' }), 'webPush.endpoint'],
    [push({ endpoint: 'nonsense' }), 'webPush.endpoint'],
    [push({ endpoint: `https://push.example.org/${'a'.repeat(2_000)}` }), 'webPush.endpoint'],
    [push({ p256dh: auth }), 'webPush.keys.p256dh'],
    [push({ p256dh: `${point}!` }), 'webPush.keys.p256dh'],
    [push({ auth: 'AAAA' }), 'webPush.keys.auth'],
  ])('web push is refused, case %#', (contact, path) => {
    expect(normaliseContact(contact, rules)).toMatchObject({ ok: false, faults: [{ path }] });
  });

  it.each([
    'https://10.0.0.1/x',
    'https://127.0.0.1:9000/x',
    'https://0x7f.1/x',
    'https://169.254.169.254/latest',
    'https://[::1]/x',
    'https://[fe80::1]/x',
    'https://[::ffff:10.0.0.1]/x',
    'https://localhost/x',
    'https://localhost./x',
    'https://push.localhost/x',
    'https://intranet/x',
    'https://user:word@push.example.org/x',
  ])('an endpoint that is not on the public internet is refused: %s', (endpoint) => {
    const contact = push({ endpoint });
    expect(normaliseContact(contact, rules)).toEqual({
      ok: false,
      faults: [{ path: 'webPush.endpoint', message: 'is not on the public internet' }],
    });
    expect(normaliseContact(contact, { ...rules, insecureEndpoints: true }).ok).toBe(true);
  });

  it('every fault of web push is named', () => {
    const contact = push({ endpoint: 'http://10.0.0.1/', p256dh: auth, auth: point });
    expect(normaliseContact(contact, rules)).toMatchObject({
      faults: [{ path: 'webPush.endpoint' }, { path: 'webPush.keys.p256dh' }, { path: 'webPush.keys.auth' }],
    });
  });

  it('http endpoints only where they are allowed', () => {
    const loopback = push({ endpoint: 'http://127.0.0.1:9000/x' });
    expect(normaliseContact(loopback, { ...rules, insecureEndpoints: true }).ok).toBe(true);
  });
});

describe('sealing', () => {
  it('opens again, and only under its own look-up', () => {
    const one = sealContact(keyring, email('a@example.org'));
    const other = sealContact(keyring, email('b@example.org'));
    expect(openContact(keyring, one)).toEqual(email('a@example.org'));
    expect(one.sealed).not.toContain('example');
    expect(() => openContact(keyring, { lookup: other.lookup, sealed: one.sealed })).toThrow();
  });

  it('looks up equal addresses equally, other channels differently', () => {
    expect(lookupOf(keyring, phone('+8613800138000'))).toBe(lookupOf(keyring, phone('+8613800138000')));
    expect(lookupOf(keyring, phone('x'))).not.toBe(lookupOf(keyring, email('x')));
  });
});

it('masks', () => {
  expect(maskContact(email('zhang.san@example.org'))).toBe('z…@example.org');
  expect(maskContact(phone('+8613800138000'))).toBe('+86 *** 8000');
  expect(maskContact(push())).toBe('push.example.org');
});
