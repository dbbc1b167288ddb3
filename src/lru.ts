/** A map that keeps the `limit` entries used last. */
export type Lru<T> = { get(key: string): T | undefined; set(key: string, value: T): void; delete(key: string): void };

export const makeLru = <T>(limit: number): Lru<T> => {
  const entries = new Map<string, T>();
  let newest: string | undefined;
  return {
    get: (key) => {
      const value = entries.get(key);
      if (value === undefined || key === newest) return value;
      newest = key;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set: (key, value) => {
      newest = key;
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= limit) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        return;
      }
    },
    delete: (key) => {
      entries.delete(key);
    },
  };
};
