import { distance } from 'fastest-levenshtein';
import { fold } from '../publishing/fold.ts';

/** Something that may be named, and what else people call it. */
export type Named = { name: string; also?: readonly string[] };

/** The known name that `wanted` was most likely meant to be, by edit distance over names and other names; null where none is known. */
export const nearest = (wanted: string, known: readonly Named[]): string | null => {
  const asked = fold(wanted);
  let best: { name: string; far: number } | null = null;
  for (const { name, also = [] } of known) {
    const far = Math.min(...[name, ...also].map((one) => distance(asked, fold(one))));
    if (best === null || far < best.far) best = { name, far };
  }
  return best?.name ?? null;
};

/** How many names a check looks up the nearest of: each costs a walk over all that is known. */
const suggestionsAtMost = 20;

/** Says of unknown names that they are unknown, and which known one is nearest. */
export type Unknown = (what: string, wanted: string, known: readonly Named[]) => string;

export const makeUnknown = (): Unknown => {
  let left = suggestionsAtMost;
  return (what, wanted, known) => {
    const suggestion = left-- > 0 ? nearest(wanted, known) : null;
    return `unknown ${what}: ${wanted}${suggestion === null ? '' : `; the nearest known is ${suggestion}`}`;
  };
};
