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

/**
 * What the audience index reads, after a change of some interests: "topic number,level,…" by topic number. A topic that has
 * no number (`numbers`: by slug) or no level stands nowhere.
 */
const changeLevels = (
  levels: string,
  changed: [slug: string, sum: number][],
  numbers: ReadonlyMap<string, number>,
): string => {
  const list = levels === '' ? [] : levels.split(',');
  for (const [slug, sum] of changed) {
    const [no, level] = [numbers.get(slug), levelOf(sum)];
    if (no === undefined) continue;
    const name = String(no);
    let at = 0;
    while (at < list.length && list[at] !== name) at += 2;
    const there = at < list.length ? 2 : 0;
    // a new one is seldom: only then numbers are compared
    if (there === 0) for (at = 0; at < list.length && Number(list[at]) < no; ) at += 2;
    list.splice(at, there, ...(level === null ? [] : [name, String(level)]));
  }
  return list.join(',');
};

/**
 * A profile as it lies in the store: levels, habits, then a line "topic<tab>JSON" for each interest. An event changes two or
 * three of somebody's twenty interests: only those are read from their lines, and the other lines stay as they are.
 */
export type StoredProfile = { levels: string; habits: string; interests: Map<string, string> };

export const noProfile = (): StoredProfile => ({ levels: '', habits: storeHabits(emptyProfile), interests: new Map() });

export const openContent = (content: string): StoredProfile => {
  const [levels = '', habits = '', ...lines] = content.split('\n');
  const interests = new Map<string, string>();
  for (const line of lines) {
    const tab = line.indexOf('\t');
    interests.set(line.slice(0, tab), line.slice(tab + 1));
  }
  return { levels, habits, interests };
};

export const closeContent = ({ levels, habits, interests }: StoredProfile): string => {
  let content = `${levels}\n${habits}`;
  for (const [topic, line] of interests) content += `\n${topic}\t${line}`;
  return content;
};

/** The named interests as far as they are there, and all the rest. */
export const readProfile = (stored: StoredProfile, topics: Iterable<string>): Profile => {
  const interests: Profile['interests'] = {};
  for (const topic of topics) {
    const line = stored.interests.get(topic);
    if (line !== undefined) interests[topic] = readInterest(line);
  }
  return { ...readHabits(stored.habits), interests };
};

/** Puts the interests that `profile` holds, and the rest of it, into what is stored; interests that it does not name stay. */
export const putProfile = (
  { levels, interests }: StoredProfile,
  profile: Profile,
  numbers: ReadonlyMap<string, number>,
): StoredProfile => {
  const changed = Object.entries(profile.interests);
  for (const [topic, interest] of changed) interests.set(topic, storeInterest(interest));
  const sums = changed.map(([topic, { sum }]): [string, number] => [topic, sum]);
  return { levels: changeLevels(levels, sums, numbers), habits: storeHabits(profile), interests };
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
