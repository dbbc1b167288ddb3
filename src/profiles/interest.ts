/**
 * **interest** of a person in a topic: s / (s + 5) with s = Σ w·2^(−age / 30 days), never below 0 (design D4). What is kept is the
 * sum S as of a fixed moment, so that time alone changes no row; thresholds move with the clock instead. Rules compare on
 * levels, floor(8·log2 S), and nothing else: the evaluator and the audience index cannot disagree.
 */
const epoch = Date.UTC(2026, 0, 1);
const halfLifeMs = 30 * 24 * 60 * 60 * 1000;
/** The sum at which an interest is one half. */
const halfway = 5;
const levelsInADoubling = 8;

const halfLives = (at: number): number => (at - epoch) / halfLifeMs;

/** What weight `w` of a moment (ms) adds to the kept sum. */
export const scaledWeight = (weight: number, at: number): number => weight * 2 ** halfLives(at);

/** The interest that a kept sum is now: 0 … 1. */
export const weightAt = (sum: number, now: number): number => {
  const present = Math.max(0, sum) * 2 ** -halfLives(now);
  return present / (present + halfway);
};

/** The kept sum by which an interest is `weight` (0 … 1, without its ends) at that moment (ms). */
export const sumOf = (weight: number, at: number): number => scaledWeight((halfway * weight) / (1 - weight), at);

/** The level of a kept sum; null where there is no interest (a sum of 0 or less). */
export const levelOf = (sum: number): number | null =>
  sum > 0 ? Math.floor(levelsInADoubling * Math.log2(sum)) : null;

/**
 * The level from which on an interest counts as at least `atLeast` now. −Infinity for 0 or less, which holds for everybody,
 * also without any interest; Infinity for 1 or more, which nobody reaches.
 */
export const thresholdLevel = (atLeast: number, now: number): number => {
  if (atLeast <= 0) return Number.NEGATIVE_INFINITY;
  if (atLeast >= 1) return Number.POSITIVE_INFINITY;
  const needed = (halfway * atLeast) / (1 - atLeast);
  return Math.ceil(levelsInADoubling * (Math.log2(needed) + halfLives(now)));
};

/** Whether an interest of that level (null: none) is at least `atLeast` now: the one definition of the rule language's leaf. */
export const reaches = (level: number | null | undefined, atLeast: number, now: number): boolean => {
  const threshold = thresholdLevel(atLeast, now);
  return threshold === Number.NEGATIVE_INFINITY || (level != null && level >= threshold);
};
