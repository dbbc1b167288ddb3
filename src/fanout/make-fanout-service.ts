import { demandOwn, demandWholeOffice } from '../access/departments.ts';
import { demandWriter } from '../access/rights.ts';
import { type Edges, newId } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import type { Actor, Item, ItemVersion } from '../publishing/item.ts';
import type { Published, PublishingService } from '../publishing/publishing-service.ts';
import type { Storage } from '../storage/storage.ts';
import type { TellEvents } from '../webhooks/webhook.ts';
import type { FanoutService, PushView } from './fanout-service.ts';
import { makeMessageLinks } from './message-links.ts';
import { owedByName } from './owed-by-name.ts';
import { type Push, type PushState, pushIdOf } from './push.ts';
import { makePushViews } from './push-views.ts';
import { publishedEvent } from './told-events.ts';
import { laneOf } from './worker/planner.ts';

export type FanoutStores = Pick<Storage, 'pushes' | 'ledger' | 'items' | 'subscriptions' | 'rules'>;
export type FanoutTools = {
  publishing: PublishingService;
  edges: Edges;
  keyring: Keyring;
  /** Tells the workers that there is something to do; losing it costs a poll's pause. */
  wake: () => void;
  tell: TellEvents;
  /** Posts a version on the office's public accounts; repeating it changes nothing. */
  broadcast?: (version: ItemVersion) => Promise<void>;
};

/** How many lost announcements one sweep writes at most. */
const announceAtOnce = 100;

/** Publishing with its fan-out, targeted pushes, and what can be read and done about them. */
export const makeFanoutService = (stores: FanoutStores, tools: FanoutTools): FanoutService => {
  const { publishing, edges } = tools;
  const { known, viewOf, ...read } = makePushViews(stores, tools);

  /** The push of a version: made once, whoever asks and however often; then the version counts as announced. */
  const announceVersion = async (version: ItemVersion): Promise<Push> => {
    const push = await stores.pushes.insert({
      ...blankPush(version.item, version.version, edges.now()),
      id: pushIdOf(version.item, version.version),
      lane: laneOf(version.content),
      audience: { kind: 'match' },
    });
    // before the version counts as announced: after a crash it is announced, and told, again
    if (version.kind !== 'withdrawal') await tools.tell([publishedEvent(version, push)]);
    await tools.broadcast?.(version);
    await stores.items.announced(version.item, version.version);
    tools.wake();
    return push;
  };

  const announceOne = async (published: Published): Promise<Push | null> =>
    published.version?.announce ? announceVersion(published.version) : null;

  /** The push of what is public now, for a call that was repeated. */
  const presentPush = async (item: Item): Promise<Push | null> => stores.pushes.get(pushIdOf(item.id, item.version));

  /** Whether anybody was told of an item, or is owed word of it. */
  const concerns = async (item: string, version: number): Promise<boolean> =>
    (await stores.ledger.hasReached(item, version)) || (await owedByName(stores, item, version)).length > 0;

  /** A push is whose its item is. */
  const ownPush = async (id: string, actor: Actor): Promise<Push> => {
    const push = await known(id);
    demandOwn(actor, (await publishing.get(push.item))?.content.departments ?? []);
    return push;
  };

  const heldUp = async (id: string, actor: Actor): Promise<Push> => {
    demandWriter(actor);
    return ownPush(id, actor);
  };

  /** Moves a push on, unless it is there already; answers it as it is then. */
  const controlled = async (push: Push, from: PushState[], to: PushState): Promise<PushView> => {
    const { id } = push;
    if (push.state !== to && !(await stores.pushes.setState(id, from, to)))
      throw new AppError('wrong-state', `The push is ${(await known(id)).state}.`);
    tools.wake();
    return viewOf(await known(id));
  };

  /** `done`, if people are left who settle later under this push. */
  const doneWaiting = async (id: string): Promise<PushState[]> => {
    const { state, counts } = await viewOf(await known(id));
    return state === 'done' && counts.deferred + counts.digested > 0 ? [state] : [];
  };

  const pushable = async (id: string): Promise<Item> => {
    const item = await publishing.get(id);
    if (!item) throw new AppError('not-found', `There is no item ${id}.`);
    if (item.state !== 'published')
      throw new AppError('wrong-state', `The item is ${item.state}; only a published one can be pushed.`);
    return item;
  };

  /** The item, where the actor may push it to these people. */
  const checkPush = async (id: string, audience: Push['audience'], actor: Actor): Promise<Item> => {
    demandWriter(actor);
    const item = await pushable(id);
    demandOwn(actor, item.content.departments ?? []);
    await refuseUnknown(stores, audience);
    return item;
  };

  const pushNow = async (item: Item, asked: Pick<Push, 'id' | 'audience' | 'channels' | 'note'>): Promise<Push> => {
    const blank = blankPush(item.id, item.version, edges.now());
    const push = await stores.pushes.insert({ ...blank, ...asked, lane: laneOf(item.content) });
    tools.wake();
    return push;
  };

  return {
    ...read,
    ...makeMessageLinks(stores, tools),
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
      if (item && !notify && (await concerns(id, item.version)))
        throw new AppError(
          'wrong-state',
          'People were told of it, or are about to be: they must be told of its withdrawal.',
        );
      const published = await publishing.withdraw(id, note, actor);
      // whoever was reached before it was withdrawn, and after the question, is told all the same
      if (notify || (await concerns(id, published.item.version)))
        return { published, push: await announceOne(published) };
      if (!published.version) return { published, push: null };
      await tools.broadcast?.(published.version);
      await stores.items.announced(id, published.version.version);
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
    push: async ({ id = newId(edges), item: of, audience, channels, note }, actor) => {
      const item = await checkPush(of, audience, actor);
      return pushNow(item, { id, audience, channels, note });
    },
    checkPush,
    answer: async ({ id, item, ordinal, note }) =>
      (await stores.pushes.get(id)) ??
      pushNow(await pushable(item), { id, audience: { kind: 'applicant', ordinal }, channels: null, note }),
    // a push may be paused before it is planned; then it goes on with its planning
    pause: async (id, actor) => {
      const push = await heldUp(id, actor);
      return controlled(push, ['planning', 'running', ...(await doneWaiting(id))], 'paused');
    },
    resume: async (id, actor) => {
      const push = await heldUp(id, actor);
      return controlled(push, ['paused'], push.plan === null ? 'planning' : 'running');
    },
    cancel: async (id, actor) => {
      const push = await heldUp(id, actor);
      return controlled(push, ['planning', 'running', 'paused', ...(await doneWaiting(id))], 'cancelled');
    },
    redrive: async (which, actor) => {
      if (which.push === undefined) demandWholeOffice(actor);
      else await ownPush(which.push, actor);
      const count = await stores.ledger.redrive(which, edges.now());
      tools.wake();
      return count;
    },
    receipt: async ({ provider, reference, message: id }, to, response) => {
      const named = await stores.ledger.messageByReference(provider, reference);
      const message = named ?? (id === null ? null : await stores.ledger.message(id));
      if (message?.channel !== 'sms' && message?.channel !== 'wechat') return false;
      const attempt = {
        at: edges.now(),
        provider,
        ok: to === 'delivered',
        response: response.slice(0, 300),
        reference,
      };
      return stores.ledger.receipt(message.id, to, attempt);
    },
  };
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
