import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../../config.ts';
import { type Region, regionContains } from '../region.ts';
import type { ParentOf } from '../topic.ts';
import { type Area, type Position, positionSchema } from './area.ts';
import { covers, groundOf, overlap, type Shape, shapesOfArea, shifted } from './geometry.ts';

/** **outline**: the ground of a region, which may lie in several parts. `region` is what an import adds where the table lacks it. */
export type Outline = { code: string; region: Region | null; parts: Shape[] };

/** Longitude, latitude and at most a height, which is left aside. A map in metres, or the other way round, would lie anywhere. */
const position = z
  .array(z.number())
  .min(2)
  .max(3)
  .transform(([lon = 0, lat = 0]): Position => [lon, lat])
  .pipe(positionSchema);
const ring = z
  .array(position)
  .min(4)
  .refine((line) => line[0]?.join() === line.at(-1)?.join(), 'must end where it begins (RFC 7946 section 3.1.6)');
const polygon = z.array(ring).min(1);
const code = z.union([z.string(), z.number()]).transform(String);

const featureSchema = z.object({
  type: z.literal('Feature'),
  id: code.optional(),
  properties: z
    .object({
      code: code.optional(),
      adcode: code.optional(),
      name: z.string().optional(),
      parent: z.unknown().optional(),
    })
    .nullable(),
  geometry: z.discriminatedUnion('type', [
    z.object({ type: z.literal('Polygon'), coordinates: polygon }),
    z.object({ type: z.literal('MultiPolygon'), coordinates: z.array(polygon).min(1) }),
  ]),
});
const fileSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('FeatureCollection'), features: z.array(featureSchema) }),
  featureSchema,
]);

type Feature = z.output<typeof featureSchema>;

const codeOf = ({ id, properties }: Feature): string => properties?.code ?? properties?.adcode ?? id ?? '';

const outlineOf = (feature: Feature): Outline => {
  const { properties, geometry } = feature;
  const found = codeOf(feature);
  const name = properties?.name;
  const parent = typeof properties?.parent === 'string' ? properties.parent : null;
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  return {
    code: found,
    region: name ? { code: found, name: { en: name, 'zh-CN': name }, parent } : null,
    parts: polygons.map(groundOf),
  };
};

/** A file of another kind has a fault a point. */
const faultsMost = 20;

/** Thrown for a file that cannot be used, with all that is wrong with it. */
class OutlineError extends Error {
  readonly faults: string[];
  constructor(faults: string[]) {
    const some = faults.slice(0, faultsMost);
    super(some.join('; '));
    this.name = 'OutlineError';
    this.faults = faults.length > faultsMost ? [...some, `… and ${faults.length - faultsMost} more`] : some;
  }
}

/**
 * The outlines in a GeoJSON text (RFC 7946): polygons whose `properties.code` (or `adcode`, or id) is a region's. Throws an Error that says
 * all that is wrong.
 */
export const parseOutlines = (text: string): Outline[] => {
  const parsed = fileSchema.safeParse(JSON.parse(text));
  if (!parsed.success) {
    const said = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new OutlineError(said.map((one) => `is no GeoJSON of polygons (RFC 7946): ${one}`));
  }
  const features = parsed.data.type === 'Feature' ? [parsed.data] : parsed.data.features;
  const nameless = features.flatMap((feature, n) =>
    codeOf(feature) === '' ? [`feature ${n} has no code: neither properties.code nor properties.adcode nor id`] : [],
  );
  if (nameless.length > 0) throw new OutlineError(nameless);
  return features.map(outlineOf);
};

/** Regions whose parts are drawn one by one are one region. */
const joined = (outlines: Outline[]): Outline[] => {
  const byCode = new Map<string, Outline>();
  for (const { code, region, parts } of outlines) {
    const known = byCode.get(code);
    byCode.set(code, { code, region: known?.region ?? region, parts: [...(known?.parts ?? []), ...parts] });
  }
  return [...byCode.values()];
};

const fault = (message: string): ConfigError['faults'][number] => ({ name: 'REGION_OUTLINES', message });
const saying = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const filesOf = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter((name) => /\.(geo)?json$/i.test(name));
  } catch (error) {
    throw new ConfigError([fault(saying(error))]);
  }
};

/** The outlines of all `.geojson` and `.json` files in a folder; none without one. Throws a `ConfigError` that names every file and fault. */
export const readOutlines = (folder: string | undefined): Outline[] => {
  if (folder === undefined) return [];
  const outlines: Outline[] = [];
  const faults: ConfigError['faults'] = [];
  for (const name of filesOf(folder).sort())
    try {
      outlines.push(...parseOutlines(readFileSync(join(folder, name), 'utf8')));
    } catch (error) {
      const all = error instanceof OutlineError ? error.faults : [saying(error)];
      faults.push(...all.map((one) => fault(`${name}: ${one}`)));
    }
  if (faults.length > 0) throw new ConfigError(faults);
  return joined(outlines);
};

/** How far areas may be drawn east or west of where outlines are: around the antimeridian both ways are in use. */
const turns = [-360, 0, 360];

/**
 * The regions whose ground an area touches, the narrowest that are outlined: a wide region stands for itself where the area
 * covers all of it, or where no narrower one in it is touched.
 */
export const regionsTouched = (areas: Area[], outlines: readonly Outline[], parents: ParentOf): Outline[] => {
  const shapes = areas.flatMap(shapesOfArea).flatMap((shape) => turns.map((turn) => shifted(shape, turn)));
  const touched = outlines.filter(({ parts }) => parts.some((part) => shapes.some((shape) => overlap(shape, part))));
  const whole = new Set(
    touched.filter(({ parts }) => parts.every((part) => shapes.some((shape) => covers(shape, part)))),
  );
  const contains = (outer: Outline, inner: Outline): boolean =>
    outer.code !== inner.code && regionContains(parents, outer.code, inner.code);
  return touched.filter(
    (one) =>
      (whole.has(one) || !touched.some((other) => contains(one, other))) &&
      !touched.some((other) => whole.has(other) && contains(other, one)),
  );
};

/** The regions of these outlines and of those that they name as their parents, as the region table takes them: parents first. */
export const regionsOf = (some: Outline[], outlines: readonly Outline[], parents: ParentOf): Region[] => {
  const named = new Map(outlines.flatMap(({ code, region }) => (region ? [[code, region]] : [])));
  const found = new Map<string, Region>();
  const add = (code: string | null): void => {
    const region = code === null || found.has(code) ? undefined : named.get(code);
    if (!region) return;
    // kept back while its parents are added, so that a circle ends
    named.delete(region.code);
    add(region.parent);
    const known = region.parent !== null && (found.has(region.parent) || parents.has(region.parent));
    found.set(region.code, known ? region : { ...region, parent: null });
  };
  for (const { code } of some) add(code);
  return [...found.values()];
};
