import type { IndexedPerson } from '../audience-store.ts';
import {
  andBits,
  andNotBits,
  type Bits,
  blockOf,
  blockSize,
  countBits,
  countBoth,
  eachBit,
  hasBit,
  isEmpty,
  lowOf,
  newBits,
  setBit,
} from '../packed/bits.ts';
import {
  type Block,
  countSet,
  denseBits,
  emptyBlock,
  fillRange,
  fillSet,
  followersIn,
  isInSet,
} from '../packed/block.ts';
import { makeBlockBuilder } from '../packed/build-block.ts';
import { type Delta, makeDelta } from '../packed/delta.ts';
import { codesIn, type PlainCode, plainCode } from '../packed/inspect.ts';
import { makeBlockMerger } from '../packed/merge-blocks.ts';
import { bitsOf, isMember, type PeopleSet, peopleSet } from '../people-set.ts';
import { type Dictionary, everybody } from './dictionary.ts';
import { makeRunner, type Plan, type Segment } from './plan.ts';

/** A block with those in it whose facts are not what it says any more: what they are is in the delta, if they are there. */
type Slab = { block: Block; segment: Segment; gone: Bits | null };

const slabOf = (block: Block): Slab => ({
  block,
  segment: {
    fillSet: (set, into) => fillSet(block, set, into),
    fillRange: (field, from, to, into) => fillRange(block, field, from, to, into),
  },
  gone: null,
});

/** How many changed people the delta takes before they go into the blocks: an eighth more fit while they do. */
const roomFor = (people: number): number => Math.max(4_096, Math.min(32_768, people >>> 5));

/**
 * All people's facts in memory: blocks that are made once, and a delta of those who changed since. (block − gone) ∪ delta is
 * right at every moment. When the delta is full, one block after the other is made anew, each in one step, a few changes
 * apart, so that no step takes longer than a block does.
 */
export const makePeopleIndex = (dictionary: Dictionary, blocks: readonly Block[] = []) => {
  const slabs = blocks.map(slabOf);
  const run = makeRunner();
  const merge = makeBlockMerger();
  let loading: { builder: ReturnType<typeof makeBlockBuilder>; block: number } | null = null;
  let delta: Delta = makeDelta();
  /** Blocks still to be made anew, and how many changes lie between two. */
  let sweep: { blocks: number[]; every: number; wait: number } | null = null;
  const builder = makeBlockBuilder();
  let people = 0;
  let highest = 0;

  const packLoaded = (): void => {
    if (!loading) return;
    const { sets, fields } = dictionary.counts();
    while (slabs.length < loading.block) slabs.push(slabOf(emptyBlock()));
    slabs.push(slabOf(loading.builder.pack(sets, fields)));
  };

  const inBlock = (ordinal: number): boolean => {
    const slab = slabs[blockOf(ordinal)];
    if (!slab) return false;
    if (slab.gone && hasBit(slab.gone, lowOf(ordinal))) return false;
    return isInSet(slab.block, everybody, lowOf(ordinal));
  };

  /** Takes a person out; answers whether they were in. */
  const take = (ordinal: number): boolean => {
    if (delta.kill(ordinal)) return true;
    if (!inBlock(ordinal)) return false;
    const slab = slabs[blockOf(ordinal)] as Slab;
    slab.gone ??= newBits();
    setBit(slab.gone, lowOf(ordinal));
    return true;
  };

  const renew = (at: number): void => {
    while (slabs.length <= at) slabs.push(slabOf(emptyBlock()));
    const { block, gone } = slabs[at] as Slab;
    delta.moveTo(builder, at);
    const { sets, fields } = dictionary.counts();
    slabs[at] = slabOf(merge(block, gone ?? newBits(), builder.pack(sets, fields)));
  };

  const startSweep = (): void => {
    const touched = new Set(slabs.flatMap(({ gone }, at) => (gone ? [at] : [])));
    for (const block of delta.blocks()) touched.add(block);
    const every = Math.max(1, Math.floor(roomFor(people) / 8 / Math.max(1, touched.size)));
    sweep = { blocks: [...touched].sort((a, b) => b - a), every, wait: 0 };
  };

  /** One step of making blocks anew; answers whether more are to be made. */
  const step = (): boolean => {
    if (!sweep) return false;
    const at = sweep.blocks.pop();
    if (at !== undefined) renew(at);
    if (sweep.blocks.length > 0) return true;
    sweep = null;
    delta = delta.renewed();
    return false;
  };

  const makeRoom = (): void => {
    if (!sweep && delta.size() >= roomFor(people)) startSweep();
    if (!sweep || sweep.wait++ % sweep.every !== 0) return;
    step();
  };

  /** Who of the set stands in the delta, as slots. */
  const slotsOf = (set: PeopleSet): Bits => {
    const slots = newBits();
    eachBit(delta.alive, (slot) => {
      if (isMember(set, delta.ordinal(slot))) setBit(slots, slot);
    });
    return slots;
  };

  const select = (plan: Plan): PeopleSet => {
    const found = slabs.map(({ segment, gone }) => {
      const into = newBits();
      run(segment, plan, into);
      return (gone ? andNotBits(into, gone) : !isEmpty(into)) ? into : null;
    });
    const slots = newBits();
    run(delta, plan, slots);
    if (!andBits(slots, delta.alive)) return peopleSet(found);
    eachBit(slots, (slot) => {
      const ordinal = delta.ordinal(slot);
      while (found.length <= blockOf(ordinal)) found.push(null);
      const bits = found[blockOf(ordinal)] ?? newBits();
      found[blockOf(ordinal)] = bits;
      setBit(bits, lowOf(ordinal));
    });
    return peopleSet(found);
  };

  return {
    /** Adds a person while the index is first made; ordinals ascend. Nothing may be asked before `loaded`. */
    load: (person: IndexedPerson): void => {
      const block = blockOf(person.ordinal);
      if (loading && loading.block !== block) packLoaded();
      loading = { builder: loading?.builder ?? makeBlockBuilder(), block };
      loading.builder.add(lowOf(person.ordinal), dictionary.encode(person), 0);
      people += 1;
      highest = person.ordinal;
    },
    loaded: (): void => {
      packLoaded();
      loading = null;
    },
    /** A person as they are now. */
    put: (person: IndexedPerson): void => {
      makeRoom();
      if (!take(person.ordinal)) people += 1;
      delta.put(person.ordinal, dictionary.encode(person), 0);
      highest = Math.max(highest, person.ordinal);
    },
    /** Answers whether they were in. */
    remove: (ordinal: number): boolean => {
      const wasIn = take(ordinal);
      if (wasIn) people -= 1;
      return wasIn;
    },
    select,
    /** Everybody who has a follow that is not of a topic. */
    followers: (no: number): PeopleSet => {
      const changed = delta.followers(no);
      const blocks = changed.reduce((most, ordinal) => Math.max(most, blockOf(ordinal) + 1), slabs.length);
      return peopleSet(
        Array.from({ length: blocks }, (_, at) => {
          const slab = slabs[at];
          const lows = slab ? followersIn(slab.block, no).filter((low) => !slab.gone || !hasBit(slab.gone, low)) : [];
          for (const ordinal of changed) if (blockOf(ordinal) === at) lows.push(lowOf(ordinal));
          return lows.length === 0 ? null : Uint16Array.from(lows).sort();
        }),
      );
    },
    /** How many of the set are in each of these sets. */
    count: (set: PeopleSet, by: ReadonlyMap<string, number>): Map<string, number> => {
      const counts = new Map<string, number>();
      const slots = slotsOf(set);
      const masked = slabs.map(({ gone }, at) => {
        const part = set.parts[at];
        if (!part || !gone) return part ? bitsOf(part) : null;
        const left = bitsOf(part).slice();
        return andNotBits(left, gone) ? left : null;
      });
      for (const [name, no] of by) {
        let count = delta.countSet(no, slots);
        slabs.forEach(({ block }, at) => {
          const among = masked[at];
          if (!among) return;
          const dense = denseBits(block, no);
          count += dense ? countBoth(dense, among) : countSet(block, no, among);
        });
        if (count > 0) counts.set(name, count);
      }
      return counts;
    },
    size: () => people,
    /** No ordinal is above it. */
    highest: () => highest,
    /** Makes blocks of all that changed, one in each call; answers whether more are to be made. */
    settle: (): boolean => {
      if (!sweep) startSweep();
      return step();
    },
    /** What is known of these people; those who are not in are left out. Reads whole blocks. */
    codes: (ordinals: readonly number[]): Map<number, PlainCode> => {
      const known = new Map<number, PlainCode>();
      const wanted = new Map<number, Bits>();
      for (const ordinal of ordinals) {
        const changed = delta.code(ordinal);
        if (changed) known.set(ordinal, plainCode(changed));
        else if (inBlock(ordinal)) {
          const bits = wanted.get(blockOf(ordinal)) ?? newBits();
          wanted.set(blockOf(ordinal), bits);
          setBit(bits, lowOf(ordinal));
        }
      }
      for (const [at, bits] of wanted)
        for (const [low, found] of codesIn((slabs[at] as Slab).block, bits)) known.set(at * blockSize + low, found);
      return known;
    },
    /** Counts everybody anew, after blocks were taken from a snapshot. */
    recount: (): void => {
      for (const [at, { block }] of slabs.entries()) {
        const bits = newBits();
        fillSet(block, everybody, bits);
        people += countBits(bits);
        eachBit(bits, (low) => {
          highest = at * blockSize + low;
        });
      }
    },
    blocks: (): Block[] => slabs.map(({ block }) => block),
    bytes: (): number =>
      slabs.reduce((sum, { block, gone }) => sum + block.buffer.byteLength + (gone ? blockSize / 8 : 0), 0) +
      delta.bytes(),
  };
};
