import type { PersonCode } from '../dictionary.ts';
import { type Bits, blockOf, clearBit, hasBit, newBits, setBit } from './bits.ts';
import { grown } from './growing.ts';

/** Chains of slots by number: adding is three writes, and nothing is ever taken out. */
const makeChains = () => {
  let heads = new Int32Array(64).fill(-1);
  let nexts = new Int32Array(1_024);
  let slots = new Uint16Array(1_024);
  let length = 0;
  return {
    put: (number: number, slot: number): number => {
      heads = grown(heads, number + 1, -1);
      nexts = grown(nexts, length + 1);
      slots = grown(slots, length + 1);
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
export type Delta = ReturnType<typeof makeDelta>;

export const makeDelta = () => {
  const [sets, ranked, follows] = [makeChains(), makeChains(), makeChains()];
  let values = new Int32Array(1_024);
  let ordinals = new Uint32Array(256);
  const alive = newBits();
  const slotOf = new Map<number, number>();
  // what each slot holds: lengths of the three lists, then the lists
  let log = new Int32Array(4_096);
  let logged = 0;
  let logStarts = new Uint32Array(256);
  let size = 0;

  const kill = (ordinal: number): boolean => {
    const slot = slotOf.get(ordinal);
    if (slot === undefined) return false;
    clearBit(alive, slot);
    slotOf.delete(ordinal);
    return true;
  };

  const write = ({ sets: some, ranked: pairs, follows: few }: PersonCode): void => {
    log = grown(log, logged + 3 + some.length + pairs.length + few.length);
    log[logged++] = some.length;
    log[logged++] = pairs.length;
    log[logged++] = few.length;
    for (const list of [some, pairs, few]) for (const number of list) log[logged++] = number;
  };

  const read = (slot: number): PersonCode => {
    const start = logStarts[slot] as number;
    const first = start + 3;
    const second = first + (log[start] as number);
    const third = second + (log[start + 1] as number);
    const list = (from: number, to: number): number[] => Array.from(log.subarray(from, to));
    return {
      sets: list(first, second),
      ranked: list(second, third),
      follows: list(third, third + (log[start + 2] as number)),
    };
  };

  return {
    /** How many slots were given; there are 65,536. */
    size: () => size,
    living: () => slotOf.size,
    alive,
    has: (ordinal: number): boolean => slotOf.has(ordinal),
    ordinal: (slot: number): number => ordinals[slot] as number,
    kill,
    put: (ordinal: number, code: PersonCode): void => {
      kill(ordinal);
      ordinals = grown(ordinals, size + 1);
      logStarts = grown(logStarts, size + 1);
      ordinals[size] = ordinal;
      logStarts[size] = logged;
      write(code);
      for (const set of code.sets) sets.put(set, size);
      for (const follow of code.follows) follows.put(follow, size);
      for (let at = 0; at < code.ranked.length; at += 2) {
        const entry = ranked.put(code.ranked[at] as number, size);
        values = grown(values, entry + 1);
        values[entry] = code.ranked[at + 1] as number;
      }
      setBit(alive, size);
      slotOf.set(ordinal, size);
      size += 1;
    },
    /** The living of a block, ascending by ordinal. */
    ofBlock: (block: number): { ordinal: number; code: () => PersonCode }[] => {
      const found: { ordinal: number; code: () => PersonCode }[] = [];
      for (let slot = 0; slot < size; slot++) {
        const ordinal = ordinals[slot] as number;
        if (blockOf(ordinal) === block && hasBit(alive, slot)) found.push({ ordinal, code: () => read(slot) });
      }
      return found.sort((a, b) => a.ordinal - b.ordinal);
    },
    /** The blocks that the living are of. */
    blocks: (): Set<number> => new Set([...slotOf.keys()].map(blockOf)),
    /** Everybody living, as they came. */
    codes: (): { ordinal: number; code: PersonCode }[] =>
      [...slotOf].map(([ordinal, slot]) => ({ ordinal, code: read(slot) })),
    // as of a block (block.ts), in slots; the dead are among them
    fillSet: (set: number, into: Bits): void => {
      for (let entry = sets.first(set); entry >= 0; entry = sets.next(entry)) setBit(into, sets.slot(entry));
    },
    fillRange: (field: number, from: number, to: number, into: Bits): void => {
      for (let entry = ranked.first(field); entry >= 0; entry = ranked.next(entry)) {
        const value = values[entry] as number;
        if (value >= from && value <= to) setBit(into, ranked.slot(entry));
      }
    },
    /** Ordinals of the living who have a follow that is not of a topic. */
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
    bytes: () =>
      sets.bytes() +
      ranked.bytes() +
      follows.bytes() +
      [values, ordinals, log, logStarts].reduce((sum, { byteLength }) => sum + byteLength, 0) +
      slotOf.size * 40,
  };
};
