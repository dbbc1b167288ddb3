import { type Log, makeLog, maskText } from '../../src/log.ts';

/** The one line that is written when this is logged. */
const written = (say: (log: Log) => void): Record<string, unknown> => {
  const lines: string[] = [];
  say(makeLog('info', {}, { write: (text) => void lines.push(...text.split('\n').filter(Boolean)) }));
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '');
};

describe('the log', () => {
  it.each([
    ['an email address', 'no mail for ana.b+x@example.org today', 'no mail for [email] today'],
    ['a phone number', 'sent to +8613800138000', 'sent to [phone]'],
    ['a link token', 'GET /u/OcFzDmZzfh-4b7e_9puesw..aLEA44xX-_TXO4Tz5Q4wSQ 200', 'GET /u/[token] 200'],
    ['the link by which somebody stays', '/stay/OcFzDmZzfh-4b7e_9puesw.tgrcg1.g62SfTufFGK091', '/stay/[token]'],
    ['a link of feedback', '/f/OcFzDmZzfh-4b7e_9puesw.tgrcg1.g62SfTufFGK091/useful', '/f/[token]/useful'],
    [
      'an address in a query',
      'GET /check?contact=email&address=a.b%40example.org&x=1',
      'GET /check?contact=email&address=[email]&x=1',
    ],
    ['a number in a query', 'GET /code?phone=%2B8613800138000', 'GET /code?phone=[phone]'],
    [
      'the key of a targeted item',
      '/items/x?key=OcFzDmZzfh-4b7e_9puesw..aLEA44xX-_TXO4Tz5Q4wSQ',
      '/items/x?key=[token]',
    ],
    ['a session', 'bellman-session=OcFzDmZzfh-4b7e_9puesw.tgrcg1.aLEA44xX-_TXO4Tz5Q4wSQ;', 'bellman-session=[token];'],
    ['a key of the API', `Bearer OcFzDmZzfh-4b7e_9puesw.${'k'.repeat(43)}`, 'Bearer [key]'],
    [
      'no host, version or file',
      'mail.example.org 1.22.333 src/web/app.ts',
      'mail.example.org 1.22.333 src/web/app.ts',
    ],
    ['nothing else', 'push 12 of 340 in 1.5 s', 'push 12 of 340 in 1.5 s'],
  ])('masks %s', (_name, text, masked) => expect(maskText(text)).toBe(masked));

  it('masks what stands in an object, its names, an error and its cause, and tells nothing too deep to be masked', () => {
    const err = new Error('no mail for ana@example.org', { cause: new Error('ben@example.org is full') });
    const deep = { a: { b: { c: { d: { e: { f: 'cai@example.org' } } } } } };
    const told = { err, 'dan@example.org': 1, list: ['+8613800138000'], deep };
    const line = written((log) => log.error(told, 'for %s', 'eve@example.org'));
    expect(JSON.stringify(line)).not.toMatch(/@|8613800138000/);
    const message = 'no mail for [email]: [email] is full';
    expect(line).toMatchObject({ '[email]': 1, list: ['[phone]'], msg: 'for [email]', err: { message } });
  });

  it('stays one line, whatever it is told', () => {
    const title = 'a\r\n{"level":50}';
    expect(written((log) => log.info({ title }, 'b\nc'))).toMatchObject({ title, msg: 'b\nc', level: 30 });
  });
});
