import type { IndexedPerson } from '../audience-store.ts';
import { grown } from '../packed/growing.ts';

/**
 * **code** of a person: all that the index knows of them, as words: how many sets, ranked words and follows there are, then
 * the numbers of the sets, the pairs of a field's number and a value, and the numbers of the follows that are not of a topic.
 */
export type Code = Int32Array;
export const codeHead = 3;

export type AttributeValue = string | number;

/** Everybody is in it. */
export const everybody = 0;
/** They agreed to be suggested what they did not ask for. */
export const consented = 1;
/** They have a verified address that is not suppressed. */
export const reachable = 2;
/** They told a region. */
export const regionTold = 3;
/** They told the year of their birth, as a number. */
export const bornTold = 4;
const fixedSets = 5;

/** Years of birth and days of last activity are asked for by range; so are interests, each topic a field of its own. */
export const birthYear = 0;
export const activeDay = 1;
const fixedFields = 2;

/** The ends of what a run's value can be: what lies beyond is kept as the end, and by itself as a set (see `attributeIs`). */
const most = 2 ** 31 - 1;
export const clampedValue = (value: number): number => Math.max(-most, Math.min(most, Math.trunc(value)));

/** As a dictionary is kept in a snapshot. */
export type StoredDictionary = {
  sets: number;
  fields: number;
  regions: [string, number][];
  languages: [string, number][];
  channels: [string, number][];
  told: [string, number][];
  attributes: [name: string, value: AttributeValue, no: number][];
  follows: [number, number][];
  interests: [number, number][];
};

/** Words to numbers, given as they first come up and never taken back. A question for what has none finds `undefined`. */
export type Dictionary = ReturnType<typeof makeDictionary>;

const noneStored: StoredDictionary = {
  sets: fixedSets,
  fields: fixedFields,
  regions: [],
  languages: [],
  channels: [],
  told: [],
  attributes: [],
  follows: [],
  interests: [],
};

const nested = (entries: StoredDictionary['attributes']): Map<string, Map<AttributeValue, number>> => {
  const names = new Map<string, Map<AttributeValue, number>>();
  for (const [name, value, no] of entries) {
    const values = names.get(name) ?? new Map<AttributeValue, number>();
    names.set(name, values.set(value, no));
  }
  return names;
};

/** `isTopic`: whether a follow is of a topic, which many people follow and rules ask for. */
export const makeDictionary = (isTopic: (follow: number) => boolean, stored: StoredDictionary = noneStored) => {
  let { sets, fields } = stored;
  const regions = new Map(stored.regions);
  const languages = new Map(stored.languages);
  const channels = new Map(stored.channels);
  const toldSets = new Map(stored.told);
  const attributes = nested(stored.attributes);
  const follows = new Map(stored.follows);
  const interests = new Map(stored.interests);

  const setOf = <K>(map: Map<K, number>, key: K): number => {
    const known = map.get(key);
    if (known !== undefined) return known;
    map.set(key, sets);
    return sets++;
  };
  const fieldOf = (topic: number): number => {
    const known = interests.get(topic);
    if (known !== undefined) return known;
    interests.set(topic, fields);
    return fields++;
  };
  const valuesOf = (name: string): Map<AttributeValue, number> => {
    const known = attributes.get(name);
    if (known) return known;
    const values = new Map<AttributeValue, number>();
    attributes.set(name, values);
    return values;
  };

  let words: Code = new Int32Array(256);
  let length = 0;
  const few: number[] = [];
  const put = (word: number): void => {
    if (length === words.length) words = grown(words, length + 1);
    words[length++] = word;
  };

  const putAttributes = (told: IndexedPerson['attributes']): void => {
    for (const name in told) {
      const value = told[name];
      if (value === undefined) continue;
      put(setOf(toldSets, name));
      const values = valuesOf(name);
      if (!Array.isArray(value)) put(setOf(values, value));
      else
        for (let at = 0; at < value.length; at++)
          if (value.indexOf(value[at] as string) === at) put(setOf(values, value[at] as string));
      if (name === 'birthYear' && typeof value === 'number') put(bornTold);
    }
  };

  const putSets = (person: IndexedPerson): void => {
    put(everybody);
    if (person.personalisation) put(consented);
    if (person.channels.length > 0) put(reachable);
    if (person.region !== null) {
      put(regionTold);
      put(setOf(regions, person.region));
    }
    put(setOf(languages, person.locale));
    for (const channel of person.channels) put(setOf(channels, channel));
    putAttributes(person.attributes);
    few.length = 0;
    for (const follow of person.follows) {
      if (isTopic(follow)) put(setOf(follows, follow));
      else few.push(follow);
    }
  };

  const putRanked = ({ attributes: told, interests: levels, lastActiveDay }: IndexedPerson): void => {
    if (typeof told.birthYear === 'number') {
      put(birthYear);
      put(clampedValue(told.birthYear));
    }
    for (let at = 0; at + 1 < levels.length; at += 2) {
      put(fieldOf(levels[at] as number));
      put(clampedValue(levels[at + 1] as number));
    }
    if (lastActiveDay === null) return;
    put(activeDay);
    put(clampedValue(lastActiveDay));
  };

  return {
    /** A person's code, until the next is asked for: one place for a million people. */
    encode: (person: IndexedPerson): Code => {
      length = codeHead;
      putSets(person);
      const ranked = length;
      putRanked(person);
      const last = length;
      for (const follow of few) put(follow);
      words[0] = ranked - codeHead;
      words[1] = last - ranked;
      words[2] = length - last;
      return words;
    },
    /** Regions, languages and channels that came up, with their sets: what counts are broken down by. */
    regions: regions as ReadonlyMap<string, number>,
    languages: languages as ReadonlyMap<string, number>,
    channels: channels as ReadonlyMap<string, number>,
    told: (attribute: string): number | undefined => toldSets.get(attribute),
    attributeIs: (attribute: string, value: AttributeValue): number | undefined =>
      attributes.get(attribute)?.get(value),
    /** Every value of an attribute that came up, with its set. */
    attributeValues: (attribute: string): [AttributeValue, number][] => [...(attributes.get(attribute) ?? [])],
    /** Of a follow of a topic. */
    follow: (no: number): number | undefined => follows.get(no),
    interest: (topic: number): number | undefined => interests.get(topic),
    counts: () => ({ sets, fields }),
    store: (): StoredDictionary => ({
      sets,
      fields,
      regions: [...regions],
      languages: [...languages],
      channels: [...channels],
      told: [...toldSets],
      attributes: [...attributes].flatMap(([name, values]) =>
        [...values].map(([value, no]): [string, AttributeValue, number] => [name, value, no]),
      ),
      follows: [...follows],
      interests: [...interests],
    }),
  };
};
