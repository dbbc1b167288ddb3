import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../../config.ts';
import { type Region, regionContains } from '../region.ts';
import type { ParentOf } from '../topic.ts';
import type { Area, Position } from './area.ts';
import { covers, overlap, type Shape, shapeOf, shapesOfArea, shifted } from './geometry.ts';

/** **outline**: the ground of a region, which may lie in several parts. `region` is what an import adds where the table lacks it. */
export type Outline = { code: string; region: Region | null; parts: Shape[] };

// heights are left aside
const position = z
  .array(z.number())
  .min(2)
  .max(3)
  .transform(([lon = 0, lat = 0]): Position => [lon, lat]);
const polygon = z.array(z.array(position).min(4)).min(1);
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

const outlineOf = ({ id, properties, geometry }: z.output<typeof featureSchema>): Outline => {
  const found = properties?.code ?? properties?.adcode ?? id;
  if (found === undefined)
    throw new Error('a feature has no code: neither properties.code nor properties.adcode nor id');
  const name = properties?.name;
  const parent = typeof properties?.parent === 'string' ? properties.parent : null;
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  return {
    code: found,
    region: name ? { code: found, name: { en: name, 'zh-CN': name }, parent } : null,
    parts: polygons.map(shapeOf),
  };
};

/** The outlines in a GeoJSON text (RFC 7946): polygons whose `properties.code` (or `adcode`, or id) is a region's. Throws an Error that says what is wrong. */
export const parseOutlines = (text: string): Outline[] => {
  const parsed = fileSchema.safeParse(JSON.parse(text));
  if (parsed.success) {
    const { data } = parsed;
    return (data.type === 'Feature' ? [data] : data.features).map(outlineOf);
  }
  const [issue] = parsed.error.issues;
  throw new Error(`is no GeoJSON of polygons (RFC 7946): ${issue?.path.join('.')}: ${issue?.message}`);
};

const fault = (message: string): ConfigError => new ConfigError([{ name: 'REGION_OUTLINES', message }]);
const saying = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const filesOf = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter((name) => /\.(geo)?json$/i.test(name));
  } catch (error) {
    throw fault(saying(error));
  }
};

/** The outlines of all `.geojson` and `.json` files in a folder; none without one. Throws a `ConfigError` that names the file. */
export const readOutlines = (folder: string | undefined): Outline[] =>
  folder === undefined
    ? []
    : filesOf(folder)
        .sort()
        .flatMap((name) => {
          try {
            return parseOutlines(readFileSync(join(folder, name), 'utf8'));
          } catch (error) {
            throw fault(`${name}: ${saying(error)}`);
          }
        });

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
