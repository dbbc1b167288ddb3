import type { mongo } from 'mongoose';
import { AppError } from '../../../errors.ts';
import type { NewSubscriber } from '../../../subscriptions/subscription-store.ts';
import { append, insertIfFree } from '../writes.ts';
import { nameOf, type PersonDocument, peopleCollections } from './documents.ts';

/** How many steps of "merged into" are followed: merges of merges, never a loop. */
const mergesMost = 10;

export const conflict = (): AppError => new AppError('conflict', 'That externalId or id is taken');

export type People = {
  byOrdinal(ordinal: number): Promise<PersonDocument | null>;
  /** Contacts are left out here, and found by the next alone. */
  byId(id: string): Promise<PersonDocument | null>;
  byContact(id: string): Promise<PersonDocument | null>;
  byExternalId(externalId: string): Promise<PersonDocument | null>;
  /** Who that is after merges; null where merges run in a circle. */
  present(found: PersonDocument | null): Promise<PersonDocument | null>;
  /** Gives the name to the person unless somebody else bears it, or is about to; answers whether it is theirs. */
  claimName(name: string, ordinal: number): Promise<boolean>;
  dropName(name: string, ordinal: number): Promise<void>;
  /** An ordinal for a new person, with their names. Throws `conflict` when somebody bears one of them. */
  reserve(fresh: Pick<NewSubscriber, 'id' | 'externalId'>): Promise<number>;
};

const bears = (found: PersonDocument | null, name: string): boolean =>
  found !== null &&
  !found.pending &&
  (name === nameOf.id(found.id) || (found.externalId !== null && name === nameOf.externalId(found.externalId)));

const ofKind = (found: PersonDocument | null, contact: boolean): PersonDocument | null =>
  found && (found.contact === true) === contact ? found : null;

/**
 * People by what they are called. Names are claimed before the person is written: a name whose person does not bear it was
 * left by a process that died in between, and is free; one whose person is still pending lends its ordinal to whoever comes.
 */
export const peopleByName = (db: mongo.Db): People => {
  const { subscribers, names } = peopleCollections(db);
  const byOrdinal: People['byOrdinal'] = async (ordinal) => {
    const found = await subscribers.findOne({ _id: ordinal });
    return found?.pending ? null : found;
  };
  const byName = async (name: string): Promise<PersonDocument | null> => {
    const there = await names.findOne({ _id: name });
    const found = there && (await byOrdinal(there.ordinal));
    return found && bears(found, name) ? found : null;
  };

  const claimName: People['claimName'] = async (name, ordinal) => {
    if (await insertIfFree(names, { _id: name, ordinal })) return true;
    const there = await names.findOne({ _id: name });
    if (!there) return claimName(name, ordinal);
    if (there.ordinal === ordinal) return true;
    const other = await subscribers.findOne({ _id: there.ordinal });
    if (other?.pending || bears(other, name)) return false;
    await names.updateOne({ _id: name, ordinal: there.ordinal }, { $set: { ordinal } });
    return claimName(name, ordinal);
  };

  /** The ordinal that an earlier try under this name left pending, or a new one. */
  const freeOrdinal = async (name: string): Promise<number> => {
    const there = await names.findOne({ _id: name });
    const found = there && (await subscribers.findOne({ _id: there.ordinal }));
    if (found?.pending) return found._id;
    const [ordinal = 0] = await append(subscribers, [{ pending: true } as unknown as Omit<PersonDocument, '_id'>]);
    return ordinal;
  };

  const reserve: People['reserve'] = async (fresh) => {
    const { id, externalId } = fresh;
    const wanted = [...(externalId === null ? [] : [nameOf.externalId(externalId)]), nameOf.id(id)];
    for (const name of wanted) if (await byName(name)) throw conflict();
    const [first = '', second] = wanted;
    const ordinal = await freeOrdinal(first);
    // somebody was quicker: theirs is the ordinal, or they bear the name by now
    if (!(await claimName(first, ordinal))) return reserve(fresh);
    if (second !== undefined && !(await claimName(second, ordinal))) throw conflict();
    return ordinal;
  };

  return {
    byOrdinal,
    byId: async (id) => ofKind(await byName(nameOf.id(id)), false),
    byContact: async (id) => ofKind(await byName(nameOf.id(id)), true),
    byExternalId: (externalId) => byName(nameOf.externalId(externalId)),
    present: async (found) => {
      let at = found;
      for (let step = 0; at && at.mergedInto !== null && step < mergesMost; step++) at = await byOrdinal(at.mergedInto);
      return at?.mergedInto === null ? at : null;
    },
    claimName,
    dropName: async (name, ordinal) => {
      await names.deleteOne({ _id: name, ordinal });
    },
    reserve,
  };
};
