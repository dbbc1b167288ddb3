import type { FailureKind } from './bounces/diagnosis.ts';

/** One thing that came back about an address, which its look-up names. */
export type Returned = {
  /** Made of the message and the look-up (or of the notice, where no message is known), so that it is counted once. */
  id: string;
  lookup: string;
  /** `stop`: a text message that asks to stop; `lifted`: an operator lifted the suppression, and nothing sent before counts. */
  kind: FailureKind | 'complaint' | 'stop' | 'lifted';
  reason: string;
  status: string | null;
  message: string | null;
  at: number;
};

/** What came back, by address; kept as long as it counts. */
export type ReturnStore = {
  /** Keeps it; one of a known id is left as it is. False if it was known. */
  record(returned: Returned): Promise<boolean>;
  /** How many of a kind came back about a look-up since then. */
  count(lookup: string, kind: Returned['kind'], since: number): Promise<number>;
  /** What came back about a look-up, newest first, 50 at most. */
  ofLookup(lookup: string): Promise<Returned[]>;
  /** Forgets what came back about a look-up: its count begins anew. */
  forget(lookup: string): Promise<void>;
  /** Forgets what came back before then. */
  forgetBefore(at: number): Promise<void>;
};
