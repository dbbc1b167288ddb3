import { type Code, codeHead } from '../index/dictionary.ts';
import type { Segment } from '../index/plan.ts';
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
  /** Takes in a person, whose code lies in `words` from `start` on. */
  put(ordinal: number, words: Code, start: number): void;
  /** Takes a person out; answers whether they were in. */
  kill(ordinal: number): boolean;
  /** The blocks that the living are of. */
  blocks(): Set<number>;
  /** What is known of somebody living; null of others. */
  code(ordinal: number): Code | null;
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

export const makeDelta = (): Delta => {
  const [sets, ranked, follows] = [makeChains(), makeChains(), makeChains()];
  const alive = newBits();
  const slotOf = new Map<number, number>();
  let values = new Int32Array(1_024);
  let ordinals = new Uint32Array(256);
  /** What each slot holds, one code after the other, and where each begins. */
  let log: Code = new Int32Array(4_096);
  let starts = new Uint32Array(256);
  let length = 0;
  let size = 0;

  const kill = (ordinal: number): boolean => {
    const slot = slotOf.get(ordinal);
    if (slot === undefined) return false;
    clearBit(alive, slot);
    slotOf.delete(ordinal);
    return true;
  };

  const put = (ordinal: number, words: Code, start: number): void => {
    kill(ordinal);
    const slot = size++;
    ordinals = grown(ordinals, size);
    starts = grown(starts, size);
    ordinals[slot] = ordinal;
    starts[slot] = length;
    const firstRanked = start + codeHead + (words[start] as number);
    const firstFollow = firstRanked + (words[start + 1] as number);
    const end = firstFollow + (words[start + 2] as number);
    log = grown(log, length + end - start);
    for (let at = start; at < end; at++) log[length++] = words[at] as number;
    for (let at = start + codeHead; at < firstRanked; at++) sets.put(words[at] as number, slot);
    for (let at = firstRanked; at < firstFollow; at += 2) {
      const entry = ranked.put(words[at] as number, slot);
      if (entry >= values.length) values = grown(values, entry + 1);
      values[entry] = words[at + 1] as number;
    }
    for (let at = firstFollow; at < end; at++) follows.put(words[at] as number, slot);
    setBit(alive, slot);
    slotOf.set(ordinal, slot);
  };

  return {
    size: () => size,
    alive,
    ordinal: (slot: number): number => ordinals[slot] as number,
    kill,
    put,
    code: (ordinal) => {
      const slot = slotOf.get(ordinal);
      return slot === undefined ? null : log.subarray(starts[slot] as number);
    },
    blocks: (): Set<number> => new Set([...slotOf.keys()].map(blockOf)),
    moveTo: (builder: BlockBuilder, block: number): void => {
      const slots: number[] = [];
      for (let slot = 0; slot < size; slot++)
        if (blockOf(ordinals[slot] as number) === block && hasBit(alive, slot)) slots.push(slot);
      slots.sort((a, b) => (ordinals[a] as number) - (ordinals[b] as number));
      for (const slot of slots) {
        const ordinal = ordinals[slot] as number;
        builder.add(lowOf(ordinal), log, starts[slot] as number);
        kill(ordinal);
      }
    },
    renewed: () => {
      const fresh = makeDelta();
      for (const [ordinal, slot] of slotOf) fresh.put(ordinal, log, starts[slot] as number);
      return fresh;
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
      [values, ordinals, starts, log].reduce((sum, { byteLength }) => sum + byteLength, 0) +
      slotOf.size * 40,
  };
};
