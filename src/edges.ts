import { randomBytes } from 'node:crypto';

/** What a pure core must be given from outside: the wall clock, a clock that never jumps, and randomness. */
export type Edges = {
  /** Wall clock, milliseconds since 1970 UTC. */
  now(): number;
  /** Milliseconds on a clock that only moves forward; leases count on it (design: a clock jump steals nothing). */
  monotonic(): number;
  /** Uniform in [0, 1): jitter and the like, never secrets. */
  random(): number;
  /** Cryptographic randomness. */
  bytes(count: number): Buffer;
};

export const realEdges: Edges = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  bytes: (count) => randomBytes(count),
};

/** A public id: 128 random bits, base64url, 22 characters. */
export const newId = (edges: Pick<Edges, 'bytes'>): string => edges.bytes(16).toString('base64url');

/** The same randomness, asked of the system by the page: sixteen bytes at a time cost as much as a page of them. */
export const byThePage = ({ bytes }: Pick<Edges, 'bytes'>): Pick<Edges, 'bytes'> => {
  let page: Buffer = Buffer.alloc(0);
  return {
    bytes: (count) => {
      if (page.length < count) page = bytes(Math.max(count, 4_096));
      const taken = page.subarray(0, count);
      page = page.subarray(count);
      return taken;
    },
  };
};
