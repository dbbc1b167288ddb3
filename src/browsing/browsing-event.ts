import type { ChannelName } from '../subscriptions/follow.ts';

/** What somebody did with public information; each says how much it speaks for an interest (design D4). */
export const eventKinds = ['view', 'click', 'search', 'download', 'useful', 'not-for-me'] as const;
export type EventKind = (typeof eventKinds)[number];

export const eventWeights: Readonly<Record<EventKind, number>> = {
  view: 1,
  click: 2,
  search: 2,
  download: 3,
  useful: 4,
  'not-for-me': -8,
};

/**
 * **browsing event**: one thing that one person did, with the topics that it speaks for (the item's, the named one, or those
 * that a search's words found). `item` is the item's id, `query` what was searched. `at` in ms.
 */
export type BrowsingEvent = {
  ordinal: number;
  kind: EventKind;
  at: number;
  item: string | null;
  query: string | null;
  /** Slugs of the topics themselves, without those above them. */
  topics: string[];
  /** Of a reaction (click, useful): the hour of the day where the person lives, and the channel of the message. */
  hour: number | null;
  channel: ChannelName | null;
};
