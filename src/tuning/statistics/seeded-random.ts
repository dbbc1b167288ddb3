import { createHash } from 'node:crypto';

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/**
 * A reproducible stream of uniform numbers (Chris Doty-Humphrey's sfc32, seeded by SHA-256 of a text): the same seed gives the
 * same night, so that a run that is repeated after a crash comes to the same decisions. Not for secrets.
 */
export const seededRandom = (seed: string): Random => {
  const words = createHash('sha256').update(seed).digest();
  let a = words.readInt32LE(0);
  let b = words.readInt32LE(4);
  let c = words.readInt32LE(8);
  let count = 1;
  const next = (): number => {
    const sum = (a + b + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let n = 0; n < 12; n++) next();
  return next;
};

/** A standard normal number (Box and Muller). */
export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
