import type { mongo } from 'mongoose';
import type { ImportedPerson, ImportOutcome, SubscriptionStore } from '../../../subscriptions/subscription-store.ts';
import {
  type AddressOwner,
  consentsAfter,
  type FoundPerson,
  findPerson,
  type LinePerson,
  writtenOutcome,
} from '../../import-line.ts';
import { mongoAddressStore } from '../address-store.ts';
import { changesOver } from '../changes.ts';
import { insertIfFree } from '../writes.ts';
import { nameOf, peopleCollections, subscriptionId, toLinePerson } from './documents.ts';
import { followsOver } from './follows.ts';
import { peopleByName } from './names.ts';
import { freshPerson, newPeopleOver } from './new-people.ts';
import { personWritesOver } from './people.ts';

type Numbers = ReadonlyMap<string, number>;

const finderOver = (db: mongo.Db): ((line: ImportedPerson) => Promise<FoundPerson>) => {
  const { addresses } = peopleCollections(db);
  const people = peopleByName(db);
  const presentOf = async (ordinal: number): Promise<LinePerson | null> => {
    const found = await people.present(await people.byOrdinal(ordinal));
    return found && toLinePerson(found);
  };
  return async (line) => {
    const named = line.externalId === null ? null : await people.present(await people.byExternalId(line.externalId));
    const owners = new Map<string, AddressOwner>();
    const lookups = line.addresses.map(({ lookup }) => lookup);
    const found = lookups.length > 0 ? await addresses.find({ _id: { $in: lookups } }).toArray() : [];
    for (const { _id, subscriber } of found) {
      const person = await presentOf(subscriber);
      owners.set(_id, { owner: subscriber, present: () => person });
    }
    return findPerson(line, named && toLinePerson(named), (lookup) => owners.get(lookup));
  };
};

/** Replaces a person's imported follows by those of a line: what they asked for or stopped themselves is left alone. */
const followReplacerOver = (db: mongo.Db) => {
  const { subscriptions } = peopleCollections(db);
  return async (ordinal: number, line: ImportedPerson, was: LinePerson | null, numbers: Numbers): Promise<void> => {
    const rows = was ? await subscriptions.find({ subscriber: ordinal }).toArray() : [];
    const there = new Map(rows.map((row) => [row.follow, row]));
    const wanted = new Map(line.follows.map((one) => [one.key, one]));
    for (const { _id, follow, origin, stoppedAt } of rows)
      if (origin === 'import' && stoppedAt === null && !wanted.has(follow))
        await subscriptions.deleteOne({ _id, origin: 'import', stoppedAt: null });
    for (const [follow, { id, pace, channels }] of wanted) {
      const row = there.get(follow);
      const _id = subscriptionId(ordinal, follow);
      if (!row && !was?.stoppedAll) {
        const [no, createdAt] = [numbers.get(follow) as number, line.createdAt];
        const fresh = { id, subscriber: ordinal, follow, no, pace, channels, createdAt, stoppedAt: null };
        await insertIfFree(subscriptions, { _id, ...fresh, origin: 'import' });
      }
      if (row?.origin !== 'import' || row.stoppedAt !== null) continue;
      if (row.pace !== pace || JSON.stringify(row.channels) !== JSON.stringify(channels))
        await subscriptions.updateOne({ _id, origin: 'import', stoppedAt: null }, { $set: { pace, channels } });
    }
  };
};

/** What a line tells of somebody who is there; null: they changed meanwhile, and must be looked at again. */
const tellerOver = (db: mongo.Db) => {
  const { subscribers } = peopleCollections(db);
  const people = peopleByName(db);
  const { settle } = personWritesOver(db);
  return async (line: ImportedPerson, person: LinePerson): Promise<boolean> => {
    const before = await people.byOrdinal(person.ordinal);
    if (!before) return false;
    const { attributes, consents: _, ...fields } = line.fields;
    const consents = consentsAfter(line, before);
    const withdrawn = before.consents.personalisation && !consents.personalisation;
    // the name may still be on a row that was merged into this one
    const adopts = line.externalId !== null && before.externalId === null;
    const adopted = adopts && (await people.claimName(nameOf.externalId(line.externalId as string), person.ordinal));
    const set = {
      ...fields,
      consents,
      ...(attributes ? { attributes: JSON.stringify({ ...JSON.parse(before.attributes), ...attributes }) } : {}),
      ...(adopted ? { externalId: line.externalId } : {}),
      ...(withdrawn ? { owes: 'forgetting' as const } : {}),
    };
    const written = await subscribers.updateOne(
      { _id: person.ordinal, beat: before.beat },
      { $set: set, $inc: { beat: 1 } },
    );
    if (written.matchedCount > 0 && withdrawn) await settle(person.ordinal);
    return written.matchedCount > 0;
  };
};

/**
 * The import of `mongoSubscriptionStore`: people who share nothing with anybody in bulk, then the others line by line. The
 * person comes first, then the addresses, then the follows: a line that a crash cut off is found by its externalId or its
 * first address and completed when it comes again.
 */
export const importsOver = (db: mongo.Db): Pick<SubscriptionStore, 'importPeople'> => {
  const find = finderOver(db);
  const tell = tellerOver(db);
  const replaceFollows = followReplacerOver(db);
  const changes = changesOver(db);
  const addresses = mongoAddressStore(db);
  const { insertSubscriber } = personWritesOver(db);
  const { numbersOf } = followsOver(db);
  const writeNew = newPeopleOver(db);

  const addTo = async (ordinal: number, line: ImportedPerson, person: LinePerson | null, numbers: Numbers) => {
    for (const address of line.addresses)
      await addresses.claim({ ...address, subscriber: ordinal, suppressed: null }, 'same-time');
    await replaceFollows(ordinal, line, person, numbers);
  };

  const importOne = async (line: ImportedPerson, numbers: Numbers): Promise<ImportOutcome> => {
    const { person, taken } = await find(line);
    if (taken !== null) return { outcome: 'taken', lookup: taken };
    if (person === null) {
      const ordinal = (await insertSubscriber(freshPerson(line))).ordinal;
      if (line.addresses.length > 0 || line.follows.length > 0)
        await changes.announce([ordinal], () => addTo(ordinal, line, null, numbers));
      return writtenOutcome(line, null);
    }
    const told = await changes.announce([person.ordinal], async () => {
      if (!(await tell(line, person))) return false;
      await addTo(person.ordinal, line, person, numbers);
      return true;
    });
    return told ? writtenOutcome(line, person) : importOne(line, numbers);
  };

  return {
    importPeople: async (people) => {
      const keys = [...new Set(people.flatMap(({ follows }) => follows.map(({ key }) => key)))];
      const numbers = await numbersOf(keys);
      if (numbers.size < keys.length) throw new Error('an import needs stored follows');
      const written = await writeNew(people, numbers);
      const outcomes: ImportOutcome[] = [];
      for (const line of people)
        outcomes.push(written.has(line) ? writtenOutcome(line, null) : await importOne(line, numbers));
      return outcomes;
    },
  };
};
