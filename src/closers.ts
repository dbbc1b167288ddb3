/** Whoever opens a thing registers its closer; closers run last-in first-out, each once, though one of them fails. */
export const makeClosers = () => {
  const closers: (() => Promise<void> | void)[] = [];
  return {
    add: (closer: () => Promise<void> | void): void => void closers.push(closer),
    closeAll: async (): Promise<void> => {
      const failures: unknown[] = [];
      for (let closer = closers.pop(); closer; closer = closers.pop()) {
        try {
          await closer();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, 'some things did not close');
    },
  };
};

export type Closers = ReturnType<typeof makeClosers>;
