import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AudienceIndex } from '../../../src/audience/audience-index.ts';
import type { AudienceStore, IndexedPerson } from '../../../src/audience/audience-store.ts';
import { readSnapshot } from '../../../src/audience/index/snapshot.ts';
import { type IndexKeeper, makeIndexKeeper } from '../../../src/audience/index-keeper.ts';
import { makeOracleCheck, type OracleCheck } from '../../../src/audience/oracle-check.ts';
import { ordinalsOf } from '../../../src/audience/people-set.ts';
import { makeCatalogueService } from '../../../src/catalogue/catalogue-service.ts';
import { realEdges } from '../../../src/edges.ts';
import { makeLog } from '../../../src/log.ts';
import type { Condition } from '../../../src/rules/condition.ts';
import type { SqliteDatabase } from '../../../src/storage/sqlite/database.ts';
import { sqliteStorage } from '../../../src/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { countTurns, pausesOf } from '../../helpers/count-turns.ts';
import { makeImported, someTime, topicFollow } from '../../helpers/make-subscriber.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';
import { context, makeItem } from '../rules/fixtures.ts';

const within = (...codes: string[]): Condition => ({ person: 'region', within: codes });
const asked = (index: AudienceIndex, one: Condition): number[] => [
  ...ordinalsOf(index.select(one, makeItem(), context)),
];

describe('the keeper of the audience index', () => {
  let db: SqliteDatabase;
  let stores: Storage;
  let dir: string;
  let scans: number;
  const keepers: IndexKeeper[] = [];
  beforeEach(async () => {
    db = await openMemory();
    stores = sqliteStorage(db);
    dir = mkdtempSync(join(tmpdir(), 'bellman-keeper-'));
    scans = 0;
    await people(1, 300);
  });
  afterEach(async () => {
    for (const keeper of keepers.splice(0)) await keeper.close();
    await db.close();
    rmSync(dir, { recursive: true });
  });

  const people = async (from: number, to: number): Promise<void> => {
    const housing = topicFollow('housing');
    await stores.subscriptions.putFollows([housing]);
    await stores.subscriptions.importPeople(
      Array.from({ length: to - from + 1 }, (_, at) => {
        const n = from + at;
        return makeImported({
          id: `person-${n}`,
          externalId: `${n}`,
          fields: { region: n % 3 === 0 ? '110101' : '310000', attributes: { birthYear: 1950 + (n % 50) } },
          follows: n % 2 === 0 ? [{ key: housing.key, id: `wish-${n}`, pace: 'immediate', channels: null }] : [],
        });
      }),
    );
  };

  const file = (): string => join(dir, 'audience.snapshot');
  const keep = (
    over: Partial<AudienceStore> = {},
    snapshotFile: string | null = null,
    oracle?: OracleCheck,
  ): IndexKeeper => {
    const scan: AudienceStore['scan'] = (after, limit) => {
      scans += 1;
      return (over.scan ?? stores.audience.scan)(after, limit);
    };
    const log = makeLog('silent');
    const audience = { ...stores.audience, ...over, scan };
    const keeper = makeIndexKeeper(
      { audience },
      { edges: realEdges, log, snapshotFile, snapshotFrom: 100, ...(oracle && { oracle }) },
    );
    keepers.push(keeper);
    return keeper;
  };
  const beijing = Array.from({ length: 100 }, (_, at) => 3 * (at + 1));

  it('builds the index when it is first asked for', async () => {
    const keeper = keep();
    expect(keeper.state()).toMatchObject({ state: 'building', people: 0 });
    const index = await keeper.caughtUp();
    expect(asked(index, within('110000'))).toEqual(beijing);
    expect(keeper.state()).toMatchObject({ state: 'ready', people: 300, lag: 0, rebuilds: 0, faults: 0 });
    expect(keeper.state().bytes).toBeGreaterThan(300);
  });

  it('has taken in whatever was written before it was asked', async () => {
    const keeper = keep();
    await keeper.caughtUp();
    await stores.subscriptions.updateSubscriber(1, { region: '110101' });
    await stores.subscriptions.erase(3, someTime);
    await people(301, 303);
    const index = await keeper.caughtUp();
    expect(asked(index, within('110000'))).toEqual([1, ...beijing.slice(1), 303]);
    expect(index.sequence()).toBe(await stores.audience.sequence());
  });

  it('knows follows, topics and attributes that came up after it was built', async () => {
    const keeper = keep();
    await keeper.caughtUp();
    const rent = topicFollow('rent');
    await stores.subscriptions.putFollows([rent]);
    const wish = {
      id: 'new',
      subscriber: 5,
      follow: rent.key,
      pace: 'daily',
      channels: null,
      origin: 'person',
    } as const;
    await stores.subscriptions.putSubscription({ ...wish, createdAt: someTime, stoppedAt: null }, true);
    await stores.subscriptions.updateSubscriber(6, { attributes: { occupation: ['农民'] } });
    const index = await keeper.caughtUp();
    // whoever follows housing follows rent, which is below it
    expect(asked(index, { person: 'follows', topic: 'rent' })).toHaveLength(151);
    expect(asked(index, { person: 'follows', topic: 'rent' })).toContain(5);
    expect(asked(index, { person: 'attributes.occupation', in: ['农民'] })).toEqual([6]);
  });

  it('takes many changes in by parts, and lets the process serve between them', async () => {
    const turns = countTurns();
    const readAt: number[] = [];
    const most: number[] = [];
    const read: AudienceStore['people'] = (ordinals) => {
      readAt.push(turns.now());
      most.push(ordinals.length);
      return stores.audience.people(ordinals);
    };
    const keeper = keep({ people: read });
    await keeper.caughtUp();
    readAt.length = most.length = 0;
    await people(301, 1_200);
    expect(await keeper.follow()).toBe(900);
    turns.end();
    expect(Math.max(...most)).toBe(200);
    for (const pause of pausesOf(readAt)) expect(pause).toBeGreaterThanOrEqual(3);
    expect(keeper.state()).toMatchObject({ people: 1_200, lag: 0, rebuilds: 0 });
  });

  it('answers everybody who asks at once', async () => {
    const keeper = keep();
    await keeper.caughtUp();
    const rounds = Array.from({ length: 20 }, async (_, at) => {
      await stores.subscriptions.updateSubscriber(at + 1, { region: 'hill' });
      return asked(await keeper.caughtUp(), within('hill')).includes(at + 1);
    });
    expect(new Set(await Promise.all(rounds))).toEqual(new Set([true]));
  });

  describe('for an emergency', () => {
    it('answers as it stands, however far behind', async () => {
      const keeper = keep();
      await keeper.caughtUp();
      await people(301, 303);
      expect((await keeper.asItStands()).people()).toBe(300);
      expect((await keeper.caughtUp()).people()).toBe(303);
    });

    it('answers from the one that was found wrong while that is made anew; nobody else is answered', async () => {
      let go = (): void => undefined;
      let held = Promise.resolve();
      const keeper = keep({
        scan: async (after, limit) => {
          await held;
          return stores.audience.scan(after, limit);
        },
      });
      await keeper.caughtUp();
      held = new Promise<void>((resolve) => {
        go = resolve;
      });
      db.exec("UPDATE subscribers SET region = 'hill'");
      const checking = keeper.check();
      await until(() => keeper.state().state === 'rebuilding');
      expect((await keeper.asItStands()).people()).toBe(300);
      const asking = keeper.caughtUp();
      go();
      expect(await checking).toBe(false);
      expect(asked(await asking, within('hill'))).toHaveLength(300);
      expect(asked(await keeper.asItStands(), within('hill'))).toHaveLength(300);
    });

    it('is built as soon as somebody says that it will be asked', async () => {
      const keeper = keep();
      const running = keeper.run(false);
      keeper.prepare();
      await until(() => keeper.state().state === 'ready');
      await keeper.close();
      await running;
    });
  });

  it('says that it is building while it takes long', async () => {
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const keeper = keep({
      scan: async (after, limit) => {
        await held;
        return stores.audience.scan(after, limit);
      },
    });
    await expect(keeper.caughtUp()).rejects.toMatchObject({ code: 'index-building' });
    go();
    expect(await keeper.follow()).toBe(0);
    expect((await keeper.caughtUp()).people()).toBe(300);
  });

  describe('a crash while it is being built', () => {
    it('leaves nothing half made: the next try builds it', async () => {
      let failures = 2;
      const keeper = keep({
        scan: async (after) => {
          if (after > 0 && failures-- > 0) throw new Error('the store is gone');
          return stores.audience.scan(after, 100);
        },
      });
      await expect(keeper.caughtUp()).rejects.toThrow('the store is gone');
      expect(keeper.state().state).toBe('building');
      await expect(keeper.caughtUp()).rejects.toThrow('the store is gone');
      expect(asked(await keeper.caughtUp(), within('110000'))).toEqual(beijing);
    });

    it('ends at once when it is closed', async () => {
      const keeper = keep({ scan: (after) => stores.audience.scan(after, 10) }, file());
      const asking = keeper.caughtUp();
      const closing = keeper.close();
      await expect(asking).rejects.toThrow();
      await closing;
      expect(readdirSync(dir)).toEqual([]);
    });
  });

  describe('checks', () => {
    it('are content with a true index', async () => {
      const keeper = keep();
      await keeper.caughtUp();
      await stores.subscriptions.updateSubscriber(7, { region: 'hill' });
      for (let round = 0; round < 10; round++) expect(await keeper.check()).toBe(true);
      expect(keeper.state()).toMatchObject({ rebuilds: 0, faults: 0 });
    });

    it.each([
      ['a fact that differs', "UPDATE subscribers SET region = 'hill'"],
      ['people who are gone', 'UPDATE subscribers SET erased_at = 1'],
      ['a follow that is gone', 'DELETE FROM subscriptions'],
      [
        'interests that it does not know',
        "INSERT INTO profiles (subscriber, levels) SELECT ordinal, '1,5' FROM subscribers",
      ],
    ])('find %s, and the index is made anew', async (_what, sql) => {
      const keeper = keep();
      await keeper.caughtUp();
      db.exec(sql);
      expect(await keeper.check()).toBe(false);
      expect(keeper.state()).toMatchObject({ state: 'ready', rebuilds: 1, faults: 1 });
      expect(await keeper.check()).toBe(true);
    });
  });

  describe('checks against the evaluator', () => {
    const oracle = (): OracleCheck =>
      makeOracleCheck(stores, {
        catalogue: makeCatalogueService(stores),
        edges: realEdges,
        timeZone: 'Asia/Shanghai',
      });
    /** A store that says of everybody that they live in the hills, for as long as it is asked to. */
    const lying = (lies: () => boolean): Partial<AudienceStore> => {
      const told = (list: IndexedPerson[]) => list.map((one) => (lies() ? { ...one, region: 'hill' } : one));
      return {
        people: async (ordinals) => told(await stores.audience.people(ordinals)),
        scan: async (after, limit) => {
          const part = await stores.audience.scan(after, limit);
          return { ...part, people: told(part.people) };
        },
      };
    };

    it('are content with a true index, while people change', async () => {
      const keeper = keep({}, null, oracle());
      await keeper.caughtUp();
      for (let round = 1; round <= 20; round++) {
        const checking = keeper.check();
        await stores.subscriptions.updateSubscriber(round, { region: 'hill', consents: { personalisation: true } });
        expect(await checking).toBe(true);
      }
      expect(keeper.state()).toMatchObject({ wrong: false, rebuilds: 0, faults: 0 });
    });

    it('find what the comparison of facts cannot, and the index is made anew', async () => {
      let lies = true;
      const keeper = keep(
        lying(() => lies),
        null,
        {
          draw: async (ordinals) => {
            const questions = await oracle().draw(ordinals);
            return async (tools, asked) => {
              const found = await questions(tools, asked);
              if (found.length > 0) lies = false;
              return found;
            };
          },
        },
      );
      expect(asked(await keeper.caughtUp(), within('hill'))).toHaveLength(300);
      expect(await keeper.check()).toBe(false);
      expect(keeper.state()).toMatchObject({ state: 'ready', wrong: false, rebuilds: 1, faults: 1 });
      expect(asked(await keeper.caughtUp(), within('hill'))).toEqual([]);
      expect(await keeper.check()).toBe(true);
    });

    it('say that it is wrong where making it anew did not help; it answers all the same', async () => {
      const keeper = keep(
        lying(() => true),
        null,
        oracle(),
      );
      await keeper.caughtUp();
      expect(await keeper.check()).toBe(false);
      expect(keeper.state()).toMatchObject({ state: 'ready', wrong: true, rebuilds: 1, faults: 1 });
      expect((await keeper.caughtUp()).people()).toBe(300);
    });
  });

  describe('a snapshot', () => {
    const saved = async (): Promise<void> => {
      const keeper = keep({}, file());
      await keeper.caughtUp();
      await stores.subscriptions.updateSubscriber(2, { region: '110101' });
      await keeper.follow();
      await keeper.save();
      await keeper.close();
      scans = 0;
    };

    it('spares the next start the reading of everybody', async () => {
      await saved();
      await stores.subscriptions.updateSubscriber(1, { region: '110101' });
      await stores.subscriptions.erase(3, someTime);
      await people(301, 303);
      const index = await keep({}, file()).caughtUp();
      expect(scans).toBe(0);
      expect(asked(index, within('110000'))).toEqual([1, 2, ...beijing.slice(1), 303]);
      expect(asked(index, { person: 'follows', topic: 'housing' })).toHaveLength(151);
      expect(index.people()).toBe(302);
    });

    it('holds what changed while it was made', async () => {
      const keeper = keep({}, file());
      await keeper.caughtUp();
      const saving = keeper.save();
      for (let ordinal = 1; ordinal <= 50; ordinal++)
        await stores.subscriptions.updateSubscriber(ordinal, { region: 'hill' });
      await saving;
      await keeper.follow();
      await keeper.save();
      scans = 0;
      expect(asked(await keep({}, file()).caughtUp(), within('hill'))).toHaveLength(50);
      expect(scans).toBe(0);
    });

    it('is written again only after a change', async () => {
      await saved();
      const before = readFileSync(file());
      const keeper = keep({}, file());
      await keeper.caughtUp();
      writeFileSync(file(), 'kept');
      await keeper.save();
      expect(readFileSync(file(), 'utf8')).toBe('kept');
      await stores.subscriptions.updateSubscriber(9, { region: 'hill' });
      await keeper.follow();
      await keeper.save();
      expect(readFileSync(file()).length).toBeGreaterThan(before.length / 2);
    });

    it.each([
      ['damaged', () => writeFileSync(file(), readFileSync(file()).fill(7, 3_000, 3_100))],
      ['empty', () => writeFileSync(file(), '')],
      ['of another version', () => writeFileSync(file(), `bellman-audience-0\n${'x'.repeat(5_000)}`)],
      ['ahead of the store', () => db.exec("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'changes'")],
      ['of another store', () => db.exec("UPDATE subscribers SET region = 'hill' WHERE ordinal > 20")],
    ])('that is %s is noticed and not used', async (_what, spoil) => {
      await saved();
      spoil();
      const index = await keep({}, file()).caughtUp();
      expect(scans).toBeGreaterThan(0);
      expect(index.people()).toBe(300);
      const { people: told } = await stores.audience.scan(0, 300);
      const lives = (code: string) => told.filter(({ region }) => region === code).map(({ ordinal }) => ordinal);
      expect(asked(index, within('hill'))).toEqual(lives('hill'));
      expect(asked(index, within('110000'))).toEqual([...lives('110101'), ...lives('hill')].sort((a, b) => a - b));
    });
  });

  describe('a snapshot after an erasure', () => {
    const written = (): boolean => readdirSync(dir).includes('audience.snapshot');

    it('is gone as soon as the erasure is known, and written again without them', async () => {
      const keeper = keep({}, file());
      await keeper.caughtUp();
      await keeper.save();
      expect(await keeper.forget()).toBe(false);
      await stores.subscriptions.updateSubscriber(2, { region: 'hill' });
      await keeper.follow();
      expect([await keeper.forget(), written()]).toEqual([false, true]);
      await stores.subscriptions.erase(3, someTime);
      await keeper.follow();
      expect([await keeper.forget(), written()]).toEqual([true, false]);
      await keeper.save();
      expect([await keeper.forget(), written()]).toEqual([false, true]);
      scans = 0;
      const index = await keep({}, file()).caughtUp();
      expect([scans, index.people(), asked(index, within('110000'))[0]]).toEqual([0, 299, 2]);
    });

    it('is written again a minute later, however many are erased', async () => {
      let now = 0;
      const edges = { ...realEdges, monotonic: () => now };
      const keeper = makeIndexKeeper(
        { audience: stores.audience },
        { edges, log: makeLog('silent'), snapshotFile: file(), snapshotFrom: 100 },
      );
      keepers.push(keeper);
      const running = keeper.run(true);
      await until(written);
      for (let ordinal = 1; ordinal <= 5; ordinal++) {
        await stores.subscriptions.erase(ordinal, someTime);
        const erased = await stores.audience.sequence();
        await until(() => keeper.state().sequence === erased);
        await until(async () => !written());
        now += 1_000;
      }
      now += 60_000;
      await until(written);
      await keeper.close();
      await running;
      expect((await readSnapshot(file()))?.sequence).toBe(await stores.audience.sequence());
    });

    it('that was there when somebody was erased while no process ran is gone after the next start', async () => {
      const keeper = keep({}, file());
      await keeper.caughtUp();
      await keeper.save();
      await keeper.close();
      await stores.subscriptions.erase(3, someTime);
      const next = keep({}, file());
      await next.caughtUp();
      expect([await next.forget(), written()]).toEqual([true, false]);
    });

    it('that is of no use is deleted when the index is read from the store', async () => {
      const keeper = keep({}, file());
      await keeper.caughtUp();
      await keeper.save();
      writeFileSync(file(), 'damaged');
      const next = keep({}, file());
      await next.caughtUp();
      expect([await next.forget(), written()]).toEqual([true, false]);
    });

    it('leaves no half-written file of a writer that died', async () => {
      writeFileSync(`${file()}.dead`, 'everybody');
      utimesSync(`${file()}.dead`, 1, 1);
      writeFileSync(`${file()}.alive`, 'everybody');
      const keeper = keep({}, file());
      await keeper.caughtUp();
      await keeper.save();
      expect(readdirSync(dir).sort()).toEqual(['audience.snapshot', 'audience.snapshot.alive']);
    });
  });

  it('keeps itself up until it is closed', async () => {
    const keeper = keep({}, file());
    const running = keeper.run(true);
    await until(() => keeper.state().state === 'ready');
    await stores.subscriptions.updateSubscriber(1, { region: 'hill' });
    await until(async () => keeper.state().sequence === (await stores.audience.sequence()));
    await until(() => readdirSync(dir).includes('audience.snapshot'));
    await keeper.close();
    await running;
  });

  it('does nothing of itself while nobody asks', async () => {
    const keeper = keep();
    const running = keeper.run(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(scans).toBe(0);
    await keeper.caughtUp();
    expect(scans).toBeGreaterThan(0);
    await keeper.close();
    await running;
  });
});

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 500; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come true');
};
