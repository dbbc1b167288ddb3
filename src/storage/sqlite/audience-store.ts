import type { AudienceStore, IndexedPerson, NumberedFollow } from '../../audience/audience-store.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import { inChunks } from './chunks.ts';
import type { SqliteDatabase, SqlValue } from './database.ts';
import { packedQuery } from './packed.ts';
import { topicNumbersOver } from './topic-numbers.ts';

/** A read of this many takes some 5 ms. */
const peopleInOneRead = 1_000;

/** Lists of whole numbers, one after the other; `ends` says where each ends. It is used again for each read. */
type NumberLists = { numbers: Int32Array; ends: Int32Array; count: number };

const enlarged = (array: Int32Array): Int32Array => {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
};

/**
 * Reads lists of whole numbers, written "1,2,-3;4,5": much faster than rows, and faster than JSON. Nothing but digits,
 * commas, semicolons and minus signs may be in it.
 */
const readLists = (text: SqlValue | undefined, into: NumberLists): void => {
  into.count = 0;
  if (typeof text !== 'string') return;
  let length = 0;
  let [value, sign] = [0, 1];
  for (let at = 0; at <= text.length; at++) {
    // the end is the end of a list
    const code = at < text.length ? text.charCodeAt(at) : 59;
    if (code >= 48 && code <= 57) value = value * 10 + code - 48;
    else if (code === 45) sign = -1;
    else {
      if (length === into.numbers.length) into.numbers = enlarged(into.numbers);
      into.numbers[length++] = sign * value;
      [value, sign] = [0, 1];
      if (code !== 59) continue;
      if (into.count === into.ends.length) into.ends = enlarged(into.ends);
      into.ends[into.count++] = length;
    }
  }
};

type Fields = [
  ordinal: number,
  region: string | null,
  locale: string,
  attributes: IndexedPerson['attributes'],
  consent: number,
  stoppedAll: number,
];

const toPerson = ([ordinal, region, locale, attributes, consent]: Fields): IndexedPerson => ({
  ordinal,
  region,
  locale,
  attributes,
  personalisation: consent === 1,
  channels: [],
  follows: [],
  interests: [],
  lastActiveDay: null,
});

/** Hands out people by ordinal, which must be asked for in their order. */
const inOrder = (people: IndexedPerson[]): ((ordinal: number) => IndexedPerson | undefined) => {
  let place = 0;
  return (ordinal) => {
    while (place < people.length && (people[place]?.ordinal ?? 0) < ordinal) place += 1;
    const person = people[place];
    return person?.ordinal === ordinal ? person : undefined;
  };
};

type Reader = (...values: (number | string)[]) => IndexedPerson[];

/**
 * Reads people with all their facts: four statements, each of which walks its table or index in the order of people. `source`
 * names the people by `person`, ascending; a statement sees what is written meanwhile, and so does the next reader of changes.
 */
const readerOver = (db: SqliteDatabase, source: (person: string, table: string) => string): Reader => {
  const fields = db.prepare(
    `SELECT '[' || group_concat('[' || ordinal || ',' || json_quote(region) || ',' || json_quote(locale) || ','
       || attributes || ',' || personalisation || ',' || stopped_all || ']') || ']' AS packed
     FROM ${source('ordinal', 'subscribers')} AND merged_into IS NULL AND erased_at IS NULL AND leaves_at IS NULL
       AND contact = 0`,
  );
  const follows = db.prepare(
    `SELECT group_concat(subscriber) || ';' || group_concat(follow) AS packed
     FROM ${source('subscriber', 'subscriptions INDEXED BY subscriptions_by_subscriber')} AND stopped_at IS NULL`,
  );
  const profiles = db.prepare(
    `SELECT group_concat(subscriber || ',' || coalesce(last_active_day, -1) || iif(levels = '', '', ',' || levels), ';')
       AS packed FROM ${source('subscriber', 'profiles')}`,
  );
  const channels = db.prepare(
    `SELECT '[' || group_concat(subscriber || ',"' || channel || '"') || ']' AS packed
     FROM ${source('subscriber', 'addresses')}
       AND NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.lookup = addresses.lookup)`,
  );

  const lists: NumberLists = { numbers: new Int32Array(65_536), ends: new Int32Array(2_048), count: 0 };
  const addFollows = (people: IndexedPerson[], text: SqlValue | undefined): void => {
    readLists(text, lists);
    const find = inOrder(people);
    const { numbers, ends } = lists;
    // all subscribers come first, then their follows
    const half = ends[0] ?? 0;
    for (let at = 0; lists.count > 0 && at < half; at++)
      find(numbers[at] as number)?.follows.push(numbers[half + at] as number);
  };
  const addProfiles = (people: IndexedPerson[], text: SqlValue | undefined): void => {
    readLists(text, lists);
    const find = inOrder(people);
    const { numbers, ends, count } = lists;
    for (let list = 0, at = 0; list < count; list++) {
      const end = ends[list] as number;
      const person = find(numbers[at] as number);
      if (person) {
        const day = numbers[at + 1] as number;
        person.lastActiveDay = day === -1 ? null : day;
        person.interests = new Array(end - at - 2);
        for (let pair = at + 2; pair < end; pair++) person.interests[pair - at - 2] = numbers[pair] as number;
      }
      at = end;
    }
  };
  const addChannels = (people: IndexedPerson[], pairs: (number | ChannelName)[]): void => {
    const find = inOrder(people);
    for (let at = 0; at < pairs.length; at += 2) {
      const known = find(Number(pairs[at]))?.channels;
      const channel = pairs[at + 1] as ChannelName;
      if (known && !known.includes(channel)) known.push(channel);
    }
  };

  return (...values) => {
    const packed = fields.get(...values)?.packed;
    const rows = packed == null ? [] : (JSON.parse(String(packed)) as Fields[]);
    const people = rows.map(toPerson);
    addFollows(people, follows.get(...values)?.packed);
    addProfiles(people, profiles.get(...values)?.packed);
    // whoever has stopped everything has no channel left, whatever addresses they have
    const reachable = people.filter((_, at) => rows[at]?.[5] !== 1);
    addChannels(reachable, JSON.parse(String(channels.get(...values)?.packed ?? '[]')));
    return people;
  };
};

/** What the audience index reads, over SQLite. */
export const sqliteAudienceStore = (db: SqliteDatabase): AudienceStore => {
  const newest = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'changes'");
  const lastOrdinal = db.prepare('SELECT max(ordinal) AS ordinal FROM subscribers');
  const changes = packedQuery(
    db,
    { seq: 'seq', ordinal: 'subscriber' },
    'FROM changes WHERE seq > ? ORDER BY seq LIMIT ?',
  );
  const follows = packedQuery(
    db,
    { no: 'no', key: 'key', source: 'source', definition: 'definition' },
    'FROM follows WHERE no > ? ORDER BY no LIMIT ?',
  );
  const topics = topicNumbersOver(db);
  const inRange = readerOver(db, (person, table) => `${table} WHERE ${person} > ?1 AND ${person} <= ?2`);
  const named = readerOver(
    db,
    (person, table) => `json_each(?1) AS wanted CROSS JOIN ${table} ON ${person} = wanted.value WHERE true`,
  );

  return {
    sequence: () => db.read(() => Number(newest.get()?.seq ?? 0)),
    scan: (after, limit) =>
      db.read(() => {
        const last = after + limit;
        return { people: inRange(after, last), last: last < Number(lastOrdinal.get()?.ordinal ?? 0) ? last : null };
      }),
    people: async (ordinals) => {
      const wanted = [...new Set(ordinals)].sort((a, b) => a - b);
      return (await inChunks(wanted, peopleInOneRead, (part) => db.read(() => named(JSON.stringify(part))))).flat();
    },
    // a change is a row a person here, written with what it tells of
    sweepChanges: async () => 0,
    changes: (after, limit) =>
      db.read(() => changes(after, limit).map(({ seq, ordinal }) => ({ seq: Number(seq), ordinal: Number(ordinal) }))),
    follows: (after, limit) =>
      db.read(() =>
        follows(after, limit).map(
          ({ no, key, source, definition }): NumberedFollow => ({
            no: Number(no),
            key: String(key),
            source: String(source),
            ...JSON.parse(String(definition)),
          }),
        ),
      ),
    topicNumbers: () => db.read(topics.all),
  };
};
