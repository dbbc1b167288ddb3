import type { Trees } from '../catalogue/catalogue-service.ts';
import type { Fault } from '../errors.ts';
import type { Urgency } from '../publishing/item.ts';
import { type Facet, type FollowRequest, facetValue } from './follow.ts';

const urgencies: readonly string[] = ['routine', 'important', 'emergency'] satisfies Urgency[];

type Values = readonly (string | undefined)[] | undefined;
type Table = Readonly<Record<string, Values>> | undefined;

/** A follow, or what is sound of one that is refused: whatever of it can be checked. */
export type FollowParts = {
  topic?: string | undefined;
  search?: { all?: Table; any?: Table } | undefined;
  item?: string | undefined;
  regions?: Values;
};

export const followParts = ({ target, regions }: Pick<FollowRequest, 'target' | 'regions'>): FollowParts => ({
  ...target,
  regions: regions ?? undefined,
});

/** What a follow may name; an item is known when everybody may read it. */
export type Known = { trees: Trees; items: ReadonlySet<string> };

/** Facets with a closed set of values; those of the others are the publishers' own words. */
const lookUps: Partial<Record<Facet, { what: string; has: (value: string, trees: Trees) => boolean }>> = {
  topics: { what: 'topic', has: (slug, { topicParents }) => topicParents.has(slug) },
  regions: { what: 'region', has: (code, { regionParents }) => regionParents.has(code) },
  urgency: { what: 'urgency', has: (value) => urgencies.includes(value) },
};

const valueFaults = (facet: Facet, values: Values, trees: Trees, path: string): Fault[] => {
  const lookUp = lookUps[facet];
  if (!lookUp) return [];
  return (values ?? []).flatMap((value, index) =>
    value === undefined || lookUp.has(facetValue(facet, value), trees)
      ? []
      : [{ path: `${path}.${index}`, message: `unknown ${lookUp.what}: ${value}` }],
  );
};

const searchFaults = (search: FollowParts['search'], trees: Trees, path: string): Fault[] =>
  (['all', 'any'] as const).flatMap((mode) =>
    Object.entries(search?.[mode] ?? {}).flatMap(([facet, values]) =>
      valueFaults(facet as Facet, values, trees, `${path}.search.${mode}.${facet}`),
    ),
  );

/** Every topic, region, urgency and item that a follow names and that does not exist, by path below `path`. */
export const followFaults = (
  { topic, search, item, regions }: FollowParts,
  { trees, items }: Known,
  path: string,
): Fault[] => [
  ...(topic === undefined || trees.topicParents.has(facetValue('topics', topic))
    ? []
    : [{ path: `${path}.topic`, message: `unknown topic: ${topic}` }]),
  ...searchFaults(search, trees, path),
  ...(item === undefined || items.has(item) ? [] : [{ path: `${path}.item`, message: `unknown item: ${item}` }]),
  ...valueFaults('regions', regions, trees, `${path}.regions`),
];

/** The faults of a list of follows by their path below `follow`; what is refused of it already is undefined. */
export const wishFaultsIn = (follows: readonly (FollowParts | undefined)[], known: Known): Fault[] =>
  follows.flatMap((follow, index) => (follow ? followFaults(follow, known, `follow.${index}`) : []));

/** The items that follows name, once each. */
export const itemsNamed = (follows: readonly (FollowParts | undefined)[]): string[] => [
  ...new Set(follows.flatMap((follow) => follow?.item ?? [])),
];
