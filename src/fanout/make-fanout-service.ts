import { type Edges, newId } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import type { Item, ItemVersion } from '../publishing/item.ts';
import type { Published, PublishingService } from '../publishing/publishing-service.ts';
import { readLink } from '../signed-link.ts';
import type { Storage } from '../storage/storage.ts';
import type { DeliveryView, FanoutService, PushView } from './fanout-service.ts';
import type { Delivery } from './ledger-store.ts';
import { addCounts, type DeliveryState, deliveryStates, noCounts, type Push, pushIdOf } from './push.ts';
import type { PushSource } from './push-store.ts';
import { makeOpenTargeted } from './targeted-link.ts';
import { laneOf } from './worker/planner.ts';

export type FanoutStores = Pick<Storage, 'pushes' | 'ledger' | 'items' | 'subscriptions'>;
export type FanoutTools = {
  publishing: PublishingService;
  edges: Edges;
  keyring: Keyring;
  /** Tells the workers that there is something to do; losing it costs a poll's pause. */
  wake: () => void;
};

/** How many lost announcements one sweep writes at most. */
const announceAtOnce = 100;

/** Publishing with its fan-out, targeted pushes, and what can be read and done about them. */
export const makeFanoutService = (stores: FanoutStores, tools: FanoutTools): FanoutService => {
  const { publishing, edges, keyring } = tools;

  const viewOf = async (push: Push): Promise<PushView> => {
    const batches = await stores.pushes.batchesOf(push.id);
    const counts = batches.map((batch) => batch.counts).reduce(addCounts, noCounts());
    const people = batches.reduce((sum, batch) => sum + batch.people, 0);
    // batches of a frozen plan that are not laid yet hold people who are planned
    const missing = Math.max(0, push.matched - people);
    return { ...push, matched: people + missing, counts: { ...counts, planned: counts.planned + missing } };
  };

  const known = async (id: string): Promise<Push> => {
    const push = await stores.pushes.get(id);
    if (!push) throw new AppError('not-found', `There is no push ${id}.`);
    return push;
  };

  /** The push of a version: made once, whoever asks and however often; then the version counts as announced. */
  const announceVersion = async (version: ItemVersion): Promise<Push> => {
    const push = await stores.pushes.insert({
      ...blankPush(version.item, version.version, edges.now()),
      id: pushIdOf(version.item, version.version),
      lane: laneOf(version.content),
      audience: { kind: 'match' },
    });
    await stores.items.announced(version.item, version.version);
    tools.wake();
    return push;
  };

  const announceOne = async (published: Published): Promise<Push | null> =>
    published.version?.announce ? announceVersion(published.version) : null;

  /** The push of what is public now, for a call that was repeated. */
  const presentPush = async (item: Item): Promise<Push | null> => stores.pushes.get(pushIdOf(item.id, item.version));

  const controlled = async (id: string, from: Push['state'][], to: Push['state']): Promise<PushView> => {
    const push = await known(id);
    if (push.state !== to && !(await stores.pushes.setState(id, from, to)))
      throw new AppError('wrong-state', `The push is ${(await known(id)).state}.`);
    tools.wake();
    return viewOf(await known(id));
  };

  const messageOfToken = async (token: string) => {
    const link = readLink(keyring, 'unsubscribe', token, edges.now());
    const message = link.ok ? await stores.ledger.message(link.subject) : null;
    if (!message?.push) throw new AppError('bad-link', 'This link is not one of ours.');
    return { message, push: message.push };
  };

  const sourcesOfMessage = async (token: string) => {
    const { message, push } = await messageOfToken(token);
    const rows = await stores.ledger.deliveriesOf(push, [message.ordinal]);
    const row = rows.find((one) => one.channel === message.channel);
    const sources = await stores.pushes.sources(push);
    const named = (row?.reasons ?? []).flatMap((index) => sources[index] ?? []);
    return { message, person: await living(message.ordinal), sources: named };
  };

  /** The person behind an ordinal today: whom they were merged into. */
  const living = async (ordinal: number) => {
    let person = await stores.subscriptions.subscriber({ ordinal });
    while (person?.mergedInto) person = await stores.subscriptions.subscriber({ ordinal: person.mergedInto });
    return person;
  };

  const deliveryViews = async (rows: Delivery[]): Promise<DeliveryView[]> => {
    const pushes = new Map<string, Awaited<ReturnType<typeof stores.pushes.sources>>>();
    for (const id of new Set(rows.map((row) => row.push))) pushes.set(id, await stores.pushes.sources(id));
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
      reasons: row.reasons.flatMap((index) => reasonViews(pushes.get(row.push)?.[index])),
      attempts: row.attempts,
      at: row.at,
      dueAt: row.dueAt,
      provider: row.message === null ? null : (providers.get(row.message) ?? null),
    }));
  };

  return {
    publish: async (id, actor) => {
      const published = await publishing.publish(id, actor);
      const push = (await announceOne(published)) ?? (await presentPush(published.item));
      if (!push)
        throw new AppError('wrong-state', 'This item was imported without telling anybody; a correction tells.');
      return { published, push };
    },
    approve: async (id, as, actor) => {
      const published = await publishing.approve(id, as, actor);
      return { published, push: await announceOne(published) };
    },
    correct: async (id, change, actor) => {
      const published = await publishing.correct(id, change, actor);
      return { published, push: await announceOne(published) };
    },
    withdraw: async (id, note, notify, actor) => {
      const item = await publishing.get(id);
      const told = item && !notify ? await stores.ledger.toldOf(id, item.version) : [];
      if (told.length > 0)
        throw new AppError(
          'wrong-state',
          `${told.length} people were told of it: they must be told of its withdrawal.`,
        );
      const published = await publishing.withdraw(id, note, actor);
      if (notify) return { published, push: await announceOne(published) };
      if (published.version) await stores.items.announced(id, published.version.version);
      return { published, push: null };
    },
    announce: async (list) => {
      const pushes: Push[] = [];
      for (const published of list) {
        const push = await announceOne(published);
        if (push) pushes.push(push);
      }
      return pushes;
    },
    announceLost: async () => {
      const lost = await stores.items.unannounced(announceAtOnce);
      for (const version of lost) await announceVersion(version);
      return lost.length;
    },
    push: async ({ item: id, audience, channels, note }) => {
      const item = await publishing.get(id);
      if (!item) throw new AppError('not-found', `There is no item ${id}.`);
      if (item.state !== 'published')
        throw new AppError('wrong-state', `The item is ${item.state}; only a published one can be pushed.`);
      await refuseUnknown(stores, audience);
      const push = await stores.pushes.insert({
        ...blankPush(id, item.version, edges.now()),
        id: newId(edges),
        lane: laneOf(item.content),
        audience,
        channels,
        note,
      });
      tools.wake();
      return push;
    },
    get: async (id) => {
      const push = await stores.pushes.get(id);
      return push && viewOf(push);
    },
    list: async (page) => {
      const { rows, next } = await stores.pushes.list(page);
      return { rows: await Promise.all(rows.map(viewOf)), next };
    },
    // a push may be paused before it is planned; then it goes on with its planning
    pause: (id) => controlled(id, ['planning', 'running'], 'paused'),
    resume: async (id) => controlled(id, ['paused'], (await known(id)).plan === null ? 'planning' : 'running'),
    cancel: (id) => controlled(id, ['planning', 'running', 'paused'], 'cancelled'),
    deliveries: async (push, state, page) => {
      await known(push);
      const wanted = deliveryStates.find((one) => one === state) ?? null;
      if (state !== null && wanted === null)
        throw new AppError('invalid', 'There is no such state.', {
          faults: [{ path: 'state', message: `must be one of ${deliveryStates.join(', ')}` }],
        });
      const { rows, next } = await stores.ledger.page(push, wanted as DeliveryState | null, page);
      return { rows: await deliveryViews(rows), next };
    },
    notificationsOf: async (subscriber, limit) => {
      const person = await stores.subscriptions.subscriber({ id: subscriber });
      if (!person) return [];
      const rows = await stores.ledger.ofPerson(person.ordinal, limit);
      const views = await deliveryViews(rows);
      return Promise.all(
        views.map(async (view, index) => {
          const push = await stores.pushes.get(rows[index]?.push ?? '');
          const version = push && (await stores.items.version(push.item, push.version));
          const item = {
            id: push?.item ?? '',
            title: titleFor(version, person.locale),
            targeted: version?.content.visibility === 'targeted',
          };
          return { ...view, item };
        }),
      );
    },
    redrive: async (which) => {
      if (which.push !== undefined) await known(which.push);
      const count = await stores.ledger.redrive(which, edges.now());
      tools.wake();
      return count;
    },
    openTargeted: makeOpenTargeted(stores, tools),
    unsubscribeView: async (token) => {
      const { message, person, sources } = await sourcesOfMessage(token);
      const held = person
        ? await stores.subscriptions.holding(
            sources.flatMap((one) => one.follow ?? []),
            [person.ordinal],
          )
        : [];
      const live = new Set(held.map((subscription) => subscription.follow));
      return {
        subscriber: person?.id ?? '',
        message: message.id,
        locale: person?.locale ?? 'en',
        sources: sources.map(({ source, follow }) => ({ source, follow, live: follow !== null && live.has(follow) })),
      };
    },
    unsubscribe: async (token, everything) => {
      const { person, sources } = await sourcesOfMessage(token);
      if (!person) return 0;
      const follows = sources.flatMap((one) => one.follow ?? []);
      return stores.subscriptions.stop(person.ordinal, everything ? 'all' : { follows }, edges.now());
    },
    receipt: async (provider, reference, to, response) => {
      const message = await stores.ledger.messageByReference(provider, reference);
      if (!message) return false;
      const attempt = {
        at: edges.now(),
        provider,
        ok: to === 'delivered',
        response: response.slice(0, 300),
        reference,
      };
      return stores.ledger.receipt(message.id, to, attempt);
    },
    report: async (token, what) => {
      const link = readLink(keyring, 'report', token, edges.now());
      if (!link.ok || what !== 'shown') return;
      const attempt = { at: edges.now(), provider: 'service-worker', ok: true, response: what, reference: null };
      await stores.ledger.receipt(link.subject, 'delivered', attempt);
    },
  };
};

const reasonViews = (source: PushSource | undefined): DeliveryView['reasons'] => {
  if (!source) return [];
  const facts: Record<string, string> = source.follow === null ? {} : { follow: source.follow };
  return [{ source: source.source, facts }];
};

const blankPush = (item: string, version: number, createdAt: number): Omit<Push, 'id' | 'lane' | 'audience'> => ({
  item,
  version,
  state: 'planning',
  channels: null,
  note: null,
  plan: null,
  matched: 0,
  bySource: [],
  createdAt,
  plannedAt: null,
  finishedAt: null,
});

const titleFor = (version: ItemVersion | null, locale: string): string =>
  version?.content.translations?.[locale]?.title ?? version?.content.title ?? '';

const refuseUnknown = async (stores: FanoutStores, audience: Push['audience']): Promise<void> => {
  if (audience.kind !== 'people') return;
  const faults = [];
  for (const [index, id] of audience.subscribers.entries()) {
    const person = await stores.subscriptions.subscriber({ id });
    if (!person || person.erasedAt !== null)
      faults.push({ path: `audience.subscribers.${index}`, message: `there is no subscriber ${id}` });
  }
  if (faults.length > 0) throw new AppError('invalid', 'Some people are not known.', { faults });
};

/** A row without a message is named by an HMAC of its key. */
const publicRowId = (keyring: Pick<Keyring, 'mac'>, row: Delivery): string =>
  keyring.mac('delivery', `${row.push}:${row.ordinal}:${row.channel ?? ''}`, 16).toString('base64url');
