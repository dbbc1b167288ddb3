import { andBits, andNotBits, type Bits, newBits, orBits } from '../packed/bits.ts';

/** Everybody in at least one of these; a range is of a field's values, both ends in. */
export type Union = { sets: number[]; ranges: { field: number; from: number; to: number }[] };

/**
 * **plan**: a condition as bitmap algebra. Negations stand at the leaves: `rest` is whoever is `within` (everybody of whom the
 * leaf is known) and not `of`, which is how Kleene's unknown needs no third set.
 */
export type Plan =
  | { kind: 'nobody' }
  | { kind: 'union'; of: Union }
  | { kind: 'rest'; of: Union; within: number }
  | { kind: 'all' | 'any'; parts: Plan[] };

/** Where facts are looked up: a block, or the delta. Each call adds people to `into`. */
export type Segment = {
  fillSet(set: number, into: Bits): void;
  fillRange(field: number, from: number, to: number, into: Bits): void;
};

const fillUnion = (segment: Segment, { sets, ranges }: Union, into: Bits): void => {
  for (const set of sets) segment.fillSet(set, into);
  for (const { field, from, to } of ranges) segment.fillRange(field, from, to, into);
};

/** Runs plans; what lies between is kept from run to run, for each depth its own. */
export const makeRunner = (): ((segment: Segment, plan: Plan, into: Bits) => void) => {
  const scratch: Bits[] = [];
  const cleared = (depth: number): Bits => {
    const bits = scratch[depth] ?? newBits();
    scratch[depth] = bits;
    return bits.fill(0);
  };

  /** Adds whoever the plan selects to `into`, which is empty. */
  const run = (segment: Segment, plan: Plan, into: Bits, depth: number): void => {
    switch (plan.kind) {
      case 'nobody':
        return;
      case 'union':
        fillUnion(segment, plan.of, into);
        return;
      case 'rest': {
        segment.fillSet(plan.within, into);
        const taken = cleared(depth);
        fillUnion(segment, plan.of, taken);
        andNotBits(into, taken);
        return;
      }
      case 'all': {
        let first = true;
        for (const part of plan.parts) {
          if (first) run(segment, part, into, depth + 1);
          else {
            const bits = cleared(depth);
            run(segment, part, bits, depth + 1);
            if (!andBits(into, bits)) return;
          }
          first = false;
        }
        return;
      }
      case 'any':
        for (const part of plan.parts) {
          if (part.kind === 'union') fillUnion(segment, part.of, into);
          else {
            const bits = cleared(depth);
            run(segment, part, bits, depth + 1);
            orBits(into, bits);
          }
        }
    }
  };
  return (segment, plan, into) => run(segment, plan, into, 0);
};
