import type { ChannelName } from '../subscriptions/follow.ts';

/**
 * **person facts**: all that a rule may know of a person. What they did not tell is null or absent (api: unknown).
 * `topics`: slugs of the topics that they follow, within whatever regions; `channels`: those with a verified address that is
 * not suppressed; `interests`: level by topic slug (interest.ts), topics without a positive sum left out; `lastActiveDay`:
 * days since 1970 UTC.
 */
export type PersonFacts = {
  ordinal: number;
  region: string | null;
  locale: string;
  attributes: Record<string, string | string[] | number>;
  personalisation: boolean;
  channels: ChannelName[];
  topics: string[];
  interests: Record<string, number>;
  lastActiveDay: number | null;
};
