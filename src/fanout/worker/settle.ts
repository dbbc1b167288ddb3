import type { Slots } from '../../channels/channel.ts';
import type { Edges } from '../../edges.ts';
import type { Keyring } from '../../keyring.ts';
import { signLink } from '../../signed-link.ts';
import type { Storage } from '../../storage/storage.ts';
import { openContact } from '../../subscriptions/address.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import type { Recipient, Subscription } from '../../subscriptions/subscriber.ts';
import type { Delivery, DeliveryChange, Lease, NoticeTaken } from '../ledger-store.ts';
import { type Decision, decide, noticeClassOf, type Reason } from '../policy.ts';
import { parkedMs } from '../retry.ts';
import type { Ready } from './dispatcher.ts';
import type { PushContext } from './push-context.ts';

/** One person of a push who is to be settled: the row to move on (null: none yet), their other rows, their sources. */
export type Unit = { ordinal: number; row: Delivery | null; others: Delivery[]; sources: number[] };

export type SettleStores = Pick<Storage, 'subscriptions' | 'ledger'>;
export type SettleTools = {
  keyring: Keyring;
  edges: Edges;
  publicUrl: string;
  defaults: { timeZone: string };
};

/** People whose messages of a push lie together in the store. */
const neighbours = 256;

/**
 * A message's id, 128 bits: an HMAC of its delivery, so that it is the same after every crash and tells nothing. Its first 32
 * bits are shared by neighbouring people of the push: rows that are written together lie together, which spares an index
 * that grows at random places; the other 96 bits are nobody's to guess.
 */
export const messageIdOf = (
  keyring: Pick<Keyring, 'mac'>,
  push: string,
  ordinal: number,
  channel: ChannelName,
): string => {
  const neighbourhood = keyring.mac('message-neighbours', `${push}:${Math.floor(ordinal / neighbours)}`, 4);
  return Buffer.concat([neighbourhood, keyring.mac('message', `${push}:${ordinal}:${channel}`, 12)]).toString(
    'base64url',
  );
};

/** `message`: the id of what leaves, once the channel is chosen. */
type Plan = { unit: Unit; person: Recipient | null; reasons: Reason[]; decision: Verdict; message: string | null };
type Verdict =
  | Decision
  | { kind: 'withhold'; code: 'already-told' | 'superseded' | 'merged' }
  | { kind: 'defer'; until: number; code: 'other-push' }
  | { kind: 'cancel' };

/**
 * Settles people of one push (design D5): loads them in one read, drops reasons that no longer hold, decides, takes the
 * notices, writes one row each; answers those that are ready to leave.
 */
export const makeSettler = (stores: SettleStores, tools: SettleTools) => {
  const { keyring, edges } = tools;

  const load = async (units: Unit[]): Promise<Map<number, Recipient>> => {
    const asked = units.map((unit) => unit.ordinal);
    const found = new Map((await stores.subscriptions.recipients(asked)).map((person) => [person.ordinal, person]));
    const merged = [...found.values()].flatMap((person) => (person.mergedInto === null ? [] : [person.mergedInto]));
    if (merged.length === 0) return found;
    const heirs = new Map((await stores.subscriptions.recipients(merged)).map((person) => [person.ordinal, person]));
    for (const [ordinal, person] of found) {
      const heir = person.mergedInto === null ? undefined : heirs.get(person.mergedInto);
      if (heir) found.set(ordinal, heir);
    }
    return found;
  };

  const holdings = async (context: PushContext, units: Unit[], people: Map<number, Recipient>) => {
    const follows = new Set<string>();
    const ordinals = new Set<number>();
    for (const unit of units) {
      for (const index of unit.sources) {
        const follow = context.sources[index]?.follow;
        if (follow) follows.add(follow);
      }
      const person = people.get(unit.ordinal);
      if (person) ordinals.add(person.ordinal);
    }
    const held = follows.size > 0 ? await stores.subscriptions.holding([...follows], [...ordinals]) : [];
    return new Map(held.map((subscription) => [`${subscription.subscriber} ${subscription.follow}`, subscription]));
  };

  const planOne = (
    context: PushContext,
    unit: Unit,
    person: Recipient | undefined,
    held: Map<string, Subscription>,
  ): Plan => {
    if (!person)
      return { unit, person: null, reasons: [], decision: { kind: 'withhold', code: 'erased' }, message: null };
    const reasons = unit.sources.flatMap((index) => reasonOf(context, index, person, unit.ordinal, held));
    const tried = unit.others.filter((row) => row.state === 'failed').flatMap((row) => row.channel ?? []);
    const decision = decide({
      person,
      item: context.version.content,
      reasons,
      tried,
      now: edges.now(),
      defaults: tools.defaults,
    });
    const message =
      decision.kind === 'send' ? messageIdOf(keyring, context.push.id, unit.ordinal, decision.channel) : null;
    return { unit, person, reasons, decision, message };
  };

  const takeNotices = async (lease: Lease, context: PushContext, plans: Plan[]): Promise<void> => {
    const asking = plans.filter((plan) => plan.decision.kind !== 'withhold');
    const taken = await stores.ledger.takeNotices(
      lease,
      context.push.id,
      asking.map((plan) => ({ ...noticeKey(context, plan), class: noticeClassOf(context.version.content) })),
      edges.now(),
    );
    asking.forEach((plan, index) => {
      plan.decision = withNotice(plan.decision, taken[index], edges.now());
    });
  };

  const write = async (lease: Lease, context: PushContext, plans: Plan[]): Promise<Plan[]> => {
    const fresh = plans.filter((plan) => plan.unit.row === null);
    const known = plans.filter((plan) => plan.unit.row !== null);
    if (fresh.length > 0)
      await stores.ledger.insertDeliveries(
        lease,
        fresh.map((plan) => rowOf(context, plan, edges.now())),
      );
    const changed =
      known.length > 0
        ? await stores.ledger.changeDeliveries(
            lease,
            known.map((plan) => changeOf(context, plan, edges.now())),
          )
        : [];
    const done = [...fresh, ...known.filter((_, index) => changed[index])];
    // also of new rows: a notice may have been taken for them before a crash
    const released = done.filter(({ decision }) => decision.kind === 'withhold' || decision.kind === 'cancel');
    if (released.length > 0)
      await stores.ledger.releaseNotices(
        context.push.id,
        released.map((plan) => noticeKey(context, plan)),
      );
    return done;
  };

  const readyOf = (context: PushContext, plan: Plan): Ready | null => {
    if (plan.decision.kind !== 'send' || !plan.person || plan.message === null) return null;
    const { channel, addresses } = plan.decision;
    const { push, version } = context;
    const person = plan.person;
    const id = plan.message;
    const wasTold = context.told.has(person.ordinal) || context.told.has(plan.unit.ordinal);
    const content = context.shared(person.locale, wasTold);
    const slots = slotsOf(context, plan, id);
    return {
      departure: {
        key: { push: push.id, ordinal: plan.unit.ordinal, channel },
        notice: noticeKey(context, plan),
        message: id,
        template: content.key,
        revision: version.revision,
      },
      attempts: plan.unit.row?.attempts ?? 0,
      item: { id: push.item, version: version.version, revision: version.revision },
      messages: addresses.map((address) => ({
        lookup: address.lookup,
        message: { id, to: openContact(keyring, address), content, slots },
      })),
      successor: (at) => successorOf(context, plan, channel, at),
    };
  };

  const slotsOf = (context: PushContext, plan: Plan, message: string): Slots => {
    const { content } = context.version;
    const locale = plan.person?.locale ?? 'en';
    const key = content.visibility === 'targeted' ? `?key=${signLink(keyring, 'item', message)}` : '';
    const own = `${tools.publicUrl}/items/${context.push.item}${key}`;
    return {
      unsubscribe: `${tools.publicUrl}/u/${signLink(keyring, 'unsubscribe', message)}`,
      manage: `${tools.publicUrl}/manage`,
      item: content.translations?.[locale]?.url ?? content.url ?? own,
      reason: context.reasonLine(
        locale,
        plan.reasons.map((reason) => reason.source),
      ),
    };
  };

  return {
    /** Settles these people; `end` settles every one of them that way instead (a cancelled push, a superseded version). */
    settle: async (
      lease: Lease,
      context: PushContext,
      units: Unit[],
      end: { kind: 'cancel' } | { kind: 'withhold'; code: 'superseded' } | null,
    ): Promise<Ready[]> => {
      if (units.length === 0) return [];
      if (end) {
        await write(
          lease,
          context,
          units.map((unit) => ({ unit, person: null, reasons: [], decision: end, message: null })),
        );
        return [];
      }
      const people = await load(units);
      const held = await holdings(context, units, people);
      const plans = units.map((unit) => planOne(context, unit, people.get(unit.ordinal), held));
      await takeNotices(lease, context, plans);
      const written = await write(lease, context, plans);
      return written.map((plan) => readyOf(context, plan)).filter((ready) => ready !== null);
    },
  };
};

export type Settler = ReturnType<typeof makeSettler>;

const reasonOf = (
  context: PushContext,
  index: number,
  person: Recipient,
  ordinal: number,
  held: Map<string, Subscription>,
): Reason[] => {
  const source = context.sources[index];
  if (!source) return [];
  if (index === context.toldSource) {
    const channel = context.told.get(person.ordinal) ?? context.told.get(ordinal);
    return channel ? [{ kind: 'told', source: index, channel }] : [];
  }
  if (source.follow === null) return [{ kind: 'named', source: index, channels: context.push.channels }];
  const subscription = held.get(`${person.ordinal} ${source.follow}`);
  return subscription
    ? [{ kind: 'subscription', source: index, pace: subscription.pace, channels: subscription.channels }]
    : [];
};

const withNotice = (decision: Verdict, taken: NoticeTaken | undefined, now: number): Verdict => {
  if (taken?.outcome === 'told') return { kind: 'withhold', code: 'already-told' };
  if (taken?.outcome === 'held') return { kind: 'defer', until: now + parkedMs, code: 'other-push' };
  return decision;
};

const noticeKey = (context: PushContext, plan: Plan) => ({
  item: context.push.item,
  version: context.version.version,
  ordinal: plan.person?.ordinal ?? plan.unit.ordinal,
});

const rowOf = (context: PushContext, plan: Plan, at: number): Delivery => ({
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
    noticeClass: noticeClassOf(context.version.content),
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

/** A row of a gathered batch stays `deferred` until it departs: were it `planned`, no batch would own it after a crash. */
const changeOf = (context: PushContext, plan: Plan, at: number): DeliveryChange => {
  const row = plan.unit.row as Delivery;
  const to = changeTo(context, plan, at);
  const key = { push: row.push, ordinal: row.ordinal, channel: row.channel };
  const state = to.state === 'planned' ? row.state : to.state;
  return { key, from: [row.state], to: { ...to, state } };
};

const successorOf = (context: PushContext, plan: Plan, failed: ChannelName, at: number): Delivery | null => {
  const rows = plan.unit.others;
  const spent = [failed, ...rows.flatMap((row) => row.channel ?? [])];
  const left = plan.person?.addresses.find(
    (address) => address.suppressed === null && !spent.includes(address.channel),
  );
  if (!left) return null;
  return {
    ...rowOf(context, plan, at),
    channel: left.channel,
    state: 'deferred',
    code: 'retry',
    attempts: 0,
    dueAt: at,
    message: null,
  };
};
