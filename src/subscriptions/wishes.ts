import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import { type Edges, newId } from '../edges.ts';
import type { Fault } from '../errors.ts';
import type { Item } from '../publishing/item.ts';
import type { ItemStore } from '../publishing/item-store.ts';
import { defineFollow, type FollowRequest } from './follow.ts';
import { type FollowParts, itemsNamed, wishFaultsIn } from './follow-check.ts';
import type { SubscriptionStore } from './subscription-store.ts';

type Items = { items: Pick<ItemStore, 'get'> };

/** Those of the items that everybody may read. */
export const publicItems = async ({ items }: Items, ids: readonly string[]): Promise<Map<string, Item>> => {
  const found = new Map<string, Item>();
  for (const id of ids) {
    const item = await items.get({ id });
    const readable = item?.state === 'published' || item?.state === 'withdrawn';
    if (item && readable && item.version > 0 && item.content.visibility === 'public') found.set(id, item);
  }
  return found;
};

/** Every topic, region, value and item in these wishes that does not exist; of those that are refused, in what is sound. */
export const wishFaults = async (
  stores: Items,
  catalogue: Pick<CatalogueService, 'trees'>,
  follows: readonly (FollowParts | undefined)[],
): Promise<Fault[]> => {
  const known = {
    trees: await catalogue.trees(),
    items: new Set((await publicItems(stores, itemsNamed(follows))).keys()),
  };
  return wishFaultsIn(follows, known);
};

/** Stores what a person asks for themselves: what they had stopped lives again. Safe to repeat. */
export const putWishes = async (
  { subscriptions }: { subscriptions: Pick<SubscriptionStore, 'putFollows' | 'putSubscription'> },
  edges: Pick<Edges, 'now' | 'bytes'>,
  subscriber: number,
  follows: readonly FollowRequest[],
): Promise<void> => {
  const wanted = follows.map((follow) => ({ ...follow, definition: defineFollow(follow) }));
  await subscriptions.putFollows(wanted.map(({ definition }) => definition));
  for (const { definition, pace, channels } of wanted) {
    const wish = { id: newId(edges), subscriber, follow: definition.key, pace, channels, origin: 'person' } as const;
    await subscriptions.putSubscription({ ...wish, createdAt: edges.now(), stoppedAt: null }, true);
  }
};
