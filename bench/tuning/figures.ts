/** Student's t at 97.5 % for up to 20 values; beyond, the normal's. */
const quantiles = [
  0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12,
  2.11, 2.101, 2.093,
];

const spread = (values: number[]): { mean: number; half: number } => {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, n - 1);
  return { mean, half: (quantiles[n - 1] ?? 1.96) * Math.sqrt(variance / n) };
};

/** The mean of a figure over seeds with its 95 % interval (Student's t). */
export const interval95 = (values: number[], digits: number): string => {
  const { mean, half } = spread(values);
  return half === 0 ? mean.toFixed(digits) : `${mean.toFixed(digits)} ±${half.toFixed(digits)}`;
};

/** By how many percent a figure differs from that of another policy in the same towns, pair by pair. */
export const relative = <T>(of: T[], base: T[], figure: (one: T) => number): string => {
  const pairs = of.flatMap((one, at) => {
    const other = base[at];
    return other === undefined ? [] : [100 * (figure(one) / figure(other) - 1)];
  });
  const { mean, half } = spread(pairs);
  return `${mean >= 0 ? '+' : ''}${mean.toFixed(1)} ±${half.toFixed(1)} %`;
};
