import type { Attempt, Delivery, Departure, NoticeKey, Outcome } from '../../src/fanout/ledger-store.ts';
import { type Batch, type Push, planBatchId } from '../../src/fanout/push.ts';

export const at = Date.parse('2026-03-01T08:30:00.123Z');

export const makePush = (fields: Partial<Push> = {}): Push => ({
  id: 'push-1',
  item: 'item-住房',
  version: 1,
  lane: 'at-once',
  state: 'running',
  audience: { kind: 'match' },
  channels: null,
  note: null,
  plan: null,
  matched: 0,
  bySource: [],
  createdAt: at,
  plannedAt: null,
  finishedAt: null,
  ...fields,
});

export const makeBatch = (fields: Partial<Batch> = {}): Batch => ({
  id: planBatchId(fields.push ?? 'push-1', 0),
  kind: 'plan',
  push: 'push-1',
  lane: 'at-once',
  ordinals: [1, 2, 3],
  rows: [],
  ...fields,
});

export const makeDelivery = (fields: Partial<Delivery> = {}): Delivery => ({
  push: 'push-1',
  ordinal: 1,
  channel: 'email',
  state: 'planned',
  code: null,
  reasons: [0],
  noticeClass: 'must',
  revision: 0,
  attempts: 0,
  dueAt: null,
  at,
  message: null,
  holder: null,
  ...fields,
});

export const makeNotice = (fields: Partial<NoticeKey> = {}): NoticeKey => ({
  item: 'item-住房',
  version: 1,
  ordinal: 1,
  ...fields,
});

/** A departure of one person's row of `push-1`; its message is named after the row. */
export const makeDeparture = (ordinal: number, fields: Partial<Departure> = {}): Departure => ({
  key: { push: 'push-1', ordinal, channel: 'email' },
  notice: makeNotice({ ordinal }),
  message: `message-${fields.key?.push ?? 'push-1'}-${ordinal}-${fields.key?.channel ?? 'email'}`,
  template: 'publication',
  revision: 0,
  ...fields,
});

export const makeAttempt = (fields: Partial<Attempt> = {}): Attempt => ({
  at: at + 1_500,
  provider: 'smtp-1',
  ok: true,
  response: '250 2.0.0 已接收 – queued',
  reference: null,
  ...fields,
});

/** What became of a departure; `sent` unless said otherwise. */
export const makeOutcome = (departure: Departure, fields: Partial<Outcome> = {}): Outcome => ({
  key: departure.key,
  notice: departure.notice,
  message: departure.message,
  attempt: makeAttempt(),
  to: { state: 'sent', code: null, dueAt: null, attempts: 1 },
  next: null,
  ...fields,
});

export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);
