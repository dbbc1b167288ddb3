/** How often a fault is struck: `SOAK` times as often in the long run (`npm run test:soak`). */
export const soaked = (times: number): number => times * Math.max(1, Number(process.env.SOAK ?? 1));

/** The rounds of a fault test, for `it.each`. */
export const rounds = (fewest = 1): number[] => Array.from({ length: soaked(fewest) }, (_, n) => n + 1);
