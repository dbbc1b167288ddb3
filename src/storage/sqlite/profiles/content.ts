import { type BrowsingEvent, eventKinds } from '../../../browsing/browsing-event.ts';
import { levelOf } from '../../../profiles/interest.ts';
import { type Evidence, emptyProfile, type Interest, type Profile } from '../../../profiles/profile.ts';

/**
 * Profiles and events as they are stored: JSON lists in a fixed order, a third of the size of objects, because a profile is
 * read and written with every batch of events. Kinds are places in their list of words.
 */
type StoredEvidence = [kind: number, at: number, share: number, item: string | null, query: string | null];
type StoredInterest = [topic: string, sum: number, since: number, counts: number[], evidence: StoredEvidence[]];
type StoredProfile = [
  interests: StoredInterest[],
  cleared: [string, number][],
  lastActiveAt: number | null,
  hours: number[],
  reactions: [string, number][],
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

const storeInterest = ([topic, { sum, since, counts, evidence }]: [string, Interest]): StoredInterest => [
  topic,
  sum,
  since,
  eventKinds.map((kind) => counts[kind] ?? 0),
  evidence.map(({ kind, at, share, item, query }) => [eventKinds.indexOf(kind), at, share, item, query]),
];

const readInterest = ([topic, sum, since, counts, evidence]: StoredInterest): [string, Interest] => [
  topic,
  {
    sum,
    since,
    counts: Object.fromEntries(counts.flatMap((count, place) => (count > 0 ? [[kindAt(place), count]] : []))),
    evidence: evidence.map(([kind, at, share, item, query]) => ({ kind: kindAt(kind), at, share, item, query })),
  },
];

export const storeProfile = ({ interests, cleared, lastActiveAt, hours, reactions }: Profile): string => {
  const stored: StoredProfile = [
    Object.entries(interests).map(storeInterest),
    Object.entries(cleared),
    lastActiveAt,
    hours.some((count) => count > 0) ? hours : [],
    Object.entries(reactions),
  ];
  return JSON.stringify(stored);
};

export const readProfile = (content: unknown): Profile => {
  const [interests, cleared, lastActiveAt, hours, reactions] = content as StoredProfile;
  return {
    interests: Object.fromEntries(interests.map(readInterest)),
    cleared: Object.fromEntries(cleared),
    lastActiveAt,
    hours: hours.length > 0 ? hours : emptyProfile.hours,
    reactions: Object.fromEntries(reactions),
  };
};

/** What the audience index reads: "topic number,level,…" by topic number. `numbers`: every topic's number by slug. */
export const storeLevels = ({ interests }: Profile, numbers: ReadonlyMap<string, number>): string => {
  const pairs: [number, number][] = [];
  for (const [topic, { sum }] of Object.entries(interests)) {
    const [no, level] = [numbers.get(topic), levelOf(sum)];
    if (no !== undefined && level !== null) pairs.push([no, level]);
  }
  return pairs.sort(([a], [b]) => a - b).join(',');
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
