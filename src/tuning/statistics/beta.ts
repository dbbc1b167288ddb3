import jstat from 'jstat';
import { normal, type Random } from './seeded-random.ts';

/** A Beta distribution by its two shapes, both above 0. */
export type Beta = { a: number; b: number };

/** The distribution function and its inverse. jstat brings no types; `types/jstat.d.ts` names what is used here. */
const { ibeta, beta } = jstat.jStat;

/** Jeffreys' prior: its intervals keep their rate at any share, also at those near 0 that messages have. */
const prior = 0.5;

/** What is known of a share after `hits` of `n`, which may be fractions where the old counts less. */
export const posterior = (hits: number, n: number): Beta => ({ a: prior + hits, b: prior + Math.max(0, n - hits) });

export const meanOf = ({ a, b }: Beta): number => a / (a + b);

/** The probability that the share is below `x`. */
export const below = (x: number, { a, b }: Beta): number => {
  if (x <= 0) return 0;
  return x >= 1 ? 1 : Number(ibeta(x, a, b));
};

/** The share below which it is with probability `p`. */
const quantile = (p: number, { a, b }: Beta): number => beta.inv(p, a, b);

/** The interval that holds the share with probability `level`, the same left out at either end. */
export const interval = (of: Beta, level = 0.95): [number, number] => [
  quantile((1 - level) / 2, of),
  quantile((1 + level) / 2, of),
];

/** A gamma number of shape >= 1 (Marsaglia and Tsang 2000); below 1 by their boost. */
const gamma = (shape: number, random: Random): number => {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const cube = 1 + c * x;
    if (cube <= 0) continue;
    const v = cube * cube * cube;
    const u = 1 - random();
    // their squeeze first: it takes nearly all, without a logarithm
    if (u < 1 - 0.0331 * x * x * x * x || Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
};

/** One number of the distribution. */
export const sample = ({ a, b }: Beta, random: Random): number => {
  const x = gamma(a, random);
  const y = gamma(b, random);
  // both round to 0 only for shapes far below the prior's
  return x + y === 0 ? a / (a + b) : x / (x + y);
};
