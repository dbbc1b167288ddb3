import type { Bits } from './bits.ts';

/** From this many members on, bits take less room than a list. */
export const denseFrom = 4_096;
const wordsOfBits = 2_048;

/**
 * **block** of people as it lies in memory and in a snapshot: one buffer with all facts of 65,536 neighbouring ordinals, who
 * are written as the low 16 bits. Much as in a roaring bitmap, a fact's people are a sorted list or, when many, bits; but
 * here a fact costs four bytes and not an allocation, which counts with tens of thousands of them.
 *
 * - *set*: a fact that holds or not, by its number (dictionary.ts). `setStarts[n] … setStarts[n + 1]` is its slice of `lows`;
 *   the sets in `denseIds` (ascending) have their bits in `dense` instead.
 * - *ranked*: a field with a value that is asked for by range. A field's runs are `fieldStarts[n] … fieldStarts[n + 1]`, by
 *   value ascending; a run's people end at `runEnds`, so that a range is one slice of `rankedLows`.
 * - *follows* that few people have (saved searches, items): pairs by follow, then person.
 */
export type Block = {
  buffer: ArrayBuffer;
  setStarts: Uint32Array;
  denseIds: Uint32Array;
  dense: Int32Array;
  fieldStarts: Uint32Array;
  runValues: Int32Array;
  runEnds: Uint32Array;
  followNos: Uint32Array;
  lows: Uint16Array;
  rankedLows: Uint16Array;
  followLows: Uint16Array;
};

export type Sections = Omit<Block, 'buffer'>;
const wide = ['setStarts', 'denseIds', 'dense', 'fieldStarts', 'runValues', 'runEnds', 'followNos'] as const;
const narrow = ['lows', 'rankedLows', 'followLows'] as const;
const headerWords = wide.length + narrow.length;

const viewsOf = (buffer: ArrayBuffer, lengths: readonly number[]): Block => {
  let offset = headerWords * 4;
  let section = 0;
  const next = <T>(View: new (buffer: ArrayBuffer, offset: number, length: number) => T, bytes: number): T => {
    const length = lengths[section++] ?? 0;
    const view = new View(buffer, offset, length);
    offset += length * bytes;
    return view;
  };
  return {
    buffer,
    setStarts: next(Uint32Array, 4),
    denseIds: next(Uint32Array, 4),
    dense: next(Int32Array, 4),
    fieldStarts: next(Uint32Array, 4),
    runValues: next(Int32Array, 4),
    runEnds: next(Uint32Array, 4),
    followNos: next(Uint32Array, 4),
    lows: next(Uint16Array, 2),
    rankedLows: next(Uint16Array, 2),
    followLows: next(Uint16Array, 2),
  };
};

/** Copies the sections into one buffer of their size. */
export const packBlock = (sections: Sections): Block => {
  const parts = [...wide, ...narrow].map((name) => sections[name]);
  const bytes = parts.reduce((sum, part) => sum + part.byteLength, headerWords * 4);
  const buffer = new ArrayBuffer(bytes);
  const lengths = parts.map(({ length }) => length);
  new Uint32Array(buffer, 0, headerWords).set(lengths);
  const block = viewsOf(buffer, lengths);
  for (const name of [...wide, ...narrow]) block[name].set(sections[name]);
  return block;
};

/** Opens a buffer that `packBlock` made; throws RangeError when it is not of the size that its header says. */
export const openBlock = (buffer: ArrayBuffer): Block => {
  if (buffer.byteLength < headerWords * 4) throw new RangeError('a block without its header');
  const lengths = [...new Uint32Array(buffer, 0, headerWords)];
  const bytes = lengths.reduce((sum, length, at) => sum + length * (at < wide.length ? 4 : 2), headerWords * 4);
  if (bytes !== buffer.byteLength) throw new RangeError('a block that is not of its size');
  return viewsOf(buffer, lengths);
};

const none: Sections = {
  setStarts: new Uint32Array(1),
  denseIds: new Uint32Array(0),
  dense: new Int32Array(0),
  fieldStarts: new Uint32Array(1),
  runValues: new Int32Array(0),
  runEnds: new Uint32Array(0),
  followNos: new Uint32Array(0),
  lows: new Uint16Array(0),
  rankedLows: new Uint16Array(0),
  followLows: new Uint16Array(0),
};
export const emptyBlock = (): Block => packBlock(none);

/** The first place in `sorted` (of `from` … `to`) that is at least `value`. */
export const lowerBound = (
  sorted: Uint32Array | Int32Array | Uint16Array,
  value: number,
  from = 0,
  to: number = sorted.length,
): number => {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Where in `dense` the bits of a set begin; -1 of one that has few or none. */
const denseStart = ({ denseIds }: Block, set: number): number => {
  const place = lowerBound(denseIds, set);
  return denseIds[place] === set ? place * wordsOfBits : -1;
};

/** The bits of a set that has many people; null where it has few or none. */
export const denseBits = (block: Block, set: number): Bits | null => {
  const start = denseStart(block, set);
  return start < 0 ? null : block.dense.subarray(start, start + wordsOfBits);
};

const fill = (lows: Uint16Array, from: number, to: number, into: Bits): void => {
  for (let at = from; at < to; at++) {
    const low = lows[at] as number;
    into[low >> 5] = (into[low >> 5] as number) | (1 << low);
  }
};

/** Adds the people of a set to `into`. */
export const fillSet = (block: Block, set: number, into: Bits): void => {
  if (set + 1 >= block.setStarts.length) return;
  const [from, to] = [block.setStarts[set] as number, block.setStarts[set + 1] as number];
  fill(block.lows, from, to, into);
  const start = from < to ? -1 : denseStart(block, set);
  const { dense } = block;
  if (start < 0) return;
  for (let at = 0; at < wordsOfBits; at++) into[at] = (into[at] as number) | (dense[start + at] as number);
};

/** The slice of `rankedLows` that has a value of `from` … `to` (both ends in) in a field. */
const slice = (block: Block, field: number, from: number, to: number): [number, number] => {
  const { fieldStarts, runValues, runEnds } = block;
  if (field + 1 >= fieldStarts.length) return [0, 0];
  const [first, end] = [fieldStarts[field] as number, fieldStarts[field + 1] as number];
  const [low, high] = [lowerBound(runValues, from, first, end), lowerBound(runValues, to + 1, first, end)];
  return low >= high ? [0, 0] : [low === 0 ? 0 : (runEnds[low - 1] as number), runEnds[high - 1] as number];
};

/** Adds the people whose value in a field is `from` … `to`, both ends in; ±Infinity is no end. */
export const fillRange = (block: Block, field: number, from: number, to: number, into: Bits): void => {
  const [first, end] = slice(block, field, from, to);
  fill(block.rankedLows, first, end, into);
};

/** The people of a follow that few have, ascending. */
export const followersIn = ({ followNos, followLows }: Block, no: number): number[] => {
  const lows: number[] = [];
  for (let at = lowerBound(followNos, no); followNos[at] === no; at++) lows.push(followLows[at] as number);
  return lows;
};

/** How many of `among` a set has. */
export const countSet = (block: Block, set: number, among: Bits): number => {
  const { setStarts, lows } = block;
  if (set + 1 >= setStarts.length) return 0;
  const [from, to] = [setStarts[set] as number, setStarts[set + 1] as number];
  let count = 0;
  for (let at = from; at < to; at++) {
    const low = lows[at] as number;
    count += ((among[low >> 5] as number) >>> low) & 1;
  }
  return count;
};

/** Whether a person is in a set. */
export const isInSet = (block: Block, set: number, low: number): boolean => {
  const { setStarts, lows } = block;
  if (set + 1 >= setStarts.length) return false;
  const [from, to] = [setStarts[set] as number, setStarts[set + 1] as number];
  const place = lowerBound(lows, low, from, to);
  if (from < to) return place < to && lows[place] === low;
  const start = denseStart(block, set);
  return start >= 0 && (((block.dense[start + (low >> 5)] as number) >>> low) & 1) === 1;
};
