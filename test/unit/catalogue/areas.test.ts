import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Area, type Position, thinned } from '../../../src/catalogue/areas/area.ts';
import { parseOutlines, readOutlines, regionsTouched } from '../../../src/catalogue/areas/outlines.ts';
import { projectRoot } from '../../../src/project-root.ts';

const box = (west: number, south: number, east: number, north: number): Position[] => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
];
const feature = (code: string, ...rings: Position[][]) => ({
  type: 'Feature',
  properties: { code },
  geometry: { type: 'Polygon', coordinates: rings },
});
const outlines = (...features: object[]) => parseOutlines(JSON.stringify({ type: 'FeatureCollection', features }));
const none = new Map<string, string | null>();

/** Two counties of a state beside each other, one county apart, and an island of the state in two parts. */
const state = outlines(
  feature('ST', box(0, 0, 10, 10)),
  feature('ST-A', box(0, 0, 5, 10)),
  feature('ST-B', box(5, 0, 10, 10)),
  feature('XX', box(20, 20, 30, 30), box(22, 22, 28, 28)),
);
const touched = (area: Area, all = state) => regionsTouched([area], all, none).map(({ code }) => code);

describe('an area on the map touches', () => {
  it.each<[string, Area, string[]]>([
    ['the narrowest region it lies in', { polygons: [box(1, 1, 2, 2)] }, ['ST-A']],
    ['both on whose border it lies', { polygons: [box(4, 4, 6, 6)] }, ['ST-A', 'ST-B']],
    ['the very region whose outline it is, and no neighbour', { polygons: [box(0, 0, 5, 10)] }, ['ST-A']],
    ['half a region along its borders', { polygons: [box(0, 0, 5, 4)] }, ['ST-A']],
    ['all that a wide one covers, by its widest name', { polygons: [box(-1, -1, 11, 11)] }, ['ST']],
    ['what it goes right through, no corner inside', { polygons: [box(-1, 4, 11, 5)] }, ['ST-A', 'ST-B']],
    ['nothing where it lies in a hole', { polygons: [box(24, 24, 26, 26)] }, []],
    ['what is around the hole that it reaches out of', { polygons: [box(24, 24, 29, 26)] }, ['XX']],
    ['nothing elsewhere', { polygons: [box(12, 12, 13, 13)] }, []],
    ['nothing by touching a border from outside', { polygons: [box(10, 2, 12, 4)] }, []],
    ['what its circle reaches: 111 km are a degree', { circles: [{ center: [12, 5], km: 230 }] }, ['ST-B']],
    ['nothing that its circle does not reach', { circles: [{ center: [12, 5], km: 215 }] }, []],
    ['what a circle without a radius lies in', { circles: [{ center: [2, 2], km: 0 }] }, ['ST-A']],
    ['all of its shapes', { polygons: [box(1, 1, 2, 2)], circles: [{ center: [9, 9], km: 1 }] }, ['ST-A', 'ST-B']],
  ])('%s', (_what, area, expected) => {
    expect(touched(area)).toEqual(expected);
  });

  it('a wide region for itself where none of those inside it is outlined there', () => {
    const some = outlines(feature('ST', box(0, 0, 10, 10)), feature('ST-A', box(0, 0, 5, 10)));
    expect(touched({ polygons: [box(7, 7, 8, 8)] }, some)).toEqual(['ST']);
  });

  it('regions beyond the antimeridian, however either is drawn', () => {
    const far = outlines(feature('FJ', box(178, -19, 180, -15)), feature('WF', box(-180, -15, -176, -12)));
    const around: Position[] = [
      [179, -16],
      [-179, -16],
      [-179, -13],
      [179, -13],
      [179, -16],
    ];
    expect(touched({ polygons: [around] }, far)).toEqual(['FJ', 'WF']);
    expect(touched({ circles: [{ center: [-179.9, -16], km: 50 }] }, far)).toEqual(['FJ']);
  });

  it('a region that is itself drawn across the antimeridian, and nothing in its hole', () => {
    const across = (west: number, south: number, east: number, north: number) => {
      const ring = box(west, south, east, north);
      return ring.map(([lon, lat]): Position => [lon > 180 ? lon - 360 : lon, lat]);
    };
    const all = outlines(
      feature('AL', across(175, 50, 190, 60), across(182, 54, 185, 56)),
      feature('CN', box(73, 20, 135, 53)),
    );
    expect(touched({ circles: [{ center: [178, 55], km: 10 }] }, all)).toEqual(['AL']);
    expect(touched({ circles: [{ center: [-172, 55], km: 10 }] }, all)).toEqual(['AL']);
    expect(touched({ circles: [{ center: [-176.5, 55], km: 10 }] }, all)).toEqual([]);
    expect(touched({ circles: [{ center: [113, 30], km: 10 }] }, all)).toEqual(['CN']);
  });

  it('the right ones of a concave region', () => {
    const horseshoe: Position[] = [
      [0, 0],
      [9, 0],
      [9, 9],
      [6, 9],
      [6, 3],
      [3, 3],
      [3, 9],
      [0, 9],
      [0, 0],
    ];
    const all = outlines(feature('U', horseshoe));
    expect(touched({ polygons: [box(4, 5, 5, 8)] }, all)).toEqual([]);
    expect(touched({ polygons: [box(4, 1, 5, 8)] }, all)).toEqual(['U']);
    expect(touched({ polygons: [horseshoe] }, all)).toEqual(['U']);
  });
});

describe('outlines', () => {
  it('are read from the sample, in parts too', () => {
    const sample = readOutlines(join(projectRoot, 'samples', 'outlines'));
    expect(sample.map(({ code, parts }) => [code, parts.length])).toContainEqual(['QS-EAST-2', 2]);
    expect(sample.find(({ code }) => code === 'QS-EAST')?.region).toMatchObject({ parent: 'QS' });
    expect(touched({ circles: [{ center: [113.19, 30.025], km: 0.1 }] }, sample)).toEqual(['QS-EAST-2']);
  });

  it('that cannot be read stop the start by name', () => {
    expect(() => readOutlines(join(projectRoot, 'nowhere'))).toThrow(/REGION_OUTLINES: .*ENOENT/);
    expect(() => readOutlines(projectRoot)).toThrow(/REGION_OUTLINES: [\w.-]+\.json: /);
    expect(readOutlines(undefined)).toEqual([]);
  });

  it('that cannot be read are all named, whatever file they are in, and nothing is taken', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bellman-outlines-'));
    const put = (name: string, value: object) => writeFileSync(join(folder, name), JSON.stringify(value));
    put('a.geojson', {
      type: 'FeatureCollection',
      features: [
        feature('swapped', box(30, 113, 31, 114)),
        feature('metres', box(12_600_000, 3_500_000, 12_700_000, 3_600_000)),
        feature('open', box(0, 0, 1, 1).slice(0, 4)),
      ],
    });
    put('b.json', { type: 'Topology' });
    put('good.json', feature('fine', box(0, 0, 1, 1)));
    expect(() => readOutlines(folder)).toThrow(
      expect.objectContaining({
        faults: expect.arrayContaining([
          expect.objectContaining({ message: expect.stringMatching(/^a\.geojson: .*features\.0\.geometry.*<=90/) }),
          expect.objectContaining({ message: expect.stringMatching(/^a\.geojson: .*features\.1\.geometry.*<=180/) }),
          expect.objectContaining({
            message: expect.stringMatching(/^a\.geojson: .*features\.2\..*end where it begins/),
          }),
          expect.objectContaining({ message: expect.stringMatching(/^b\.json: /) }),
        ]),
      }),
    );
    rmSync(folder, { recursive: true });
  });

  it('of one region in several features are one outline', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bellman-outlines-'));
    const part = (west: number) => JSON.stringify(feature('XX', box(west, 0, west + 1, 1)));
    writeFileSync(join(folder, 'a.json'), part(0));
    writeFileSync(join(folder, 'b.json'), part(10));
    const all = readOutlines(folder);
    expect(all.map(({ code, parts }) => [code, parts.length])).toEqual([['XX', 2]]);
    expect(touched({ polygons: [box(0, 0, 11, 1)] }, all)).toEqual(['XX']);
    rmSync(folder, { recursive: true });
  });

  it('take a code of digits, and leave heights aside', () => {
    const coordinates = [box(0, 0, 1, 1).map((place) => [...place, 12])];
    const geometry = { type: 'Polygon', coordinates };
    const [one] = outlines({ type: 'Feature', properties: { adcode: 110000, name: '北京' }, geometry });
    expect(one).toMatchObject({ code: '110000', region: { code: '110000', parent: null } });
  });

  it.each([
    ['{}', /no GeoJSON/],
    [
      JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', properties: {}, geometry: null }] }),
      /geometry/,
    ],
    [JSON.stringify({ ...feature('', box(0, 0, 1, 1)), properties: {} }), /no code/],
  ])('that are none are refused: %#', (text, message) => {
    expect(() => parseOutlines(text)).toThrow(message);
  });
});

it('a line of very many points keeps its ends and its course', () => {
  const circle = Array.from(
    { length: 9_001 },
    (_, n): Position => [Math.cos((n / 9_000) * 2 * Math.PI), Math.sin((n / 9_000) * 2 * Math.PI)],
  );
  const fewer = thinned(circle);
  expect(fewer.length).toBeLessThanOrEqual(2_000);
  expect([fewer[0], fewer.at(-1)]).toEqual([circle[0], circle.at(-1)]);
  expect(thinned(fewer)).toBe(fewer);
});
