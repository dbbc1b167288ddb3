import type { Bilingual } from '../catalogue/topic.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import type { ItemVersion } from '../publishing/item.ts';
import { leafFact } from '../rules/leaf-fact.ts';
import { ruleOfSource, ruleSource } from '../rules/rule.ts';
import type { RuleStore } from '../rules/rule-store.ts';
import type { Storage } from '../storage/storage.ts';
import { isDigest, paceOfDigest } from './digest/digest-id.ts';
import { makeEstimates } from './estimate.ts';
import type { DeliveryView, FanoutService, PushView } from './fanout-service.ts';
import type { Delivery } from './ledger-store.ts';
import { membership } from './ordinals.ts';
import { addCounts, type DeliveryState, deliveryStates, noCounts, type Push } from './push.ts';
import type { PushSource } from './push-store.ts';
import { tells } from './retry.ts';

export type ViewStores = Pick<Storage, 'pushes' | 'ledger' | 'items' | 'subscriptions' | 'rules'>;

export type PushViews = Pick<FanoutService, 'get' | 'list' | 'deliveries' | 'notificationsOf'> & {
  /** The push; throws `not-found`. */
  known(id: string): Promise<Push>;
  viewOf(push: Push): Promise<PushView>;
};

/** What can be read about pushes: their counts, their ledger, and what one person got. */
export const makePushViews = (
  stores: ViewStores,
  { keyring, edges }: { keyring: Pick<Keyring, 'mac'>; edges: Pick<Edges, 'now' | 'monotonic'> },
): PushViews => {
  const estimate = makeEstimates(edges);
  const viewOf = async (push: Push): Promise<PushView> => {
    const batches = await stores.pushes.batchesOf(push.id);
    const counts = batches.map((batch) => batch.counts).reduce(addCounts, noCounts());
    const people = batches.reduce((sum, batch) => sum + batch.people, 0);
    // batches of a frozen plan that are not laid yet hold people who are planned
    const missing = Math.max(0, push.matched - people);
    const whole = { ...push, matched: people + missing };
    const all = { ...counts, planned: counts.planned + missing };
    return { ...whole, counts: all, estimatedEnd: estimate(whole, all) };
  };

  const known = async (id: string): Promise<Push> => {
    const push = await stores.pushes.get(id);
    if (!push) throw new AppError('not-found', `There is no push ${id}.`);
    return push;
  };

  const deliveryViews = async (rows: Delivery[]): Promise<DeliveryView[]> => {
    const pushes = new Map<string, PushSource[]>();
    for (const id of new Set(rows.map((row) => row.push))) pushes.set(id, await stores.pushes.sources(id));
    const explanations = await explanationsOf(stores.rules, [...pushes.values()].flat());
    const factsOf = factReader(pushes, rows);
    const people = await stores.subscriptions.recipients([...new Set(rows.map((row) => row.ordinal))]);
    const ids = new Map(people.map((person) => [person.ordinal, person.id]));
    const messages = await stores.ledger.messages(rows.flatMap((row) => row.message ?? []));
    const providers = new Map(messages.map((message) => [message.id, message.attempts.at(-1)?.provider ?? null]));
    return rows.map((row) => ({
      id: row.message ?? publicRowId(keyring, row),
      subscriber: ids.get(row.ordinal) ?? '',
      channel: row.channel,
      state: row.state,
      code: row.code,
      reasons: row.reasons.flatMap((index) => {
        const source = pushes.get(row.push)?.[index]?.source;
        if (source === undefined) return [];
        return [{ source, explanation: explanations.get(source) ?? null, facts: factsOf(row, index) }];
      }),
      attempts: row.attempts,
      at: row.at,
      dueAt: row.dueAt,
      provider: row.message === null ? null : (providers.get(row.message) ?? null),
    }));
  };

  /** What a row was about, in a person's language. */
  const itemOf = async (row: Delivery, locale: string) => {
    const push = await stores.pushes.get(row.push);
    const version = push && (await stores.items.version(push.item, push.version));
    return {
      id: push?.item ?? '',
      title: titleFor(version, locale),
      targeted: version?.content.visibility === 'targeted',
    };
  };

  /** The paces of the digests that rows left in, by message. */
  const digestPaces = async (rows: Delivery[]): Promise<Map<string, 'daily' | 'weekly' | null>> => {
    const left = rows.flatMap(({ message, state }) => (isDigest(message) && hasLeft(state) ? (message ?? []) : []));
    const found = left.length > 0 ? await stores.ledger.messages([...new Set(left)]) : [];
    return new Map(found.map((message) => [message.id, paceOfDigest(message)]));
  };

  return {
    known,
    viewOf,
    get: async (id) => {
      const push = await stores.pushes.get(id);
      return push && viewOf(push);
    },
    list: async (page) => {
      const { rows, next } = await stores.pushes.list(page);
      return { rows: await Promise.all(rows.map(viewOf)), next };
    },
    deliveries: async (push, state, page) => {
      await known(push);
      const { rows, next } = await stores.ledger.page(push, state === null ? null : stateNamed(state), page);
      return { rows: await deliveryViews(rows), next };
    },
    notificationsOf: async (subscriber, limit) => {
      const person = await stores.subscriptions.subscriber({ id: subscriber });
      if (!person) return [];
      const rows = await stores.ledger.ofPerson(person.ordinal, limit);
      const [views, paces, items] = await Promise.all([
        deliveryViews(rows),
        digestPaces(rows),
        Promise.all(rows.map((row) => itemOf(row, person.locale))),
      ]);
      return views.flatMap((view, index) => {
        const item = items[index];
        return item ? [{ ...view, item, digest: paces.get(rows[index]?.message ?? '') ?? null }] : [];
      });
    },
  };
};

const hasLeft = (state: DeliveryState): boolean => tells(state) || state === 'sending' || state === 'failed';

const stateNamed = (name: string): DeliveryState => {
  const state = deliveryStates.find((one) => one === name);
  if (!state)
    throw new AppError('invalid', 'There is no such state.', {
      faults: [{ path: 'state', message: `must be one of ${deliveryStates.join(', ')}` }],
    });
  return state;
};

/** What the publishers of rules say of them, by their sources' labels. */
export const explanationsOf = async (
  rules: Pick<RuleStore, 'versions'>,
  sources: PushSource[],
): Promise<Map<string, Bilingual>> => {
  const named = sources.flatMap(({ source }) => ruleOfSource(source) ?? []);
  const versions = named.length > 0 ? await rules.versions(named) : [];
  return new Map(versions.map((one) => [ruleSource(one.rule, one.version), one.content.explanation]));
};

/** The facts of each row's reasons: the follow, or the leaves of the rule that held for the person when it was planned. */
const factReader = (pushes: ReadonlyMap<string, PushSource[]>, rows: Delivery[]) => {
  const held = new Map<string, Map<number, number[]>>();
  return (row: Delivery, index: number): Record<string, string> => {
    const source = pushes.get(row.push)?.[index];
    if (!source) return {};
    if (source.follow !== null) return { follow: source.follow };
    const key = `${row.push} ${index}`;
    const members =
      held.get(key) ??
      membership(
        source.facts.map((fact) => fact.ordinals),
        rows.filter((one) => one.push === row.push).map((one) => one.ordinal),
      );
    held.set(key, members);
    const leaves = (members.get(row.ordinal) ?? []).flatMap((no) => source.facts[no]?.leaf ?? []);
    return Object.fromEntries(leaves.map(leafFact));
  };
};

const titleFor = (version: ItemVersion | null, locale: string): string =>
  version?.content.translations?.[locale]?.title ?? version?.content.title ?? '';

/** A row without a message is named by an HMAC of its key. */
const publicRowId = (keyring: Pick<Keyring, 'mac'>, row: Delivery): string =>
  keyring.mac('delivery', `${row.push}:${row.ordinal}:${row.channel ?? ''}`, 16).toString('base64url');
