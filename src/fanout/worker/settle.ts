import type { Config } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import type { Keyring } from '../../keyring.ts';
import { mostOf } from '../../profiles/profile.ts';
import type { RuleContent } from '../../rules/rule.ts';
import type { Storage } from '../../storage/storage.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import type { Recipient } from '../../subscriptions/subscriber.ts';
import type { Delivery, Lease, NoticeTaken } from '../ledger-store.ts';
import { decide, type PolicyDefaults } from '../policy.ts';
import type { DeliveryState } from '../push.ts';
import { parkedMs } from '../retry.ts';
import { giveBackPlaces, takePlaces } from './caps.ts';
import type { Ready } from './dispatcher.ts';
import { addressed, isTracked, messageIdOf, slotsOf } from './message-slots.ts';
import { presentPeople, presentReasons, type ReasonsOf } from './present-people.ts';
import type { PushContext } from './push-context.ts';
import {
  changeOf,
  classOf,
  closedChannels,
  drawOf,
  type Ending,
  fallbackOf,
  flyingRow,
  groundedOutcome,
  isEnded,
  isGrounded,
  isHeldOut,
  leavingOf,
  noticeKeyOf,
  type Plan,
  pushBefore,
  rowOf,
  successorOf,
  type Unit,
  type Verdict,
} from './rows.ts';
import { takeSurveys } from './surveys.ts';
import { exposureOf } from './tuned.ts';

export type SettleStores = Pick<Storage, 'subscriptions' | 'ledger' | 'rules' | 'profiles' | 'feedback' | 'tuning'>;
export type SettleTools = {
  keyring: Keyring;
  edges: Edges;
  publicUrl: string;
  defaults: PolicyDefaults;
  feedback: Pick<Config['feedback'], 'clicks' | 'surveyShare'>;
};

/** States of a row that needs the person's notice. */
const goingStates: readonly DeliveryState[] = ['planned', 'deferred', 'sending'];

/**
 * Settles people of one push (design D5): loads them in one read, drops reasons that no longer hold, decides, takes the
 * notices, writes one row each; answers those that are ready to leave.
 */
export const makeSettler = (stores: SettleStores, tools: SettleTools) => {
  const { keyring, edges } = tools;

  const planOne = (
    context: PushContext,
    unit: Unit,
    person: Recipient | undefined,
    reasonsOf: ReasonsOf,
    tried: ChannelName[],
    hours: ReadonlyMap<number, number>,
  ): Plan => {
    if (!person)
      return { unit, person: null, reasons: [], decision: { kind: 'withhold', code: 'erased' }, message: null };
    const { reasons, draws } = reasonsOf(unit, person);
    if (pushBefore(unit)?.state === 'delivered')
      return { unit, person, reasons, decision: { kind: 'withhold', code: 'seen' }, message: null };
    const decision = decide({
      person,
      item: context.version.content,
      reasons,
      tried,
      draw: drawOf(keyring, context.push.item, person.id, reasons),
      kept: null,
      // whoever has waited once has waited enough
      preferredHour: unit.row === null ? (hours.get(person.ordinal) ?? null) : null,
      belowArm: draws.length > 0,
      now: edges.now(),
      defaults: tools.defaults,
    });
    const message =
      decision.kind === 'send' ? messageIdOf(keyring, context.push.id, unit.ordinal, decision.channel) : null;
    return { unit, person, reasons, decision, message, draws };
  };

  const planAll = async (context: PushContext, units: Unit[], people: Map<number, Recipient>): Promise<Plan[]> => {
    const reasonsOf = await presentReasons(stores, context, units, people, keyring);
    const hours = await hoursOf(context, people);
    const chosen = new Map<number, ChannelName[]>();
    return units.map((unit) => {
      const mine = chosen.get(unit.ordinal) ?? [];
      const plan = planOne(
        context,
        unit,
        people.get(unit.ordinal),
        reasonsOf,
        [...closedChannels(unit), ...mine],
        hours,
      );
      if (plan.decision.kind === 'send') chosen.set(unit.ordinal, [...mine, plan.decision.channel]);
      return plan;
    });
  };

  /** When these people mostly react, where a rule of the push may choose by it. */
  const hoursOf = async (context: PushContext, people: Map<number, Recipient>): Promise<Map<number, number>> => {
    const hours = new Map<number, number>();
    if (![...context.suggestions.values()].some(({ rule }) => rule !== null && mayWait(rule.content))) return hours;
    for (const { ordinal, consents } of people.values()) {
      const profile = consents.personalisation ? await stores.profiles.profile(ordinal) : null;
      const hour = mostOf(profile?.hours ?? []);
      if (hour !== null) hours.set(ordinal, hour);
    }
    return hours;
  };

  /** Logs whom tuned rules decided of, with what probability, before anything is sent: what was drawn twice is logged once. */
  const expose = async (context: PushContext, plans: Plan[]): Promise<void> => {
    if (![...context.suggestions.values()].some(({ arms }) => arms !== null)) return;
    const at = edges.now();
    const exposures = plans.flatMap((plan) => (plan.draws?.length ? (exposureOf(context, plan, at) ?? []) : []));
    if (exposures.length > 0) await stores.tuning.expose(exposures);
  };

  /**
   * For all who may still be told, and for messages in flight: what becomes of those must stand under the right name. Whoever
   * is held out is asked for too, because who was told already is not part of the measurement (design D6). A row
   * that waits for its digest keeps no notice: whatever is faster may tell meanwhile, and the digest asks again as it leaves.
   */
  const takeNotices = async (lease: Lease, context: PushContext, plans: Plan[]): Promise<void> => {
    const asking = plans.filter(
      (plan) => (!isEnded(plan) || isGrounded(plan) || isHeldOut(plan)) && !pushBefore(plan.unit),
    );
    if (asking.length === 0) return;
    const taken = await stores.ledger.takeNotices(
      lease,
      context.push.id,
      asking.map((plan) => ({ ...noticeKeyOf(context, plan), class: classOf(context, plan) })),
      edges.now(),
    );
    asking.forEach((plan, index) => {
      if (!isEnded(plan) || isHeldOut(plan)) plan.decision = withNotice(plan.decision, taken[index], edges.now());
    });
  };

  const write = async (lease: Lease, context: PushContext, plans: Plan[]): Promise<Plan[]> => {
    const at = edges.now();
    const grounded = plans.flatMap((plan) => {
      const row = isGrounded(plan) ? flyingRow(plan.unit) : null;
      if (!row) return [];
      const message = messageIdOf(keyring, row.push, row.ordinal, row.channel);
      return [groundedOutcome(context, plan, row, message, at)];
    });
    if (grounded.length > 0) await stores.ledger.settle(lease, grounded);
    // before its row is written, after which nobody would come back to it
    await release(
      context,
      plans.filter((plan) => plan.decision.kind === 'digest'),
    );
    const fresh = plans.filter((plan) => plan.unit.row === null);
    if (fresh.length > 0)
      await stores.ledger.insertDeliveries(
        lease,
        fresh.map((plan) => rowOf(context, plan, at)),
      );
    const known = plans.flatMap((plan) => {
      const { row } = plan.unit;
      // what was in flight and may not go any more counts as sent: there is nothing left to write
      return row === null || (isGrounded(plan) && isEnded(plan)) ? [] : [{ plan, row }];
    });
    const changes = known.map(({ plan, row }) => changeOf(context, plan, row, at));
    const changed = changes.length > 0 ? await stores.ledger.changeDeliveries(lease, changes) : [];
    const done = [...fresh, ...known.filter((_, index) => changed[index]).map(({ plan }) => plan)];
    await release(context, done.filter(isEnded));
    await giveBackPlaces(stores.ledger, tools, context, done);
    return done;
  };

  /** Lets go of the notices of people none of whose other rows needs it; of new rows, too: a crash may have left one. */
  const release = async (context: PushContext, idle: Plan[]): Promise<void> => {
    const rows = new Set(idle.map((plan) => plan.unit.row));
    const needs = (row: Delivery): boolean => goingStates.includes(row.state) && !rows.has(row);
    const over = idle.filter((plan) => !plan.unit.others.some(needs));
    if (over.length > 0)
      await stores.ledger.releaseNotices(
        context.push.id,
        over.map((plan) => noticeKeyOf(context, plan)),
      );
  };

  const readyOf = (context: PushContext, plan: Plan, surveyed: ReadonlySet<string>): Ready | null => {
    if (plan.decision.kind !== 'send' || !plan.person || plan.message === null) return null;
    const { channel, addresses } = plan.decision;
    const person = plan.person;
    const id = plan.message;
    const wasTold = context.told.has(person.ordinal) || context.told.has(plan.unit.ordinal);
    const tracked = tools.feedback.clicks && isTracked(person, context.version);
    const answers = context.answers.get(person.ordinal) ?? null;
    const content = context.shared(person.locale, wasTold, { tracked, survey: surveyed.has(id), answers });
    const slots = slotsOf({ ...tools, now: edges.now() }, context, plan, id);
    const leaving = leavingOf(context, plan, channel, id, content.key);
    return {
      ...leaving,
      departure: pushBefore(plan.unit) ? { ...leaving.departure, again: true } : leaving.departure,
      messages: addressed(keyring, addresses, { id, content, slots }),
      successor: (at) => (pushBefore(plan.unit) ? null : successorOf(context, plan, channel, at)),
      fallback: (at) => fallbackOf(context, plan, at),
    };
  };

  return {
    /** Settles these rows; `end` settles every one of them that way instead. */
    settle: async (lease: Lease, context: PushContext, units: Unit[], end: Ending | null): Promise<Ready[]> => {
      if (units.length === 0) return [];
      const people = await presentPeople(stores.subscriptions, units);
      const plans = end
        ? units.map((unit) => endedPlan(unit, people.get(unit.ordinal), end))
        : await planAll(context, units, people);
      await takeNotices(lease, context, plans);
      await takePlaces(stores.ledger, tools, context, plans);
      await expose(context, plans);
      const written = await write(lease, context, plans);
      const asking = { share: tools.feedback.surveyShare, now: edges.now() };
      const surveyed = await takeSurveys(stores.feedback, context, written, asking);
      return written.map((plan) => readyOf(context, plan, surveyed)).filter((ready) => ready !== null);
    },
  };
};

export type Settler = ReturnType<typeof makeSettler>;

/** Whether messages of a rule may wait for the hour at which a person reacts. */
const mayWait = ({ tune, deliver }: RuleContent): boolean => tune.hour === true || deliver.hour === 'preferred';

const endedPlan = (unit: Unit, person: Recipient | undefined, decision: Ending): Plan => ({
  unit,
  person: person ?? null,
  reasons: [],
  decision,
  message: null,
});

const withNotice = (decision: Verdict, taken: NoticeTaken | undefined, now: number): Verdict => {
  if (taken?.outcome === 'told') return { kind: 'withhold', code: 'already-told' };
  if (taken?.outcome === 'held' && decision.kind !== 'digest' && decision.kind !== 'withhold')
    return { kind: 'defer', until: now + parkedMs, code: 'other-push' };
  return decision;
};
