import type { Edges } from '../edges.ts';
import type { Counts, Push } from './push.ts';

/** How many people of a push were behind it at a moment (ms, of the clock that never jumps). */
type Sample = { at: number; behind: number };

/** The pace of the last minute counts: what was before a pause, or before a provider came back, says little. */
const rememberedMs = 60_000;
/** Looks that lie closer together tell no pace; one is kept for each such stretch. */
const closestMs = 1_000;
const pushesRemembered = 200;

/** Milliseconds until nobody is left at the pace since the oldest sample; null while nothing moves. */
const msLeft = (oldest: Sample, now: Sample, left: number): number | null => {
  const done = now.behind - oldest.behind;
  return done > 0 && now.at > oldest.at ? ((now.at - oldest.at) / done) * left : null;
};

/**
 * Estimates when a running push will have left behind whoever is planned or sending, from the looks that were taken at it
 * lately, or else from its pace since it was planned; null where nothing is left or nothing moves. ms since 1970.
 */
export const makeEstimates = (edges: Pick<Edges, 'now' | 'monotonic'>) => {
  const looks = new Map<string, Sample[]>();

  const lately = (id: string, now: Sample): Sample | undefined => {
    const kept = (looks.get(id) ?? []).filter((one) => one.at >= now.at - rememberedMs && one.behind <= now.behind);
    const last = kept.at(-1);
    if (!last || now.at - last.at >= closestMs) kept.push(now);
    looks.delete(id);
    looks.set(id, kept);
    for (const oldest of [...looks.keys()].slice(0, -pushesRemembered)) looks.delete(oldest);
    return kept.find((one) => now.at - one.at >= closestMs);
  };

  return (push: Push, counts: Counts): number | null => {
    if (push.state !== 'running' || push.plannedAt === null) {
      looks.delete(push.id);
      return null;
    }
    const left = counts.planned + counts.sending;
    if (left === 0) return null;
    const wall = edges.now();
    const now: Sample = { at: edges.monotonic(), behind: push.matched - left };
    const start: Sample = { at: now.at - Math.max(0, wall - push.plannedAt), behind: 0 };
    const pause = msLeft(lately(push.id, now) ?? start, now, left);
    return pause === null ? null : Math.ceil((wall + pause) / 1_000) * 1_000;
  };
};
