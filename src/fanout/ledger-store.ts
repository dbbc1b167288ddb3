import type { ChannelName } from '../subscriptions/follow.ts';
import type { Counts, DeliveryKey, DeliveryState, Lane } from './push.ts';

/** Whom a notice is for and of what: one person, one item version. Owned by one push. */
export type NoticeKey = { item: string; version: number; ordinal: number };
export const noticeClasses = ['suggestion', 'must', 'emergency'] as const;
export type NoticeClass = (typeof noticeClasses)[number];

/** The batch under which a worker writes, and its token: a write under a lease that was lost throws `LeaseLost`. */
export type Lease = { batch: string; token: string };

/** The lease is somebody else's by now; whoever gets this stops and writes nothing more under it. */
export class LeaseLost extends Error {
  constructor(batch: string) {
    super(`the lease on batch ${batch} is lost`);
    this.name = 'LeaseLost';
  }
}

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
  /** When a deferred or digested row is due again; null otherwise (also while a batch has gathered it). */
  dueAt: number | null;
  at: number;
  /** Public id of the message that leaves or left for this row; known once the channel is chosen. */
  message: string | null;
  /**
   * The batch that has the row in its hands: it is `sending` under it (only its holder may send it again after a crash), or
   * `deferred` or `digested` without `dueAt` because it was gathered into it. Null otherwise.
   */
  holder: string | null;
};

/**
 * A change of one row, guarded: it happens only while the row is in one of `from`. `to.channel` moves a row from null to a
 * channel. A row that is neither `sending` nor `deferred` or `digested` without `dueAt` afterwards has no holder any more.
 */
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
  /** Which wording and template version it was made with. */
  template: string;
  createdAt: number;
  attempts: Attempt[];
  /** What it was sent for, by push and places of its sources: once its rows are folded, else left out. */
  kept?: { push: string; reasons: number[] }[];
  /** Of a digest: the batch that it is in flight under or has left under; no other may send it. Null for other messages. */
  holder: string | null;
};

/** A delivery row's key once it has a channel. */
type RowKey = DeliveryKey & { channel: ChannelName };

/** A row about to leave, and the message it leaves as. */
export type Departure = {
  key: RowKey;
  notice: NoticeKey;
  message: string;
  template: string;
  revision: number;
  /** It follows another message of its push: it may leave although the notice is told, if that push has told it. */
  again?: boolean;
};

/**
 * What became of a departure: the row's new state; what was sent, delivered or bounced tells the notice. A `failed` row may
 * have a successor on the next usable channel (`next`); without one the notice is released. That of a `sent` row is the message
 * that follows it.
 */
export type Outcome = {
  key: RowKey;
  notice: NoticeKey;
  message: string;
  attempt: Attempt;
  to: {
    state: 'sent' | 'failed' | 'deferred' | 'digested' | 'delivered' | 'bounced';
    code: string | null;
    dueAt: number | null;
    attempts: number;
  };
  next: Delivery | null;
};

/** What a dispatcher wants of one batch in one turn: outcomes to record, then slots to take. */
export type Turn = { lease: Lease; outcomes: Outcome[]; departures: Departure[] };

/**
 * A place among the suggestions that one person gets on a local day (2026-06-10) of an ISO week (2026-W24). `of` names what
 * takes it (a push; a digest's message), which takes one place a week however often it asks.
 */
export type CapSlot = { ordinal: number; of: string; day: string; week: string };
/** How many places a person has. */
export type CapLimits = { day: number; week: number };

/**
 * The ledger: notices, deliveries and messages. Every write may be repeated after a crash with the same result, and none
 * moves a row that is not where the caller says. Rows that change outside their own planned batch mark that batch dirty.
 */
export type LedgerStore = {
  /**
   * Takes each notice for `push` or says who has it, in the order asked. A higher class takes over a pending notice of a
   * lower; the loser's open rows become `withheld: taken-over`.
   */
  takeNotices(
    lease: Lease,
    push: string,
    wanted: (NoticeKey & { class: NoticeClass })[],
    at: number,
  ): Promise<NoticeTaken[]>;
  /** Lets go of pending notices that `push` owns; others, those in flight too, are left alone. */
  releaseNotices(push: string, keys: NoticeKey[]): Promise<void>;
  /** Everybody told one of the versions 1 … `upTo` of an item, ascending, with the channel first used. */
  toldOf(item: string, upTo: number): Promise<{ ordinal: number; channel: ChannelName }[]>;
  /** Whether anybody was told one of the versions 1 … `upTo` of an item, or a message about one is in flight. */
  hasReached(item: string, upTo: number): Promise<boolean>;
  /**
   * A merge: what `from` was told, `to` was told. Repeating it changes nothing. Pending notices stay: their rows ask for the
   * heir's when they are settled. Answers how many of `from` are in flight; a repetition passes on what they come to.
   */
  moveNotices(from: number, to: number): Promise<number>;

  /**
   * Takes each place unless the person's day or week is full, by one conditional write each; answers in the order asked
   * whether it is theirs now (also when it was before), or which limit refused it.
   */
  takeSlots(slots: CapSlot[], limits: CapLimits): Promise<('taken' | 'day' | 'week')[]>;
  /** Gives places back whose message was withheld; unknown ones are left out. */
  giveBackSlots(slots: Pick<CapSlot, 'ordinal' | 'of' | 'week'>[]): Promise<void>;
  /** Forgets the places of weeks before `week`. */
  forgetSlots(week: string): Promise<void>;

  /** Inserts rows whose key (push, ordinal, channel) is free; others are left as they are. */
  insertDeliveries(lease: Lease, rows: Delivery[]): Promise<void>;
  /** The rows of these people in a push (every channel), by ordinal. */
  deliveriesOf(push: string, ordinals: number[]): Promise<Delivery[]>;
  /** The rows of these keys; unknown ones are left out. */
  deliveries(keys: DeliveryKey[]): Promise<Delivery[]>;
  /** Applies each change whose row is where it says; answers for each whether it was. */
  changeDeliveries(lease: Lease, changes: DeliveryChange[]): Promise<boolean[]>;

  /**
   * Takes a send slot for each departure, durably, in one go: its row -> sending (from `planned`, from `deferred` if this
   * batch gathered it, or it is `sending` under this very batch: a resumed one), its notice pending -> sending if owned by
   * the row's push (one in flight already serves only the resumed row), its message stored. Answers which may go; the others
   * must not be sent. Rows of a digest (their message's id says so) go from `digested`, and only under the batch that made the
   * digest first, unless that has let it go (`settle`): a digest leaves once, whoever composes it.
   */
  depart(lease: Lease, departures: Departure[], at: number): Promise<boolean[]>;
  /**
   * Records outcomes, durably, in one go: the message's attempt, the notice, the row out of `sending`. A row that is no
   * longer `sending` keeps its state, its attempt is kept. Recording the same attempt twice changes nothing. A digest whose
   * outcome tells nobody is let go.
   */
  settle(lease: Lease, outcomes: Outcome[]): Promise<void>;
  /**
   * One turn of a dispatcher: `settle`, then `depart`, for each lease, durably and where the engine can in one write. Answers
   * for each which of its departures may go, or null where the lease is lost: none of them may.
   */
  exchange(turns: Turn[], at: number): Promise<(boolean[] | null)[]>;

  /** One message by its id, or null. */
  message(id: string): Promise<Message | null>;
  /** The messages of these ids; unknown ones are left out. */
  messages(ids: string[]): Promise<Message[]>;
  /**
   * A provider's receipt for a sent message: its row -> `delivered` or `bounced`; false if the message is unknown or past it.
   * While the message is in flight it is kept with it, and its outcome is judged by it (`outcomeAfter`). Null: it tells of one
   * address of several, and only the attempt is kept with the message.
   */
  receipt(message: string, to: 'delivered' | 'bounced' | null, attempt: Attempt): Promise<boolean>;
  /** The rows that left or leave as one digest, by push. */
  rowsOfDigest(message: string): Promise<Delivery[]>;
  /** The message whose attempt a provider knows by this reference, or null. */
  messageByReference(provider: string, reference: string): Promise<Message | null>;

  /** Counts of these people in a push from its rows, by best state; people without a row count as planned. */
  count(push: string, ordinals: number[]): Promise<Counts>;
  /** Rows of a push by (ordinal, channel) for reading, by opaque cursor. */
  page(
    push: string,
    state: DeliveryState | null,
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: Delivery[]; next: string | null }>;
  /** Rows of one person, newest push first. */
  ofPerson(ordinal: number, limit: number): Promise<Delivery[]>;
  /**
   * Moves up to `limit` rows that are due (deferred, dueAt <= now, of pushes that are neither paused nor cancelled)
   * into a new batch `id` of one lane, the most urgent that has any; the batch holds them (`holder`), as `deferred`, and a row is
   * held by one batch at most. Null when nothing is due. `id` is new at every call.
   */
  gatherDue(id: string, now: number, limit: number): Promise<{ lane: Lane; rows: number } | null>;
  /**
   * Moves the rows that wait for a digest and are due (digested, dueAt <= now) into a new batch `id` of the lane `digest`: those
   * of the people whose rows are due first, about `limit` rows, and of each of them every row. The batch holds them as `digested`;
   * whether their pushes are paused or cancelled is for whoever composes the digest. Null when nothing is due.
   */
  gatherDigests(id: string, now: number, limit: number): Promise<{ rows: number } | null>;
  /**
   * Makes the rows of these people due at once that wait for the moment of a daily or weekly digest, still to come: it is another
   * now, and each is judged anew. Rows that wait for anything else, and gathered ones, stay as they are. Answers how many.
   */
  hastenDigests(ordinals: number[], now: number): Promise<number>;
  /** Ends every row of a push that is planned, deferred or digested, and releases its pending notices; answers how many people. */
  endOpen(push: string, to: 'cancelled' | 'withheld', code: string, at: number): Promise<number>;
  /**
   * Makes failed rows due again: of a push, of messages, or (both given) of those messages of that push; answers how many.
   * Cancelled pushes keep theirs.
   */
  redrive(which: { push?: string; messages?: string[] }, at: number): Promise<number>;
};
