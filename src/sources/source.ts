import { createHash } from 'node:crypto';

/** What a poll can come to when it brings nothing, each in words of its own. */
export const sourceFaults = [
  'private',
  'unreachable',
  'tls',
  'timeout',
  'too-large',
  'encoded',
  'redirects',
  'busy',
  'gone',
  'status',
  'not-a-feed',
  'unreadable',
  'unknown-topic',
] as const;
export type SourceFault = (typeof sourceFaults)[number];

/** What staff say of a source's entries; `departments`, `language` and `regions` are what these get. */
export type SourceHandling = {
  topics: string[];
  /** Its items belong to these; none: to the whole office. */
  departments: string[];
  /** Of entries that name no language; null: they stay without one. */
  language: string | null;
  /** Of entries that name no region. */
  regions: string[];
  everyMinutes: number;
  /** What comes goes to review, or without review to the public; else it stays a draft. */
  publish: boolean;
  /** What is published is told to people. */
  notify: boolean;
};

/** Its address stays: items know by it which source brought them. */
export type SourceSettings = SourceHandling & { url: string };

/** What the last poll came to; `detail` is the server's or the reader's own word on a fault. */
export type SourceResult =
  | { kind: 'read'; created: number; updated: number; unchanged: number; failed: number; errors: EntryError[] }
  | { kind: 'same' }
  | { kind: 'fault'; fault: SourceFault; detail: string };

type EntryError = { entry: number; id: string | null; message: string };

/** **source**: a feed (RSS, Atom, CAP) of another office that is polled, its entries becoming items. Times in ms. */
export type Source = SourceSettings & {
  id: string;
  /** The member of staff who added it: its items are theirs, so that somebody else has to approve them. */
  addedBy: string;
  paused: boolean;
  /** By these a server says that nothing has changed (RFC 9110 section 13.1). */
  etag: string | null;
  lastModified: string | null;
  polledAt: number | null;
  result: SourceResult | null;
  /** Faults in a row. */
  faults: number;
  dueAt: number;
  createdAt: number;
};

/** The part of a source that a poll changes. */
export type AfterPoll = Pick<Source, 'paused' | 'etag' | 'lastModified' | 'polledAt' | 'result' | 'faults' | 'dueAt'>;

/** What a poll came to, with what the server sent to be asked by the next time; `retryAfterMs` where it asked for a pause. */
export type PollOutcome = {
  result: SourceResult;
  etag?: string | null;
  lastModified?: string | null;
  retryAfterMs?: number | undefined;
};

const minuteMs = 60_000;
const longestPauseMs = 86_400_000;
/** How far a poll may be put off by the server itself. */
const longestAskedMs = 7 * 86_400_000;
/** How many faulty entries are kept with a result. */
export const mostErrors = 5;

/** The same address has the same id: a source that is removed and added again goes on with the items that it brought. */
export const sourceIdOf = (url: string): string =>
  createHash('sha256').update(`source\u0000${url}`).digest('base64url').slice(0, 22);

/**
 * What becomes of a source that was polled: the next poll is an interval later (a tenth of it more at most, so that sources do not
 * gather), after faults in a row twice as long each time, up to a day, and never before the server's Retry-After. A source that is
 * gone (410) is paused. What the server said about its version is kept only of what was read without a fault.
 */
export const afterPoll = (source: Source, outcome: PollOutcome, now: number, random: number): AfterPoll => {
  const { result } = outcome;
  const interval = source.everyMinutes * minuteMs;
  const jitter = 1 + random / 10;
  const common = { paused: source.paused, polledAt: now, result };
  const kept = { etag: source.etag, lastModified: source.lastModified };
  if (result.kind === 'fault') {
    const faults = source.faults + 1;
    const backoff = Math.max(interval, Math.min(interval * 2 ** Math.min(faults - 1, 20), longestPauseMs)) * jitter;
    const asked = Math.min(outcome.retryAfterMs ?? 0, longestAskedMs);
    const dueAt = Math.ceil(now + Math.max(backoff, asked));
    return { ...common, ...kept, paused: source.paused || result.fault === 'gone', faults, dueAt };
  }
  const whole = result.kind === 'same' || result.failed === 0;
  const validators =
    result.kind === 'same'
      ? { etag: outcome.etag ?? kept.etag, lastModified: outcome.lastModified ?? kept.lastModified }
      : { etag: outcome.etag ?? null, lastModified: outcome.lastModified ?? null };
  const nothing = { etag: null, lastModified: null };
  return {
    ...common,
    ...(whole ? validators : nothing),
    faults: 0,
    dueAt: Math.ceil(now + interval * jitter),
  };
};
