import { maskText } from '../../src/log.ts';

describe('the log', () => {
  it.each([
    ['an email address', 'no mail for ana.b+x@example.org today', 'no mail for [email] today'],
    ['a phone number', 'sent to +8613800138000', 'sent to [phone]'],
    ['a link token', 'GET /u/OcFzDmZzfh-4b7e_9puesw..aLEA44xX-_TXO4Tz5Q4wSQ 200', 'GET /u/[token] 200'],
    ['the link by which somebody stays', '/stay/OcFzDmZzfh-4b7e_9puesw.tgrcg1.g62SfTufFGK091', '/stay/[token]'],
    ['a link of feedback', '/f/OcFzDmZzfh-4b7e_9puesw.tgrcg1.g62SfTufFGK091/useful', '/f/[token]/useful'],
    ['nothing else', 'push 12 of 340 in 1.5 s', 'push 12 of 340 in 1.5 s'],
  ])('masks %s', (_name, text, masked) => expect(maskText(text)).toBe(masked));
});
