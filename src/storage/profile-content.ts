import { type BrowsingEvent, eventKinds } from '../browsing/browsing-event.ts';
import { levelOf } from '../profiles/interest.ts';
import { type Evidence, emptyProfile, type Interest, type Profile } from '../profiles/profile.ts';

/** What is stored as JSON: lists in a fixed order, half the size of objects, on one line. Kinds are places in their list of words. */
type StoredEvidence = [kind: number, at: number, item: string | null, query: string | null];
type StoredInterest = [sum: number, since: number, counts: number[], evidence: StoredEvidence[], corrected?: number];
type StoredHabits = [
  lastActiveAt: number | null,
  cleared: Profile['cleared'],
  hours: number[],
  reactions: Profile['reactions'],
];
type StoredEvent = [
  kind: number,
  item: string | null,
  query: string | null,
  topics: string[],
  hour: number | null,
  channel: BrowsingEvent['channel'],
];

const kindAt = (place: number): Evidence['kind'] => eventKinds[place] ?? 'view';

const storeInterest = ({ sum, since, counts, evidence, corrected }: Interest): string => {
  const stored: StoredInterest = [
    sum,
    since,
    eventKinds.map((kind) => counts[kind] ?? 0),
    evidence.map(({ kind, at, item, query }) => [eventKinds.indexOf(kind), at, item, query]),
    ...((corrected === undefined ? [] : [corrected]) as [number?]),
  ];
  return JSON.stringify(stored);
};

const readInterest = (content: string): Interest => {
  const [sum, since, counted, evidence, corrected] = JSON.parse(content) as StoredInterest;
  const counts: Interest['counts'] = {};
  for (const [place, count] of counted.entries()) if (count > 0) counts[kindAt(place)] = count;
  return {
    sum,
    since,
    counts,
    evidence: evidence.map(([kind, at, item, query]) => ({ kind: kindAt(kind), at, item, query })),
    ...(corrected === undefined ? {} : { corrected }),
  };
};

const storeHabits = ({ lastActiveAt, cleared, hours, reactions }: Omit<Profile, 'interests'>): string => {
  const stored: StoredHabits = [lastActiveAt, cleared, hours.some((count) => count > 0) ? hours : [], reactions];
  return JSON.stringify(stored);
};

const readHabits = (content: string): Omit<Profile, 'interests'> => {
  const [lastActiveAt, cleared, hours, reactions] = JSON.parse(content) as StoredHabits;
  return { lastActiveAt, cleared, hours: hours.length > 0 ? hours : emptyProfile.hours, reactions };
};

const comma = 44;
const zero = 48;

/** Where in "number,level,number,level," the pair of a topic stands; where it belongs, with nothing between, if it does not. */
const pairOf = (pairs: string, no: number): { start: number; end: number } => {
  let end = 0;
  while (end < pairs.length) {
    const start = end;
    let there = 0;
    for (let code = pairs.charCodeAt(end); code !== comma; code = pairs.charCodeAt(++end))
      there = there * 10 + code - zero;
    if (there > no) return { start, end: start };
    const next = pairs.indexOf(',', end + 1);
    end = next < 0 ? pairs.length : next + 1;
    if (there === no) return { start, end };
  }
  return { start: end, end };
};

/**
 * What the audience index reads, after a change of some interests: "topic number,level,…" by topic number. A topic that has
 * no number (`numbers`: by slug) or no level stands nowhere.
 */
const changeLevels = (
  levels: string,
  changed: [slug: string, sum: number][],
  numbers: ReadonlyMap<string, number>,
): string => {
  let pairs = levels === '' ? '' : `${levels},`;
  for (const [slug, sum] of changed) {
    const [no, level] = [numbers.get(slug), levelOf(sum)];
    if (no === undefined) continue;
    const { start, end } = pairOf(pairs, no);
    pairs = pairs.slice(0, start) + (level === null ? '' : `${no},${level},`) + pairs.slice(end);
  }
  return pairs.slice(0, -1);
};

/**
 * A profile as it lies in the store: levels, habits, then a line "topic<tab>JSON" for each interest. An event changes two or
 * three of somebody's twenty interests: those are looked for in the text of all lines, and the others are never taken apart.
 */
export type StoredProfile = { levels: string; habits: string; interests: string };

export const noProfile = (): StoredProfile => ({ levels: '', habits: storeHabits(emptyProfile), interests: '' });

export const openContent = (content: string): StoredProfile => {
  const first = content.indexOf('\n');
  const second = content.indexOf('\n', first + 1);
  const end = second < 0 ? content.length : second;
  return { levels: content.slice(0, first), habits: content.slice(first + 1, end), interests: content.slice(end) };
};

export const closeContent = ({ levels, habits, interests }: StoredProfile): string =>
  `${levels}\n${habits}${interests}`;

/** Where the line of a topic lies, with the break before it, and its JSON begins; JSON and slugs hold neither tab nor break. */
const lineOf = (interests: string, topic: string): { start: number; json: number; end: number } | null => {
  const head = `\n${topic}\t`;
  const start = interests.indexOf(head);
  if (start < 0) return null;
  const json = start + head.length;
  const next = interests.indexOf('\n', json);
  return { start, json, end: next < 0 ? interests.length : next };
};

/** The named interests as far as they are there, all of them if none is named, and all the rest. */
export const readProfile = (stored: StoredProfile, topics?: readonly string[]): Profile => {
  const interests: Profile['interests'] = {};
  for (const topic of topics ?? []) {
    const line = lineOf(stored.interests, topic);
    if (line) interests[topic] = readInterest(stored.interests.slice(line.json, line.end));
  }
  for (const line of topics ? [] : stored.interests.split('\n').slice(1)) {
    const tab = line.indexOf('\t');
    interests[line.slice(0, tab)] = readInterest(line.slice(tab + 1));
  }
  return { ...readHabits(stored.habits), interests };
};

/** Puts the interests that `profile` holds, and the rest of it, into what is stored; interests that it does not name stay. */
export const putProfile = (
  stored: StoredProfile,
  profile: Profile,
  numbers: ReadonlyMap<string, number>,
): StoredProfile => {
  const changed = Object.entries(profile.interests);
  let { interests } = stored;
  for (const [topic, interest] of changed) {
    const line = `\n${topic}\t${storeInterest(interest)}`;
    // a whole profile is written over none: nothing need be looked for
    const there = stored.interests === '' ? null : lineOf(interests, topic);
    interests = there ? interests.slice(0, there.start) + line + interests.slice(there.end) : interests + line;
  }
  const sums = changed.map(([topic, { sum }]): [string, number] => [topic, sum]);
  return { levels: changeLevels(stored.levels, sums, numbers), habits: storeHabits(profile), interests };
};

export const storeEvent = ({ kind, item, query, topics, hour, channel }: BrowsingEvent): StoredEvent => [
  eventKinds.indexOf(kind),
  item,
  query,
  topics,
  hour,
  channel,
];

export const readEvent = (ordinal: number, at: number, stored: unknown): BrowsingEvent => {
  const [kind, item, query, topics, hour, channel] = stored as StoredEvent;
  return { ordinal, kind: kindAt(kind), at, item, query, topics, hour, channel };
};
