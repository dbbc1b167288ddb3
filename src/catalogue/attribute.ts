import type { Fault } from '../errors.ts';
import { coarsePlace } from './areas/place.ts';
import type { Attribute } from './catalogue-store.ts';

/** What a person told about themselves, by attribute name. */
export type AttributeValues = Record<string, string | string[] | number>;

/** What may be told from the start; offices add their own. */
export const defaultAttributes: readonly Attribute[] = [
  { name: 'birthYear', type: 'integer', values: null, title: { en: 'Year of birth', 'zh-CN': '出生年份' } },
  {
    name: 'occupation',
    type: 'enum-list',
    values: [
      'student',
      'employee',
      'civil-servant',
      'teacher',
      'health-worker',
      'farmer',
      'business-owner',
      'self-employed',
      'homemaker',
      'job-seeker',
      'retired',
      'other',
    ],
    title: { en: 'Occupation', 'zh-CN': '职业' },
  },
  {
    name: 'household',
    type: 'enum-list',
    values: [
      'living-alone',
      'couple',
      'expecting',
      'children-under-6',
      'school-children',
      'elderly',
      'disability',
      'carer',
      'tenant',
      'home-owner',
      'car-owner',
      'low-income',
    ],
    title: { en: 'Household', 'zh-CN': '家庭情况' },
  },
];

const placeOf = (value: AttributeValues[string]): string | null => {
  const [text] = [value].flat();
  return typeof text === 'string' ? coarsePlace(text) : null;
};

const faultOf = (attribute: Attribute, value: AttributeValues[string]): string | null => {
  if (attribute.type === 'integer') return Number.isSafeInteger(value) ? null : 'must be a whole number';
  if (attribute.type === 'place') return placeOf(value) === null ? 'must be a place: latitude,longitude' : null;
  const values = Array.isArray(value) ? value : [value];
  if (attribute.type === 'enum' && values.length !== 1) return 'must be one value';
  const known = attribute.values;
  const strange = values.filter((one) => typeof one !== 'string' || (known !== null && !known.includes(one)));
  return strange.length === 0 ? null : `unknown value: ${strange.join(', ')}`;
};

/** Fits what was told to the declared attributes: an enum-list is kept as a list, without repetitions, a place to about a kilometre. Names every fault. */
export const readAttributes = (
  told: AttributeValues,
  declared: readonly Attribute[],
  path = 'attributes',
): { values: AttributeValues; faults: Fault[] } => {
  const values: AttributeValues = {};
  const faults: Fault[] = [];
  for (const [name, value] of Object.entries(told)) {
    const attribute = declared.find((one) => one.name === name);
    const message = attribute ? faultOf(attribute, value) : 'unknown attribute';
    if (message) faults.push({ path: `${path}.${name}`, message });
    else if (attribute?.type === 'enum-list') values[name] = [...new Set([value].flat().map(String))];
    else if (attribute?.type === 'enum') values[name] = String([value].flat()[0]);
    else if (attribute?.type === 'place') values[name] = placeOf(value) ?? '';
    else values[name] = value;
  }
  return { values, faults };
};
