import { setTimeout } from 'node:timers/promises';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type AudienceIndex, type AudienceIndexTools, makeAudienceIndex } from './audience-index.ts';
import type { AudienceSource } from './audience-matcher.ts';
import type { AudienceStore } from './audience-store.ts';
import { makeIndexReader } from './index/index-reader.ts';
import { makeSnapshotFile } from './index/snapshot-file.ts';
import type { OracleCheck } from './oracle-check.ts';
import { makeSelfCheck } from './self-check.ts';

/** How often a snapshot that was just opened is compared with the store. */
const checksOfSnapshot = 8;
/** Smaller indexes are made anew in no time. */
const savedFrom = 20_000;

/** Who asks while there is no index waits this long for it: a small one is there by then. */
const waitMs = 2_000;
const followEveryMs = 250;
const afterFailureMs = 2_000;
const checkEveryMs = 30_000;
/** An index that is wrong again once it was made anew is made anew ever more seldom: it is not the reading that is at fault. */
const checkSeldomMs = 60 * 60_000;
const saveEveryMs = 15 * 60_000;
/** After an erasure the file is gone at once; a new one comes so much later, however many erasures there are by then. */
const saveAfterErasureMs = 60_000;

export type IndexState = {
  /** `building` until the first index stands, then `ready`; `rebuilding` while one that was found wrong is made anew. */
  state: 'building' | 'ready' | 'rebuilding';
  /** Whether the last check found it wrong, and it has not passed one since. */
  wrong: boolean;
  people: number;
  bytes: number;
  sequence: number;
  /** How many change numbers it was behind when it last looked. */
  lag: number;
  /** How often it was made anew after the first time. */
  rebuilds: number;
  /** How many checks found it wrong. */
  faults: number;
};

/** Keeps the index of one process true to the store; it is built when it is first asked for. */
export type IndexKeeper = AudienceSource & {
  /** Takes in what changed; answers how many people. Makes the index anew where that is less work. */
  follow(): Promise<number>;
  /**
   * Compares some people with the store, and what the index selects with the evaluator; a difference makes the index anew,
   * and is looked at again then. Answers whether all was well.
   */
  check(): Promise<boolean>;
  /** Writes a snapshot for the next start, if it is worth it and anything changed since the last. */
  save(): Promise<void>;
  /** Deletes the snapshot if it may hold anybody who has been erased or merged since it was written; answers whether it did. */
  forget(): Promise<boolean>;
  /**
   * Builds, follows, checks and saves until `close`; what fails is logged and tried again. Not `eager`: from when the index is
   * first asked for, because most processes never ask.
   */
  run(eager: boolean): Promise<void>;
  /** Resolves when the first index stands, or when it is closed. */
  stands(): Promise<void>;
  state(): IndexState;
  /** Ends what is under way; nothing of a half-made index is kept. */
  close(): Promise<void>;
};

export type IndexKeeperTools = {
  edges: Edges;
  log: Log;
  /** Where the snapshot lies; null: none is kept. */
  snapshotFile: string | null;
  /** From how many people on a snapshot is worth it. */
  snapshotFrom?: number;
  /** Asks the evaluator for a second opinion; left out: only stored facts are compared. */
  oracle?: OracleCheck;
};

const makeSignal = (): { promise: Promise<void>; resolve: () => void } => {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
};

export const makeIndexKeeper = (
  { audience }: { audience: AudienceStore },
  { edges, log, snapshotFile, snapshotFrom = savedFrom, oracle }: IndexKeeperTools,
): IndexKeeper => {
  const stop = new AbortController();
  const reader = makeIndexReader(audience, stop.signal);
  let current: AudienceIndexTools | null = null;
  /** One that was found wrong, until another stands. */
  let outworn: AudienceIndexTools | null = null;
  let first: Promise<unknown> | null = null;
  let busy: Promise<unknown> = Promise.resolve();
  const asked = makeSignal();
  const stood = makeSignal();
  const file = makeSnapshotFile(snapshotFile, edges);
  const selfCheck = makeSelfCheck(audience, { reader, edges, ...(oracle && { oracle }) });
  let [lag, rebuilds, faults] = [0, -1, 0];
  let isWrong = false;

  /** One at a time: whoever reads changes into the index must not meet another who does. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = busy.then(work);
    busy = mine.catch(() => undefined);
    return mine;
  };

  const fromSnapshot = async (): Promise<AudienceIndexTools | null> => {
    try {
      const snapshot = await file.read();
      if (!snapshot) return null;
      if (snapshot.sequence > (await audience.sequence())) throw new RangeError('the snapshot is ahead of the store');
      const tools = makeAudienceIndex(snapshot);
      await reader.readFollows(tools);
      await reader.follow(tools, await audience.sequence());
      for (let count = 0; count < checksOfSnapshot; count++)
        if ((await selfCheck.facts(tools)).length > 0) throw new RangeError('the snapshot is not of this store');
      file.madeOf(snapshot.sequence);
      return tools;
    } catch (error) {
      stop.signal.throwIfAborted();
      log.warn({ error: String(error) }, 'the snapshot of the audience index is of no use; it is read from the store');
      return null;
    }
  };

  const rebuild = async (from: () => Promise<AudienceIndexTools | null>): Promise<void> => {
    const began = edges.monotonic();
    let tools = await from();
    if (!tools) {
      file.madeOf(null);
      tools = makeAudienceIndex();
      await reader.fill(tools);
      await reader.follow(tools, await audience.sequence());
    }
    current = tools;
    outworn = null;
    stood.resolve();
    rebuilds += 1;
    lag = 0;
    const tookMs = Math.round(edges.monotonic() - began);
    log.info({ people: tools.index.people(), bytes: tools.index.memory().total, tookMs }, 'the audience index stands');
  };
  const anew = (): Promise<void> => rebuild(async () => null);

  /** The index, once it stands; builds it if nobody has begun to. */
  const whole = async (): Promise<AudienceIndexTools> => {
    first ??= alone(() => rebuild(fromSnapshot)).catch((error: unknown) => {
      first = null;
      throw error;
    });
    await first;
    if (!current) await alone(async () => (current ? undefined : anew()));
    return present();
  };

  const present = (): AudienceIndexTools => {
    if (!current) throw new AppError('index-building', 'The audience index is being built.', { retryAfterSeconds: 2 });
    return current;
  };

  const follow = async (tools: AudienceIndexTools): Promise<number> => {
    const wanted = await audience.sequence();
    lag = wanted - tools.index.sequence();
    if (lag === 0) return 0;
    // taking in a change costs more than reading a person in their order
    if (lag > Math.max(100_000, tools.index.people())) {
      log.warn({ lag }, 'the audience index is far behind; it is made anew');
      await anew();
      return lag;
    }
    const count = await reader.follow(tools, wanted);
    lag = 0;
    return count;
  };

  const caughtUp = async (): Promise<AudienceIndex> => {
    asked.resolve();
    const built = whole();
    built.catch(() => undefined);
    if (!current) await Promise.race([built, setTimeout(waitMs, undefined, { ref: false })]);
    const wanted = await audience.sequence();
    // whoever is before us in the queue may do it for us, or have made the index anew
    if (present().index.sequence() < wanted)
      await alone(async () => (present().index.sequence() < wanted ? follow(present()) : 0));
    return present().index;
  };

  const check = async (): Promise<boolean> => {
    const found = await selfCheck.all(present());
    isWrong = found.people.length > 0;
    if (!isWrong) return true;
    faults += 1;
    log.error({ people: found.people.length }, 'the audience index differs from the store; it is made anew');
    // never answer from an index that is known to be wrong
    [current, outworn] = [null, current];
    await anew();
    isWrong = (await found.again(present())).length > 0;
    // whoever refused to answer now would stop every push: it says that it is wrong, and answers
    if (isWrong) log.error('the audience index differs from the evaluator although it was made anew');
    return false;
  };

  const keeper: IndexKeeper = {
    caughtUp,
    asItStands: async () => {
      asked.resolve();
      return (current ?? outworn)?.index ?? caughtUp();
    },
    prepare: asked.resolve,
    follow: async () => {
      await whole();
      return alone(() => follow(present()));
    },
    check: async () => {
      await whole();
      return alone(check);
    },
    save: async () => {
      const tools = await whole();
      if (tools.index.people() < snapshotFrom || !file.isDue(tools)) return;
      await file.save(() =>
        alone(async () => {
          // what a sweep under way has passed by may have changed since: it is ended, then comes one for the snapshot
          while (tools.settle()) await reader.turn();
          const [sequence, removed] = [tools.index.sequence(), tools.removed()];
          while (tools.settle()) await reader.turn();
          return { ...tools.snapshot(), sequence, removed };
        }),
      );
      // of an index that was made anew meanwhile nobody knows whom it has lost
      if (current !== tools) file.madeOf(null);
    },
    forget: async () => file.forget(await whole()),
    run: async (eager) => {
      if (!eager) await asked.promise;
      const due = { check: edges.monotonic() + checkEveryMs, save: edges.monotonic() };
      let pauseOfChecks = checkEveryMs;
      while (!stop.signal.aborted) {
        let pause = followEveryMs;
        try {
          await keeper.follow();
          if (await keeper.forget()) due.save = edges.monotonic() + saveAfterErasureMs;
          if (edges.monotonic() >= due.check) {
            due.check = edges.monotonic() + pauseOfChecks;
            await keeper.check();
            pauseOfChecks = isWrong ? Math.min(2 * pauseOfChecks, checkSeldomMs) : checkEveryMs;
          }
          if (edges.monotonic() >= due.save) {
            due.save = edges.monotonic() + saveEveryMs;
            await keeper.save();
          }
        } catch (error) {
          pause = afterFailureMs;
          if (!stop.signal.aborted) log.error({ error }, 'the audience index could not be kept up; it is tried again');
        }
        await setTimeout(pause, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
      }
    },
    stands: () => stood.promise,
    state: () => ({
      state: current ? 'ready' : rebuilds < 0 ? 'building' : 'rebuilding',
      wrong: isWrong,
      people: current?.index.people() ?? 0,
      bytes: current?.index.memory().total ?? 0,
      sequence: current?.index.sequence() ?? 0,
      lag,
      rebuilds: Math.max(0, rebuilds),
      faults,
    }),
    close: async () => {
      stop.abort();
      asked.resolve();
      stood.resolve();
      await busy;
    },
  };
  return keeper;
};
