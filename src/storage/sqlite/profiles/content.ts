import { type BrowsingEvent, eventKinds } from '../../../browsing/browsing-event.ts';
import { levelOf } from '../../../profiles/interest.ts';
import { type Evidence, emptyProfile, type Interest, type Profile } from '../../../profiles/profile.ts';

/** What is stored as JSON: lists in a fixed order, half the size of objects. Kinds are places in their list of words. */
type StoredEvidence = [kind: number, at: number, item: string | null, query: string | null];
type StoredInterest = [sum: number, since: number, counts: number[], evidence: StoredEvidence[]];
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

export const storeInterest = ({ sum, since, counts, evidence }: Interest): string => {
  const stored: StoredInterest = [
    sum,
    since,
    eventKinds.map((kind) => counts[kind] ?? 0),
    evidence.map(({ kind, at, item, query }) => [eventKinds.indexOf(kind), at, item, query]),
  ];
  return JSON.stringify(stored);
};

export const readInterest = (content: unknown): Interest => {
  const [sum, since, counted, evidence] = content as StoredInterest;
  const counts: Interest['counts'] = {};
  for (const [place, count] of counted.entries()) if (count > 0) counts[kindAt(place)] = count;
  return {
    sum,
    since,
    counts,
    evidence: evidence.map(([kind, at, item, query]) => ({ kind: kindAt(kind), at, item, query })),
  };
};

export const storeHabits = ({ lastActiveAt, cleared, hours, reactions }: Omit<Profile, 'interests'>): string => {
  const stored: StoredHabits = [lastActiveAt, cleared, hours.some((count) => count > 0) ? hours : [], reactions];
  return JSON.stringify(stored);
};

export const readHabits = (content: unknown): Omit<Profile, 'interests'> => {
  const [lastActiveAt, cleared, hours, reactions] = content as StoredHabits;
  return { lastActiveAt, cleared, hours: hours.length > 0 ? hours : emptyProfile.hours, reactions };
};

/**
 * What the audience index reads, after a change of some interests: "topic number,level,…" by topic number. A topic that has
 * no number (`numbers`: by slug) or no level stands nowhere.
 */
export const changeLevels = (
  levels: string,
  changed: [slug: string, sum: number][],
  numbers: ReadonlyMap<string, number>,
): string => {
  const list = levels === '' ? [] : levels.split(',');
  for (const [slug, sum] of changed) {
    const [no, level] = [numbers.get(slug), levelOf(sum)];
    if (no === undefined) continue;
    let at = 0;
    while (at < list.length && Number(list[at]) < no) at += 2;
    const there = Number(list[at]) === no ? 2 : 0;
    list.splice(at, there, ...(level === null ? [] : [String(no), String(level)]));
  }
  return list.join(',');
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
