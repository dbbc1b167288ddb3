import type { BrowsingEvent } from '../browsing/browsing-event.ts';
import type { Profile } from './profile.ts';

/** How a profile takes in what one person did; pure (profile-fold.ts), handed in so that the store can do it in one write. */
export type Fold = {
  /** The topics whose interests these events may change. */
  touches(events: readonly BrowsingEvent[]): string[];
  /** The profile afterwards. Of its interests only those that the events touch need be there, and only they come back. */
  apply(profile: Profile, events: readonly BrowsingEvent[]): Profile;
};

/** How somebody or something is named from outside. */
export type Reference = { id: string } | { externalId: string };

/** How somebody is named inside, too. */
export type PersonReference = Reference | { ordinal: number };

/** Who did something: as they are now, after merges. */
export type Actor = { ordinal: number; timeZone: string | null; personalisation: boolean };

/** Profiles and the raw events behind them. A write to a profile is a change of its person (audience-store.ts, `changes`). */
export type ProfileStore = {
  /**
   * Stores events and folds them into the profiles of their people, in one go: an event is never stored without its effect.
   * People without consent at that moment, merged, erased or unknown ones are left out; answers the ordinals of those that
   * were not.
   */
  absorb(events: BrowsingEvent[], fold: Fold): Promise<Set<number>>;
  /** The profile of a person; null where there is none. */
  profile(ordinal: number): Promise<Profile | null>;
  /** Changes a profile that is there by a pure function, in one go; answers the new one, or null. */
  change(ordinal: number, change: (profile: Profile) => Profile): Promise<Profile | null>;
  /** Forgets profile, events and visitors of a person (personalisation turned off, erasure). */
  forget(ordinal: number): Promise<void>;
  /** The events of a person, newest first. */
  eventsOf(ordinal: number, limit: number): Promise<BrowsingEvent[]>;
  /** Deletes up to `limit` raw events from before then; answers how many. Profiles stay. */
  deleteEventsBefore(before: number, limit: number): Promise<number>;

  /** These people, in their order: null for those unknown or erased; merged ones are answered as who they are now. */
  actors(people: PersonReference[]): Promise<(Actor | null)[]>;
  /** These items with their own topics, in their order: null for what is not public and published (or withdrawn). */
  publicItems(items: Reference[]): Promise<({ id: string; topics: string[] } | null)[]>;

  /** Keywords of the newest public items with their topics, each pair once; at most so many items are looked at. */
  keywords(items: number): Promise<{ keyword: string; topic: string }[]>;

  /**
   * Ties a visitor (HMAC of the browser's token) to a person from `at` on; one visitor has one person, the newest. Tying them
   * again to the same one keeps the first time. Answers false, and ties nothing, without that person's consent.
   */
  tieVisitor(visitor: string, ordinal: number, at: number): Promise<boolean>;
  /** Whom a visitor is tied to, and since when; null for a stranger. */
  visitor(visitor: string): Promise<{ ordinal: number; tiedAt: number } | null>;
  untieVisitor(visitor: string): Promise<void>;
};
