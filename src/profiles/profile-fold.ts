import { type BrowsingEvent, type EventKind, eventWeights } from '../browsing/browsing-event.ts';
import { type ParentOf, withAncestors } from '../catalogue/topic.ts';
import { scaledWeight, sumOf } from './interest.ts';
import { type Evidence, emptyProfile, type Interest, type Profile } from './profile.ts';
import type { Fold } from './profile-store.ts';

/** What the topic above gets of an event's weight. */
const parentShare = 0.5;
const evidencesKept = 3;
/** Reactions to a message tell at which hour and by which channel somebody likes to be reached. */
const reactions: readonly EventKind[] = ['click', 'useful'];

/** Topics that an event speaks for, each with its share: 1, ½ for the topic above, ¼ …; of two ways the larger counts. */
const sharesOf = (topics: readonly string[], parents: ParentOf): Map<string, number> => {
  const shares = new Map<string, number>();
  for (const topic of topics) {
    let share = 1;
    // an event that reached a topic with as much has reached all above it with as much: so a cycle ends too
    for (let at: string | null = topic; at !== null && (shares.get(at) ?? 0) < share; at = parents.get(at) ?? null) {
      shares.set(at, share);
      share *= parentShare;
    }
  }
  return shares;
};

const strengthOf = ({ kind, at }: Evidence): number => scaledWeight(eventWeights[kind], at);

const compareText = (a: string | null, b: string | null): number => {
  if (a === b) return 0;
  return (a ?? '') < (b ?? '') ? -1 : 1;
};

/** A total order, strongest first: whichever way events came, the same three stay. Decay keeps it, so scaled weights will do. */
const compareEvidence = (a: Evidence, b: Evidence): number =>
  strengthOf(b) - strengthOf(a) ||
  b.at - a.at ||
  compareText(a.kind, b.kind) ||
  compareText(a.item, b.item) ||
  compareText(a.query, b.query);

const strongest = (evidence: Evidence[]): Evidence[] => evidence.sort(compareEvidence).slice(0, evidencesKept);

/** A topic may be called `constructor`. */
const own = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

const clearedAt = ({ cleared }: Pick<Profile, 'cleared'>, topic: string): number =>
  own(cleared, topic) ?? Number.NEGATIVE_INFINITY;

/** The later of two corrections; absent where there was none. */
const correctionOf = (a: number | undefined, b: number | undefined): Pick<Interest, 'corrected'> =>
  a === undefined && b === undefined ? {} : { corrected: Math.max(a ?? 0, b ?? 0) };

const addTo = (interest: Interest | undefined, { kind, at, item, query }: BrowsingEvent, share: number): Interest => {
  const weight = eventWeights[kind] * share;
  const evidence = interest?.evidence ?? [];
  return {
    sum: (interest?.sum ?? 0) + scaledWeight(weight, at),
    counts: { ...interest?.counts, [kind]: (interest?.counts[kind] ?? 0) + 1 },
    since: Math.min(interest?.since ?? at, at),
    // what is above a topic borrows its evidence from below (evidenceFor): kept twice, it would be most of a profile
    evidence: weight > 0 && share === 1 ? strongest([...evidence, { kind, at, item, query }]) : evidence,
    ...correctionOf(interest?.corrected, undefined),
  };
};

/**
 * How profiles take in events under a topic tree. Events may come in any order and in any batches: sums are equal but for
 * rounding, all else is equal. What happened up to the time a person deleted an interest counts no more.
 */
export const foldUnder = (parents: ParentOf): Fold => ({
  touches: (events) => [...new Set(events.flatMap(({ topics }) => [...sharesOf(topics, parents).keys()]))],
  apply: (profile, events) => {
    const interests = { ...profile.interests };
    const hours = [...profile.hours];
    const reacted = { ...profile.reactions };
    let lastActiveAt = profile.lastActiveAt;
    for (const event of events) {
      for (const [topic, share] of sharesOf(event.topics, parents))
        if (event.at > clearedAt(profile, topic)) interests[topic] = addTo(own(interests, topic), event, share);
      lastActiveAt = Math.max(lastActiveAt ?? event.at, event.at);
      if (!reactions.includes(event.kind)) continue;
      if (event.hour !== null) hours[event.hour] = (hours[event.hour] ?? 0) + 1;
      if (event.channel !== null) reacted[event.channel] = (reacted[event.channel] ?? 0) + 1;
    }
    return { ...profile, interests, hours, reactions: reacted, lastActiveAt };
  },
});

/** Deletes one interest; `at` (ms): what happened until then counts no more for that topic, even if it is told late. */
export const forgetInterest = (profile: Profile, topic: string, at: number): Profile => {
  const { [topic]: _forgotten, ...interests } = profile.interests;
  return {
    ...profile,
    interests,
    cleared: { ...profile.cleared, [topic]: Math.max(clearedAt(profile, topic), at) },
  };
};

/** Makes an interest as strong as the person says that it is (0 … 1); one that is not there stays away. What comes later adds to it. */
export const correctInterest = (profile: Profile, topic: string, weight: number, at: number): Profile => {
  const interest = own(profile.interests, topic);
  if (!interest) return profile;
  const corrected = { ...interest, sum: sumOf(weight, at), corrected: at };
  return { ...profile, interests: { ...profile.interests, [topic]: corrected } };
};

const addCounts = <K extends string>(a: Partial<Record<K, number>>, b: Partial<Record<K, number>>) => {
  const sum: Partial<Record<K, number>> = { ...a };
  for (const [key, count] of Object.entries(b) as [K, number][]) sum[key] = (sum[key] ?? 0) + count;
  return sum;
};

const addInterests = (a: Interest, b: Interest): Interest => ({
  sum: a.sum + b.sum,
  counts: addCounts(a.counts, b.counts),
  since: Math.min(a.since, b.since),
  evidence: strongest([...a.evidence, ...b.evidence]),
  ...correctionOf(a.corrected, b.corrected),
});

/**
 * The profile of two sign-ups that turn out to be one person: sums and counts add. An interest that the person deleted on one
 * side stays deleted on the other, unless all of it is newer.
 */
export const joinProfiles = (a: Profile, b: Profile): Profile => {
  const cleared = { ...a.cleared };
  for (const [topic, at] of Object.entries(b.cleared)) cleared[topic] = Math.max(clearedAt(a, topic), at);
  const interests: Profile['interests'] = {};
  for (const [topic, interest] of [...Object.entries(a.interests), ...Object.entries(b.interests)]) {
    if (interest.since <= clearedAt({ cleared }, topic)) continue;
    const there = own(interests, topic);
    interests[topic] = there ? addInterests(there, interest) : interest;
  }
  const active = [a.lastActiveAt, b.lastActiveAt].filter((at) => at !== null);
  return {
    interests,
    cleared,
    lastActiveAt: active.length > 0 ? Math.max(...active) : null,
    hours: emptyProfile.hours.map((_, hour) => (a.hours[hour] ?? 0) + (b.hours[hour] ?? 0)),
    reactions: addCounts(a.reactions, b.reactions) as Record<string, number>,
  };
};

/**
 * The strongest evidence for an interest: its own, and that of the topics below, which count less the farther below they
 * are. What happened before the person deleted the interest is no evidence for it.
 */
export const evidenceFor = (profile: Profile, topic: string, parents: ParentOf): Evidence[] => {
  const found = new Map<string, { evidence: Evidence; strength: number }>();
  for (const [below, { evidence }] of Object.entries(profile.interests)) {
    const depth = withAncestors(parents, below).indexOf(topic);
    if (depth < 0) continue;
    for (const one of evidence) {
      const strength = strengthOf(one) * parentShare ** depth;
      const name = JSON.stringify(one);
      if (one.at > clearedAt(profile, topic) && strength > (found.get(name)?.strength ?? 0))
        found.set(name, { evidence: one, strength });
    }
  }
  return [...found.values()]
    .sort((a, b) => b.strength - a.strength || compareEvidence(a.evidence, b.evidence))
    .slice(0, evidencesKept)
    .map(({ evidence }) => evidence);
};
