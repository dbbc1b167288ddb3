import { gzipSync } from 'node:zlib';
import { maskText } from '../../src/log.ts';
import { signLink } from '../../src/signed-link.ts';
import { lookupOf } from '../../src/subscriptions/address.ts';
import { networkOf } from '../../src/web/contract/limits.ts';
import { ownPath } from '../../src/web/pages/request.ts';
import { type Answer, adminApiKey, startWeb, type Web } from '../helpers/web.ts';

const signUp = (email: string) => ({ email, follow: [{ topic: 'services' }] });

describe('what every answer says to browsers', () => {
  const policyOf = async (web: Web, path: string) => {
    const { headers } = await web.call('GET', path, { headers: { accept: 'text/html' } });
    return { csp: headers.get('content-security-policy') ?? '', hsts: headers.get('strict-transport-security') };
  };

  it("no script or style but the site's own files, nothing unsafe, no frame; https for good where it is https", async () => {
    const [plain, secure] = [await startWeb(), await startWeb({ env: { PUBLIC_URL: 'https://bellman.example' } })];
    try {
      for (const path of ['/', '/topics', '/staff/sign-in', '/nothing-here', '/api/v1/topics']) {
        const here = await policyOf(plain, path);
        expect(here.csp).toContain("script-src 'self'");
        expect(here.csp).toContain("frame-ancestors 'none'");
        expect([here.csp.includes('unsafe'), here.hsts]).toEqual([false, null]);
        expect((await policyOf(secure, path)).hsts).toMatch(/^max-age=\d{8,}/);
      }
    } finally {
      await plain.close();
      await secure.close();
    }
  });
});

describe('links that lead on', () => {
  it.each([
    ['/my', '/my'],
    ['/search?q=a', '/search?q=a'],
    ['//evil.example', '/'],
    ['/\\\\evil.example', '/'],
    ['https://evil.example/', '/'],
    ['javascript:alert(1)', '/'],
    ['/\t/evil.example', '/'],
    ['', '/'],
    [null, '/'],
  ])('%j stay on this site', (text, path) => expect(ownPath(text)).toBe(path));

  it('and a language is never changed on the way to somewhere else', async () => {
    const web = await startWeb();
    const { headers } = await web.call('GET', '/language/en?back=//evil.example');
    await web.close();
    expect(headers.get('location')).toBe('/');
  });
});

describe('limits on what sends', () => {
  it('count a network, mapped addresses and the prefixes of IPv6 included', () => {
    expect(networkOf('192.0.2.7')).toBe('192.0.2');
    expect(networkOf('::ffff:192.0.2.99')).toBe('192.0.2');
    expect(networkOf('2001:db8:1:2::1')).toBe(networkOf('2001:db8:1:ffff::9'));
    expect(networkOf('2001:db8:1:2::1')).not.toBe(networkOf('2001:db8:2:2::1'));
  });

  /** How many of so many sign-ups are taken, each from the address that `from` gives. */
  const taken = async (count: number, from: (n: number) => string): Promise<number> => {
    const web = await startWeb({ env: { TRUST_PROXY: '1' }, rateLimits: { send: 2, guess: 2 } });
    let sum = 0;
    for (let n = 0; n < count; n += 1) {
      const headers = { 'x-forwarded-for': from(n) };
      const { status } = await web.api('POST', '/subscriptions', signUp(`p${n}@example.org`), null, headers);
      if (status === 202) sum += 1;
      else expect(status).toBe(429);
    }
    await web.close();
    return sum;
  };

  it('stop one place, one network, and a swarm of all networks', async () => {
    expect(await taken(5, () => '198.51.100.1')).toBe(2);
    expect(await taken(15, (n) => `198.51.100.${n}`)).toBe(10);
    expect(await taken(110, (n) => `198.51.${n}.1`)).toBe(100);
  });

  it('send at most five messages an hour and twelve a day to one address, and answer alike', async () => {
    const web = await startWeb({ rateLimits: { send: 1_000, guess: 1_000 } });
    const messages = () => Number(web.rows('SELECT count(*) AS n FROM transactional')[0]?.n);
    const counts: number[] = [];
    for (let hour = 0; hour < 4; hour += 1) {
      for (let n = 0; n < 8; n += 1)
        expect((await web.api('POST', '/subscriptions', signUp('victim@example.org'), null)).status).toBe(202);
      counts.push(messages());
      web.town.pass(3_600_001);
    }
    expect(counts).toEqual([5, 10, 12, 12]);
    web.town.pass(24 * 3_600_000);
    await web.api('POST', '/subscriptions', signUp('victim@example.org'), null);
    expect(messages()).toBe(13);
    await web.close();
  });

  it('answer the same, after the same work, for an address that is subscribed, one that is not, and one that is blocked', async () => {
    const web = await startWeb();
    const [known, blocked, unknown] = ['known@example.org', 'blocked@example.org', 'unknown@example.org'] as const;
    await web.town.people(
      [known, blocked].map((email) => ({ email, verified: true, follow: [{ topic: 'services' }] })),
    );
    await web.town.people([{ externalId: 'asker', email: 'asker@example.org', verified: true, follow: [] }]);
    const lookup = lookupOf(web.town.keyring, { channel: 'email', email: blocked });
    await web.town.stores.addresses.suppress(lookup, 'complaint', web.town.now());
    const csrf = web.town.keyring.sign('csrf', 'secret', 16).toString('base64url');
    const asker = (await web.town.subscriptions.person({ externalId: 'asker' }))?.person.id ?? '';
    const session = signLink(web.town.keyring, 'session', asker, web.town.now() + 3_600_000);
    const asks = {
      'a sign-up by the API': (email: string) => web.api('POST', '/subscriptions', signUp(email), null),
      'a sign-up by a page': (email: string) =>
        form('/follow?topic=services', { contact: 'email', email, pace: 'immediate' }),
      'a link to sign in': (address: string) => form('/manage', { address }),
      'an address to be added': (address: string) => form('/my/addresses', { address }, session),
    };
    const form = (path: string, fields: Record<string, string>, as = '') =>
      web.call('POST', path, {
        headers: { cookie: `bellman-csrf=secret; bellman-session=${as}` },
        body: new URLSearchParams({ _csrf: csrf, ...fields }),
      });
    /** Rows written: each is a wait for the disk, which is what a clock outside could see. */
    const written = () => Number(web.rows('SELECT total_changes() AS n')[0]?.n);
    for (const [what, ask] of Object.entries(asks)) {
      const seen = [];
      for (const email of [known, blocked, unknown]) {
        const before = written();
        const { status, text, headers } = await ask(email);
        const words = text.replaceAll(email, 'it').replace(/\d+ more/g, '');
        seen.push({ status, words, to: headers.get('location'), rows: written() - before });
      }
      expect([what, seen[1], seen[2]]).toEqual([what, seen[0], seen[0]]);
      expect(seen[0]?.rows).toBeGreaterThan(2);
    }
    await web.town.drain();
    const left = web.rows('SELECT count(*) AS n FROM transactional')[0]?.n;
    const outbox = (await web.call('GET', '/dev/outbox', { headers: { accept: 'application/json' } })).text;
    const told = [known, blocked, unknown].map((email) => outbox.split(`"to":"${email}"`).length - 1);
    await web.close();
    expect([left, told]).toEqual([0, [4, 0, 3]]);
  });
});

describe('a telephone number', () => {
  it('tells as little as an email address: known, blocked and unknown ones are answered alike', async () => {
    const web = await startWeb();
    const [known, blocked, unknown] = ['+8613800138001', '+8613800138002', '+8613800138003'] as const;
    const follow = [{ topic: 'services' }];
    await web.town.people([known, blocked].map((phone) => ({ phone, verified: true, follow })));
    const lookup = lookupOf(web.town.keyring, { channel: 'sms', phone: blocked });
    await web.town.stores.addresses.suppress(lookup, 'complaint', web.town.now());
    const csrf = web.town.keyring.sign('csrf', 'secret', 16).toString('base64url');
    const form = (path: string, fields: Record<string, string>) =>
      web.call('POST', path, {
        headers: { cookie: 'bellman-csrf=secret' },
        body: new URLSearchParams({ _csrf: csrf, ...fields }),
      });
    const asks: Record<string, (phone: string) => Promise<Answer>> = {
      'a sign-up by the API': (phone) => web.api('POST', '/subscriptions', { phone, follow }, null),
      'a sign-up by a page': (phone) => form('/follow?topic=services', { contact: 'sms', phone, pace: 'immediate' }),
      'a link to sign in': (address) => form('/manage', { address }),
      'a wrong code by the API': (phone) => web.api('POST', '/subscriptions/confirm', { phone, code: '1234567' }, null),
      'a wrong code by a page': (phone) => form('/code', { phone, code: '1234567' }),
    };
    const written = () => Number(web.rows('SELECT total_changes() AS n')[0]?.n);
    for (const [what, ask] of Object.entries(asks)) {
      const seen = [];
      for (const phone of [known, blocked, unknown]) {
        const before = written();
        const { status, text, headers } = await ask(phone);
        const rows = what.includes('code') ? 0 : written() - before;
        seen.push({ status, words: text.replaceAll(phone, 'it'), to: headers.get('location'), rows });
      }
      expect([what, seen[1], seen[2]]).toEqual([what, seen[0], seen[0]]);
    }
    await web.close();
  });
});

describe('bodies that are larger than they look', () => {
  const large = 'a'.repeat(30_000_000);
  const form = 'application/x-www-form-urlencoded';
  it.each([
    ['a call', '/api/v1/subscriptions', 'application/json', JSON.stringify(signUp(`${large}@example.org`))],
    ['a call of many lines', '/api/v1/subscribers/import', 'application/x-ndjson', large],
    ['a mail', '/api/v1/hooks/email', 'message/rfc822', `From: a@example.org\r\n\r\n${large}`],
    ['a form of citizens', '/follow', form, `email=${large}`],
    ['a form of staff', '/staff/sign-in', form, `email=${large}`],
    ['a long form of publishers', '/staff/items/new', form, `body=${large}`],
  ])('are measured unpacked, or refused for being packed: %s', async (_, path, type, text) => {
    const web = await startWeb();
    const body = gzipSync(text);
    expect(body.length).toBeLessThan(50_000);
    const authorization = `Bearer ${adminApiKey}`;
    const headers = { 'content-type': type, 'content-encoding': 'gzip', authorization };
    const { status } = await web.call('POST', path, { headers, body });
    await web.close();
    expect([413, 415]).toContain(status);
  });
});

describe('what is logged', () => {
  it('has no links by which somebody signs in', () => {
    for (const kind of ['u', 'confirm', 'manage', 'staff/set-up', 'staff/first', 'f', 'o'])
      expect(maskText(`GET /${kind}/OcFzDmZzfh-4b7e_9puesw~0.abc.aLEA44xX-_TXO4Tz5Q4wSQ`)).toBe(`GET /${kind}/[token]`);
  });
});
