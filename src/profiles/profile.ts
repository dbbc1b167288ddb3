import type { EventKind } from '../browsing/browsing-event.ts';

/** One thing that speaks for an interest, kept to say why: the strongest three stay, with the topic itself that they were about. */
export type Evidence = { kind: EventKind; at: number; item: string | null; query: string | null };

/**
 * **interest** in one topic. `sum` is S of design D4: Σ w·2^((at − epoch)/30 days), unclipped, so it changes only when an event
 * arrives. `counts` and `since` say how much was done since when. `corrected`: when the person last said themselves how strong it is.
 */
export type Interest = {
  sum: number;
  counts: Partial<Record<EventKind, number>>;
  since: number;
  evidence: Evidence[];
  corrected?: number;
};

/**
 * **profile**: what may be concluded about one person from what they did. It is the truth, and outlives the raw events.
 * `cleared`: topics whose interest the person deleted, with the time; what happened until then counts no more. `hours`:
 * reactions by local hour of the day (24 counts); `reactions`: by channel. Times in ms.
 */
export type Profile = {
  interests: Record<string, Interest>;
  cleared: Record<string, number>;
  lastActiveAt: number | null;
  hours: number[];
  reactions: Record<string, number>;
};

const hoursInADay = 24;

/** The index of the largest count, the first of equal ones; null where nothing was counted. */
export const mostOf = (counts: readonly number[]): number | null => {
  const most = Math.max(0, ...counts);
  return most === 0 ? null : counts.indexOf(most);
};

export const emptyProfile: Profile = {
  interests: {},
  cleared: {},
  lastActiveAt: null,
  hours: new Array<number>(hoursInADay).fill(0),
  reactions: {},
};
