import type { Fault } from '../../errors.ts';
import { dotted, type Path } from '../../reading.ts';

const unstorable = (text: string): string | null => {
  if (text.includes('\u0000')) return 'must not hold the character U+0000';
  return /\p{Surrogate}/u.test(text) ? 'must not hold half a surrogate pair' : null;
};

/** Faults of texts that no database keeps as they are (U+0000, lone surrogates), anywhere in a JSON value. */
export const textFaults = (value: unknown): Fault[] => {
  const faults: Fault[] = [];
  // a stack of its own: a body may be nested deeper than calls can be
  const open: { path: Path; value: unknown }[] = [{ path: [], value }];
  for (let at = open.pop(); at; at = open.pop()) {
    if (typeof at.value === 'string') {
      const message = unstorable(at.value);
      if (message) faults.push({ path: dotted(at.path), message });
    } else if (at.value !== null && typeof at.value === 'object') {
      for (const [key, entry] of Object.entries(at.value)) {
        const message = unstorable(key);
        if (message) faults.push({ path: dotted(at.path), message: `a name in it ${message}` });
        open.push({ path: [...at.path, key], value: entry });
      }
    }
  }
  return faults;
};
