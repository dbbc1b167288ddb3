import type { Keyring } from '../../keyring.ts';
import { type ChannelName, channelNames } from '../../subscriptions/follow.ts';
import type { Recipient } from '../../subscriptions/subscriber.ts';
import type { Delivery, DeliveryChange, NoticeClass, NoticeKey, Outcome } from '../ledger-store.ts';
import { channelOrder, type Decision, noticeClassOf, type Reason } from '../policy.ts';
import type { LeavingRow } from './dispatcher.ts';
import type { PushContext } from './push-context.ts';
import type { RuleDraw } from './tuned.ts';

/** One row of a person who is to be settled (null: none yet), their other rows of the push, their sources. */
export type Unit = { ordinal: number; row: Delivery | null; others: Delivery[]; sources: number[] };

/** How every row of a push is settled that must not be sent: cancelled, of an old version, or paused (put back for now). */
export type Ending =
  | { kind: 'cancel' }
  | { kind: 'withhold'; code: 'superseded' }
  | { kind: 'defer'; until: number; code: 'paused' };
/** What becomes of a row: the policy's decision, or what the notice or the push says instead. */
export type Verdict =
  | Decision
  | Ending
  | { kind: 'withhold'; code: 'already-told' | 'seen' }
  | {
      kind: 'digest';
      until: number;
      code: 'paused' | 'other-push' | 'quiet-hours' | 'preferred-hour' | 'cap-day' | 'cap-week';
    }
  | { kind: 'defer'; until: number; code: 'other-push' };

/** A unit with the person as they are today, the reasons that hold, the verdict, and the id of what leaves (`send`). */
export type Plan = {
  unit: Unit;
  person: Recipient | null;
  reasons: Reason[];
  decision: Verdict;
  message: string | null;
  /** What tuned rules drew for the person, those that keep them out too; left out where none did. */
  draws?: RuleDraw[];
};

type FlyingRow = Delivery & { channel: ChannelName };

/**
 * Whether this row is the text that follows a web push of the same push (design D6: the only second message): the person was
 * told by that, so that this one needs no notice of its own. Null if it is not.
 */
export const pushBefore = ({ row, others }: Unit): Delivery | null =>
  row?.channel === 'sms'
    ? (others.find((other) => other.channel === 'webPush' && ['sent', 'delivered', 'bounced'].includes(other.state)) ??
      null)
    : null;

/** Whether nothing will be sent for this row any more. */
export const isEnded = ({ decision }: Plan): boolean => decision.kind === 'withhold' || decision.kind === 'cancel';

export const isHeldOut = ({ decision }: Plan): boolean => decision.kind === 'withhold' && decision.code === 'holdout';

/**
 * Where a person falls in [0, 1) for an item: the same for all its rules and versions, and nobody can choose it (design D6).
 * 1, which no holdout reaches, where no rule is among the reasons.
 */
export const drawOf = (keyring: Pick<Keyring, 'mac'>, item: string, person: string, reasons: Reason[]): number =>
  reasons.some((reason) => reason.kind === 'rule')
    ? keyring.mac('holdout', `${item}:${person}`, 6).readUIntBE(0, 6) / 2 ** 48
    : 1;

/** The row whose message was in flight when its worker died: nobody knows whether it arrived. */
export const flyingRow = ({ row }: Unit): FlyingRow | null =>
  row?.state === 'sending' && row.channel !== null ? (row as FlyingRow) : null;

/** Rows in flight that are not to be sent again now. */
export const isGrounded = (plan: Plan): boolean => plan.decision.kind !== 'send' && flyingRow(plan.unit) !== null;

/**
 * Channels that this row must not use: those of the person's other rows. A message in flight goes again over its own channel
 * or not at all, because the first copy may have arrived.
 */
export const closedChannels = (unit: Unit): ChannelName[] => {
  const flying = flyingRow(unit);
  const only = flying?.channel ?? (pushBefore(unit) ? 'sms' : null);
  return only ? channelNames.filter((name) => name !== only) : unit.others.flatMap((row) => row.channel ?? []);
};

/** Whose notice it is: the heir's, where the person became one with another. */
export const noticeKeyOf = (context: PushContext, plan: Plan): NoticeKey => ({
  item: context.push.item,
  version: context.version.version,
  ordinal: plan.person?.ordinal ?? plan.unit.ordinal,
});

/** The class of what tells this person; a row whose reasons have all dropped out keeps the one it had. */
export const classOf = (context: PushContext, { reasons, unit }: Plan): NoticeClass =>
  reasons.length === 0 && unit.row ? unit.row.noticeClass : noticeClassOf(context.version.content, reasons);

/** The row of a person who has none yet. */
export const rowOf = (context: PushContext, plan: Plan, at: number): Delivery => ({
  push: context.push.id,
  ordinal: plan.unit.ordinal,
  message: plan.decision.kind === 'send' ? plan.message : null,
  holder: null,
  attempts: plan.unit.row?.attempts ?? 0,
  ...changeTo(context, plan, at),
});

const changeTo = (context: PushContext, plan: Plan, at: number) => {
  const { decision, unit } = plan;
  const kept = plan.reasons.length > 0 ? plan.reasons.map((reason) => reason.source) : unit.sources;
  const common = {
    reasons: kept,
    noticeClass: classOf(context, plan),
    revision: context.version.revision,
    channel: unit.row?.channel ?? null,
    dueAt: null,
    at,
  };
  switch (decision.kind) {
    case 'send':
      return { ...common, state: 'planned' as const, code: null, channel: decision.channel };
    case 'defer':
      return { ...common, state: 'deferred' as const, code: decision.code, dueAt: decision.until };
    case 'digest':
      return { ...common, state: 'digested' as const, code: decision.code, dueAt: decision.until };
    case 'withhold':
      return { ...common, state: 'withheld' as const, code: decision.code };
    case 'cancel':
      return { ...common, state: 'cancelled' as const, code: 'cancelled' };
  }
};

/**
 * The change of a row that is there. One of a gathered batch stays `deferred` until it departs: were it `planned`, no batch
 * would own it after a crash. One that was grounded is `deferred` by then.
 */
export const changeOf = (context: PushContext, plan: Plan, row: Delivery, at: number): DeliveryChange => {
  const to = changeTo(context, plan, at);
  const key = { push: row.push, ordinal: row.ordinal, channel: row.channel };
  const state = to.state === 'planned' ? row.state : to.state;
  return { key, from: [isGrounded(plan) ? 'deferred' : row.state], to: { ...to, state } };
};

/**
 * The outcome of a row that is grounded: where it may still go later it waits; where it may not, it counts as sent, so that
 * a correction reaches its reader.
 */
export const groundedOutcome = (
  context: PushContext,
  plan: Plan,
  row: FlyingRow,
  message: string,
  at: number,
): Outcome => {
  const { decision } = plan;
  const waits = decision.kind === 'defer' || decision.kind === 'digest';
  const response = 'in flight when the worker stopped';
  return {
    key: { push: row.push, ordinal: row.ordinal, channel: row.channel },
    notice: noticeKeyOf(context, plan),
    message,
    attempt: { at, provider: 'unknown', ok: !waits, response, reference: null },
    to: waits
      ? { state: 'deferred', code: decision.code, dueAt: decision.until, attempts: row.attempts }
      : { state: 'sent', code: null, dueAt: null, attempts: row.attempts + 1 },
    next: null,
  };
};

/** What the ledger must know of a row that leaves as `message`, rendered by `template`. */
export const leavingOf = (
  context: PushContext,
  plan: Plan,
  channel: ChannelName,
  message: string,
  template: string,
): Pick<LeavingRow, 'departure' | 'attempts' | 'item'> => {
  const { push, version } = context;
  return {
    departure: {
      key: { push: push.id, ordinal: plan.unit.ordinal, channel },
      notice: noticeKeyOf(context, plan),
      message,
      template,
      revision: version.revision,
    },
    attempts: plan.unit.row?.attempts ?? 0,
    item: {
      id: push.item,
      version: version.version,
      revision: version.revision,
      deadline: version.content.deadline,
      expiresAt: version.content.expiresAt,
    },
  };
};

/** The text that follows a web push which was not seen by then. */
export const fallbackOf = (context: PushContext, plan: Plan, at: number): Delivery | null => {
  const fallback = plan.decision.kind === 'send' ? plan.decision.fallback : null;
  if (!fallback) return null;
  const row = rowOf(context, plan, at);
  const dueAt = at + fallback.after;
  return { ...row, channel: fallback.channel, state: 'deferred', code: 'fallback', attempts: 0, dueAt, message: null };
};

/** The row on the next usable channel in the person's order of preference after `failed` has failed for good, or null. */
export const successorOf = (context: PushContext, plan: Plan, failed: ChannelName, at: number): Delivery | null => {
  const spent = [failed, ...plan.unit.others.flatMap((row) => row.channel ?? [])];
  const live = (plan.person?.addresses ?? []).filter((address) => address.suppressed === null);
  const channel = channelOrder(plan.reasons).find(
    (name) => !spent.includes(name) && live.some((address) => address.channel === name),
  );
  if (!channel) return null;
  return {
    ...rowOf(context, plan, at),
    channel,
    state: 'deferred',
    code: 'retry',
    attempts: 0,
    dueAt: at,
    message: null,
  };
};
