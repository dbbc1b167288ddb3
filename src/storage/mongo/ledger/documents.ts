import type { mongo } from 'mongoose';
import {
  type Attempt,
  type Delivery,
  type Message,
  type NoticeClass,
  type NoticeKey,
  noticeClasses,
} from '../../../fanout/ledger-store.ts';
import { type DeliveryKey, type DeliveryState, deliveryStates, rankOf } from '../../../fanout/push.ts';
import { type ChannelName, channelNames } from '../../../subscriptions/follow.ts';

export const noticeStates = { pending: 0, sending: 1, told: 2 } as const;

/** `row` is the delivery that is leaving or has left with it; `over` a push that lost it whose rows are still to be withheld. */
export type NoticeDocument = NoticeKey & {
  _id: string;
  owner: string;
  class: number;
  state: number;
  channel: ChannelName | null;
  row: string | null;
  over: string | null;
};

/**
 * A ledger row. `state`, `channel` and `class` are numbers, so that they compare and sort as the words rank. A gathered row
 * keeps `dueAt` beside its `holder`: if it is let go by a crash, it is due again. `pushedAt` and `lane` are its push's.
 */
export type DeliveryDocument = {
  _id: string;
  push: string;
  ordinal: number;
  channel: number;
  state: number;
  code: string | null;
  reasons: number[];
  class: number;
  revision: number;
  attempts: number;
  dueAt: number | null;
  at: number;
  message: string | null;
  holder: string | null;
  heldAt: number | null;
  /** Token of the lease under which it is in flight. */
  token: string | null;
  /** The last change, so that whoever made it can tell. */
  change: string | null;
  pushedAt: number;
  lane: number;
};

/** `receipt`: the state that a provider's receipt gave while the message was in flight. */
export type MessageDocument = Omit<Message, 'id'> & {
  _id: string;
  provider: string | null;
  reference: string | null;
  receipt: number | null;
  /** Of a digest: the ids of its rows. */
  rows?: string[];
};

/** What took places of a person in a week (`_id` is week and ordinal), all and by local day. */
export type CapDocument = { _id: string; names: string[]; days: Record<string, string[]> };

export const openStates: readonly DeliveryState[] = ['planned', 'deferred', 'digested'];
export const ranks = (states: readonly DeliveryState[]): number[] => states.map(rankOf);

const channelCode = (channel: ChannelName | null): number => (channel === null ? 0 : channelNames.indexOf(channel) + 1);
const channelAt = (code: number): ChannelName | null => channelNames[code - 1] ?? null;

/** Ids are made of what must be unique; the part that may hold anything comes last, so that no two keys read alike. */
export const noticeId = ({ item, version, ordinal }: NoticeKey): string => `${version}:${ordinal}:${item}`;
export const rowId = ({ push, ordinal, channel }: DeliveryKey): string => `${ordinal}:${channelCode(channel)}:${push}`;

export const toDelivery = (found: DeliveryDocument): Delivery => {
  const gathered = ranks(['deferred', 'digested']).includes(found.state) && found.holder !== null;
  return {
    push: found.push,
    ordinal: found.ordinal,
    channel: channelAt(found.channel),
    state: deliveryStates[found.state] as DeliveryState,
    code: found.code,
    reasons: found.reasons,
    noticeClass: noticeClasses[found.class] as NoticeClass,
    revision: found.revision,
    attempts: found.attempts,
    dueAt: gathered ? null : found.dueAt,
    at: found.at,
    message: found.message,
    holder: found.holder,
  };
};

export const toKey = (found: Pick<DeliveryDocument, 'push' | 'ordinal' | 'channel'>): DeliveryKey => ({
  push: found.push,
  ordinal: found.ordinal,
  channel: channelAt(found.channel),
});

export const toDocument = (row: Delivery, push: { createdAt: number; lane: number }): DeliveryDocument => ({
  _id: rowId(row),
  push: row.push,
  ordinal: row.ordinal,
  channel: channelCode(row.channel),
  state: rankOf(row.state),
  code: row.code,
  reasons: row.reasons,
  class: noticeClasses.indexOf(row.noticeClass),
  revision: row.revision,
  attempts: row.attempts,
  dueAt: row.dueAt,
  at: row.at,
  message: row.message,
  holder: row.holder,
  heldAt: null,
  token: null,
  change: null,
  pushedAt: push.createdAt,
  lane: push.lane,
});

/** Fields in one order, because MongoDB compares documents with it: the same attempt is the same element of a set. */
export const plainAttempt = ({ at, provider, ok, response, reference }: Attempt): Attempt => ({
  at,
  provider,
  ok,
  response,
  reference,
});

export const toMessage = (found: MessageDocument): Message => ({
  id: found._id,
  kind: found.kind,
  push: found.push,
  ordinal: found.ordinal,
  channel: found.channel,
  template: found.template,
  createdAt: found.createdAt,
  attempts: found.attempts.map(plainAttempt),
  holder: found.holder ?? null,
  ...(found.kept ? { kept: found.kept.map(({ push, reasons }) => ({ push, reasons })) } : {}),
});

export const ledgerCollections = (db: mongo.Db) => ({
  notices: db.collection<NoticeDocument>('notices'),
  deliveries: db.collection<DeliveryDocument>('deliveries'),
  messages: db.collection<MessageDocument>('messages'),
  caps: db.collection<CapDocument>('cap_slots'),
});
