import type { Area } from '../../../src/catalogue/areas/area.ts';
import { areasTouch, coarsePlace } from '../../../src/catalogue/areas/place.ts';
import { readAttributes } from '../../../src/catalogue/attribute.ts';
import type { Attribute } from '../../../src/catalogue/catalogue-store.ts';

const declared: Attribute[] = [{ name: 'place', type: 'place', values: null, title: { en: 'Place', 'zh-CN': '地点' } }];

describe('a place that somebody tells', () => {
  it.each([
    ['30.023456, 113.138765', '30.02,113.14'],
    ['３０.０２，１１３.１３', '30.02,113.13'],
    ['-0.001,0', '0.00,0.00'],
    ['-90,180', '-90.00,180.00'],
  ])('%s is kept to about a kilometre', (text, kept) => {
    expect(coarsePlace(text)).toBe(kept);
    expect(coarsePlace(kept)).toBe(kept);
    expect(readAttributes({ place: text }, declared)).toEqual({ values: { place: kept }, faults: [] });
  });

  it.each(['', '30.02', '91,10', '10,181', 'north,east', '1e1,2', '30.02,113.13,5', 'NaN,NaN'])(
    '%j is none',
    (text) => {
      expect(coarsePlace(text)).toBeNull();
      expect(readAttributes({ place: text }, declared).faults).toEqual([
        { path: 'attributes.place', message: expect.stringContaining('latitude,longitude') },
      ]);
    },
  );

  it('is none as a number or a list of others', () => {
    for (const place of [30, []]) expect(readAttributes({ place }, declared).faults).toHaveLength(1);
  });

  it('lies in an area that touches its field, in no other', () => {
    const circle = (lon: number, lat: number, km: number): Area[] => [{ circles: [{ center: [lon, lat], km }] }];
    const near = circle(113.13, 30.02, 5);
    expect(areasTouch(near, '30.02,113.13')).toBe(true);
    expect(areasTouch(near, '30.06,113.13')).toBe(true);
    expect(areasTouch(near, '30.08,113.13')).toBe(false);
    // smaller than the field: somebody in it may live there
    expect(areasTouch(circle(113.133, 30.018, 0.05), '30.02,113.13')).toBe(true);
    expect(areasTouch(circle(-179.99, -16.5, 5), '-16.50,179.99')).toBe(true);
    expect(areasTouch([], '30.02,113.13')).toBe(false);
  });
});
