import type { Cells, Dimension, Measures } from './counters.ts';

/** What one planned or late batch counts. It belongs to the day of its push (2026-06-10, in the office's time zone). */
type Part = { batch: string; day: string; cells: Cells };

/** A planned or late batch that is to be counted: its people, ascending. `mark` is to be handed back with what they count. */
export type DueBatch = { batch: string; push: string; ordinals: number[]; mark: number };

/** What reports know of a person: as they are now, after merges (`heir`), and nothing of whoever was erased. */
export type PersonGroup = {
  ordinal: number;
  heir: number;
  region: string | null;
  locale: string | null;
  birthYear: number | null;
};

/** Since when a browser is tied to a person (null: none is), and what they viewed. */
export type Views = { ordinal: number; tiedAt: number | null; viewed: { item: string | null; topics: string[] }[] };

/**
 * How far feedback has been followed, and when everything that was due had been counted last. `revision` grows with every
 * change of a sum. Times in ms.
 */
export type Progress = { followedTo: number; countedAt: number | null; revision: number };

/**
 * The read models of reports: counters that are *set* from the rows of a batch, sums of days that are set from the counters
 * of their batches, and sums of months that are set from those of days, so that every write may be repeated.
 */
export type ReportStore = {
  /** These batches are to be counted at `dueAt`, or before if they were to be already. */
  soil(batches: string[], dueAt: number): Promise<void>;
  /** The same for the batches that these people of a push belong to. */
  soilPeople(push: string, ordinals: number[], dueAt: number): Promise<void>;
  /** Batches that are to be counted by now, the longest due first; unknown ones are left out. */
  due(now: number, limit: number): Promise<DueBatch[]>;
  /** Sets what a batch counts; its day and month are stale. Unless it was soiled since, it is counted again at `again`, or not (null). */
  setPart(part: Part, mark: number, again: number | null): Promise<void>;
  /** What a batch counts stays as it is: unless it was soiled since, it is not counted again. */
  leave(batch: string, mark: number): Promise<void>;

  /** Days and months (2026-06) whose sums are behind their parts, days before months. */
  staleSpans(limit: number): Promise<{ span: string; mark: number }[]>;
  /** The parts of a day by batch, those after `after`. */
  partsOf(day: string, after: string | null, limit: number): Promise<Part[]>;
  /** Sets the sums of a day or month; it is not stale any more unless a part was set since. */
  setSums(span: string, cells: Cells, mark: number): Promise<void>;
  /**
   * The sums of one dimension, of each day (or, where `from` and `to` are months, each month) from one to another, both ends
   * in, ascending; those that counted nothing are left out.
   */
  sums(dimension: Dimension, from: string, to: string): Promise<{ span: string; cells: Record<string, Measures> }[]>;
  /** Sets how many messages were first seen opened on a day. */
  setOpens(day: string, opens: number): Promise<void>;
  /** The sum of those from one day to another, both ends in. */
  opens(from: string, to: string): Promise<number>;

  /** These people; unknown ones are left out. */
  people(ordinals: number[]): Promise<PersonGroup[]>;
  /** What these people viewed in from <= at < to; those who are tied to no browser and viewed nothing are left out. */
  views(ordinals: number[], from: number, to: number): Promise<Views[]>;

  progress(): Promise<Progress>;
  setProgress(progress: Progress): Promise<void>;
};
