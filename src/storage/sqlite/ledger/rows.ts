import { type Delivery, type Message, type NoticeClass, noticeClasses } from '../../../fanout/ledger-store.ts';
import { type DeliveryState, deliveryStates, rankOf } from '../../../fanout/push.ts';
import { type ChannelName, channelNames } from '../../../subscriptions/follow.ts';
import type { Row } from '../database.ts';

/** States of a row that still has to be decided or sent; `sending` is in flight and ends by its outcome. */
export const openStates: readonly DeliveryState[] = ['planned', 'deferred', 'digested'];

export const noticeStates = { pending: 0, sending: 1, told: 2 } as const;

export const channelCode = (channel: ChannelName | null): number =>
  channel === null ? 0 : channelNames.indexOf(channel) + 1;
export const channelAt = (code: unknown): ChannelName | null => channelNames[Number(code) - 1] ?? null;
export const stateAt = (code: unknown): DeliveryState => deliveryStates[Number(code)] as DeliveryState;

/** State codes as the JSON list that `json_each` reads. */
export const codes = (states: readonly DeliveryState[]): string => JSON.stringify(states.map(rankOf));

/** The keys that a query gathered as one JSON list, named `found`. */
export const foundIn = <T extends string | number>(row: Row | undefined): Set<T> =>
  new Set(JSON.parse(String(row?.found ?? '[]')) as T[]);

export const deliveryOf = (row: Row): Delivery => ({
  push: String(row.push_id),
  ordinal: Number(row.ordinal),
  channel: channelAt(row.channel),
  state: stateAt(row.state),
  code: row.code as string | null,
  reasons: JSON.parse(String(row.reasons)),
  noticeClass: noticeClasses[Number(row.class)] as NoticeClass,
  revision: Number(row.revision),
  attempts: Number(row.attempts),
  dueAt: row.due_at as number | null,
  at: Number(row.at),
  message: row.message as string | null,
  holder: row.holder as string | null,
});

/** A row as `insertDeliveries` reads it; without the push, which is the same for all of a call. */
export const storedRow = (row: Delivery): (string | number | null)[] => [
  row.ordinal,
  channelCode(row.channel),
  rankOf(row.state),
  row.code,
  JSON.stringify(row.reasons),
  noticeClasses.indexOf(row.noticeClass),
  row.revision,
  row.attempts,
  row.dueAt,
  row.at,
  row.message,
  row.holder,
];

/** Groups in the order of their first member. */
export const groupBy = <T>(list: T[], nameOf: (one: T) => string): T[][] => {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const group = groups.get(nameOf(one));
    if (group) group.push(one);
    else groups.set(nameOf(one), [one]);
  }
  return [...groups.values()];
};

export const messageOf = (row: Row): Message => ({
  id: String(row.id),
  kind: row.kind as Message['kind'],
  push: row.push_id as string | null,
  ordinal: Number(row.ordinal),
  channel: channelAt(row.channel) as ChannelName,
  template: String(row.template),
  createdAt: Number(row.created_at),
  attempts: JSON.parse(String(row.attempts)),
  holder: row.holder as string | null,
  ...(row.kept == null ? {} : { kept: JSON.parse(String(row.kept)) as NonNullable<Message['kept']> }),
});
