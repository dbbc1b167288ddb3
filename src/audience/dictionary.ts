import type { IndexedPerson } from './audience-store.ts';

/**
 * **code** of a person: all that the index knows of them, in numbers. `sets`: facts that hold, by their numbers; `ranked`:
 * pairs of a field's number and a value; `follows`: numbers of the follows that are not of a topic.
 */
export type PersonCode = { sets: number[]; ranked: number[]; follows: number[] };

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
  const told = new Map(stored.told);
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

  const encodeAttributes = (person: IndexedPerson, { sets: into, ranked }: PersonCode): void => {
    for (const name in person.attributes) {
      const value = person.attributes[name];
      if (value === undefined) continue;
      into.push(setOf(told, name));
      const values = valuesOf(name);
      if (Array.isArray(value)) for (const one of new Set(value)) into.push(setOf(values, one));
      else into.push(setOf(values, value));
      if (name !== 'birthYear' || typeof value !== 'number') continue;
      into.push(bornTold);
      ranked.push(birthYear, clampedValue(value));
    }
  };

  return {
    /** Writes a person's code into `code`, which is emptied first: one object for a million people. */
    encode: (person: IndexedPerson, code: PersonCode): void => {
      const { sets: into, ranked, follows: few } = code;
      into.length = ranked.length = few.length = 0;
      into.push(everybody);
      if (person.personalisation) into.push(consented);
      if (person.channels.length > 0) into.push(reachable);
      if (person.region !== null) into.push(regionTold, setOf(regions, person.region));
      into.push(setOf(languages, person.locale));
      for (const channel of person.channels) into.push(setOf(channels, channel));
      encodeAttributes(person, code);
      for (const follow of person.follows) {
        if (isTopic(follow)) into.push(setOf(follows, follow));
        else few.push(follow);
      }
      for (let at = 0; at + 1 < person.interests.length; at += 2)
        ranked.push(fieldOf(person.interests[at] as number), clampedValue(person.interests[at + 1] as number));
      if (person.lastActiveDay !== null) ranked.push(activeDay, clampedValue(person.lastActiveDay));
    },
    /** Regions, languages and channels that came up, with their sets: what counts are broken down by. */
    regions: regions as ReadonlyMap<string, number>,
    languages: languages as ReadonlyMap<string, number>,
    channels: channels as ReadonlyMap<string, number>,
    told: (attribute: string): number | undefined => told.get(attribute),
    attributeIs: (attribute: string, value: AttributeValue): number | undefined =>
      attributes.get(attribute)?.get(value),
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
      told: [...told],
      attributes: [...attributes].flatMap(([name, values]) =>
        [...values].map(([value, no]): [string, AttributeValue, number] => [name, value, no]),
      ),
      follows: [...follows],
      interests: [...interests],
    }),
  };
};
