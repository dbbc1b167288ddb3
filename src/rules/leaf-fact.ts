import type { PersonLeaf } from './condition.ts';

const listed = (values: readonly (string | number)[] | string): string =>
  typeof values === 'string' ? values : values.join(', ');

/**
 * What a leaf that held says of a person, as (name, value): a proof that names no more than was asked, and that stays right
 * when the person's facts change.
 */
export const leafFact = (leaf: PersonLeaf): [string, string] => {
  switch (leaf.person) {
    case 'region':
      return ['region', `within ${listed(leaf.within)}`];
    case 'place':
      return ['place', `within ${leaf.within}`];
    case 'language':
      return ['language', listed(leaf.in)];
    case 'age':
      return ['age', [leaf.from, leaf.to].map((end) => end ?? '').join('–')];
    case 'follows':
      return [`follows.${leaf.topic}`, 'yes'];
    case 'interest':
      return [`interest.${leaf.topic}`, `at least ${leaf.atLeast}`];
    case 'channel':
      return ['channel', listed(leaf.has)];
    case 'activeWithin':
      return ['active', `within ${leaf.days} days`];
    default:
      return [leaf.person, listed(leaf.in)];
  }
};
