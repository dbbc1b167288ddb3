import { regionWithAncestors } from '../../catalogue/region.ts';
import { anchor, facets } from '../../subscriptions/follow.ts';
import { anchorsOfItem, type ItemFacts } from '../../subscriptions/matching.ts';
import type { NumberedFollow } from '../audience-store.ts';
import { grown } from '../packed/growing.ts';

/** A distinct follow that an item matches. */
export type MatchedFollow = { no: number; key: string; source: string };

/** All distinct follows in memory: an item finds those that match it without asking the store. */
export type FollowTable = ReturnType<typeof makeFollowTable>;

/** What an item holds, by numbers of values, and what was found out about regions. */
type Question = { facts: ItemFacts; held: Set<number>; regions: Map<number, boolean> };

/** A definition is written as numbers: what it is, then lists (how many, then numbers of values). */
const [topicKind, itemKind, searchKind] = [0, 1, 2];
const modes = ['all', 'any'] as const;

/** Numbers of what follows name: `topics:housing`, `keywords:water`. */
const makeValues = () => {
  const numbers = new Map<string, number>();
  const names: string[] = [];
  let textBytes = 0;
  return {
    add: (name: string): number => {
      const known = numbers.get(name);
      if (known !== undefined) return known;
      numbers.set(name, names.length);
      textBytes += name.length;
      return names.push(name) - 1;
    },
    find: (name: string): number | undefined => numbers.get(name),
    /** The value alone: `US-CA` of `regions:US-CA`. */
    valueAt: (no: number): string => (names[no] ?? '').slice((names[no] ?? '').indexOf(':') + 1),
    /** Roughly: two places in a table, and the text. */
    bytes: () => textBytes + names.length * 80,
  };
};

export const makeFollowTable = () => {
  const values = makeValues();
  let words = new Int32Array(1_024);
  let length = 0;
  /** Where a follow's definition begins, by number; 0 where there is none. */
  let starts = new Uint32Array(1_024);
  const keys: string[] = [];
  const sources: string[] = [];
  const topics = new Map<string, number[]>();
  // anchors to follows, as chains
  let heads = new Int32Array(1_024).fill(-1);
  let chain = new Int32Array(2_048);
  let chained = 0;
  let last = 0;
  let textBytes = 0;

  const write = (word: number): void => {
    words = grown(words, length + 1);
    words[length++] = word;
  };
  const writeList = (names: readonly string[]): void => {
    write(names.length);
    for (const name of names) write(values.add(name));
  };
  const tie = (name: string, no: number): void => {
    const value = values.add(name);
    heads = grown(heads, value + 1, -1);
    chain = grown(chain, chained + 2);
    chain[chained] = no;
    chain[chained + 1] = heads[value] as number;
    heads[value] = chained;
    chained += 2;
  };

  const addOne = ({ no, key, source, target, regions, anchors }: NumberedFollow): void => {
    if (length === 0) write(-1);
    starts = grown(starts, no + 1);
    starts[no] = length;
    keys[no] = key;
    sources[no] = source;
    textBytes += 56 + key.length + source.length;
    if ('topic' in target) {
      write(topicKind);
      writeList([anchor('topics', target.topic)]);
      topics.set(target.topic, [...(topics.get(target.topic) ?? []), no]);
    } else if ('item' in target) {
      write(itemKind);
      writeList([anchor('item', target.item)]);
    } else {
      write(searchKind);
      for (const mode of modes) {
        const asked = facets.filter((facet) => target.search[mode]?.[facet] !== undefined);
        write(asked.length);
        for (const facet of asked) writeList((target.search[mode]?.[facet] ?? []).map((value) => anchor(facet, value)));
      }
    }
    writeList((regions ?? []).map((code) => anchor('regions', code)));
    for (const name of anchors) tie(name, no);
    last = Math.max(last, no);
  };

  const regionHolds = ({ facts, held, regions }: Question, value: number): boolean => {
    if (held.has(value)) return true;
    const known = regions.get(value);
    if (known !== undefined) return known;
    const outer = regionWithAncestors(facts.regionParents, values.valueAt(value));
    const holds = outer.some((code) => facts.regions.includes(code));
    regions.set(value, holds);
    return holds;
  };

  /** The rules of followMatches (matching.ts) over numbers; that a follow was found by an anchor says nothing yet. */
  const matches = (no: number, question: Question): boolean => {
    const { held, facts } = question;
    let at = (starts[no] as number) + 1;
    const listHolds = (every: boolean): boolean => {
      const end = at + 1 + (words[at] as number);
      let holds = every;
      for (at += 1; at < end; at++) if (held.has(words[at] as number) !== every) holds = !every;
      return holds;
    };
    let holds = true;
    if (words[at - 1] === searchKind) {
      for (const mode of modes) {
        const lists = words[at++] as number;
        for (let list = 0; list < lists; list++) holds = listHolds(mode === 'all') && holds;
      }
    } else holds = listHolds(true);
    const regionCount = words[at++] as number;
    if (!holds || regionCount === 0 || facts.regions.length === 0) return holds;
    for (const end = at + regionCount; at < end; at++) if (regionHolds(question, words[at] as number)) return true;
    return false;
  };

  return {
    add: (follows: readonly NumberedFollow[]): void => follows.forEach(addOne),
    /** The largest number that is in; a store gives them ascending. */
    last: () => last,
    has: (no: number): boolean => (starts[no] ?? 0) !== 0,
    isTopic: (no: number): boolean => (starts[no] ?? 0) !== 0 && words[starts[no] as number] === topicKind,
    /** The follows of a topic itself, within whatever regions. */
    ofTopic: (slug: string): readonly number[] => topics.get(slug) ?? [],
    /** The follows that an item matches, by number ascending. */
    match: (facts: ItemFacts): MatchedFollow[] => {
      const named = anchorsOfItem(facts).flatMap((name) => values.find(name) ?? []);
      const question: Question = { facts, held: new Set(named), regions: new Map() };
      const candidates = new Set<number>();
      for (const value of named)
        for (let at = heads[value] ?? -1; at >= 0; at = chain[at + 1] as number) candidates.add(chain[at] as number);
      return [...candidates]
        .filter((no) => matches(no, question))
        .sort((a, b) => a - b)
        .map((no) => ({ no, key: keys[no] ?? '', source: sources[no] ?? '' }));
    },
    bytes: (): number =>
      values.bytes() + textBytes + [words, starts, heads, chain].reduce((sum, { byteLength }) => sum + byteLength, 0),
  };
};
