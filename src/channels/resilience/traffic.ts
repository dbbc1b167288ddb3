import { z } from 'zod';

/**
 * What may stand after the `?` of every provider's URL: `rate` messages a second (of all worker processes), `burst` of them at
 * once (as many as `rate` unless said), `weight`, its share of the traffic among several (0 stands by).
 */
export const trafficQuery = {
  rate: z.coerce.number().positive().max(100_000).optional(),
  burst: z.coerce.number().int().min(1).max(1_000_000).optional(),
  weight: z.coerce.number().min(0).max(1_000).optional(),
};

export type Traffic = { rate: number | undefined; burst: number | undefined; weight: number | undefined };

/** What the fields alone cannot show, as words. */
export const trafficFaults = ({ rate, burst }: Partial<Traffic>): string[] =>
  burst !== undefined && rate === undefined ? ['burst: needs rate'] : [];

/**
 * A provider's URL as one of several worker processes reads it: with its share of the rate and of the burst, of which each
 * needs one message at least. What it leaves unsaid stays unsaid.
 */
export const urlForOneOf = (workers: number, text: string): string => {
  const url = new URL(text);
  const { searchParams: query } = url;
  const [rate, burst] = ['rate', 'burst'].map((name) => query.get(name));
  if (workers <= 1 || rate == null) return text;
  query.set('rate', String(Number(rate) / workers));
  if (burst != null) query.set('burst', String(Math.max(1, Math.floor(Number(burst) / workers))));
  return url.href;
};
