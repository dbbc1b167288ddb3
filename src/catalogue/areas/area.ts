import { z } from 'zod';

const mostPoints = 2_000;

/** A place as GeoJSON writes it (RFC 7946 section 3.1.1): longitude, latitude; degrees of WGS 84. */
export const positionSchema = z.tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)]);
export type Position = z.infer<typeof positionSchema>;

const closed = (ring: Position[]): boolean => JSON.stringify(ring[0]) === JSON.stringify(ring.at(-1));
const ringSchema = z
  .array(positionSchema)
  .min(4)
  .max(mostPoints)
  .refine(closed, 'must end where it begins (RFC 7946 section 3.1.6)');
const circleSchema = z.strictObject({ center: positionSchema, km: z.number().min(0).max(20_000) });

/** **area**: a part of the map that an item is about; all its shapes together. A polygon is one closed line; `km` is a radius. */
export const areaSchema = z.strictObject({
  description: z.string().trim().min(1).max(500).optional(),
  polygons: z.array(ringSchema).max(50).optional(),
  circles: z.array(circleSchema).max(50).optional(),
});
export type Area = z.infer<typeof areaSchema>;
export type Circle = z.infer<typeof circleSchema>;

/** The same line with no more points than an area holds: every so manieth is kept, and both ends. */
export const thinned = (ring: Position[]): Position[] => {
  const step = Math.ceil((ring.length - 1) / (mostPoints - 1));
  return step <= 1 ? ring : ring.filter((_point, n) => n % step === 0 || n === ring.length - 1);
};
