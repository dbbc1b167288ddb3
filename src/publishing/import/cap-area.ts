import { type Area, type Circle, type Position, positionSchema, thinned } from '../../catalogue/areas/area.ts';
import { cut } from './entry.ts';
import { firstText, texts, type XmlNode } from './xml.ts';

const number = /^[+-]?(\d+\.?\d*|\.\d+)$/;

/** `lat,lon`, as CAP 1.2 section 3.3.1 writes a place; ours is the other way round. Throws an Error. */
const positionOf = (text: string): Position => {
  const parts = text.split(',');
  const [lat = NaN, lon = NaN] = parts.map((part) => (number.test(part) ? Number(part) : NaN));
  const parsed = positionSchema.safeParse([lon, lat]);
  if (parts.length !== 2 || !parsed.success) throw new Error(`area: ${cut(text, 60)} is no place (latitude,longitude)`);
  return parsed.data;
};

/** One that is not closed is closed: its sender meant no other line. */
const polygonOf = (text: string): Position[] => {
  const ring = text.split(/\s+/).map(positionOf);
  const [first, last] = [ring[0], ring.at(-1)];
  if (first && last && first.join() !== last.join()) ring.push(first);
  if (ring.length < 4) throw new Error('area: a polygon needs three corners');
  return thinned(ring);
};

const circleOf = (text: string): Circle => {
  const [center = '', radius = ''] = text.split(/\s+/);
  const km = Number(radius);
  if (!number.test(radius) || km < 0 || km > 20_000)
    throw new Error(`area: ${cut(text, 60)} is no circle (latitude,longitude radius)`);
  return { center: positionOf(center), km };
};

/**
 * What a CAP area draws on the map; null where it draws nothing. Throws an Error where it draws what cannot be read: an alert
 * whose place is not known must not go to everybody.
 */
export const drawnArea = (area: XmlNode): Area | null => {
  const polygons = texts(area, 'polygon').map(polygonOf);
  const circles = texts(area, 'circle').map(circleOf);
  if (polygons.length + circles.length === 0) return null;
  const description = firstText(area, 'areaDesc');
  return {
    ...(description ? { description: cut(description, 500) } : {}),
    ...(polygons.length > 0 ? { polygons } : {}),
    ...(circles.length > 0 ? { circles } : {}),
  };
};
