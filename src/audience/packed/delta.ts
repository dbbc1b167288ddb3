import type { PersonCode } from '../dictionary.ts';
import type { Segment } from '../plan.ts';
import { type Bits, blockOf, clearBit, hasBit, lowOf, newBits, setBit } from './bits.ts';
import type { BlockBuilder } from './build-block.ts';
import { grown } from './growing.ts';

/** Chains of slots by number: adding is three writes, and nothing is ever taken out. */
const makeChains = () => {
  let heads = new Int32Array(64).fill(-1);
  let nexts = new Int32Array(1_024);
  let slots = new Uint16Array(1_024);
  let length = 0;
  return {
    put: (number: number, slot: number): number => {
      if (number >= heads.length) heads = grown(heads, number + 1, -1);
      if (length === nexts.length) {
        nexts = grown(nexts, length + 1);
        slots = grown(slots, nexts.length);
      }
      nexts[length] = heads[number] as number;
      slots[length] = slot;
      heads[number] = length;
      return length++;
    },
    first: (number: number): number => heads[number] ?? -1,
    next: (entry: number): number => nexts[entry] as number,
    slot: (entry: number): number => slots[entry] as number,
    bytes: () => heads.byteLength + nexts.byteLength + slots.byteLength,
  };
};

/** What each slot holds: lengths of a code's three lists, then the lists. */
const makeLog = () => {
  let words = new Int32Array(4_096);
  let length = 0;
  const write = (list: readonly number[]): void => {
    for (const word of list) words[length++] = word;
  };
  return {
    words: () => words,
    length: () => length,
    append: ({ sets, ranked, follows }: PersonCode): void => {
      words = grown(words, length + 3 + sets.length + ranked.length + follows.length);
      write([sets.length, ranked.length, follows.length]);
      write(sets);
      write(ranked);
      write(follows);
    },
    copy: (from: Int32Array, start: number, end: number): void => {
      words = grown(words, length + end - start);
      words.set(from.subarray(start, end), length);
      length += end - start;
    },
  };
};

/**
 * **delta**: people as they have become since their block was made. Each has a slot; whoever changes again gets another, and
 * the old one is dead. So everything here only grows, until what is alive has gone into the blocks.
 */
export type Delta = Segment & {
  /** How many slots were given; there are 65,536. */
  size(): number;
  /** Slots that hold somebody as they are; the dead are found by everything below as well. */
  alive: Bits;
  ordinal(slot: number): number;
  put(ordinal: number, code: PersonCode): void;
  /** Takes a person out; answers whether they were in. */
  kill(ordinal: number): boolean;
  /** The blocks that the living are of. */
  blocks(): Set<number>;
  /** What is known of somebody living; null of others. */
  code(ordinal: number): PersonCode | null;
  /** Moves the living of a block into a builder. */
  moveTo(builder: BlockBuilder, block: number): void;
  /** Another delta with the living alone. */
  renewed(): Delta;
  /** Ordinals of the living who have a follow that is not of a topic. */
  followers(no: number): number[];
  /** How many of these slots a set has. */
  countSet(set: number, among: Bits): number;
  bytes(): number;
};

/** `kept`: who is taken over from another delta, with their places in its log. */
export const makeDelta = (kept?: {
  words: Int32Array;
  people: Iterable<[ordinal: number, start: number, end: number]>;
}): Delta => {
  const [sets, ranked, follows] = [makeChains(), makeChains(), makeChains()];
  const log = makeLog();
  const alive = newBits();
  const slotOf = new Map<number, number>();
  let values = new Int32Array(1_024);
  let ordinals = new Uint32Array(256);
  let starts = new Uint32Array(256);
  let size = 0;

  const kill = (ordinal: number): boolean => {
    const slot = slotOf.get(ordinal);
    if (slot === undefined) return false;
    clearBit(alive, slot);
    slotOf.delete(ordinal);
    return true;
  };

  /** Gives the next slot to a person whose code was just written to the log, from `start` on. */
  const take = (ordinal: number, start: number): void => {
    const words = log.words();
    const firstRanked = start + 3 + (words[start] as number);
    const firstFollow = firstRanked + (words[start + 1] as number);
    const slot = size++;
    ordinals = grown(ordinals, size);
    starts = grown(starts, size + 1);
    ordinals[slot] = ordinal;
    starts[slot] = start;
    starts[size] = log.length();
    for (let at = start + 3; at < firstRanked; at++) sets.put(words[at] as number, slot);
    for (let at = firstRanked; at < firstFollow; at += 2) {
      const entry = ranked.put(words[at] as number, slot);
      if (entry >= values.length) values = grown(values, entry + 1);
      values[entry] = words[at + 1] as number;
    }
    for (let at = firstFollow; at < log.length(); at++) follows.put(words[at] as number, slot);
    setBit(alive, slot);
    slotOf.set(ordinal, slot);
  };

  for (const [ordinal, from, to] of kept?.people ?? []) {
    const start = log.length();
    log.copy(kept?.words ?? new Int32Array(0), from, to);
    take(ordinal, start);
  }

  return {
    size: () => size,
    alive,
    ordinal: (slot: number): number => ordinals[slot] as number,
    kill,
    put: (ordinal: number, code: PersonCode): void => {
      kill(ordinal);
      const start = log.length();
      log.append(code);
      take(ordinal, start);
    },
    code: (ordinal) => {
      const slot = slotOf.get(ordinal);
      if (slot === undefined) return null;
      const words = log.words();
      const start = starts[slot] as number;
      const ranked = start + 3 + (words[start] as number);
      const follow = ranked + (words[start + 1] as number);
      const list = (from: number, to: number): number[] => [...words.subarray(from, to)];
      return {
        sets: list(start + 3, ranked),
        ranked: list(ranked, follow),
        follows: list(follow, starts[slot + 1] as number),
      };
    },
    blocks: (): Set<number> => new Set([...slotOf.keys()].map(blockOf)),
    moveTo: (builder: BlockBuilder, block: number): void => {
      const slots: number[] = [];
      for (let slot = 0; slot < size; slot++)
        if (blockOf(ordinals[slot] as number) === block && hasBit(alive, slot)) slots.push(slot);
      slots.sort((a, b) => (ordinals[a] as number) - (ordinals[b] as number));
      for (const slot of slots) {
        const ordinal = ordinals[slot] as number;
        builder.addWords(lowOf(ordinal), log.words(), starts[slot] as number);
        kill(ordinal);
      }
    },
    renewed: () => {
      const people = [...slotOf].map(([ordinal, slot]): [number, number, number] => [
        ordinal,
        starts[slot] as number,
        starts[slot + 1] as number,
      ]);
      return makeDelta({ words: log.words(), people });
    },
    fillSet: (set: number, into: Bits): void => {
      for (let entry = sets.first(set); entry >= 0; entry = sets.next(entry)) setBit(into, sets.slot(entry));
    },
    fillRange: (field: number, from: number, to: number, into: Bits): void => {
      for (let entry = ranked.first(field); entry >= 0; entry = ranked.next(entry)) {
        const value = values[entry] as number;
        if (value >= from && value <= to) setBit(into, ranked.slot(entry));
      }
    },
    followers: (no: number): number[] => {
      const found: number[] = [];
      for (let entry = follows.first(no); entry >= 0; entry = follows.next(entry))
        if (hasBit(alive, follows.slot(entry))) found.push(ordinals[follows.slot(entry)] as number);
      return found;
    },
    countSet: (set: number, among: Bits): number => {
      let count = 0;
      for (let entry = sets.first(set); entry >= 0; entry = sets.next(entry))
        if (hasBit(among, sets.slot(entry))) count += 1;
      return count;
    },
    bytes: (): number =>
      [sets, ranked, follows].reduce((sum, chains) => sum + chains.bytes(), 0) +
      [values, ordinals, starts, log.words()].reduce((sum, { byteLength }) => sum + byteLength, 0) +
      slotOf.size * 40,
  };
};
