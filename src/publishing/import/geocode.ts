import type { Region } from '../../catalogue/region.ts';
import { usStates } from './us-states.ts';

/** A CAP geocode: a scheme (`SAME`, `FIPS6`, `UGC` …) and its value, which may be a list parted by blanks. */
export type Geocode = { scheme: string; value: string };

export type GeocodeRegions = { regions: string[]; newRegions: Region[]; tableRegions: string[] };

const country: Region = { code: 'US', name: { en: 'United States', 'zh-CN': '美国' }, parent: null };

/**
 * The regions that a code PSSCCC stands for, the wide ones first: P a part of the county (left aside), SS the state by
 * FIPS 5-2, CCC the county; CCC 000 is the whole state and 000000 the whole country (NWS Instruction 10-1712). Empty for
 * sea areas and unknown states, which are no regions.
 */
const regionsOfCode = (code: string, areaName: string | undefined): Region[] => {
  const [, state = '', county = ''] = /^\d(\d\d)(\d{3})$/.exec(code) ?? [];
  if (state === '00' && county === '000') return [country];
  const known = usStates.get(state);
  if (!known) return [];
  const { postal, en, 'zh-CN': zh } = known;
  const whole: Region = { code: `US-${postal}`, name: { en, 'zh-CN': zh }, parent: country.code };
  if (county === '000') return [country, whole];
  const name = areaName ? { en: areaName, 'zh-CN': areaName } : { en: `${en} ${county}`, 'zh-CN': `${zh} ${county}` };
  return [country, whole, { code: `${whole.code}-${county}`, name, parent: whole.code }];
};

/**
 * Regions of one CAP area. Only SAME and FIPS6 codes make regions; UGC codes count where the office's own table has them,
 * as they are written. An area of a single code lends it its name.
 */
export const regionsOfArea = (geocodes: Geocode[], areaName: string | undefined): GeocodeRegions => {
  const codes = geocodes.flatMap(({ scheme, value }) =>
    value.split(/\s+/).flatMap((code) => (code ? [{ scheme: scheme.trim().toUpperCase(), code }] : [])),
  );
  const county = codes.filter(({ scheme }) => scheme === 'SAME' || scheme === 'FIPS6');
  const chains = county.map(({ code }) => regionsOfCode(code, codes.length === 1 ? areaName : undefined));
  return {
    regions: [...new Set(chains.flatMap((chain) => chain.at(-1)?.code ?? []))],
    newRegions: chains.flat(),
    tableRegions: [...new Set(codes.flatMap(({ scheme, code }) => (scheme === 'UGC' ? [code] : [])))],
  };
};

/** The regions of several areas together. */
export const joinRegions = (areas: GeocodeRegions[]): GeocodeRegions => ({
  regions: [...new Set(areas.flatMap(({ regions }) => regions))],
  newRegions: [...new Map(areas.flatMap(({ newRegions }) => newRegions).map((one) => [one.code, one])).values()],
  tableRegions: [...new Set(areas.flatMap(({ tableRegions }) => tableRegions))],
});
