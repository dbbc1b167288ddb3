import {
  andBits,
  andNotBits,
  type Bits,
  blockOf,
  countBits,
  eachBit,
  hasBit,
  lowOf,
  newBits,
  orBits,
  setBit,
} from './packed/bits.ts';
import { lowerBound } from './packed/block.ts';

/** Who of one block: bits, or a few as an ascending list, or nobody. */
export type Part = Bits | Uint16Array | null;

/** **people set**: who is selected, by block. It is a value: nothing changes it once it is given. */
export type PeopleSet = { readonly parts: readonly Part[]; readonly size: number };

const isBits = (part: Bits | Uint16Array): part is Bits => part instanceof Int32Array;
const countOf = (part: Part): number => (part === null ? 0 : isBits(part) ? countBits(part) : part.length);

/** Takes over the parts; whoever gives them must not change them afterwards. */
export const peopleSet = (parts: readonly Part[]): PeopleSet => ({
  parts,
  size: parts.reduce<number>((sum, part) => sum + countOf(part), 0),
});

export const nobody: PeopleSet = { parts: [], size: 0 };

const addTo = (into: Bits, part: Part): Bits => {
  if (part === null) return into;
  if (isBits(part)) orBits(into, part);
  else for (const low of part) setBit(into, low);
  return into;
};

/** A part as bits: its own, which must not be changed, or fresh ones. */
export const bitsOf = (part: Bits | Uint16Array): Bits => (isBits(part) ? part : addTo(newBits(), part));
const copyOf = (part: Bits | Uint16Array): Bits => (isBits(part) ? part.slice() : addTo(newBits(), part));

export const setOf = (ordinals: Iterable<number>): PeopleSet => {
  const parts: (Bits | null)[] = [];
  for (const ordinal of ordinals) {
    const block = blockOf(ordinal);
    while (parts.length <= block) parts.push(null);
    const bits = parts[block] ?? newBits();
    parts[block] = bits;
    setBit(bits, lowOf(ordinal));
  }
  return peopleSet(parts);
};

export const isMember = ({ parts }: PeopleSet, ordinal: number): boolean => {
  const part = parts[blockOf(ordinal)];
  if (!part) return false;
  return isBits(part) ? hasBit(part, lowOf(ordinal)) : part[lowerBound(part, lowOf(ordinal))] === lowOf(ordinal);
};

/** Those of the people who are in the set, in their order. */
export const membersAmong = (set: PeopleSet, ordinals: readonly number[]): number[] =>
  ordinals.filter((ordinal) => isMember(set, ordinal));

/** Everybody in at least one of the sets. */
export const union = (sets: readonly PeopleSet[]): PeopleSet => {
  const [first] = sets;
  if (first && sets.length === 1) return first;
  const blocks = sets.reduce((most, { parts }) => Math.max(most, parts.length), 0);
  return peopleSet(
    Array.from({ length: blocks }, (_, at) => {
      const some = sets.flatMap(({ parts }) => parts[at] ?? []);
      const [only, ...others] = some;
      if (only === undefined || others.length === 0) return only ?? null;
      return others.reduce<Bits>((bits, part) => addTo(bits, part), copyOf(only));
    }),
  );
};

const pairwise = (
  one: PeopleSet,
  other: PeopleSet,
  join: (bits: Bits, some: Bits) => boolean,
  alone: boolean,
): PeopleSet =>
  peopleSet(
    one.parts.map((part, at) => {
      const some = other.parts[at];
      if (!part || !some) return alone ? part : null;
      const bits = copyOf(part);
      return join(bits, bitsOf(some)) ? bits : null;
    }),
  );

/** Those who are in both. */
export const both = (one: PeopleSet, other: PeopleSet): PeopleSet => pairwise(one, other, andBits, false);

/** Those of the one who are not in the other: who gains or loses when a rule changes. */
export const without = (one: PeopleSet, other: PeopleSet): PeopleSet => pairwise(one, other, andNotBits, true);

/** Everybody in the set, ascending. */
export const ordinalsOf = ({ parts, size }: PeopleSet): Uint32Array => {
  const ordinals = new Uint32Array(size);
  let length = 0;
  for (const [block, part] of parts.entries()) {
    const put = (low: number): void => {
      ordinals[length++] = block * 65_536 + low;
    };
    if (part && isBits(part)) eachBit(part, put);
    else part?.forEach(put);
  }
  return ordinals;
};

/** At most `count` members, spread evenly over the set. */
export const sampleOf = (set: PeopleSet, count: number): number[] => {
  const ordinals = ordinalsOf(set);
  const taken = Math.min(count, ordinals.length);
  return Array.from({ length: taken }, (_, at) => ordinals[Math.floor((at * ordinals.length) / taken)] as number);
};
