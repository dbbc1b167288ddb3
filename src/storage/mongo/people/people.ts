import type { mongo } from 'mongoose';
import type { Recipient, Subscriber } from '../../../subscriptions/subscriber.ts';
import { erasedReason, type NewSubscriber, type SubscriptionStore } from '../../../subscriptions/subscription-store.ts';
import { mongoAddressStore } from '../address-store.ts';
import { changesOver } from '../changes.ts';
import { feedbackCollection, surveyCollection } from '../feedback-store.ts';
import { profileKeeperOver } from '../profiles/keeper.ts';
import { insertIfFree, insertMissing, slices } from '../writes.ts';
import { writtenOver } from '../written.ts';
import { nameOf, type PersonDocument, peopleCollections, toRecipient, toSubscriber } from './documents.ts';
import { conflict, peopleByName } from './names.ts';

const peopleInOneRead = 2_000;

export type PersonWrites = Pick<SubscriptionStore, 'insertSubscriber' | 'updateSubscriber'>;

/** What an update writes: the named fields, JSON where they are kept so. */
const fieldsToSet = (fields: Parameters<SubscriptionStore['updateSubscriber']>[1]) => {
  const { attributes, consents, ...rest } = fields;
  return {
    ...rest,
    ...(attributes ? { attributes: JSON.stringify(attributes) } : {}),
    ...(consents ? { consents } : {}),
    ...(consents && !consents.personalisation ? { owes: 'forgetting' as const } : {}),
  };
};

/** What a new person's document holds beside its `_id`. */
export const writtenPerson = ({ attributes, ...facts }: NewSubscriber) => ({
  ...{ ...facts, attributes: JSON.stringify(attributes) },
  ...{ refused: false, stoppedAll: false, mergedInto: null, erasedAt: null, owes: null, beat: 1 },
});

/** New people, and changes of what is kept of them. */
export const personWritesOver = (db: mongo.Db): PersonWrites & { settle(ordinal: number): Promise<void> } => {
  const { subscribers } = peopleCollections(db);
  const people = peopleByName(db);
  const changes = changesOver(db);
  const settle = settlerOver(db);

  const insertSubscriber: PersonWrites['insertSubscriber'] = async (fresh: NewSubscriber) => {
    const ordinal = await people.reserve(fresh);
    const stood = await changes.announce([ordinal], () =>
      subscribers.updateOne({ _id: ordinal, pending: true }, { $set: writtenPerson(fresh), $unset: { pending: 1 } }),
    );
    // somebody else took the same name and place a moment before
    if (stood.matchedCount === 0) return insertSubscriber(fresh);
    return { ...fresh, ordinal, mergedInto: null, erasedAt: null };
  };

  return {
    settle,
    insertSubscriber,
    updateSubscriber: async (ordinal, fields) => {
      const before = await people.byOrdinal(ordinal);
      if (!before) return null;
      const { externalId, consents } = fields;
      const renamed = externalId !== undefined && externalId !== before.externalId;
      if (renamed && externalId !== null && !(await people.claimName(nameOf.externalId(externalId), ordinal)))
        throw conflict();
      const set = { ...fieldsToSet(fields), ...(consents ? { refused: !consents.personalisation } : {}) };
      const after = await changes.announce([ordinal], () =>
        subscribers.findOneAndUpdate({ _id: ordinal }, { $set: set, $inc: { beat: 1 } }, { returnDocument: 'after' }),
      );
      if (renamed && before.externalId !== null) await people.dropName(nameOf.externalId(before.externalId), ordinal);
      if (after?.owes) await settle(ordinal);
      return after && toSubscriber(after);
    },
  };
};

/**
 * Does what a person's row says is owed in other collections, and strikes it off. Each step may be repeated: a process that
 * dies in the middle leaves the debt, and the sweep (`settleDebts`) calls this again.
 */
const settlerOver = (db: mongo.Db): ((ordinal: number) => Promise<void>) => {
  const { subscribers, names, follows, subscriptions, optOuts, addresses, suppressions, signUps } =
    peopleCollections(db);
  const profiles = profileKeeperOver(db);
  const feedback = feedbackCollection(db);
  const surveys = surveyCollection(db);
  const written = writtenOver(db);

  // owed by the contact itself from then on, whatever becomes of this process
  const eraseContact = async (ordinal: number, erasedAt: number): Promise<void> => {
    await subscribers.updateOne({ _id: ordinal }, { $set: { ...cleared, erasedAt } });
    await settle(ordinal);
  };
  /** What they searched for goes with them where nobody else asks for it; its number stays taken by what numbers it. */
  const forgetSearches = async (ordinal: number): Promise<void> => {
    const mine = (await subscriptions.find({ subscriber: ordinal }).toArray()).map(({ follow }) => follow);
    const searches = await follows.find({ _id: { $in: mine } }).toArray();
    for (const search of searches.filter(({ source }) => source.startsWith('subscription:search:'))) {
      const others = () => subscriptions.findOne({ follow: search._id, subscriber: { $ne: ordinal } });
      if (await others()) continue;
      await follows.deleteOne({ _id: search._id });
      // somebody asked for the same in between
      if (await others()) await insertIfFree(follows, search);
    }
  };
  const erase = async (ordinal: number, at: number): Promise<void> => {
    const lookups = (await addresses.find({ subscriber: ordinal }).toArray()).map(({ _id }) => _id);
    // while the addresses still tell which applications were theirs
    for (const contact of await written.contactsOf(lookups)) await eraseContact(contact, at);
    await written.forget(ordinal, lookups);
    await insertMissing(
      suppressions,
      lookups.map((_id) => ({ _id, reason: erasedReason, at })),
    );
    for (const part of slices(lookups, peopleInOneRead))
      await suppressions.updateMany({ _id: { $in: part } }, { $set: { reason: erasedReason } });
    for (const part of slices(lookups, peopleInOneRead)) await signUps.deleteMany({ lookup: { $in: part } });
    await addresses.deleteMany({ subscriber: ordinal });
    await forgetSearches(ordinal);
    await subscriptions.deleteMany({ subscriber: ordinal });
    await optOuts.deleteMany({ subscriber: ordinal });
    await feedback.updateMany({ ordinal }, { $set: { comment: null } });
    for (const { _id } of await names.find({ ordinal }).toArray())
      if (!_id.startsWith(nameOf.id(''))) await names.deleteOne({ _id, ordinal });
    await profiles.forget(ordinal);
  };
  const join = async (from: number, to: number): Promise<void> => {
    const before = await subscribers.findOne({ _id: from });
    const wishes = { ...(before?.fewer ? { fewer: true } : {}), ...(before?.plainLinks ? { plainLinks: true } : {}) };
    if (Object.keys(wishes).length > 0) await subscribers.updateOne({ _id: to }, { $set: wishes });
    for (const { rule, at } of await optOuts.find({ subscriber: from }).toArray())
      await insertIfFree(optOuts, { _id: `${to} ${rule}`, rule, subscriber: to, at });
    await feedback.updateMany({ ordinal: from }, { $set: { ordinal: to } });
    const asked = await surveys.findOne({ _id: from });
    if (asked && !(await insertIfFree(surveys, { ...asked, _id: to })))
      await surveys.updateOne({ _id: to, at: { $lt: asked.at } }, { $set: { name: asked.name, at: asked.at } });
    await profiles.join(from, to);
    await written.join(from, to);
  };

  const settle = async (ordinal: number): Promise<void> => {
    const found = await subscribers.findOne({ _id: ordinal });
    if (!found?.owes) return;
    if (found.owes === 'erasure') await erase(ordinal, found.erasedAt ?? 0);
    else if (found.owes === 'joining' && found.mergedInto !== null) await join(ordinal, found.mergedInto);
    else if (!found.consents.personalisation) await profiles.forget(ordinal);
    await subscribers.updateOne({ _id: ordinal, owes: found.owes }, { $set: { owes: null } });
  };
  return settle;
};

/** Finishes what processes left that died while they erased, merged or forgot somebody; answers how many people. */
export const settleDebts = async (db: mongo.Db): Promise<number> => {
  const { subscribers } = peopleCollections(db);
  const settle = settlerOver(db);
  const changes = changesOver(db);
  const owing = await subscribers.find({ owes: { $in: ['erasure', 'forgetting', 'joining'] } }).toArray();
  for (const { _id, mergedInto } of owing)
    await changes.announce([_id, ...(mergedInto === null ? [] : [mergedInto])], () => settle(_id));
  return owing.length;
};

type Rest = Pick<SubscriptionStore, 'subscriber' | 'erase' | 'leave' | 'leaving' | 'merge' | 'recipients'>;

const cleared = {
  externalId: null,
  region: null,
  timeZone: null,
  quietHours: null,
  digestHour: null,
  attributes: '{}',
  consents: { personalisation: false },
  refused: false,
  fewer: false,
  plainLinks: false,
  leavesAt: null,
  owes: 'erasure',
} as const satisfies Partial<PersonDocument>;

const endsOver = (db: mongo.Db): Pick<Rest, 'erase' | 'leave' | 'leaving' | 'merge'> => {
  const { subscribers } = peopleCollections(db);
  const changes = changesOver(db);
  const settle = settlerOver(db);
  return {
    // the person first: what lies elsewhere is out of reach from then on, and found again by `owes`
    erase: async (ordinal, at) => {
      const there = await subscribers.findOne({ _id: ordinal });
      if (!there || there.pending) return;
      await changes.announce([ordinal], async () => {
        const erasedAt = there.erasedAt ?? at;
        await subscribers.updateOne({ _id: ordinal }, { $set: { ...cleared, erasedAt }, $inc: { beat: 1 } });
        await settle(ordinal);
      });
    },
    leave: async (ordinal, leavesAt) => {
      const living = { _id: ordinal, pending: { $exists: false }, mergedInto: null, erasedAt: null };
      if (!(await subscribers.findOne(living, { projection: { _id: 1 } }))) return false;
      const done = await changes.announce([ordinal], () =>
        subscribers.updateOne(living, { $set: { leavesAt }, $inc: { beat: 1 } }),
      );
      return done.matchedCount > 0;
    },
    leaving: async (before, limit) =>
      (
        await subscribers
          .find({ leavesAt: { $lt: before }, mergedInto: null }, { projection: { _id: 1 } })
          .sort({ leavesAt: 1, _id: 1 })
          .limit(limit)
          .toArray()
      ).map(({ _id }) => _id),
    merge: async (from, to) => {
      if (from === to) return;
      await changes.announce([from, to], async () => {
        await subscribers.updateOne(
          { _id: from, mergedInto: null },
          { $set: { mergedInto: to, owes: 'joining' }, $inc: { beat: 1 } },
        );
        await settle(from);
      });
    },
  };
};

/** The people of `mongoSubscriptionStore`. */
export const peopleOver = (db: mongo.Db): Rest & PersonWrites => {
  const { subscribers } = peopleCollections(db);
  const people = peopleByName(db);
  const { insertSubscriber, updateSubscriber } = personWritesOver(db);
  const addresses = mongoAddressStore(db);

  const find = (by: Parameters<Rest['subscriber']>[0]): Promise<PersonDocument | null> => {
    if ('contact' in by) return people.byContact(by.contact);
    if ('id' in by) return people.byId(by.id);
    return 'ordinal' in by ? people.byOrdinal(by.ordinal) : people.byExternalId(by.externalId);
  };
  return {
    ...endsOver(db),
    insertSubscriber,
    updateSubscriber,
    subscriber: async (by): Promise<Subscriber | null> => {
      const found = await find(by);
      return found && toSubscriber(found);
    },
    recipients: async (ordinals) => {
      const found = new Map<number, Recipient>();
      for (const part of slices([...new Set(ordinals)], peopleInOneRead))
        for (const one of await subscribers.find({ _id: { $in: part } }).toArray())
          if (!one.pending) found.set(one._id, toRecipient(one));
      for (const address of await addresses.ofSubscribers([...found.keys()]))
        found.get(address.subscriber)?.addresses.push(address);
      return [...found.values()].sort((a, b) => a.ordinal - b.ordinal);
    },
  };
};
