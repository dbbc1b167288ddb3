import type { Recipient } from '../../subscriptions/subscriber.ts';
import type { CapLimits, CapSlot, LedgerStore } from '../ledger-store.ts';
import { capDates, zoneOf } from '../local-time.ts';
import { capsOf, isCapped, overCap, type PolicyDefaults } from '../policy.ts';
import { tells } from '../retry.ts';
import type { PushContext } from './push-context.ts';
import { flyingRow, isEnded, type Plan, pushBefore } from './rows.ts';

type CapTools = { edges: { now(): number }; defaults: PolicyDefaults };

/** The place of a push's message: one for a person, over whatever channel it goes in the end. */
const placeOf = (context: PushContext, plan: Plan, { edges, defaults }: CapTools): CapSlot => {
  const person = plan.person ?? { ordinal: plan.unit.ordinal, timeZone: null };
  return { ordinal: person.ordinal, of: context.push.id, ...capDates(zoneOf(person, defaults), edges.now()) };
};

/** Takes the places of these people in as many writes as there are different limits; answers in their order. */
export const takeSlotsOf = async (
  ledger: Pick<LedgerStore, 'takeSlots'>,
  caps: CapLimits,
  asked: { person: Pick<Recipient, 'fewer'>; slot: CapSlot }[],
): Promise<('taken' | 'day' | 'week' | undefined)[]> => {
  const answers = new Map<CapSlot, 'taken' | 'day' | 'week'>();
  for (const fewer of [false, true]) {
    const slots = asked.filter(({ person }) => (person.fewer ?? false) === fewer).map(({ slot }) => slot);
    const taken = slots.length > 0 ? await ledger.takeSlots(slots, capsOf({ fewer }, caps)) : [];
    for (const [index, answer] of taken.entries()) answers.set(slots[index] as CapSlot, answer);
  }
  return asked.map(({ slot }) => answers.get(slot));
};

/**
 * Takes places under the cap (design D6) for what is about to leave and was only suggested; what gets none is deferred. A
 * message in flight has its place, and the text after a push goes on that of the push.
 */
export const takePlaces = async (
  ledger: Pick<LedgerStore, 'takeSlots'>,
  tools: CapTools,
  context: PushContext,
  plans: Plan[],
): Promise<void> => {
  const item = context.version.content;
  const asking = plans.filter(
    (plan) =>
      plan.decision.kind === 'send' &&
      isCapped({ item, reasons: plan.reasons }) &&
      !flyingRow(plan.unit) &&
      !pushBefore(plan.unit),
  );
  if (asking.length === 0) return;
  const taken = await takeSlotsOf(
    ledger,
    tools.defaults.caps,
    asking.map((plan) => ({ person: plan.person ?? {}, slot: placeOf(context, plan, tools) })),
  );
  for (const [index, plan] of asking.entries()) {
    const full = taken[index];
    if (!plan.person || full === undefined || full === 'taken') continue;
    const { person, reasons } = plan;
    const now = tools.edges.now();
    plan.decision =
      overCap({ person, item, reasons, kept: null, now, defaults: tools.defaults }, full) ?? plan.decision;
  }
};

/** Gives back the places of suggestions that were to leave and are withheld instead. */
export const giveBackPlaces = async (
  ledger: Pick<LedgerStore, 'giveBackSlots'>,
  tools: CapTools,
  context: PushContext,
  done: Plan[],
): Promise<void> => {
  const back = done.filter(
    ({ unit, ...plan }) =>
      unit.row?.noticeClass === 'suggestion' &&
      unit.row.channel !== null &&
      isEnded({ unit, ...plan }) &&
      !flyingRow(unit) &&
      !unit.others.some((other) => tells(other.state)),
  );
  if (back.length > 0) await ledger.giveBackSlots(back.map((plan) => placeOf(context, plan, tools)));
};
