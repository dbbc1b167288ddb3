import { type Code, codeHead } from '../index/dictionary.ts';
import { type Bits, eachBit, hasBit } from './bits.ts';
import { type Block, denseBits } from './block.ts';

/** A code in lists, for checks. */
export type PlainCode = { sets: number[]; ranked: number[]; follows: number[] };

export const plainCode = (words: Code): PlainCode => {
  const ranked = codeHead + (words[0] as number);
  const follows = ranked + (words[1] as number);
  const list = (from: number, to: number): number[] => [...words.subarray(from, to)];
  return {
    sets: list(codeHead, ranked),
    ranked: list(ranked, follows),
    follows: list(follows, follows + (words[2] as number)),
  };
};

/** What a block says of some of its people: reads all of it once, a few milliseconds. For checks, not for questions. */
export const codesIn = (block: Block, wanted: Bits): Map<number, PlainCode> => {
  const codes = new Map<number, PlainCode>();
  eachBit(wanted, (low) => codes.set(low, { sets: [], ranked: [], follows: [] }));
  const { setStarts, lows, fieldStarts, runValues, runEnds, rankedLows, followNos, followLows } = block;
  for (let set = 0; set + 1 < setStarts.length; set++) {
    for (let at = setStarts[set] as number; at < (setStarts[set + 1] as number); at++)
      if (hasBit(wanted, lows[at] as number)) codes.get(lows[at] as number)?.sets.push(set);
    const dense = denseBits(block, set);
    if (dense) for (const [low, code] of codes) if (hasBit(dense, low)) code.sets.push(set);
  }
  let at = 0;
  for (let field = 0; field + 1 < fieldStarts.length; field++)
    for (let run = fieldStarts[field] as number; run < (fieldStarts[field + 1] as number); run++)
      for (; at < (runEnds[run] as number); at++)
        if (hasBit(wanted, rankedLows[at] as number))
          codes.get(rankedLows[at] as number)?.ranked.push(field, runValues[run] as number);
  for (const [place, no] of followNos.entries()) codes.get(followLows[place] as number)?.follows.push(no);
  return codes;
};

const pairsOf = (ranked: readonly number[]): string[] =>
  ranked.flatMap((field, at) => (at % 2 === 0 ? [`${field}:${ranked[at + 1]}`] : [])).sort();
const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

/** Whether two codes say the same, in whatever order. */
export const sameCode = (one: PlainCode, other: PlainCode): boolean =>
  ascending(one.sets).join() === ascending(other.sets).join() &&
  ascending(one.follows).join() === ascending(other.follows).join() &&
  pairsOf(one.ranked).join() === pairsOf(other.ranked).join();
