import type { ChannelName } from '../subscriptions/follow.ts';
import type { PushAudience } from './push.ts';

/**
 * **order**: a targeted push that waits for its time `at` (ms); whom it reaches is found then. Its id is the push's. `by`: the staff
 * account that gave it. `failed`: the code of the error for which it could not start, null while it waits.
 */
export type PushOrder = {
  id: string;
  item: string;
  audience: PushAudience;
  channels: ChannelName[] | null;
  note: string;
  by: string;
  at: number;
  failed: string | null;
};

/** Targeted pushes that are to start later. */
export type PushOrderStore = {
  /** Keeps an order unless its id is there; answers the one that stands. */
  insert(order: PushOrder): Promise<PushOrder>;
  get(id: string): Promise<PushOrder | null>;
  /** Orders that wait or failed, the earliest first. */
  list(limit: number): Promise<PushOrder[]>;
  /** Orders that wait for `now` or an earlier time, the earliest first. */
  due(now: number, limit: number): Promise<PushOrder[]>;
  /** Keeps why an order could not start; an unknown id does nothing. */
  fail(id: string, code: string): Promise<void>;
  /** Answers whether it was there. */
  remove(id: string): Promise<boolean>;
};
