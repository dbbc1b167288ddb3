import { type Pace, paces } from '../../../subscriptions/follow.ts';
import type { FollowDefinition, Subscription } from '../../../subscriptions/subscriber.ts';
import type { Followed, SubscriptionStore } from '../../../subscriptions/subscription-store.ts';
import { changesOver } from '../changes.ts';
import { inChunks } from '../chunks.ts';
import type { Row, SqliteDatabase } from '../database.ts';
import { packedQuery } from '../packed.ts';

const definitionsInOneWrite = 100;
const keysInOneRead = 2_000;
const peopleInOneRead = 2_000;

/** Their places in this list are what is stored. */
const origins: readonly Subscription['origin'][] = ['person', 'import'];
export const originCode = (origin: Subscription['origin']): number => origins.indexOf(origin);
export const paceCode = (pace: Pace): number => paces.indexOf(pace);

const toDefinition = (row: Row): FollowDefinition => ({
  key: String(row.key),
  source: String(row.source),
  ...JSON.parse(String(row.definition)),
});

const toSubscription = (row: Row): Subscription => ({
  id: String(row.id),
  subscriber: Number(row.subscriber),
  follow: String(row.key),
  pace: paces[Number(row.pace)] ?? 'immediate',
  channels: row.channels === null ? null : JSON.parse(String(row.channels)),
  origin: origins[Number(row.origin)] ?? 'person',
  createdAt: Number(row.created_at),
  stoppedAt: row.stopped_at === null ? null : Number(row.stopped_at),
});

const subscriptionColumns = {
  id: 's.id',
  subscriber: 's.subscriber',
  key: 'f.key',
  pace: 's.pace',
  channels: 's.channels',
  origin: 's.origin',
  created_at: 's.created_at',
  stopped_at: 's.stopped_at',
};

type Definitions = Pick<SubscriptionStore, 'putFollows' | 'follows' | 'followerCounts'>;

/** The distinct follows of `sqliteSubscriptionStore`. */
export const definitionsOver = (db: SqliteDatabase): Definitions => {
  const insert = db.prepare(
    'INSERT INTO follows (key, source, definition) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING',
  );
  const present = db.prepare('SELECT key FROM follows WHERE key IN (SELECT value FROM json_each(?))');
  const byKeys = db.prepare(
    'SELECT follows.key, source, definition FROM json_each(?) AS wanted JOIN follows ON follows.key = wanted.value',
  );
  const ofSource = db.prepare('SELECT no, live FROM follows WHERE source = ? AND live > 0');
  const distinct = db.prepare(
    `SELECT count(DISTINCT subscriber) AS people FROM subscriptions
     WHERE follow IN (SELECT no FROM follows WHERE source = ?) AND stopped_at IS NULL`,
  );

  const put = ({ key, source, target, regions, anchors }: FollowDefinition): void => {
    insert.run(key, source, JSON.stringify({ target, regions, anchors }));
  };

  const countSource = (source: string): number => {
    const follows = ofSource.all(source);
    // one person may follow a topic in two ways, within different regions; only then must people be told apart
    return follows.length > 1 ? Number(distinct.get(source)?.people) : Number(follows[0]?.live ?? 0);
  };

  return {
    putFollows: async (definitions) => {
      const known = new Set<string>();
      await inChunks(definitions, keysInOneRead, (part) =>
        db.read(() => {
          for (const { key } of present.all(JSON.stringify(part.map((one) => one.key)))) known.add(String(key));
        }),
      );
      const fresh = definitions.filter(({ key }) => !known.has(key));
      await inChunks(fresh, definitionsInOneWrite, (part) => db.write(() => part.forEach(put)));
    },
    follows: async (keys) => {
      const found = await inChunks([...new Set(keys)], keysInOneRead, (part) =>
        db.read(() => byKeys.all(JSON.stringify(part)).map(toDefinition)),
      );
      return found.flat();
    },
    followerCounts: async (sources) => {
      const counts = await inChunks([...new Set(sources)], keysInOneRead, (part) =>
        db.read(() => part.map((source): [string, number] => [source, countSource(source)])),
      );
      return new Map(counts.flat());
    },
  };
};

type Wishes = Pick<
  SubscriptionStore,
  'holding' | 'optOut' | 'optOuts' | 'optedOut' | 'putSubscription' | 'subscriptionsOf' | 'stop' | 'changeSubscription'
>;

/** The subscriptions of `sqliteSubscriptionStore`. */
export const wishesOver = (db: SqliteDatabase): Wishes => {
  const followNo = db.prepare('SELECT no FROM follows WHERE key = ?');
  // by person, and not by follow: a person has a few subscriptions, an item may match thousands of follows
  const holding = packedQuery(
    db,
    subscriptionColumns,
    `FROM json_each(?) AS wanted
       CROSS JOIN subscriptions AS s INDEXED BY subscriptions_by_subscriber ON s.subscriber = wanted.value
       CROSS JOIN follows AS f ON f.no = s.follow
     WHERE s.stopped_at IS NULL AND s.follow IN
       (SELECT no FROM json_each(?) AS keys CROSS JOIN follows ON follows.key = keys.value)`,
  );
  const find = db.prepare('SELECT stopped_at FROM subscriptions WHERE follow = ? AND subscriber = ?');
  const insert = db.prepare(
    `INSERT INTO subscriptions (follow, subscriber, id, pace, channels, origin, created_at, stopped_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const update = db.prepare(
    `UPDATE subscriptions SET pace = ?, channels = ?, origin = ?, stopped_at = ? WHERE follow = ? AND subscriber = ?`,
  );
  const optOut = db.prepare('INSERT INTO rule_opt_outs VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const optOuts = db.prepare(
    'SELECT subscriber, rule FROM json_each(?) AS wanted CROSS JOIN rule_opt_outs ON subscriber = wanted.value',
  );
  const optedOut = db.prepare(
    'SELECT json_group_array(subscriber) AS ordinals FROM (SELECT subscriber FROM rule_opt_outs WHERE rule = ? ORDER BY subscriber)',
  );
  const followsAgain = db.prepare('UPDATE subscribers SET stopped_all = 0 WHERE ordinal = ? AND stopped_all = 1');
  const ofPerson = packedQuery(
    db,
    { ...subscriptionColumns, source: 'f.source', definition: 'f.definition' },
    `FROM subscriptions AS s JOIN follows AS f ON f.no = s.follow WHERE s.subscriber = ? ORDER BY s.created_at, s.id`,
  );
  const live = 'subscriber = ? AND stopped_at IS NULL';
  const stopOne = db.prepare(`UPDATE subscriptions SET stopped_at = ? WHERE ${live} AND id = ?`);
  const stopSome = db.prepare(
    `UPDATE subscriptions SET stopped_at = ? WHERE ${live}
       AND follow IN (SELECT no FROM json_each(?) AS keys CROSS JOIN follows ON follows.key = keys.value)`,
  );
  const stopAll = db.prepare(`UPDATE subscriptions SET stopped_at = ? WHERE ${live}`);
  const markStopped = db.prepare('UPDATE subscribers SET stopped_all = 1 WHERE ordinal = ?');
  const change = db.prepare(
    `UPDATE subscriptions SET pace = coalesce(?, pace), channels = iif(?, ?, channels), origin = ? WHERE ${live} AND id = ?`,
  );

  const changes = changesOver(db);
  const stopWhich = (ordinal: number, which: Parameters<Wishes['stop']>[1], at: number): number => {
    if (which === 'all') {
      markStopped.run(ordinal);
      return stopAll.run(at, ordinal).changes;
    }
    if ('id' in which) return stopOne.run(at, ordinal, which.id).changes;
    return stopSome.run(at, ordinal, JSON.stringify(which.follows)).changes;
  };

  const json = (channels: Subscription['channels'] | undefined): string | null =>
    channels ? JSON.stringify(channels) : null;

  return {
    holding: async (keys, ordinals) => {
      const wanted = JSON.stringify(keys);
      const found = await inChunks([...new Set(ordinals)], peopleInOneRead, (part) =>
        db.read(() => holding(JSON.stringify(part), wanted).map(toSubscription)),
      );
      return found.flat();
    },
    putSubscription: ({ id, subscriber, follow, pace, channels, origin, createdAt, stoppedAt }, revive) =>
      db.write(() => {
        const no = followNo.get(follow)?.no;
        if (no === undefined) throw new Error('a subscription needs a stored follow');
        const there = find.get(no, subscriber);
        if (there && there.stopped_at !== null && !revive) return 'left-stopped';
        if (revive) followsAgain.run(subscriber);
        const wish = [paceCode(pace), json(channels), originCode(origin)];
        if (there) update.run(...wish, stoppedAt, no, subscriber);
        else insert.run(no, subscriber, id, ...wish, createdAt, stoppedAt);
        changes.touch(subscriber);
        return there ? 'updated' : 'added';
      }),
    subscriptionsOf: (ordinal) =>
      db.read(() =>
        ofPerson(ordinal).map((row): Followed => ({ ...toSubscription(row), definition: toDefinition(row) })),
      ),
    stop: (ordinal, which, at) =>
      db.write(() => {
        const stopped = stopWhich(ordinal, which, at);
        // whoever stops everything is also past suggestions, whatever they followed
        if (stopped > 0 || which === 'all') changes.touch(ordinal);
        return stopped;
      }),
    optOut: (ordinal, rules, at) =>
      db.write(() => rules.reduce((count, rule) => count + optOut.run(rule, ordinal, at).changes, 0)),
    optOuts: async (ordinals) => {
      const found = await inChunks([...new Set(ordinals)], peopleInOneRead, (part) =>
        db.read(() =>
          optOuts
            .all(JSON.stringify(part))
            .map((row) => ({ subscriber: Number(row.subscriber), rule: String(row.rule) })),
        ),
      );
      return found.flat();
    },
    optedOut: (rule) => db.read(() => JSON.parse(String(optedOut.get(rule)?.ordinals)) as number[]),
    changeSubscription: (ordinal, id, { pace, channels }) =>
      db.write(() => {
        const to = [pace && paceCode(pace), channels !== undefined, json(channels), originCode('person')];
        const changed = change.run(...to, ordinal, id).changes === 1;
        if (changed) changes.touch(ordinal);
        return changed;
      }),
  };
};
