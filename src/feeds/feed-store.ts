/**
 * What the WebSub hub has been told: `known` are stamps of the newest public items as of the last look, `owed` the feeds it
 * must still hear of, since `since` (ms), after `attempts` that failed, next at `dueAt` (ms).
 */
export type HubState = { known: string[]; owed: string[]; attempts: number; since: number; dueAt: number };

/** A feed that was asked for: its path with its query, and the values of which every item in it holds at least one (anchors of follows). */
export type AskedFeed = { path: string; anchors: readonly string[] };

/** What feeds keep beside the items. */
export type FeedStore = {
  /** What was kept last; null before the first time. */
  hubState(): Promise<HubState | null>;
  /** Keeps it in place of what was there. */
  keepHubState(state: HubState): Promise<void>;
  /**
   * Keeps that a feed was asked for at `at` (ms). Those that were last asked for before `since` are forgotten, and of the others all but the
   * `most` that were asked for last.
   */
  noteAsked(feed: AskedFeed, at: number, keep: { most: number; since: number }): Promise<void>;
  /** The paths of feeds that hold one of the anchors and were asked for at `since` or later. */
  askedByAnchors(anchors: readonly string[], since: number): Promise<string[]>;
};
