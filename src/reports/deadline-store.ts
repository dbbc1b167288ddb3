import type { Day } from '../calendar/working-day.ts';
import type { ItemState } from '../publishing/item.ts';

/** A public item as far as the time limit of publication is concerned: formed on a day, published first at a moment (ms) or not yet. */
export type FormedItem = {
  id: string;
  title: string;
  formedOn: Day;
  state: ItemState;
  publishedAt: number | null;
  writer: string;
  departments: string[];
};

/** What the report of time limits reads, and which warnings were given. */
export type DeadlineStore = {
  /** Public items formed from one day to another, both ends in, by (day, id); `unpublished`: only those never published. */
  formed(from: Day, to: Day, options: { unpublished: boolean; limit: number }): Promise<FormedItem[]>;
  /** Those of these keys under which no warning was given. */
  unwarned(keys: string[]): Promise<string[]>;
  /** Warnings were given under these keys. */
  warned(keys: string[], at: number): Promise<void>;
};
