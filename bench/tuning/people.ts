import { scaledWeight } from '../../src/profiles/interest.ts';
import type { Random } from '../../src/tuning/statistics/seeded-random.ts';
import type { World } from './world.ts';

export const dayMs = 24 * 60 * 60 * 1000;
export const start = Date.UTC(2026, 2, 2, 2);

/** Simulated people. Arrays over people and topics are row by row: person · topics + topic. */
export type Town = {
  liking: Uint8Array;
  follows: Uint8Array;
  readsMail: Uint8Array;
  /** Kept sums of interests (design D4) after the warm-up. */
  sums: Float64Array;
  /** For each day, who looked at what (indexes of the arrays above). */
  views: Uint32Array[];
  items: { day: number; topic: number; must: Uint32Array | null }[];
};

/** The place among shares (of whatever sum) at which a random number falls. */
const pick = (shares: readonly number[], random: Random): number => {
  let left = random() * shares.reduce((sum, share) => sum + share, 0);
  for (let at = 0; at < shares.length; at++) {
    left -= shares[at] ?? 0;
    if (left < 0) return at;
  }
  return shares.length - 1;
};

const poisson = (mean: number, random: Random): number => {
  let count = 0;
  for (let product = random(); product > Math.exp(-mean); product *= random()) count++;
  return count;
};

/** Everybody who looked at something on one day, once for each view. */
const viewsOf = (world: World, liking: Uint8Array, random: Random): Uint32Array => {
  const found: number[] = [];
  const width = world.topics.length;
  const rates = world.topics.flatMap(({ signal, noise }) =>
    world.likings.map(({ views }) => (views * signal + noise) / 30),
  );
  const none = rates.map((rate) => Math.exp(-rate));
  const kinds = world.likings.length;
  for (let at = 0; at < liking.length; at++) {
    const kind = (at % width) * kinds + (liking[at] ?? 0);
    // the first factor of Poisson's product decides for nearly all
    const first = random();
    if (first < (none[kind] ?? 1)) continue;
    found.push(at);
    for (let more = poisson((rates[kind] ?? 0) / 2, random); more > 0; more--) found.push(at);
  }
  return Uint32Array.from(found);
};

const itemsOf = (world: World, random: Random): Town['items'] => {
  const items: Town['items'] = [];
  const shares = world.topics.map(({ items }) => items);
  for (let day = 0; day < world.days; day++)
    for (let n = 0; n < world.itemsPerDay; n++) {
      const topic = pick(shares, random);
      const isMust = random() < world.must.items;
      const named = isMust
        ? Uint32Array.from({ length: world.people * world.must.people }, () => Math.floor(random() * world.people))
        : null;
      items.push({ day, topic, must: named });
    }
  return items;
};

/** A town of one seed: the same for every policy that is tried in it. */
export const makeTown = (world: World, random: Random): Town => {
  const width = world.topics.length;
  const likings = world.likings.map(({ share }) => share);
  const liking = Uint8Array.from({ length: world.people * width }, () => pick(likings, random));
  const follows = Uint8Array.from(liking, (kind) => (random() < (world.likings[kind]?.follows ?? 0) ? 1 : 0));
  const readsMail = Uint8Array.from({ length: world.people }, () => (random() < world.mailReaders ? 1 : 0));
  const sums = new Float64Array(liking.length);
  for (let day = -world.warmUpDays; day < 0; day++) {
    const weight = scaledWeight(1, start + day * dayMs);
    for (const at of viewsOf(world, liking, random)) sums[at] = (sums[at] ?? 0) + weight;
  }
  const views = Array.from({ length: world.days }, () => viewsOf(world, liking, random));
  return { liking, follows, readsMail, sums, views, items: itemsOf(world, random) };
};
