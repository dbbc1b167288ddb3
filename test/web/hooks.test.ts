import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/project-root.ts';
import { asksToStop } from '../../src/subscriptions/stop-words.ts';
import { smsSignature } from '../../src/web/api/hooks.ts';
import { startWeb, type Web } from '../helpers/web.ts';

describe('stop words', () => {
  it.each([
    'STOP',
    'stop',
    ' Stop. ',
    'ＳＴＯＰ',
    'Unsubscribe!',
    'stop all',
    'TD',
    'td',
    '退订',
    '退訂',
    '“退订”',
    'Ｔ',
  ])('stops at %j', (text) => expect(asksToStop(text)).toBe(true));
  it.each(['', '!', 'don’t stop', 'stop the bus', '我想退订公交', 'HELP', 'ok'])('does not stop at %j', (text) =>
    expect(asksToStop(text)).toBe(false),
  );
});

describe('POST /hooks/sms', () => {
  const token = 'provider-token';
  const receipts: unknown[] = [];
  const stopped: string[] = [];
  let web: Web;
  beforeAll(async () => {
    const plain = await startWeb();
    const { returns } = plain.town;
    await plain.close();
    web = await startWeb({
      env: {
        PUBLIC_URL: 'https://bellman.example',
        SMS_URL: `twilio+https://AC1:${token}@api.provider.example/?from=%2B8610000`,
      },
      services: {
        returns: {
          ...returns,
          receipt: async (receipt) => receipts.push(receipt) > 0,
          text: async (phone, body) => asksToStop(body) && stopped.push(phone) > 0,
        },
      },
    });
  });
  afterAll(() => web.close());

  const post = (params: Record<string, string>, headers: Record<string, string> = {}, query = '') =>
    web.call('POST', `/api/v1/hooks/sms${query}`, {
      body: new URLSearchParams(params),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  const signed = (params: Record<string, string>, query = '') => {
    // written out here as the provider documents it, apart from the code under test
    const text = Object.keys(params)
      .sort()
      .map((name) => name + params[name])
      .join('');
    const signature = createHmac('sha1', token)
      .update(`https://bellman.example/api/v1/hooks/sms${query}${text}`)
      .digest('base64');
    return post(params, { 'x-twilio-signature': signature }, query);
  };

  it('computes the signature of the provider’s own published example', () => {
    const params = new URLSearchParams({
      CallSid: 'CA1234567890ABCDE',
      Caller: '+12349013030',
      Digits: '1234',
      From: '+12349013030',
      To: '+18005551212',
    });
    expect(smsSignature('12345', 'https://mycompany.com/myapp.php?foo=1&bar=2', params)).toBe(
      '0/KCTR6DLpKmkAf8muzZqo1nDgQ=',
    );
  });

  it('stops everything for the number that texts a stop word', async () => {
    const answer = await signed({ From: '+8613800138000', Body: ' 退订 ', MessageSid: 'SM1', SmsStatus: 'received' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/xml')]);
    expect(answer.text).toContain('<Response></Response>');
    expect((await signed({ From: '+8613900139000', Body: 'thanks' })).status).toBe(200);
    expect(stopped).toEqual(['+8613800138000']);
  });

  it('hands receipts on under the provider’s name', async () => {
    await signed({ MessageSid: 'SM1', MessageStatus: 'sent' });
    await signed({ MessageSid: 'SM1', MessageStatus: 'delivered' }, '?via=1&b=%20&message=m-1');
    await signed({ MessageSid: 'SM2', MessageStatus: 'undelivered', ErrorCode: '30003' });
    await signed({ MessageSid: 'SM3', MessageStatus: 'failed', ErrorCode: '30005', To: '+8613800138000' });
    const provider = 'twilio:api.provider.example';
    expect(receipts).toEqual([
      {
        of: { provider, reference: 'SM1', message: 'm-1' },
        to: 'delivered',
        failure: 'soft',
        words: 'delivered',
      },
      {
        of: { provider, reference: 'SM2', message: null },
        to: 'bounced',
        failure: 'soft',
        words: 'undelivered 30003',
      },
      {
        of: { provider, reference: 'SM3', message: null },
        to: 'bounced',
        failure: 'hard',
        words: 'failed 30005',
        phone: '+8613800138000',
      },
    ]);
  });

  it('believes nobody else', async () => {
    const params = { From: '+8613800138001', Body: 'STOP' };
    expect((await post(params)).body.code).toBe('no-key');
    expect((await post(params, { 'x-twilio-signature': 'AAAA' })).body.code).toBe('bad-signature');
    const altered = smsSignature(
      token,
      'https://bellman.example/api/v1/hooks/sms',
      new URLSearchParams({ ...params, Body: 'hi' }),
    );
    expect((await post(params, { 'x-twilio-signature': altered })).status).toBe(403);
    expect((await post(params, { authorization: `Bearer ${await web.keyFor(['publish'])}` })).body.code).toBe(
      'no-scope',
    );
    expect(stopped).not.toContain('+8613800138001');
    expect((await post(params, { authorization: `Bearer ${await web.keyFor(['events'])}` })).status).toBe(200);
    expect(stopped).toContain('+8613800138001');
  });

  it('refuses what is neither receipt nor text, other media and floods', async () => {
    expect((await signed({ Hello: 'x' })).body.code).toBe('invalid');
    expect((await web.api('POST', '/hooks/sms', {})).status).toBe(415);
    expect((await post({ Body: 'x'.repeat(70_000) })).status).toBe(413);
    expect((await web.api('POST', '/hooks/email', {})).status).toBe(415);
  });
});

describe('POST /hooks/email', () => {
  let web: Web;
  let key: string;
  beforeAll(async () => {
    web = await startWeb();
    key = await web.keyFor(['events']);
  });
  afterAll(() => web.close());
  const post = (body: string | Uint8Array<ArrayBuffer>, by = key) =>
    web.call('POST', '/api/v1/hooks/email', {
      body,
      headers: { 'content-type': 'message/rfc822', authorization: `Bearer ${by}` },
    });

  it('says what a mail is, whom it reports, and what followed', async () => {
    const nothing = { known: false, suppressed: false, stopped: false };
    const raw = readFileSync(join(projectRoot, 'test/fixtures/bounces/hard/postfix-two-of-three.eml'));
    const { status, body } = await post(raw);
    expect([status, body]).toEqual([
      200,
      {
        kind: 'hard',
        recipients: [
          { address: 'a@home.example.net', status: '5.1.1', kind: 'hard', reason: 'no-such-user' },
          { address: 'b@home.example.net', status: '5.2.2', kind: 'soft', reason: 'mailbox-full' },
        ],
        followed: nothing,
      },
    ]);
    expect((await post('')).body).toEqual({ kind: 'none', recipients: [], followed: nothing });
    await web.town.people([{ email: 'a@home.example.net', verified: true, follow: [{ topic: 'services' }] }]);
    expect((await post(raw)).body.followed).toEqual({ ...nothing, suppressed: true });
    expect((await post(raw)).body.followed).toEqual(nothing);
  });

  it('needs a key of scope events, a mail, and one that is not too large', async () => {
    expect((await post('Subject: x\n\nx', await web.keyFor(['publish']))).body.code).toBe('no-scope');
    expect(
      (await web.call('POST', '/api/v1/hooks/email', { body: 'x', headers: { 'content-type': 'message/rfc822' } }))
        .status,
    ).toBe(401);
    expect((await web.api('POST', '/hooks/email', {})).status).toBe(415);
    expect((await post(new Uint8Array(10 * 1024 * 1024 + 1))).status).toBe(413);
  });
});
