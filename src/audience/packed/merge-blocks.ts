import { type Bits, blockSize, countBits, eachBit, hasBit, newBits } from './bits.ts';
import { type Block, denseBits, denseFrom, fillSet, packBlock, type Sections } from './block.ts';
import { grown } from './growing.ts';

const wordsOfBits = 2_048;

/** A list that grows and keeps its room for the next merge. */
const makeList = () => {
  const list = {
    lows: new Uint16Array(1_024),
    length: 0,
    /** Merges two ascending slices that share nobody, leaving out the `gone` of the first. */
    merge: (
      [one, from, to]: readonly [Uint16Array, number, number],
      [other, first, end]: readonly [Uint16Array, number, number],
      gone: Bits,
    ): void => {
      list.lows = grown(list.lows, list.length + to - from + end - first + 1);
      const { lows } = list;
      let length = list.length;
      let b = first;
      let next = b < end ? (other[b] as number) : blockSize;
      for (let a = from; a < to; a++) {
        const low = one[a] as number;
        while (next < low) {
          lows[length++] = next;
          b += 1;
          next = b < end ? (other[b] as number) : blockSize;
        }
        // written in any case, kept if they are not gone: a branch here would cost more than all else
        lows[length] = low;
        length += ~((gone[low >> 5] as number) >>> low) & 1;
      }
      for (; b < end; b++) lows[length++] = other[b] as number;
      list.length = length;
    },
    push: (low: number): void => {
      list.lows = grown(list.lows, list.length + 1);
      list.lows[list.length++] = low;
    },
  };
  return list;
};
type List = ReturnType<typeof makeList>;

const sliceOf = ({ setStarts, lows }: Block, set: number): readonly [Uint16Array, number, number] =>
  set + 1 < setStarts.length ? [lows, setStarts[set] as number, setStarts[set + 1] as number] : [lows, 0, 0];

const mergeSets = (old: Block, gone: Bits, fresh: Block, list: List): Omit<Sections, keyof Ranked | keyof Follows> => {
  const sets = Math.max(old.setStarts.length, fresh.setStarts.length) - 1;
  const setStarts = new Uint32Array(sets + 1);
  const dense: [number, Bits][] = [];
  for (let set = 0; set < sets; set++) {
    const [one, other] = [sliceOf(old, set), sliceOf(fresh, set)];
    const size = one[2] - one[1] + other[2] - other[1];
    if (size >= denseFrom || denseBits(old, set) || denseBits(fresh, set)) {
      const bits = newBits();
      fillSet(old, set, bits);
      for (let at = 0; at < wordsOfBits; at++) bits[at] = (bits[at] as number) & ~(gone[at] as number);
      fillSet(fresh, set, bits);
      if (countBits(bits) >= denseFrom) dense.push([set, bits]);
      else eachBit(bits, list.push);
    } else if (size > 0) list.merge(one, other, gone);
    setStarts[set + 1] = list.length;
  }
  const together = new Int32Array(dense.length * wordsOfBits);
  for (const [at, [, bits]] of dense.entries()) together.set(bits, at * wordsOfBits);
  const denseIds = Uint32Array.from(dense, ([set]) => set);
  return { setStarts, denseIds, dense: together, lows: list.lows.subarray(0, list.length) };
};

type Ranked = Pick<Sections, 'fieldStarts' | 'runValues' | 'runEnds' | 'rankedLows'>;

const runsOf = ({ fieldStarts }: Block, field: number): [number, number] =>
  field + 1 < fieldStarts.length ? [fieldStarts[field] as number, fieldStarts[field + 1] as number] : [0, 0];

const run = ({ runEnds, rankedLows }: Block, at: number): readonly [Uint16Array, number, number] => [
  rankedLows,
  at === 0 ? 0 : (runEnds[at - 1] as number),
  runEnds[at] as number,
];

const mergeRanked = (old: Block, gone: Bits, fresh: Block, list: List): Ranked => {
  const fields = Math.max(old.fieldStarts.length, fresh.fieldStarts.length) - 1;
  const fieldStarts = new Uint32Array(fields + 1);
  const runValues = new Int32Array(old.runValues.length + fresh.runValues.length);
  const runEnds = new Uint32Array(runValues.length);
  const nobody = [fresh.rankedLows, 0, 0] as const;
  let runs = 0;
  for (let field = 0; field < fields; field++) {
    let [a, lastA] = runsOf(old, field);
    let [b, lastB] = runsOf(fresh, field);
    while (a < lastA || b < lastB) {
      const valueA = a < lastA ? (old.runValues[a] as number) : Number.POSITIVE_INFINITY;
      const valueB = b < lastB ? (fresh.runValues[b] as number) : Number.POSITIVE_INFINITY;
      const value = Math.min(valueA, valueB);
      const before = list.length;
      list.merge(valueA === value ? run(old, a++) : nobody, valueB === value ? run(fresh, b++) : nobody, gone);
      if (list.length === before) continue;
      runValues[runs] = value;
      runEnds[runs++] = list.length;
    }
    fieldStarts[field + 1] = runs;
  }
  const rankedLows = list.lows.subarray(0, list.length);
  return { fieldStarts, runValues: runValues.subarray(0, runs), runEnds: runEnds.subarray(0, runs), rankedLows };
};

type Follows = Pick<Sections, 'followNos' | 'followLows'>;

const mergeFollows = (old: Block, gone: Bits, fresh: Block): Follows => {
  const followNos = new Uint32Array(old.followNos.length + fresh.followNos.length);
  const followLows = new Uint16Array(followNos.length);
  let length = 0;
  const copy = ({ followNos: nos, followLows: lows }: Follows, at: number): void => {
    followNos[length] = nos[at] as number;
    followLows[length++] = lows[at] as number;
  };
  let b = 0;
  for (let a = 0; a < old.followNos.length; a++) {
    const no = old.followNos[a] as number;
    const low = old.followLows[a] as number;
    for (; b < fresh.followNos.length; b++) {
      const freshNo = fresh.followNos[b] as number;
      if (freshNo > no || (freshNo === no && (fresh.followLows[b] as number) > low)) break;
      copy(fresh, b);
    }
    if (!hasBit(gone, low)) copy(old, a);
  }
  for (; b < fresh.followNos.length; b++) copy(fresh, b);
  return { followNos: followNos.subarray(0, length), followLows: followLows.subarray(0, length) };
};

/** Makes one block of an old one without those who are `gone` and of what these, and new people, are now. */
export const makeBlockMerger = (): ((old: Block, gone: Bits, fresh: Block) => Block) => {
  const [setList, rankedList] = [makeList(), makeList()];
  return (old, gone, fresh) => {
    setList.length = rankedList.length = 0;
    return packBlock({
      ...mergeSets(old, gone, fresh, setList),
      ...mergeRanked(old, gone, fresh, rankedList),
      ...mergeFollows(old, gone, fresh),
    });
  };
};
