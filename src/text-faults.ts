import type { Fault } from './errors.ts';
import { dotted, type Path } from './reading.ts';

const unstorable = (text: string): string | null => {
  if (text.includes('\u0000')) return 'must not hold the character U+0000';
  return /\p{Surrogate}/u.test(text) ? 'must not hold half a surrogate pair' : null;
};

/** Where a value stands, as a chain to the root: copying whole paths would make a deep body cost the square of its depth. */
type Place = { key: string; above: Place | null };

const pathOf = (place: Place | null): Path => {
  const path: string[] = [];
  for (let at = place; at; at = at.above) path.push(at.key);
  return path.reverse();
};

/** Faults of texts that no database keeps as they are (U+0000, lone surrogates), anywhere in a JSON value. */
export const textFaults = (value: unknown): Fault[] => {
  const faults: Fault[] = [];
  // a stack of its own: a body may be nested deeper than calls can be
  const open: { place: Place | null; value: unknown }[] = [{ place: null, value }];
  for (let at = open.pop(); at; at = open.pop()) {
    if (typeof at.value === 'string') {
      const message = unstorable(at.value);
      if (message) faults.push({ path: dotted(pathOf(at.place)), message });
    } else if (at.value !== null && typeof at.value === 'object') {
      for (const [key, entry] of Object.entries(at.value)) {
        const message = unstorable(key);
        if (message) faults.push({ path: dotted(pathOf(at.place)), message: `a name in it ${message}` });
        open.push({ place: { key, above: at.place }, value: entry });
      }
    }
  }
  return faults;
};

/** JSON without halves of surrogate pairs, which its escapes can hold: where all else is good, U+FFFD stands for them. */
export const parseWellFormed = (json: string): unknown =>
  // only an escape can hold one
  json.includes('\\u')
    ? JSON.parse(json, (_key, value: unknown) =>
        typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value,
      )
    : JSON.parse(json);
