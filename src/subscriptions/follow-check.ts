import type { Trees } from '../catalogue/catalogue-service.ts';
import type { Fault } from '../errors.ts';
import type { Urgency } from '../publishing/item.ts';
import { type Facet, type FollowRequest, facetValue, type Search } from './follow.ts';

const urgencies: readonly string[] = ['routine', 'important', 'emergency'] satisfies Urgency[];

/** What a follow may name; an item is known when everybody may read it. */
export type Known = { trees: Trees; items: ReadonlySet<string> };

/** Facets with a closed set of values; those of the others are the publishers' own words. */
const lookUps: Partial<Record<Facet, { what: string; has: (value: string, trees: Trees) => boolean }>> = {
  topics: { what: 'topic', has: (slug, { topicParents }) => topicParents.has(slug) },
  regions: { what: 'region', has: (code, { regionParents }) => regionParents.has(code) },
  urgency: { what: 'urgency', has: (value) => urgencies.includes(value) },
};

const valueFaults = (facet: Facet, values: readonly string[], trees: Trees, path: string): Fault[] => {
  const lookUp = lookUps[facet];
  if (!lookUp) return [];
  return values.flatMap((value, index) =>
    lookUp.has(facetValue(facet, value), trees)
      ? []
      : [{ path: `${path}.${index}`, message: `unknown ${lookUp.what}: ${value}` }],
  );
};

const searchFaults = (search: Search, trees: Trees, path: string): Fault[] =>
  (['all', 'any'] as const).flatMap((mode) =>
    Object.entries(search[mode] ?? {}).flatMap(([facet, values]) =>
      valueFaults(facet as Facet, values, trees, `${path}.search.${mode}.${facet}`),
    ),
  );

/** Every topic, region, urgency and item that a follow names and that does not exist, by path below `path`. */
export const followFaults = ({ target, regions }: FollowRequest, { trees, items }: Known, path: string): Fault[] => {
  const faults = valueFaults('regions', regions ?? [], trees, `${path}.regions`);
  if ('search' in target) return [...searchFaults(target.search, trees, path), ...faults];
  if ('item' in target)
    return items.has(target.item)
      ? faults
      : [{ path: `${path}.item`, message: `unknown item: ${target.item}` }, ...faults];
  return trees.topicParents.has(facetValue('topics', target.topic))
    ? faults
    : [{ path: `${path}.topic`, message: `unknown topic: ${target.topic}` }, ...faults];
};

/** The items that follows name, once each. */
export const itemsNamed = (follows: readonly FollowRequest[]): string[] => [
  ...new Set(follows.flatMap(({ target }) => ('item' in target ? [target.item] : []))),
];
