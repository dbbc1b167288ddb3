import type { z } from 'zod';
import type { Fault } from '../../errors.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

const dotted = (path: Path): string => path.map(String).join('.');

/** Of a union, the branch that fits best tells most; where all fail at the very value, only the union's own words are true. */
const ofUnion = (branches: Issue[][], path: Path, message: string): Fault[] => {
  const deep = branches.filter((issues) => issues.some((issue) => issue.path.length > 0));
  const best = deep.sort((a, b) => a.length - b.length)[0];
  return best ? faultsOfIssues(best, path) : [{ path: dotted(path), message }];
};

const wordsOf = (issue: Issue): string =>
  issue.code === 'invalid_type' && issue.message.endsWith('received undefined') ? 'is required' : issue.message;

const faultsOfIssues = (issues: readonly Issue[], before: Path = []): Fault[] =>
  issues.flatMap((issue) => {
    const path = [...before, ...issue.path];
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: dotted([...path, key]), message: 'is not known here' }));
    if (issue.code === 'invalid_union') return ofUnion(issue.errors, path, issue.message);
    if (issue.code === 'invalid_key' || issue.code === 'invalid_element') return faultsOfIssues(issue.issues, path);
    return [{ path: dotted(path), message: wordsOf(issue) }];
  });

/** Every fault that a schema found, each by its dotted path; unknown fields by name. */
export const faultsOf = (error: z.core.$ZodError): Fault[] => faultsOfIssues(error.issues);

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
