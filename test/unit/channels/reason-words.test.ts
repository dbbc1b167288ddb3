import { locales, textIn } from '../../../src/text.ts';
import { failureWords } from '../../../src/web/staff/provider-states.ts';

const permanent = [
  'no-such-address',
  'no-such-host',
  'mailbox-disabled',
  'mailbox-full',
  'bad-address',
  'too-large',
  'content-refused',
  'refused-by-policy',
  'refused',
  'endpoint-gone',
  'endpoint-forbidden',
  'not-authorised',
  'opted-out-at-provider',
  'not-following',
  'template-refused',
];

describe('reasons for which a message failed for good', () => {
  it.each(locales)('are said in words: %s', (locale) => {
    for (const reason of permanent) expect(textIn(locale)(`reasons:code.${reason}`)).not.toBe(`code.${reason}`);
  });
});

it.each(locales)('what a provider failed at for now is said to staff: %s', (locale) => {
  const passing = ['connection', 'timeout', 'tls', 'auth', 'sender-refused', 'provider-error', 'bad-answer', 'storage'];
  for (const reason of [...passing, 'throttled', 'deferred', 'greylisted', ...permanent])
    expect(failureWords(textIn(locale), reason)).toMatch(/[.。]$/);
});

const keptBack = [
  ...[
    'erased',
    'leaving',
    'opted-out',
    'no-address',
    'suppressed',
    'expired',
    'holdout',
    'already-told',
    'taken-over',
    'superseded',
  ],
  ...['quiet-hours', 'preferred-hour', 'cap-day', 'cap-week', 'daily-digest', 'weekly-digest', 'other-push', 'paused'],
  ...[
    'cancelled',
    'retry',
    'throttled',
    'redriven',
    'gave-up',
    'fallback',
    'seen',
    'in-daily-digest',
    'in-weekly-digest',
  ],
];

describe('reasons for which a message waits or is withheld', () => {
  it.each(locales)('are said in words: %s', (locale) => {
    for (const reason of keptBack) expect(textIn(locale)(`reasons:code.${reason}`)).not.toBe(`code.${reason}`);
  });
});
