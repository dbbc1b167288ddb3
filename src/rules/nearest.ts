import { distance } from 'fastest-levenshtein';
import { fold } from '../publishing/fold.ts';

/** Something that may be named, and what else people call it. */
export type Named = { name: string; also?: readonly string[] };

type Folded = { name: string; forms: string[] };

const folded = (known: readonly Named[]): Folded[] =>
  known.map(({ name, also = [] }) => ({ name, forms: [name, ...also].map(fold) }));

/** The share of the longer text that would have to change: a short name is not near to everything just by being short. */
const farness = (a: string, b: string): number => distance(a, b) / Math.max(a.length, b.length, 1);

const nearestOf = (wanted: string, known: readonly Folded[]): string | null => {
  const asked = fold(wanted);
  let best: { name: string; far: number } | null = null;
  for (const { name, forms } of known) {
    const far = Math.min(...forms.map((form) => farness(asked, form)));
    if (best === null || far < best.far) best = { name, far };
  }
  return best?.name ?? null;
};

/** The known name that `wanted` was most likely meant to be, by edit distance over names and other names; null where none is known. */
export const nearest = (wanted: string, known: readonly Named[]): string | null => nearestOf(wanted, folded(known));

/** How many names a check looks up the nearest of: each costs a walk over all that is known. */
const suggestionsAtMost = 10;

/** Says of unknown names that they are unknown, and which known one is nearest. */
export type Unknown = (what: string, wanted: string, known: readonly Named[]) => string;

export const makeUnknown = (): Unknown => {
  const lists = new Map<readonly Named[], Folded[]>();
  let left = suggestionsAtMost;
  return (what, wanted, known) => {
    const list = lists.get(known) ?? folded(left > 0 ? known : []);
    lists.set(known, list);
    const suggestion = left-- > 0 ? nearestOf(wanted, list) : null;
    return `unknown ${what}: ${wanted}${suggestion === null ? '' : `; the nearest known is ${suggestion}`}`;
  };
};
