const times = Math.max(1, Number(process.env.SOAK ?? 1));

/** The rounds of a fault test, for `it.each`; `SOAK` times as many in the long run (`npm run test:soak`). */
export const rounds = (fewest = 1): number[] => Array.from({ length: fewest * times }, (_, n) => n + 1);

/** How many rounds a fuzzer runs: few in `npm test`, many in the long run. */
export const fuzzRounds = (few: number, many = 100_000): number => (process.env.SOAK ? many : few);
