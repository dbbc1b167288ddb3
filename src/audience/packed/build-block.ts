import { type Code, codeHead } from '../index/dictionary.ts';
import { setBit } from './bits.ts';
import { type Block, denseFrom, packBlock, type Sections } from './block.ts';
import { grown } from './growing.ts';

const wordsOfBits = 2_048;
/** Values closer together than this are counted instead of sorted. */
const countedRange = 8_192;

export type BlockBuilder = {
  /** Adds a person, whose code lies in `words` from `start` on; `low` must be above those before. */
  add(low: number, words: Code, start: number): void;
  /** The block of everybody added; the builder is empty again. `sets` and `fields`: how many numbers have been given. */
  pack(sets: number, fields: number): Block;
};

/** Places where each number's entries begin, after a counting sort. */
const startsOf = (numbers: ArrayLike<number>, length: number, count: number): Uint32Array => {
  const starts = new Uint32Array(count + 1);
  for (let at = 0; at < length; at++)
    starts[(numbers[at] as number) + 1] = (starts[(numbers[at] as number) + 1] as number) + 1;
  for (let at = 0; at < count; at++) starts[at + 1] = (starts[at + 1] as number) + (starts[at] as number);
  return starts;
};

type Entries = { numbers: Uint32Array; lows: Uint16Array; length: number };

const sortSets = (
  { numbers, lows, length }: Entries,
  sets: number,
): Pick<Sections, 'setStarts' | 'lows' | 'denseIds' | 'dense'> => {
  const counted = startsOf(numbers, length, sets);
  const setStarts = new Uint32Array(sets + 1);
  const denseIds: number[] = [];
  const place = new Int32Array(sets);
  for (let set = 0; set < sets; set++) {
    const size = (counted[set + 1] as number) - (counted[set] as number);
    const isDense = size >= denseFrom;
    place[set] = isDense ? -1 - denseIds.length : (setStarts[set] as number);
    if (isDense) denseIds.push(set);
    setStarts[set + 1] = (setStarts[set] as number) + (isDense ? 0 : size);
  }
  const dense = new Int32Array(denseIds.length * wordsOfBits);
  const bits = denseIds.map((_, at) => dense.subarray(at * wordsOfBits, (at + 1) * wordsOfBits));
  const sorted = new Uint16Array(setStarts[sets] as number);
  for (let at = 0; at < length; at++) {
    const set = numbers[at] as number;
    const to = place[set] as number;
    if (to < 0) setBit(bits[-1 - to] as Int32Array, lows[at] as number);
    else {
      sorted[to] = lows[at] as number;
      place[set] = to + 1;
    }
  }
  return { setStarts, lows: sorted, denseIds: Uint32Array.from(denseIds), dense };
};

/** The order of `values` (of `from` … `to`), equal ones as they stand. */
const orderOf = (values: Int32Array, from: number, to: number): Uint32Array => {
  let [least, greatest] = [values[from] as number, values[from] as number];
  for (let at = from; at < to; at++) {
    const value = values[at] as number;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const order = new Uint32Array(to - from);
  if (greatest - least >= countedRange) {
    for (let at = 0; at < order.length; at++) order[at] = from + at;
    return order.sort((a, b) => (values[a] as number) - (values[b] as number) || a - b);
  }
  const places = new Uint32Array(greatest - least + 2);
  for (let at = from; at < to; at++) {
    const next = (values[at] as number) - least + 1;
    places[next] = (places[next] as number) + 1;
  }
  for (let at = 1; at < places.length; at++) places[at] = (places[at] as number) + (places[at - 1] as number);
  for (let at = from; at < to; at++) {
    const rank = (values[at] as number) - least;
    order[places[rank] as number] = at;
    places[rank] = (places[rank] as number) + 1;
  }
  return order;
};

type Ranked = Pick<Sections, 'fieldStarts' | 'runValues' | 'runEnds' | 'rankedLows'>;

const sortRanked = (entries: Entries, values: Int32Array, fields: number): Ranked => {
  const { numbers, lows, length } = entries;
  const starts = startsOf(numbers, length, fields);
  const place = starts.slice();
  const [byField, people] = [new Int32Array(length), new Uint16Array(length)];
  for (let at = 0; at < length; at++) {
    const to = place[numbers[at] as number] as number;
    place[numbers[at] as number] = to + 1;
    byField[to] = values[at] as number;
    people[to] = lows[at] as number;
  }
  const fieldStarts = new Uint32Array(fields + 1);
  let runValues = new Int32Array(1_024);
  let runEnds = new Uint32Array(1_024);
  const rankedLows = new Uint16Array(length);
  let [runs, written] = [0, 0];
  for (let field = 0; field < fields; field++) {
    const [from, to] = [starts[field] as number, starts[field + 1] as number];
    const first = runs;
    for (const at of from < to ? orderOf(byField, from, to) : []) {
      const value = byField[at] as number;
      if (runs === first || runValues[runs - 1] !== value) {
        runValues = grown(runValues, runs + 1);
        runEnds = grown(runEnds, runs + 1);
        runValues[runs++] = value;
      }
      rankedLows[written++] = people[at] as number;
      runEnds[runs - 1] = written;
    }
    fieldStarts[field + 1] = runs;
  }
  return { fieldStarts, runValues: runValues.subarray(0, runs), runEnds: runEnds.subarray(0, runs), rankedLows };
};

const sortFollows = ({ numbers, lows, length }: Entries): Pick<Sections, 'followNos' | 'followLows'> => {
  // one number each: follows have fewer than 2^37 numbers
  const keys = new Float64Array(length);
  for (let at = 0; at < length; at++) keys[at] = (numbers[at] as number) * 65_536 + (lows[at] as number);
  keys.sort();
  const followNos = new Uint32Array(length);
  const followLows = new Uint16Array(length);
  for (let at = 0; at < length; at++) {
    followNos[at] = Math.floor((keys[at] as number) / 65_536);
    followLows[at] = (keys[at] as number) % 65_536;
  }
  return { followNos, followLows };
};

const makeEntries = () => {
  const entries = {
    numbers: new Uint32Array(1_024),
    lows: new Uint16Array(1_024),
    length: 0,
    put: (number: number, low: number): void => {
      if (entries.length === entries.numbers.length) {
        entries.numbers = grown(entries.numbers, entries.length + 1);
        entries.lows = grown(entries.lows, entries.numbers.length);
      }
      entries.numbers[entries.length] = number;
      entries.lows[entries.length++] = low;
    },
  };
  return entries;
};

/** Turns people's codes into a block: the facts of each person become the people of each fact. */
export const makeBlockBuilder = (): BlockBuilder => {
  const [sets, ranked, follows] = [makeEntries(), makeEntries(), makeEntries()];
  let values = new Int32Array(1_024);
  const rank = (field: number, value: number, low: number): void => {
    if (ranked.length === values.length) values = grown(values, ranked.length + 1);
    values[ranked.length] = value;
    ranked.put(field, low);
  };
  return {
    add: (low, words, start) => {
      const firstRanked = start + codeHead + (words[start] as number);
      const firstFollow = firstRanked + (words[start + 1] as number);
      const end = firstFollow + (words[start + 2] as number);
      for (let at = start + codeHead; at < firstRanked; at++) sets.put(words[at] as number, low);
      for (let at = firstRanked; at < firstFollow; at += 2) rank(words[at] as number, words[at + 1] as number, low);
      for (let at = firstFollow; at < end; at++) follows.put(words[at] as number, low);
    },
    pack: (setCount, fieldCount) => {
      const block = packBlock({
        ...sortSets(sets, setCount),
        ...sortRanked(ranked, values, fieldCount),
        ...sortFollows(follows),
      });
      sets.length = ranked.length = follows.length = 0;
      return block;
    },
  };
};
