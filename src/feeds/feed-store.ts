/**
 * What the WebSub hub has been told: `known` are stamps of the newest public items as of the last look, `owed` the feeds it
 * must still hear of, since `since` (ms), after `attempts` that failed, next at `dueAt` (ms).
 */
export type HubState = { known: string[]; owed: string[]; attempts: number; since: number; dueAt: number };

/** What feeds keep beside the items. */
export type FeedStore = {
  /** What was kept last; null before the first time. */
  hubState(): Promise<HubState | null>;
  /** Keeps it in place of what was there. */
  keepHubState(state: HubState): Promise<void>;
};
