/**
 * **pace** of a provider: how long it takes to answer (ms), a mean over some twenty of its last answers.
 * **share**: how much of the traffic a provider gets, in proportion to the others': its weight, less while it is slow.
 */
export type Pace = { ms: number; answers: number };
export type Weighed = { weight: number; pace: Pace };

export const noPace: Pace = { ms: 0, answers: 0 };

const answersRemembered = 20;
/** Fewer answers say nothing. */
const leastAnswers = 10;
/** Slow is who takes this many times as long as the fastest of the others, but never who answers within the floor. */
const slowTimes = 3;
const floorMs = 200;
/** What a provider is measured by whose fellows have not been heard yet. */
const unheardMs = 5_000 / slowTimes;
/** A slow provider keeps this much of its weight, so that it shows when it has recovered. */
const leastLeft = 0.05;

export const afterAnswer = ({ ms, answers }: Pace, took: number): Pace => ({
  ms: ms + (took - ms) / Math.min(answers + 1, answersRemembered),
  answers: answers + 1,
});

/** The part of its weight that a provider keeps: 1 unless it is slow. */
const keeps = (providers: readonly Weighed[], at: number): number => {
  const own = providers[at]?.pace ?? noPace;
  if (own.answers < leastAnswers) return 1;
  const heard = providers.filter(({ pace }, other) => other !== at && pace.answers >= leastAnswers);
  const fastest = heard.length > 0 ? Math.min(...heard.map(({ pace }) => pace.ms)) : unheardMs;
  return own.ms > Math.max(floorMs, slowTimes * fastest) ? Math.max(leastLeft, fastest / own.ms) : 1;
};

/** Each provider's share. What slow ones give up goes to the others by weight, and to those that stand by (weight 0) alike. */
export const sharesOf = (providers: readonly Weighed[]): number[] => {
  const kept = providers.map((_, at) => keeps(providers, at));
  const shares = providers.map(({ weight }, at) => weight * (kept[at] ?? 1));
  const lost = providers.reduce((sum, { weight }, at) => sum + weight - (shares[at] ?? 0), 0);
  const standBy = providers.filter(({ weight }, at) => weight === 0 && kept[at] === 1).length;
  return shares.map((share, at) => (providers[at]?.weight === 0 && kept[at] === 1 ? lost / standBy : share));
};

/** An order to try the providers in, drawn by their shares; those without any come last, as they are listed. */
export const drawOrder = (shares: readonly number[], random: () => number): number[] => {
  const order: number[] = [];
  const left = new Set(shares.keys());
  for (let sum = shares.reduce((a, b) => a + b, 0); left.size > 0; ) {
    let mark = random() * sum;
    // rounding may leave a little after the last
    let drawn = [...left].find((at) => (shares[at] ?? 0) > 0);
    for (const at of left) {
      mark -= shares[at] ?? 0;
      if (mark >= 0) continue;
      drawn = at;
      break;
    }
    if (drawn === undefined) return [...order, ...left];
    order.push(drawn);
    left.delete(drawn);
    sum -= shares[drawn] ?? 0;
  }
  return order;
};
