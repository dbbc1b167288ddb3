import { honeypot, messageToken, readMessageToken, validMs } from '../../../src/fanout/message-token.ts';
import { makeKeyring, newWrappedLookupKey } from '../../../src/keyring.ts';
import { signLink } from '../../../src/signed-link.ts';

const secret = 'a secret for tests only';
const keyring = makeKeyring(secret, newWrappedLookupKey(secret));
const now = Date.parse('2026-06-10T10:00:00Z');
const token = messageToken(keyring, 'message-1', now);

describe('the token of a message', () => {
  it('is the same all day, and stands for the message and what follows it', () => {
    expect(messageToken(keyring, 'message-1', now + 3_600_000)).toBe(token);
    expect(readMessageToken(keyring, token, now)).toEqual({ message: 'message-1', part: null, expired: false });
    expect(readMessageToken(keyring, `${token}~item-1`, now)?.part).toBe('item-1');
    expect(readMessageToken(keyring, `${token}~${honeypot}`, now)?.part).toBe(honeypot);
  });

  it('still names its message when it has run out', () => {
    expect(readMessageToken(keyring, token, now + validMs)?.expired).toBe(false);
    expect(readMessageToken(keyring, token, now + validMs + 86_400_000)).toMatchObject({
      message: 'message-1',
      expired: true,
    });
  });

  it('is nobody else’s to make', () => {
    const [message, expiry, mac] = token.split('.');
    const forged = [
      '',
      '~',
      `${token}~a~b`,
      `${token}x`,
      `message-2.${expiry}.${mac}`,
      `${message}..${mac}`,
      `${message}.zzzzzz.${mac}`,
      signLink(keyring, 'unsubscribe', 'message-1'),
    ];
    for (const one of forged) expect([one, readMessageToken(keyring, one, now)]).toEqual([one, null]);
  });
});
