import type { mongo } from 'mongoose';
import type { ImportedPerson } from '../../../subscriptions/subscription-store.ts';
import { consentsAfter } from '../../import-line.ts';
import { changesOver } from '../changes.ts';
import { append, bulk, insertMissing, slices } from '../writes.ts';
import { nameOf, type PersonDocument, peopleCollections, subscriptionId } from './documents.ts';
import { writtenPerson } from './people.ts';

/** People of one bulk: at most so many are left without an address by a crash. */
const linesAtOnce = 200;

type Placed = { line: ImportedPerson; ordinal: number };

/** What names a person in a line, and must be theirs alone. */
const namesIn = ({ id, externalId }: ImportedPerson): string[] => [
  nameOf.id(id),
  ...(externalId === null ? [] : [nameOf.externalId(externalId)]),
];
const lookupsIn = ({ addresses }: ImportedPerson): string[] => [...new Set(addresses.map(({ lookup }) => lookup))];

const counted = (keys: string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};

/** A new person as a line tells of them. */
export const freshPerson = (line: ImportedPerson) => {
  const { id, externalId, createdAt, defaultLocale, fields } = line;
  const none = { region: null, timeZone: null, quietHours: null, digestHour: null, attributes: {} };
  const facts = { locale: defaultLocale, ...none, ...fields };
  return { ...facts, id, externalId, createdAt, consents: consentsAfter(line, null) };
};

/**
 * Writes lines about people who are new, many at a time. Only such as share no name and no address with anybody who is there,
 * nor with another line: these may come in any order. Answers the lines that it has written; the others are to be written one
 * by one, as those of which somebody else took a name, an ordinal or an address a moment before.
 */
export const newPeopleOver = (db: mongo.Db) => {
  const { subscribers, names, addresses, subscriptions } = peopleCollections(db);
  const changes = changesOver(db);

  const present = async <T extends { _id: string }>(of: mongo.Collection<T>, keys: string[]): Promise<Set<string>> => {
    const found = new Set<string>();
    for (const part of slices(keys, 2_000)) {
      const filter = { _id: { $in: part } } as mongo.Filter<T>;
      for (const { _id } of await of.find(filter, { projection: { _id: 1 } }).toArray()) found.add(String(_id));
    }
    return found;
  };

  /** The lines that share nothing with anybody. */
  const apart = async (lines: ImportedPerson[]): Promise<ImportedPerson[]> => {
    const [allNames, allLookups] = [lines.flatMap(namesIn), lines.flatMap(lookupsIn)];
    const inLines = { names: counted(allNames), lookups: counted(allLookups) };
    const there = { names: await present(names, allNames), lookups: await present(addresses, allLookups) };
    return lines.filter(
      (line) =>
        namesIn(line).every((name) => inLines.names.get(name) === 1 && !there.names.has(name)) &&
        lookupsIn(line).every((lookup) => inLines.lookups.get(lookup) === 1 && !there.lookups.has(lookup)),
    );
  };

  /** Ordinals for the lines, whose names they bear; leaves out those of which somebody was quicker. */
  const place = async (lines: ImportedPerson[]): Promise<Placed[]> => {
    const pending = lines.map(() => ({ pending: true }) as unknown as Omit<PersonDocument, '_id'>);
    const ordinals = await append(subscribers, pending);
    const placed = lines.map((line, at) => ({ line, ordinal: ordinals[at] as number }));
    const called = placed.flatMap(({ line: { externalId }, ordinal }) =>
      externalId === null ? [] : [{ _id: nameOf.externalId(externalId), ordinal }],
    );
    await insertMissing(names, called);
    const found = await names.find({ _id: { $in: called.map(({ _id }) => _id) } }).toArray();
    const owners = new Map(found.map(({ _id, ordinal }) => [_id, ordinal]));
    const own = placed.filter(
      ({ line: { externalId }, ordinal }) =>
        externalId === null || owners.get(nameOf.externalId(externalId)) === ordinal,
    );
    // after the others: a line that is left to be written alone must find its own id free
    await insertMissing(
      names,
      own.map(({ line, ordinal }) => ({ _id: nameOf.id(line.id), ordinal })),
    );
    return own;
  };

  /** Writes the people; leaves out those whose ordinal was lent to somebody else meanwhile. */
  const writePeople = async (placed: Placed[]): Promise<Placed[]> => {
    await bulk(
      subscribers,
      placed.map(({ line, ordinal }) => ({
        updateOne: {
          filter: { _id: ordinal, pending: true as const },
          update: { $set: writtenPerson(freshPerson(line)), $unset: { pending: 1 as const } },
        },
      })),
    );
    const filter = { _id: { $in: placed.map(({ ordinal }) => ordinal) } };
    const found = await subscribers.find(filter, { projection: { id: 1 } }).toArray();
    const ids = new Map(found.map(({ _id, id }) => [_id, id]));
    return placed.filter(({ line, ordinal }) => ids.get(ordinal) === line.id);
  };

  /** Takes somebody back who is half made, so that the line can be written alone; keeps one whom somebody has changed since. */
  const takeBack = async ({ line, ordinal }: Placed): Promise<void> => {
    const pending = { pending: true } as unknown as PersonDocument;
    const { matchedCount } = await subscribers.replaceOne({ _id: ordinal, id: line.id, beat: 1 }, pending);
    if (matchedCount === 0) return;
    await names.deleteMany({ _id: { $in: namesIn(line) }, ordinal });
    await addresses.deleteMany({ _id: { $in: lookupsIn(line) }, subscriber: ordinal });
  };

  /** Writes addresses; takes back, and leaves out, whoever lost one to somebody who was quicker. */
  const writeAddresses = async (placed: Placed[]): Promise<Placed[]> => {
    await insertMissing(
      addresses,
      placed.flatMap(({ line, ordinal: subscriber }) =>
        line.addresses.map(({ lookup, channel, sealed, verifiedAt }) => ({
          ...{ _id: lookup, subscriber, channel, sealed, verifiedAt },
        })),
      ),
    );
    const lookups = placed.flatMap(({ line }) => lookupsIn(line));
    const found = await addresses.find({ _id: { $in: lookups } }, { projection: { subscriber: 1 } }).toArray();
    const owners = new Map(found.map(({ _id, subscriber }) => [_id, subscriber]));
    const isWhole = ({ line, ordinal }: Placed): boolean =>
      lookupsIn(line).every((lookup) => owners.get(lookup) === ordinal);
    for (const one of placed) if (!isWhole(one)) await takeBack(one);
    return placed.filter(isWhole);
  };

  const writeFollows = async (placed: Placed[], numbers: ReadonlyMap<string, number>): Promise<void> => {
    await insertMissing(
      subscriptions,
      placed.flatMap(({ line: { follows, createdAt }, ordinal: subscriber }) =>
        [...new Map(follows.map((one) => [one.key, one]))].map(([follow, { id, pace, channels }]) => ({
          ...{ _id: subscriptionId(subscriber, follow), no: numbers.get(follow) as number },
          ...{ id, subscriber, follow, pace, channels, origin: 'import' as const, createdAt, stoppedAt: null },
        })),
      ),
    );
  };

  return async (lines: ImportedPerson[], numbers: ReadonlyMap<string, number>): Promise<Set<ImportedPerson>> => {
    const written = new Set<ImportedPerson>();
    for (const part of slices(await apart(lines), linesAtOnce)) {
      const placed = await place(part);
      await changes.announce(
        placed.map(({ ordinal }) => ordinal),
        async () => {
          const own = await writeAddresses(await writePeople(placed));
          await writeFollows(own, numbers);
          for (const { line } of own) written.add(line);
        },
      );
    }
    return written;
  };
};
