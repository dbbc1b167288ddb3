import { clickOf, honeypotLink, type LinkVisit, signsOf } from '../../../src/feedback/machine-clicks.ts';

const sentAt = Date.parse('2026-03-01T08:30:00Z');

/** A visit so many seconds after the message was taken; `HEAD` before the link says what was asked. */
const visitOf = ([seconds, named]: [number, string]): LinkVisit => {
  const head = named.startsWith('HEAD ');
  return { message: 'm', link: head ? named.slice(5) : named, head, at: sentAt + seconds * 1000 };
};

const all = ['click a', 'useful a', 'not-for-me a', 'too-many', 'stop'];
const at = (seconds: number, links = all): [number, string][] => links.map((link, n) => [seconds + n / 10, link]);

const table: [string, [number, string][], (string | null)[]][] = [
  ['a person, a minute later', [[60, 'click a']], [null]],
  [
    'a person who clicks twice and says something',
    [
      [60, 'click a'],
      [61, 'click a'],
      [70, 'useful a'],
    ],
    [null, null, null],
  ],
  ['seconds after delivery', [[2, 'click a']], ['too-soon']],
  ['before the server has even answered', [[-1, 'click a']], ['too-soon']],
  ['just late enough', [[5, 'click a']], [null]],
  [
    'a HEAD at any time',
    [
      [600, 'HEAD click a'],
      [640, 'click a'],
    ],
    ['head', null],
  ],
  ['every link within a second', at(600), all.map(() => 'every-link')],
  [
    'every link, spread over a minute',
    all.map((link, n): [number, string] => [600 + n * 12, link]),
    all.map(() => null),
  ],
  [
    'a person before a scanner, and after',
    [[60, 'click a'], ...at(600), [700, 'click a']],
    [null, ...all.map(() => 'every-link'), null],
  ],
  [
    'ten items of a digest, opened in tabs at once',
    Array.from({ length: 10 }, (_, n): [number, string] => [60 + n / 5, `click item-${n}`]),
    Array.from({ length: 10 }, () => null),
  ],
  [
    'a trap, and what is near it',
    [
      [30, 'click a'],
      [80, honeypotLink],
      [81, 'click a'],
      [300, 'click a'],
    ],
    ['honeypot', 'honeypot', 'honeypot', null],
  ],
  ['nothing', [], []],
];

describe('machines among those who follow links', () => {
  it.each(table)('%s', (_name, visits, expected) => {
    expect(signsOf(visits.map(visitOf), sentAt)).toEqual(expected);
  });

  it('a click is the first of a person, else the first of a machine', () => {
    const visits = [...at(600), [700, 'click a'] as [number, string], [900, 'click a'] as [number, string]].map(
      visitOf,
    );
    expect(clickOf('click a', visits, sentAt)).toEqual({ at: sentAt + 700_000, machine: null });
    expect(clickOf('click a', visits.slice(0, 5), sentAt)).toEqual({ at: sentAt + 600_000, machine: 'every-link' });
    expect(clickOf('click a', visits.slice(0, 1), sentAt)).toEqual({ at: sentAt + 600_000, machine: null });
    expect(clickOf('click b', visits, sentAt)).toBeNull();
  });
});
