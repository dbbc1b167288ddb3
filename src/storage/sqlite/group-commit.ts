/** The statements of a transaction, prepared by whoever opened the database. */
export type TransactionStatements = Record<
  'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'undo',
  () => void
>;

type Waiting = { work: () => unknown; resolve: (value: unknown) => void; reject: (error: unknown) => void };
type Done = { one: Waiting; ok: true; value: unknown } | { one: Waiting; ok: false; error: unknown };

/** A group takes no further write after this long, so that the lock is never held for more than about 20 ms. */
const longestGroupMs = 12;

/**
 * Group commit: writes that are asked for in the same turn share one transaction, so that one fsync serves them all. Each has
 * a savepoint of its own: a failure undoes its own write and leaves the others. `attempt` retries a locked database.
 */
export const makeGroupCommit = (sql: TransactionStatements, attempt: <T>(work: () => T) => Promise<T>) => {
  const waiting: Waiting[] = [];
  let running = false;

  const alone = (one: Waiting): Done => ({ one, ok: true, value: one.work() });

  const underSavepoint = (one: Waiting): Done => {
    sql.savepoint();
    try {
      const value = one.work();
      sql.release();
      return { one, ok: true, value };
    } catch (error) {
      // throws where SQLite has ended the transaction itself (a full disk): then the whole group has failed
      sql.undo();
      sql.release();
      return { one, ok: false, error };
    }
  };

  const transaction = (group: Waiting[]): Done[] => {
    sql.begin();
    try {
      const until = performance.now() + longestGroupMs;
      const done: Done[] = [];
      for (const one of group) {
        done.push(group.length === 1 ? alone(one) : underSavepoint(one));
        if (performance.now() > until) break;
      }
      sql.commit();
      return done;
    } catch (error) {
      try {
        sql.rollback();
      } catch {
        // SQLite has already rolled back (a full disk, an I/O error)
      }
      throw error;
    }
  };

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = [...waiting];
      try {
        const done = await attempt(() => transaction(group));
        waiting.splice(0, done.length);
        for (const result of done) {
          if (result.ok) result.one.resolve(result.value);
          else result.one.reject(result.error);
        }
      } catch (error) {
        waiting.splice(0, group.length);
        for (const one of group) one.reject(error);
      }
    }
    running = false;
  };

  /** Runs a synchronous write in a transaction that it may share; resolves once it is durable. */
  return <T>(work: () => T): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      waiting.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (running) return;
      running = true;
      setImmediate(() => void run());
    });
};
