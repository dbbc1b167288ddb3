import type { ChannelName } from '../subscriptions/follow.ts';
import type { Counts, DeliveryKey, DeliveryState, Lane } from './push.ts';

/** Whom a notice is for and of what: one person, one item version. Owned by one push. */
export type NoticeKey = { item: string; version: number; ordinal: number };
export const noticeClasses = ['suggestion', 'must', 'emergency'] as const;
export type NoticeClass = (typeof noticeClasses)[number];
export type NoticeState = 'pending' | 'sending' | 'told';

/**
 * What taking a notice came to: it is this push's now (`own`, also when it was before), `told` already (by whatever push,
 * this one too), or `held` by another push's pending or sending notice of equal or higher class. `over` names the push that lost it.
 */
export type NoticeTaken =
  | { outcome: 'own'; over: string | null }
  | { outcome: 'told' }
  | { outcome: 'held'; by: string };

/** A ledger row. Reasons are indexes into the push's sources; `code` says why it is deferred, withheld or failed. */
export type Delivery = DeliveryKey & {
  state: DeliveryState;
  code: string | null;
  reasons: number[];
  noticeClass: NoticeClass;
  /** Item revision that was or will be sent. */
  revision: number;
  attempts: number;
  /** When a deferred or digested row is due again; null otherwise. */
  dueAt: number | null;
  at: number;
  /** Public message id once there is a message. */
  message: string | null;
};

/** A change of one row, guarded: it happens only while the row is in one of `from`. `to.channel` moves a row from null to a channel. */
export type DeliveryChange = {
  key: DeliveryKey;
  from: DeliveryState[];
  to: Partial<
    Pick<Delivery, 'state' | 'code' | 'reasons' | 'noticeClass' | 'revision' | 'attempts' | 'dueAt' | 'channel'>
  > & { at: number };
};

/** One attempt of a message, as its proof. */
export type Attempt = {
  at: number;
  provider: string;
  ok: boolean;
  /** The provider's words, or the reason of a failure. */
  response: string;
  reference: string | null;
};

/** **message**: what leaves once to one person over one channel. */
export type Message = {
  id: string;
  kind: 'delivery' | 'digest';
  push: string | null;
  ordinal: number;
  channel: ChannelName;
  template: string;
  createdAt: number;
  attempts: Attempt[];
};

/** A row about to leave, and the message it leaves as. */
export type Departure = {
  key: DeliveryKey & { channel: ChannelName };
  notice: NoticeKey;
  message: string;
  template: string;
  revision: number;
};

/** What became of a departure. `next`: the row's new state; a `sent` tells the notice. */
export type Outcome = {
  key: DeliveryKey & { channel: ChannelName };
  notice: NoticeKey;
  message: string;
  attempt: Attempt;
  to: {
    state: 'sent' | 'failed' | 'deferred' | 'delivered';
    code: string | null;
    dueAt: number | null;
    attempts: number;
  };
};

/**
 * The ledger: notices, deliveries and messages. Every write may be repeated after a crash with the same result, and none
 * moves a row that is not where the caller says.
 */
export type LedgerStore = {
  /** Takes each notice for `push` or says who has it (NoticeTaken), in the order asked; a higher class takes over a pending one of a lower. */
  takeNotices(push: string, wanted: (NoticeKey & { class: NoticeClass })[]): Promise<NoticeTaken[]>;
  /** Lets go of notices that `push` owns and that are not told; others are left alone. */
  releaseNotices(push: string, keys: NoticeKey[]): Promise<void>;
  /** Everybody told one of the versions 1 … `upTo` of an item, ascending, with the channel first used. */
  toldOf(item: string, upTo: number): Promise<{ ordinal: number; channel: ChannelName }[]>;
  /** A merge: what `from` was told, `to` was told; their pending notices go. Repeating it changes nothing. */
  moveNotices(from: number, to: number): Promise<void>;

  /** Inserts rows whose key (push, ordinal, channel) is free; others are left as they are. */
  insertDeliveries(rows: Delivery[]): Promise<void>;
  /** The rows of these people in a push (every channel), by ordinal. */
  deliveriesOf(push: string, ordinals: number[]): Promise<Delivery[]>;
  /** The rows of these keys; unknown ones are left out. */
  deliveries(keys: DeliveryKey[]): Promise<Delivery[]>;
  /** Applies each change whose row is where it says; answers for each whether it was. */
  changeDeliveries(changes: DeliveryChange[]): Promise<boolean[]>;

  /**
   * Takes a send slot for each departure, durably, in one go: its row planned|deferred -> sending (or it is `sending` under
   * the caller's own batch: a resumed one), its notice -> sending if owned by the row's push, its message stored. Answers
   * which may go; the others must not be sent.
   */
  depart(departures: Departure[], at: number): Promise<boolean[]>;
  /** Records outcomes, durably, in one go: message attempt, notice told, row out of `sending`. A row no longer `sending` keeps its state, its attempt is kept. */
  settle(outcomes: Outcome[]): Promise<void>;

  message(id: string): Promise<Message | null>;
  /** Messages by their rows' keys, those that exist. */
  messages(ids: string[]): Promise<Message[]>;
  /** A provider's receipt for a sent message: `delivered` or `bounced`; false if the message is unknown or past it. */
  receipt(message: string, to: 'delivered' | 'bounced', attempt: Attempt): Promise<boolean>;
  /** The message whose attempt a provider knows by this reference, or null. */
  messageByReference(provider: string, reference: string): Promise<Message | null>;

  /** Counts of people in a batch from its own rows, by best state; people without a row count as planned. */
  count(push: string, ordinals: number[]): Promise<Counts>;
  /** Rows of a push in (state, ordinal) order for reading, by opaque cursor. */
  page(
    push: string,
    state: DeliveryState | null,
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: Delivery[]; next: string | null }>;
  /** Rows of one person, newest first. */
  ofPerson(ordinal: number, limit: number): Promise<Delivery[]>;
  /**
   * Moves up to `limit` rows that are due (deferred with dueAt <= now, of pushes that are not paused) into a new batch `id` of
   * one lane, the most urgent first; a row lies in at most one open gathered batch. Answers how many rows were gathered.
   */
  gatherDue(id: string, now: number, limit: number): Promise<{ lane: Lane; rows: number } | null>;
  /** Ends every row of a push that is not settled or sending: state and code; answers the ordinals it changed. */
  endOpen(push: string, to: 'cancelled' | 'withheld', code: string, at: number, limit: number): Promise<number[]>;
  /** Makes failed rows due again: of a push, or by message ids; answers how many. */
  redrive(which: { push?: string; messages?: string[] }, at: number): Promise<number>;
};
