import type { mongo } from 'mongoose';
import type { SubscriptionStore } from '../../../subscriptions/subscription-store.ts';
import { changesOver } from '../changes.ts';
import { insertIfFree, slices } from '../writes.ts';
import {
  peopleCollections,
  type SubscriptionDocument,
  subscriptionId,
  toDefinition,
  toSubscription,
} from './documents.ts';
import { followsOver } from './follows.ts';

const peopleInOneRead = 2_000;

type Wishes = Pick<
  SubscriptionStore,
  'holding' | 'putSubscription' | 'subscriptionsOf' | 'stop' | 'changeSubscription'
>;
type OptOuts = Pick<SubscriptionStore, 'optOut' | 'optOuts' | 'optedOut'>;

const toStop = (ordinal: number, which: Parameters<Wishes['stop']>[1]): mongo.Filter<SubscriptionDocument> => {
  const live = { subscriber: ordinal, stoppedAt: null };
  if (which === 'all') return live;
  return 'id' in which ? { ...live, id: which.id } : { ...live, follow: { $in: which.follows } };
};

/** The subscriptions of `mongoSubscriptionStore`. */
export const wishesOver = (db: mongo.Db): Wishes => {
  const { subscribers, subscriptions, follows } = peopleCollections(db);
  const changes = changesOver(db);
  const { numbersOf } = followsOver(db);

  const put: Wishes['putSubscription'] = async (wish, revive) => {
    const { subscriber, follow, pace, channels, origin, stoppedAt } = wish;
    const _id = subscriptionId(subscriber, follow);
    const no = (await numbersOf([follow])).get(follow);
    if (no === undefined) throw new Error('a subscription needs a stored follow');
    const there = await subscriptions.findOne({ _id });
    if (there && there.stoppedAt !== null && !revive) return 'left-stopped';
    const done = await changes.announce([subscriber], async () => {
      if (revive) await subscribers.updateOne({ _id: subscriber, stoppedAll: true }, { $set: { stoppedAll: false } });
      if (!there) return insertIfFree(subscriptions, { _id, no, ...wish });
      const guard = revive ? { _id } : { _id, stoppedAt: null };
      const set = { pace, channels, origin, stoppedAt };
      return (await subscriptions.updateOne(guard, { $set: set })).matchedCount > 0;
    });
    // added, stopped or erased between the two
    if (!done) return put(wish, revive);
    return there ? 'updated' : 'added';
  };

  return {
    putSubscription: put,
    holding: async (keys, ordinals) => {
      const wanted = new Set(keys);
      const found: SubscriptionDocument[] = [];
      // by person, and not by follow: a person has a few subscriptions, an item may match thousands of follows
      for (const part of slices([...new Set(ordinals)], peopleInOneRead))
        for (const one of await subscriptions.find({ subscriber: { $in: part }, stoppedAt: null }).toArray())
          if (wanted.has(one.follow)) found.push(one);
      return found.map(toSubscription);
    },
    subscriptionsOf: async (ordinal) => {
      const found = await subscriptions.find({ subscriber: ordinal }).sort({ createdAt: 1, id: 1 }).toArray();
      const keys = found.map(({ follow }) => follow);
      const definitions = new Map((await follows.find({ _id: { $in: keys } }).toArray()).map((one) => [one._id, one]));
      return found.flatMap((one) => {
        const follow = definitions.get(one.follow);
        return follow ? [{ ...toSubscription(one), definition: toDefinition(follow) }] : [];
      });
    },
    stop: async (ordinal, which, at) => {
      const filter = toStop(ordinal, which);
      if (which !== 'all' && !(await subscriptions.findOne(filter, { projection: { _id: 1 } }))) return 0;
      return changes.announce([ordinal], async () => {
        // the word that stands for everything comes first: an import in between adds nothing
        if (which === 'all') await subscribers.updateOne({ _id: ordinal }, { $set: { stoppedAll: true } });
        return (await subscriptions.updateMany(filter, { $set: { stoppedAt: at } })).modifiedCount;
      });
    },
    changeSubscription: async (ordinal, id, { pace, channels }) => {
      const live = { subscriber: ordinal, id, stoppedAt: null };
      if (!(await subscriptions.findOne(live, { projection: { _id: 1 } }))) return false;
      const set = {
        origin: 'person' as const,
        ...(pace ? { pace } : {}),
        ...(channels === undefined ? {} : { channels }),
      };
      const changed = await changes.announce([ordinal], () => subscriptions.updateOne(live, { $set: set }));
      return changed.matchedCount > 0;
    },
  };
};

/** The opt-outs of `mongoSubscriptionStore`. */
export const optOutsOver = (db: mongo.Db): OptOuts => {
  const { optOuts } = peopleCollections(db);
  return {
    optOut: async (ordinal, rules, at) => {
      let fresh = 0;
      for (const rule of rules)
        if (await insertIfFree(optOuts, { _id: `${ordinal} ${rule}`, rule, subscriber: ordinal, at })) fresh += 1;
      return fresh;
    },
    optOuts: async (ordinals) => {
      const found: { subscriber: number; rule: string }[] = [];
      for (const part of slices([...new Set(ordinals)], peopleInOneRead))
        for (const { subscriber, rule } of await optOuts.find({ subscriber: { $in: part } }).toArray())
          found.push({ subscriber, rule });
      return found;
    },
    optedOut: async (rule) => {
      const found = await optOuts
        .find({ rule }, { projection: { subscriber: 1 } })
        .sort({ subscriber: 1 })
        .toArray();
      return found.map(({ subscriber }) => subscriber);
    },
  };
};
