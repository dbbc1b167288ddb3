/** How large "40,000 at once" is: smaller where the server of the tests is slow, never where it is the product's own. */
export type Size = { many: number };
export const fullSize: Size = { many: 40_000 };

/** Two stores over the same data, as two processes have them; `close` is awaited after each test. */
export type Pair<S> = { stores: [S, S]; close: () => Promise<void> };

/** Opens a pair before each test of the surrounding `describe` and closes it after it. */
export const eachPair = <S>(open: () => Promise<Pair<S>>, take: (stores: [S, S]) => unknown): void => {
  let close: () => Promise<void>;
  beforeEach(async () => {
    const opened = await open();
    close = opened.close;
    await take(opened.stores);
  });
  afterEach(() => close());
};
