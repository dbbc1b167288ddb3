/** Counts the turns of the event loop until `end`, to tell what fell into one turn. */
export const countTurns = (): { now: () => number; end: () => void } => {
  let turns = 0;
  let ended = false;
  const count = (): void => {
    turns += 1;
    if (!ended) setImmediate(count);
  };
  setImmediate(count);
  return {
    now: () => turns,
    end: () => {
      ended = true;
    },
  };
};

/** How many turns lie between each moment and the next. */
export const pausesOf = (moments: readonly number[]): number[] =>
  moments.slice(1).map((at, place) => at - (moments[place] ?? 0));
