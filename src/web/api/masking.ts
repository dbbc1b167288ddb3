import { z } from 'zod';
import { type AudienceWarning, audienceWarnings, type Counted } from '../../audience/audience-service.ts';
import { orNull } from './shapes.ts';

/** Fewer people than this are not told to whoever may not read people (api: Rules and audiences). */
export const fewerThan = 10;

export const count = orNull(z.int()).describe(
  'Null: between 1 and 9 (`fewerThan`); only the admin scope sees those exactly.',
);
export const masked = { fewerThan: z.literal(fewerThan).optional() };
export const countedShape = z.array(z.object({ key: z.string(), people: count, ...masked }));
export const warnings = z.array(z.enum(audienceWarnings));

const isFew = (value: unknown): boolean => typeof value === 'number' && value > 0 && value < fewerThan;

/** Counts of 1-9 become null, with `fewerThan` beside them, unless the caller may read people (`exact`). */
export const maskedCounts = <T extends Record<string, unknown>>(counts: T, exact: boolean, names: (keyof T)[]): T => {
  if (exact || !names.some((name) => isFew(counts[name]))) return counts;
  const entries = Object.entries(counts).map(([name, value]) => [
    name,
    names.includes(name) && isFew(value) ? null : value,
  ]);
  return { ...(Object.fromEntries(entries) as T), fewerThan };
};

export const maskedList = (list: Counted[], exact: boolean): Counted[] =>
  list.map((one) => maskedCounts(one, exact, ['people']));

/** That a condition holds for all of a few people would say something of each of them. */
export const maskedWarnings = (list: AudienceWarning[], exact: boolean, people: number): AudienceWarning[] =>
  exact || !isFew(people) ? list : [];
