import { type Beta, posterior, sample } from './statistics/beta.ts';
import type { Random } from './statistics/seeded-random.ts';
import type { Counts, Tally } from './tuning.ts';

/** How many useful messages one unwanted message outweighs, among people who said either. */
const unwantedCosts = 2.75;
/** What a message costs in attention, whatever it earns. */
const attention = 0.01;
/** Levels of interest tell something where those above a threshold are worth this much more than those below. */
const leastContrast = 0.03;
/** Below this many messages an arm or a band is not judged, and keeps only its floor of probability. */
export const enough = 100;
const halfLifeDays = 30;
const draws = 400;

export const noCounts = (): Counts => ({ eligible: 0, sent: 0, useful: 0, unwanted: 0 });

/** Sums counts into `to`, each worth `weight`. */
const add = (to: Counts, counts: Counts, weight: number): void => {
  to.eligible += weight * counts.eligible;
  to.sent += weight * counts.sent;
  to.useful += weight * counts.useful;
  to.unwanted += weight * counts.unwanted;
};

export const sumOf = (counts: readonly Counts[]): Counts => {
  const sum = noCounts();
  for (const one of counts) add(sum, one, 1);
  return sum;
};

/** The tallies of one parameter as of `today` (days since 1970), by arm: what is 30 days old counts half. */
export const countsByArm = (
  tallies: readonly Tally[],
  parameter: Tally['parameter'],
  today: number,
): Map<string, Counts> => {
  const byArm = new Map<string, Counts>();
  for (const tally of tallies) {
    if (tally.parameter !== parameter) continue;
    const counts = byArm.get(tally.arm) ?? noCounts();
    byArm.set(tally.arm, counts);
    add(counts, tally, 2 ** ((tally.day - today) / halfLifeDays));
  }
  return byArm;
};

/** What is known of the share of messages that are useful, and of those that are unwanted. */
export const usefulness = ({ useful, sent }: Counts): Beta => posterior(useful, sent);
const unwantedness = ({ unwanted, sent }: Counts): Beta => posterior(unwanted, sent);

/** **worth** of a message: how much likelier it is of use than unwanted, less what it costs to look at it. */
export const worth = (useful: number, unwanted: number): number => useful - unwantedCosts * unwanted - attention;

const drawWorth = (counts: Counts, random: Random): number =>
  worth(sample(usefulness(counts), random), sample(unwantedness(counts), random));

/** For each arm: the share of draws in which it is the best of all, and in which it beats the present one. */
export type Contest = { wins: number[]; beats: number[] };

const contest = (arms: number, present: number, play: () => (number | null)[]): Contest => {
  const wins = new Array<number>(arms).fill(0);
  const beats = new Array<number>(arms).fill(0);
  for (let n = 0; n < draws; n++) {
    const scores = play();
    let best = present;
    const own = scores[present] ?? 0;
    for (const [arm, score] of scores.entries()) {
      if (score === null || arm === present || score <= own) continue;
      beats[arm] = (beats[arm] ?? 0) + 1 / draws;
      if (best === present || score > (scores[best] ?? 0)) best = arm;
    }
    wins[best] = (wins[best] ?? 0) + 1 / draws;
  }
  return { wins, beats };
};

/** Arms that are all sent to: the one whose messages are worth most wins. Arms that are hardly measured do not take part. */
export const playArms = (arms: readonly Counts[], present: number, random: Random): Contest =>
  contest(arms.length, present, () => {
    const scores = arms.map((counts) => (counts.sent < enough ? null : drawWorth(counts, random)));
    return scores[present] === null ? scores.map(() => null) : scores;
  });

const weighted = (worths: readonly number[], bands: readonly Counts[], from: number, to: number) => {
  let people = 0;
  let sum = 0;
  for (let band = from; band < to; band++) {
    const count = bands[band]?.eligible ?? 0;
    people += count;
    sum += count * (worths[band] ?? 0);
  }
  return { sum, mean: people > 0 ? sum / people : 0 };
};

/** Interest tells something of worth where people above a threshold are surely enough worth more than those below it. */
const tellsSurely = 0.97;

/**
 * Thresholds in ascending order, `bands[k]` the people between threshold k and the next: a threshold wins whose people above
 * are together worth most. It takes part only where what it would change has been measured, and where the interest tells
 * something: people above it are worth more than those below. So where tastes have nothing to do with interests, a threshold
 * stays where its publisher put it.
 */
export const playThresholds = (bands: readonly Counts[], present: number, random: Random): Contest => {
  const games = Array.from({ length: draws }, () => {
    const worths = bands.map((counts) => drawWorth(counts, random));
    return bands.map((_, at) => {
      const above = weighted(worths, bands, at, bands.length);
      return { worth: above.sum, tells: above.mean - weighted(worths, bands, 0, at).mean > leastContrast };
    });
  });
  const takesPart = bands.map((_, at) => {
    const changed = bands.slice(Math.min(at, present), Math.max(at, present));
    const telling = games.filter((game) => game[at]?.tells).length / draws;
    return at === present || (at > 0 && changed.every(({ sent }) => sent >= enough) && telling >= tellsSurely);
  });
  let next = 0;
  return contest(bands.length, present, () =>
    (games[next++] ?? []).map(({ worth: sum }, at) => (takesPart[at] ? sum : null)),
  );
};

/** Shares of which none is below `floor`. */
export const floored = (shares: readonly number[], floor: number): number[] =>
  shares.map((share) => floor + (1 - shares.length * floor) * share);
