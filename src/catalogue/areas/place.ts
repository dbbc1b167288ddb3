import type { Area, Position } from './area.ts';
import { overlap, type Shape, shapeOf, shapesOfArea, shifted } from './geometry.ts';

/** The attribute that holds a person's place, and its type: an office that declares it may ask for places. */
export const placeAttribute = 'place';

/** Degrees of a place's field: about a kilometre. More of where somebody lives is not kept. */
const fieldSize = 0.01;
const degrees = /^([+-]?\d{1,3}(?:\.\d{1,15})?)\s*[,，]\s*([+-]?\d{1,3}(?:\.\d{1,15})?)$/;

const fieldOf = (value: number): string =>
  (Math.round(value / fieldSize) * fieldSize).toFixed(2).replace('-0.00', '0.00');

/** A place as it is kept, `latitude,longitude` to hundredths of a degree; null for what is none. */
export const coarsePlace = (text: string): string | null => {
  const [, lat, lon] = degrees.exec(text.normalize('NFKC').trim()) ?? [];
  if (Math.abs(Number(lat)) > 90 || Math.abs(Number(lon)) > 180 || lat === undefined) return null;
  return `${fieldOf(Number(lat))},${fieldOf(Number(lon))}`;
};

/** Areas are asked about for person after person. */
const drawn = new WeakMap<readonly Area[], Shape[]>();
const shapesOf = (areas: readonly Area[]): Shape[] => {
  const known = drawn.get(areas);
  if (known) return known;
  const shapes = areas
    .flatMap(shapesOfArea)
    .flatMap((shape) => [-360, 0, 360].map((turn) => (turn === 0 ? shape : shifted(shape, turn))));
  drawn.set(areas, shapes);
  return shapes;
};

/** Whether areas touch the field of a place as it is kept: whoever may live there is told. */
export const areasTouch = (areas: readonly Area[], place: string): boolean => {
  const [lat = NaN, lon = NaN] = place.split(',').map(Number);
  const [west, south, east, north] = [-1, -1, 1, 1].map((way, n) => (n % 2 === 0 ? lon : lat) + (way * fieldSize) / 2);
  const corners = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ] as Position[];
  const field = shapeOf([corners]);
  return shapesOf(areas).some((shape) => overlap(shape, field));
};
