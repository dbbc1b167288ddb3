import type { BrowsingEvent } from '../browsing/browsing-event.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { ChannelName } from '../subscriptions/follow.ts';

/** One interest in words. `weight` 0 … 1; `because` is a sentence, `evidence` up to three more, the strongest first. */
export type InterestView = { topic: string; title: string; weight: number; because: string; evidence: string[] };

/** When and how a person tends to react: the local hour 0 … 23 and the channel of most reactions, null while there are none. */
export type Habits = {
  lastActiveAt: number | null;
  preferredHour: number | null;
  preferredChannel: ChannelName | null;
};

/** What may be concluded about people, and how they see, correct and delete it. `id` is a subscriber's public id. */
export type ProfileService = {
  /** Stores events with their effect on the profiles; answers whose were taken (people without consent are left out). */
  absorb(events: BrowsingEvent[]): Promise<Set<number>>;
  /** The interests that are not next to nothing, strongest first. Empty for an unknown person. */
  interestsOf(id: string, locale: Locale): Promise<InterestView[]>;
  habitsOf(id: string): Promise<Habits>;
  /** Deletes one interest: it stays away until they act on the topic again. Deleting what is not there changes nothing. */
  deleteInterest(id: string, topic: string): Promise<void>;
  /** Forgets everything concluded about a person, the events behind it and the browsers that are tied to them. */
  forget(id: string): Promise<void>;
};
