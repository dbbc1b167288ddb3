import { booleanPointInPolygon } from '@turf/boolean-point-in-polygon';
import type { Area, Circle, Position } from './area.ts';

/** **shape**: a polygon on the flat map of longitude and latitude, holes after its outer line, with the box around it. */
export type Shape = { rings: Position[][]; box: Box };
/** West, south, east, north. */
type Box = [number, number, number, number];

const earthKm = 6_371.0088;
const circleCorners = 64;

/** A line that does not jump at the antimeridian: it goes on beyond 180 degrees instead. */
const unwrapped = (ring: Position[]): Position[] => {
  let shift = 0;
  return ring.map(([lon, lat], n) => {
    const step = lon - (ring[n - 1]?.[0] ?? lon);
    if (step > 180) shift -= 360;
    else if (step < -180) shift += 360;
    return [lon + shift, lat];
  });
};

export const shapeOf = (rings: Position[][]): Shape => {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of rings[0] ?? []) {
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  }
  return { rings, box };
};

/** The ground of a polygon with its holes, which may be drawn across the antimeridian; the holes lie where the outer line does. */
export const groundOf = ([outer = [], ...holes]: Position[][]): Shape => {
  const border = unwrapped(outer);
  const { box } = shapeOf([border]);
  const turned = holes.map((hole) => {
    const line = unwrapped(hole);
    const [west, , east] = shapeOf([line]).box;
    const turn = west < box[0] && east + 360 <= box[2] ? 360 : east > box[2] && west - 360 >= box[0] ? -360 : 0;
    return line.map(([lon, lat]): Position => [lon + turn, lat]);
  });
  return shapeOf([border, ...turned]);
};

/** The circle as a polygon around it, by great circles on a sphere: right to a few thousandths of the radius. */
const ringOfCircle = ({ center: [lon, lat], km }: Circle): Position[] => {
  const [far, north] = [km / earthKm, (lat * Math.PI) / 180];
  const corners = Array.from({ length: circleCorners }, (_, n): Position => {
    const bearing = (2 * Math.PI * n) / circleCorners;
    const to = Math.asin(Math.sin(north) * Math.cos(far) + Math.cos(north) * Math.sin(far) * Math.cos(bearing));
    const east = Math.atan2(
      Math.sin(bearing) * Math.sin(far) * Math.cos(north),
      Math.cos(far) - Math.sin(north) * Math.sin(to),
    );
    return [lon + (east * 180) / Math.PI, (to * 180) / Math.PI];
  });
  return [...corners, corners[0] ?? [lon, lat]];
};

/** What an area covers; a circle without a radius is a place, which covers next to nothing. */
export const shapesOfArea = ({ polygons = [], circles = [] }: Area): Shape[] => [
  ...polygons.map((ring) => shapeOf([unwrapped(ring)])),
  ...circles.map((circle) => shapeOf([ringOfCircle({ ...circle, km: Math.max(circle.km, 0.001) })])),
];

/** Whether the place lies in the shape, by the even-odd rule; on its very border it does not. */
const holds = ({ rings, box: [west, south, east, north] }: Shape, [lon, lat]: Position): boolean =>
  lon > west &&
  lon < east &&
  lat > south &&
  lat < north &&
  booleanPointInPolygon([lon, lat], { type: 'Polygon', coordinates: rings }, { ignoreBoundary: true });

type Edge = [Position, Position];

const edgesWithin = ({ rings }: Shape, [west, south, east, north]: Box): Edge[] =>
  rings.flatMap((ring) =>
    ring.slice(1).flatMap((to, n): Edge[] => {
      const from = ring[n] ?? to;
      const apart =
        Math.max(from[0], to[0]) < west ||
        Math.min(from[0], to[0]) > east ||
        Math.max(from[1], to[1]) < south ||
        Math.min(from[1], to[1]) > north;
      return apart ? [] : [[from, to]];
    }),
  );

/** On which side of the line from a to b the place lies: the sign. */
const side = ([ax, ay]: Position, [bx, by]: Position, [x, y]: Position): number =>
  Math.sign((bx - ax) * (y - ay) - (by - ay) * (x - ax));

/** Whether two edges cross each other; those that only touch do not. */
const cross = ([a, b]: Edge, [c, d]: Edge): boolean =>
  side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;

/** A place inside: the middle of the widest stretch inside, halfway up, or near it. */
const innerPoint = ({ rings, box: [, south, , north] }: Shape): Position => {
  // a little off the middle, where a corner is less likely to lie
  const lat = south + (north - south) * 0.4999;
  const cuts = rings
    .flatMap((ring) =>
      ring.slice(1).flatMap(([x2, y2], n) => {
        const [x1, y1] = ring[n] ?? [x2, y2];
        return y1 > lat === y2 > lat ? [] : [x1 + ((lat - y1) / (y2 - y1)) * (x2 - x1)];
      }),
    )
    .sort((a, b) => a - b);
  let widest: [number, number] = [cuts[0] ?? 0, cuts[0] ?? 0];
  for (let n = 0; n + 1 < cuts.length; n += 2) {
    const [from = 0, to = 0] = [cuts[n], cuts[n + 1]];
    if (to - from > widest[1] - widest[0]) widest = [from, to];
  }
  return [(widest[0] + widest[1]) / 2, lat];
};

const boxesMeet = (a: Box, b: Box): boolean => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

const edgesCross = (a: Shape, b: Shape): boolean => {
  const others = edgesWithin(b, a.box);
  return edgesWithin(a, b.box).some((edge) => others.some((other) => cross(edge, other)));
};

const hasPointIn = (a: Shape, b: Shape): boolean =>
  holds(b, innerPoint(a)) || a.rings.some((ring) => ring.some((point) => holds(b, point)));

/** Whether two shapes have ground in common; neighbours that share a border have not. */
export const overlap = (a: Shape, b: Shape): boolean =>
  boxesMeet(a.box, b.box) && (hasPointIn(a, b) || hasPointIn(b, a) || edgesCross(a, b));

/** Whether `inner` lies in `outer` with all it has: it has ground there, no border of the other runs through it, and none of its corners is outside. */
export const covers = (outer: Shape, inner: Shape): boolean =>
  overlap(outer, inner) &&
  !edgesCross(outer, inner) &&
  !outer.rings.some((ring) => ring.some((point) => holds(inner, point))) &&
  holds(outer, innerPoint(inner));

/** The shape so many degrees further east. */
export const shifted = ({ rings }: Shape, degrees: number): Shape =>
  degrees === 0
    ? shapeOf(rings)
    : shapeOf(rings.map((ring) => ring.map(([lon, lat]): Position => [lon + degrees, lat])));
