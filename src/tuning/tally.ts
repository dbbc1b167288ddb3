import { parameters } from '../rules/arms.ts';
import type { ClosedExposure, Tally } from './tuning.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** Days since 1970 UTC. */
export const dayOf = (at: number): number => Math.floor(at / dayMs);

const keyOf = (tally: Pick<Tally, 'rule' | 'lineage' | 'day' | 'parameter' | 'arm' | 'channel'>): string =>
  JSON.stringify([tally.rule, tally.lineage, tally.day, tally.parameter, tally.arm, tally.channel]);

/** Counts of closed exposures by day, rule, arm and channel; `add` takes as many as come, `list` answers what they sum up to. */
export const makeTallies = () => {
  const tallies = new Map<string, Tally>();

  const count = (one: ClosedExposure, parameter: Tally['parameter'], arm: string): void => {
    const { rule, lineage, channel } = one;
    const of = { rule, lineage, day: dayOf(one.at), parameter, arm, channel };
    const key = keyOf(of);
    const tally = tallies.get(key) ?? { ...of, eligible: 0, sent: 0, useful: 0, unwanted: 0 };
    tallies.set(key, tally);
    tally.eligible += 1;
    if (one.sentAt === null) return;
    tally.sent += 1;
    tally.useful += one.reward;
    tally.unwanted += one.unwanted ? 1 : 0;
  };

  return {
    add: (exposures: readonly ClosedExposure[]): void => {
      for (const one of exposures) {
        if (one.level !== null) count(one, 'threshold', String(one.level));
        if (one.sentAt === null) continue;
        count(one, 'all', '');
        for (const parameter of parameters)
          if (parameter !== 'threshold' && one.drawn[parameter] !== undefined)
            count(one, parameter, String(one.drawn[parameter]));
      }
    },
    list: (): Tally[] => [...tallies.values()],
  };
};
