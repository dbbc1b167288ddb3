import type { Edges } from '../../edges.ts';
import type { LeaseView } from '../push-store.ts';

/**
 * Which leases may be stolen (design D2): those whose (token, beat) this process has seen unchanged for a whole lease on its
 * own monotonic clock. Clock skew and clock jumps steal nothing.
 */
export const makeLeaseWatch = <T extends LeaseView>(edges: Pick<Edges, 'monotonic'>, leaseMs: number) => {
  let since = new Map<string, { seen: T; at: number }>();
  return {
    /** Takes what is leased now; answers what has stood still for a whole lease. */
    stale: (leases: T[]): T[] => {
      const now = edges.monotonic();
      const next: typeof since = new Map();
      for (const seen of leases) {
        const before = since.get(seen.id);
        const same = before && before.seen.token === seen.token && before.seen.beat === seen.beat;
        next.set(seen.id, same ? before : { seen, at: now });
      }
      since = next;
      return [...next.values()].filter((entry) => now - entry.at >= leaseMs).map((entry) => entry.seen);
    },
  };
};

export type HeldLease = {
  /** Whether a send may start: less than two thirds of the lease have passed since the last renewal that held was sent. */
  fresh(): boolean;
  /** Stops renewing. */
  stop(): void;
};

/** Renews a lease that was just taken every quarter of it, until stopped or lost. */
export const keepLease = (
  renew: () => Promise<number | null>,
  edges: Pick<Edges, 'monotonic'>,
  leaseMs: number,
  onError: (error: unknown) => void,
): HeldLease => {
  let renewedAt = edges.monotonic();
  let held = true;
  let busy = false;
  const beat = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    const sentAt = edges.monotonic();
    try {
      if ((await renew()) === null) stop();
      else renewedAt = sentAt;
    } catch (error) {
      onError(error);
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(beat, leaseMs / 4);
  const stop = (): void => {
    held = false;
    clearInterval(timer);
  };
  return { fresh: () => held && edges.monotonic() - renewedAt < (leaseMs * 2) / 3, stop };
};
