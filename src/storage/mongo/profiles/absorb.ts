import type { mongo } from 'mongoose';
import type { BrowsingEvent } from '../../../browsing/browsing-event.ts';
import type { Fold, ProfileStore } from '../../../profiles/profile-store.ts';
import { noProfile, openContent, readProfile, storeEvent } from '../../profile-content.ts';
import { changesOver } from '../changes.ts';
import { insertMissing, slices } from '../writes.ts';
import { consentsOver, type EventDocument, profileCollections, profileRowsOver } from './keeper.ts';

/** People whose profiles are written at the same time. */
const peopleAtOnce = 16;
/** An inbox of this many stays far below what a document may hold. */
const eventsInOneWrite = 500;

const eventsByPerson = (events: readonly BrowsingEvent[]): Map<number, BrowsingEvent[]> => {
  const people = new Map<number, BrowsingEvent[]>();
  for (const event of events) {
    const own = people.get(event.ordinal);
    if (own) own.push(event);
    else people.set(event.ordinal, [event]);
  }
  return people;
};

/** Takes in some events of one person; answers whether they had consented. */
const takerOver = (db: mongo.Db): ((ordinal: number, events: BrowsingEvent[], fold: Fold) => Promise<boolean>) => {
  const { profiles, events } = profileCollections(db);
  const rows = profileRowsOver(db);
  const hasConsented = consentsOver(db);

  /** Events that came out of the inbox after the profile was forgotten go, too. */
  const empty = async (ordinal: number, inbox: EventDocument[], { beat, epoch }: { beat: number; epoch: number }) => {
    await insertMissing(events, inbox);
    const emptied = await profiles.updateOne({ _id: ordinal, beat }, { $set: { inbox: [] } });
    if (emptied.matchedCount > 0 || (await rows.get(ordinal))?.epoch === epoch) return;
    for (const part of slices(inbox, eventsInOneWrite))
      await events.deleteMany({ _id: { $in: part.map(({ _id }) => _id) }, subscriber: ordinal });
  };

  const take = async (ordinal: number, some: BrowsingEvent[], fold: Fold): Promise<boolean> => {
    // the profile first, then the consent: whoever takes that back forgets the profile afterwards, which stops this write
    const there = await rows.get(ordinal);
    if (!(await hasConsented(ordinal))) return false;
    const over = there?.content ?? null;
    const before = readProfile(over === null ? noProfile() : openContent(over), fold.touches(some));
    const fields = await rows.fieldsOf(fold.apply(before, some), over);
    const [beat, epoch] = [(there?.beat ?? 0) + 1, there?.epoch ?? 0];
    const stored = some.map((event, place) => ({
      _id: `${ordinal} ${beat} ${place}`,
      subscriber: ordinal,
      at: event.at,
      no: beat * eventsInOneWrite + place,
      content: JSON.stringify(storeEvent(event)),
    }));
    const inbox = [...(there?.inbox ?? []), ...stored];
    if (!(await rows.put(ordinal, there, { ...fields, inbox }))) return take(ordinal, some, fold);
    await empty(ordinal, inbox, { beat, epoch });
    return true;
  };
  return take;
};

/**
 * Takes events in. A person's events go into the inbox of their profile in the one write that folds them in, and from there
 * into their own collection: what a crash leaves in an inbox is read from it, and moved by the next write.
 */
export const absorbOver = (db: mongo.Db): ProfileStore['absorb'] => {
  const take = takerOver(db);
  const hasConsented = consentsOver(db);
  const changes = changesOver(db);
  return async (events, fold) => {
    const taken = new Set<number>();
    const absorb = async ([ordinal, own]: [number, BrowsingEvent[]]): Promise<void> => {
      if (!(await hasConsented(ordinal))) return;
      await changes.announce([ordinal], async () => {
        for (const part of slices(own, eventsInOneWrite)) if (await take(ordinal, part, fold)) taken.add(ordinal);
      });
    };
    for (const part of slices([...eventsByPerson(events)], peopleAtOnce)) await Promise.all(part.map(absorb));
    return taken;
  };
};
