import type { Feedback } from '../../src/feedback/feedback.ts';
import type { Random } from '../../src/tuning/statistics/seeded-random.ts';
import { worth } from '../../src/tuning/worth.ts';
import type { World } from './world.ts';

export type Said = Pick<Feedback, 'kind' | 'rating' | 'at' | 'machine'>;

/** What comes back of one message that was seen or not, and what a scanner does to it. */
export const react = (
  world: World,
  wants: boolean,
  seen: boolean,
  byMail: boolean,
  at: number,
  random: Random,
): Said[] => {
  const said: Said[] = [];
  const say = (kind: Feedback['kind'], chance: number, rating: number | null = null): void => {
    if (random() < chance) said.push({ kind, rating, at: at + 3_600_000, machine: null });
  };
  if (byMail && random() < world.scanners)
    said.push({ kind: 'click', rating: null, at: at + 2_000, machine: 'too-soon' });
  if (!seen) return said;
  if (wants) {
    say('useful', world.wanted.useful);
    say('click', world.wanted.click);
    say('rating', world.wanted.goodRating, 5);
  } else {
    say('click', world.unwanted.click);
    say('not-for-me', world.unwanted.notForMe);
    say('stop', world.unwanted.stop);
  }
  return said;
};

/** What telling somebody is worth on the average, by their liking, in the tuner's own terms: what regret is measured in. */
export const truthOf = (world: World): number[] => {
  const seen =
    world.wrongHour *
    (world.seen.own * Math.max(world.mailReaders, 1 - world.mailReaders) +
      world.seen.other * Math.min(world.mailReaders, 1 - world.mailReaders));
  const { useful, click, goodRating } = world.wanted;
  const reward = 1 - (1 - useful) * (1 - click) * (1 - goodRating);
  return world.likings.map(({ wants: liked }) => {
    const wants = world.wantsAtRandom ?? liked;
    const against = 1 - (1 - world.unwanted.notForMe) * (1 - world.unwanted.stop);
    return worth(
      seen * (wants * reward + (1 - wants) * world.unwanted.click * (1 - against)),
      seen * (1 - wants) * against,
    );
  });
};

/** What the bands from one on are worth together. */
export const sumFrom = (bands: Float64Array, from: number): number => {
  let sum = 0;
  for (let band = from; band < bands.length; band++) sum += bands[band] ?? 0;
  return sum;
};

/** The threshold that, kept all the time, would have earned most. */
export const bestThreshold = (days: Float64Array[]): number => {
  const bands = days[0]?.length ?? 0;
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let from = 0; from < bands; from++) {
    const sum = days.reduce((all, day) => all + sumFrom(day, from), 0);
    if (sum > most) [best, most] = [from, sum];
  }
  return best;
};
