import type { Edges } from '../../edges.ts';
import type { Keyring } from '../../keyring.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Recipient } from '../../subscriptions/subscriber.ts';
import type { Delivery, Lease } from '../ledger-store.ts';
import { capDates, type DigestClock, digestClockOf, digestSlot, lastDigestSlot, zoneOf } from '../local-time.ts';
import { decide, isCapped, overCap, type PolicyDefaults, type PolicyInput, paceOf, routeOf } from '../policy.ts';
import type { DeliveryKey } from '../push.ts';
import { takeSlotsOf } from '../worker/caps.ts';
import type { LeavingRow, Ready } from '../worker/dispatcher.ts';
import { addressed } from '../worker/message-slots.ts';
import { presentPeople, presentReasons } from '../worker/present-people.ts';
import { endOfPush, type PushContext, type PushContexts } from '../worker/push-context.ts';
import {
  closedChannels,
  drawOf,
  flyingRow,
  isHeldOut,
  leavingOf,
  type Plan,
  successorOf,
  type Unit,
  type Verdict,
} from '../worker/rows.ts';
import type { DigestComposer } from './digest-composer.ts';
import { digestIdOf } from './digest-id.ts';
import { makeDigestWriter } from './digest-writer.ts';

export type DigestStores = Pick<Storage, 'subscriptions' | 'ledger' | 'rules' | 'items'>;
export type DigestTools = {
  contexts: PushContexts;
  composer: DigestComposer;
  keyring: Keyring;
  edges: Edges;
  defaults: PolicyDefaults;
};

/** How long a row waits whose push is paused before it is looked at again. */
const pausedMs = 3_600_000;

type DigestPace = 'daily' | 'weekly';
/** A row of a digest with the push it belongs to. `quiet`: it would wait for the end of quiet hours, if it left alone. */
export type DigestRow = { context: PushContext; plan: Plan; pace: DigestPace; quiet: Verdict | null };
/** Rows that leave as one message. */
type Digest = { message: string; pace: DigestPace; slot: number; flying: boolean; rows: DigestRow[] };

/**
 * Settles rows that waited for a digest (product semantics 1-3): judges each as of now, groups what leaves by person, pace and
 * channel, and answers one message for each group. What may not leave waits for the next digest or is withheld.
 */
export const makeDigestSettler = (stores: DigestStores, tools: DigestTools) => {
  const { keyring, edges, defaults } = tools;
  const writer = makeDigestWriter(stores, tools);

  /** How all rows of a push are settled that must not be sent, or null. */
  const endOf = async ({ push }: PushContext): Promise<Verdict | null> => {
    const end = await endOfPush(stores, push);
    if (end) return end;
    return push.state === 'paused' ? { kind: 'digest', until: edges.now() + pausedMs, code: 'paused' } : null;
  };

  const inputOf = (context: PushContext, { unit, person, reasons }: Plan & { person: Recipient }): PolicyInput => ({
    person,
    item: context.version.content,
    reasons,
    tried: closedChannels(unit),
    draw: drawOf(keyring, context.push.item, person.id, reasons),
    kept: keptFor(unit.row, digestClockOf(person, defaults), edges.now()),
    preferredHour: null,
    now: edges.now(),
    defaults,
  });

  const judge = (context: PushContext, plan: Plan, end: Verdict | null): DigestRow => {
    const { unit, person } = plan;
    const row = { context, plan, pace: 'daily' as DigestPace, quiet: null };
    if (end || !person) return { ...row, plan: { ...plan, decision: end ?? { kind: 'withhold', code: 'erased' } } };
    const input = inputOf(context, { ...plan, person });
    const pace = presentPace(input, unit.row);
    const decision = decide(input);
    if (decision.kind !== 'defer') return { ...row, pace, plan: { ...plan, decision } };
    // one message leaves for all of its rows: this one may still go with another that must not wait
    const route = routeOf(input);
    const quiet: Verdict = { kind: 'digest', until: decision.until, code: 'quiet-hours' };
    const alone: Verdict = route ? { kind: 'send', ...route } : { kind: 'withhold', code: 'no-address' };
    return { ...row, pace, quiet: route ? quiet : null, plan: { ...plan, decision: alone } };
  };

  /** The rows of one push that the batch holds, as of now. */
  const rowsOf = async (lease: Lease, push: string, ordinals: number[]): Promise<DigestRow[]> => {
    const context = await tools.contexts.of(push);
    if (!context) return [];
    const rows = await stores.ledger.deliveriesOf(push, ordinals);
    const units = rows
      .filter((row) => row.holder === lease.batch && (row.state === 'digested' || row.state === 'sending'))
      .map(
        (row): Unit => ({
          ordinal: row.ordinal,
          row,
          others: rows.filter((other) => other !== row && other.ordinal === row.ordinal),
          sources: row.reasons,
        }),
      );
    if (units.length === 0) return [];
    const people = await presentPeople(stores.subscriptions, units);
    const reasonsOf = await presentReasons(stores, context, units, people, keyring);
    const end = await endOf(context);
    return units.map((unit) => {
      const person = people.get(unit.ordinal) ?? null;
      const reasons = person && !end ? reasonsOf(unit, person).reasons : [];
      return judge(context, { unit, person, reasons, decision: { kind: 'cancel' }, message: null }, end);
    });
  };

  /** Rows that are to leave, by the message that they leave as; one in flight goes as what it went as before. */
  const digestsOf = (rows: DigestRow[]): Digest[] => {
    const digests = new Map<string, Digest>();
    for (const row of rows) {
      const { decision, person, unit } = row.plan;
      if (decision.kind !== 'send' || !person) continue;
      const slot = lastDigestSlot(row.pace, digestClockOf(person, defaults), edges.now());
      const flown = flyingRow(unit)?.message ?? null;
      const { pace } = row;
      const message = flown ?? digestIdOf(keyring, { subscriber: person.id, pace, channel: decision.channel, slot });
      const key = `${flown === null} ${message}`;
      const digest = digests.get(key) ?? { message, pace, slot, flying: flown !== null, rows: [] };
      digest.rows.push(row);
      digests.set(key, digest);
    }
    return [...digests.values()];
  };

  /** Puts off what must not leave now: the digest of this window is gone already, or it is night where the person lives. */
  const putOff = async (lease: Lease, digests: Digest[]): Promise<void> => {
    const known = await stores.ledger.messages(digests.map((one) => one.message));
    const gone = new Set(
      known
        .filter(({ holder, attempts }) => holder !== null && (holder !== lease.batch || attempts.some(({ ok }) => ok)))
        .map((message) => message.id),
    );
    const flying = new Set(digests.filter((one) => one.flying).map((one) => one.message));
    for (const { message, flying: flies, rows } of digests) {
      const late = !flies && (gone.has(message) || flying.has(message));
      const sleeps = rows.every((row) => row.quiet !== null);
      for (const row of rows) {
        if (late) row.plan.decision = nextDigest(row);
        else if (sleeps && row.quiet) row.plan.decision = row.quiet;
      }
    }
  };

  const nextDigest = ({ plan, pace }: DigestRow, code?: 'other-push'): Verdict => ({
    kind: 'digest',
    until: digestSlot(pace, digestClockOf(plan.person, defaults), edges.now()),
    code: code ?? (pace === 'daily' ? 'daily-digest' : 'weekly-digest'),
  });

  const takeNotices = async (lease: Lease, rows: DigestRow[]): Promise<void> => {
    const taken = await writer.takeNotices(lease, rows);
    for (const [row, outcome] of taken) {
      const { decision } = row.plan;
      const asks = decision.kind === 'send' || isHeldOut(row.plan);
      if (asks && outcome === 'told') row.plan.decision = { kind: 'withhold', code: 'already-told' };
      else if (decision.kind === 'send' && outcome === 'held') row.plan.decision = nextDigest(row, 'other-push');
    }
  };

  /** A digest of nothing but suggestions takes one place under the cap; without one it waits (design D6). */
  const takePlaces = async (digests: Digest[]): Promise<void> => {
    const leaving = digests
      .map((digest) => ({ ...digest, rows: digest.rows.filter(isLeaving) }))
      .filter(({ rows, flying }) => !flying && rows.length > 0 && rows.every(isSuggested));
    if (leaving.length === 0) return;
    const now = edges.now();
    const slots = leaving.flatMap(({ message, rows }) => {
      const person = rows[0]?.plan.person;
      if (!person) return [];
      return [{ person, slot: { ordinal: person.ordinal, of: message, ...capDates(zoneOf(person, defaults), now) } }];
    });
    const taken = await takeSlotsOf(stores.ledger, defaults.caps, slots);
    for (const [index, { rows }] of leaving.entries()) {
      const full = taken[index];
      if (full === undefined || full === 'taken') continue;
      const later = rows.map(({ context, plan, pace }) => {
        const { person, reasons } = plan;
        const item = context.version.content;
        return person && overCap({ person, item, reasons, kept: pace, now, defaults }, full);
      });
      // a deadline outranks the cap, and one message leaves for all
      if (later.some((one) => !one)) continue;
      for (const [at, row] of rows.entries()) {
        const put = later[at];
        if (put) row.plan.decision = { ...put, kind: 'digest' };
      }
    }
  };

  const readyOf = (digest: Digest): Ready | null => {
    const [first, ...others] = digest.rows;
    const decision = first?.plan.decision;
    if (!first?.plan.person || decision?.kind !== 'send') return null;
    const { content, slots } = tools.composer.compose(digest, first.plan.person, edges.now());
    const leaving = ({ context, plan }: DigestRow): LeavingRow => ({
      ...leavingOf(context, plan, decision.channel, digest.message, content.key),
      successor: (at) => digested(successorOf(context, plan, decision.channel, at)),
      fallback: () => null,
    });
    const messages = addressed(keyring, decision.addresses, { id: digest.message, content, slots });
    return { ...leaving(first), others: others.map(leaving), messages };
  };

  return {
    /** Settles the rows of these keys that the batch holds; answers the digests that are ready to leave. */
    settle: async (lease: Lease, keys: DeliveryKey[]): Promise<Ready[]> => {
      const byPush = new Map<string, Set<number>>();
      for (const { push, ordinal } of keys) byPush.set(push, (byPush.get(push) ?? new Set()).add(ordinal));
      const rows: DigestRow[] = [];
      for (const [push, ordinals] of byPush) rows.push(...(await rowsOf(lease, push, [...ordinals])));
      const digests = digestsOf(rows);
      await putOff(lease, digests);
      await takeNotices(lease, rows);
      await takePlaces(digests);
      const written = await writer.write(lease, rows);
      return digests
        .map((digest) => readyOf({ ...digest, rows: digest.rows.filter((row) => isLeaving(row) && written.has(row)) }))
        .filter((ready) => ready !== null);
    },
  };
};

export type DigestSettler = ReturnType<typeof makeDigestSettler>;

/**
 * The digest that a row waited for, if its moment has come since, by the hour that the person has now: it was written down for
 * it before. A row may come up earlier, because its item was about to expire or their hour has changed, and then waits on. One with any other code was put off after its digest had come.
 */
const keptFor = (row: Delivery | null, clock: DigestClock, now: number): PolicyInput['kept'] => {
  const pace = row?.state === 'digested' ? keptPace(row) : null;
  if (!row || pace === null) return 'due';
  return row.at < lastDigestSlot(pace, clock, now) ? pace : null;
};

const keptPace = ({ code }: Delivery): DigestPace | null => {
  if (code === 'daily-digest') return 'daily';
  return code === 'weekly-digest' ? 'weekly' : null;
};

/** The digest that a row leaves with: of the pace the person has now, else of the one it was kept for. */
const presentPace = (input: PolicyInput, row: Delivery | null): DigestPace => {
  const pace = paceOf(input.reasons);
  if (pace !== 'immediate') return pace;
  return row && keptPace(row) === 'weekly' ? 'weekly' : 'daily';
};

const isLeaving = ({ plan }: DigestRow): boolean => plan.decision.kind === 'send';

const isSuggested = ({ context, plan }: DigestRow): boolean =>
  isCapped({ item: context.version.content, reasons: plan.reasons });

const digested = (row: Delivery | null): Delivery | null => row && { ...row, state: 'digested' };
