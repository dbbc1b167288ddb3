/** **block**: 65,536 neighbouring ordinals. Sets of a block's people are bits, so that and, or, not are a loop over words. */
export const blockSize = 65_536;
const wordsInBlock = blockSize / 32;

export type Bits = Int32Array;

export const newBits = (): Bits => new Int32Array(wordsInBlock);

export const blockOf = (ordinal: number): number => ordinal >>> 16;
export const lowOf = (ordinal: number): number => ordinal & 0xffff;

export const hasBit = (bits: Bits, low: number): boolean => (((bits[low >> 5] ?? 0) >>> (low & 31)) & 1) === 1;

export const setBit = (bits: Bits, low: number): void => {
  bits[low >> 5] = (bits[low >> 5] ?? 0) | (1 << (low & 31));
};

export const clearBit = (bits: Bits, low: number): void => {
  bits[low >> 5] = (bits[low >> 5] ?? 0) & ~(1 << (low & 31));
};

/** Narrows `into` to what is in both; answers whether anything is left. */
export const andBits = (into: Bits, other: Bits): boolean => {
  let left = 0;
  for (let at = 0; at < wordsInBlock; at++) {
    const word = (into[at] as number) & (other[at] as number);
    into[at] = word;
    left |= word;
  }
  return left !== 0;
};

export const orBits = (into: Bits, other: Bits): void => {
  for (let at = 0; at < wordsInBlock; at++) into[at] = (into[at] as number) | (other[at] as number);
};

/** Takes what is in `other` out of `into`; answers whether anything is left. */
export const andNotBits = (into: Bits, other: Bits): boolean => {
  let left = 0;
  for (let at = 0; at < wordsInBlock; at++) {
    const word = (into[at] as number) & ~(other[at] as number);
    into[at] = word;
    left |= word;
  }
  return left !== 0;
};

export const isEmpty = (bits: Bits): boolean => {
  let any = 0;
  for (let at = 0; at < wordsInBlock; at++) any |= bits[at] as number;
  return any === 0;
};

const ones = (word: number): number => {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

export const countBits = (bits: Bits): number => {
  let count = 0;
  for (let at = 0; at < wordsInBlock; at++) count += ones(bits[at] as number);
  return count;
};

/** How many are in both. */
export const countBoth = (one: Bits, other: Bits): number => {
  let count = 0;
  for (let at = 0; at < wordsInBlock; at++) count += ones((one[at] as number) & (other[at] as number));
  return count;
};

/** Calls back for each member, ascending. */
export const eachBit = (bits: Bits, visit: (low: number) => void): void => {
  for (let at = 0; at < wordsInBlock; at++)
    for (let word = bits[at] as number; word !== 0; word &= word - 1) visit((at << 5) + 31 - Math.clz32(word & -word));
};
