import type { Area } from '../catalogue/areas/area.ts';
import type { Trees } from '../catalogue/catalogue-service.ts';
import { regionWithAncestors } from '../catalogue/region.ts';
import { withAncestors } from '../catalogue/topic.ts';
import type { ItemContent } from '../publishing/item.ts';
import { anchor, type Facet, facets, facetValue, type Search } from './follow.ts';
import type { FollowDefinition } from './subscriber.ts';

/**
 * **item facts**: what follows are matched against. Every facet is a list, topics and regions with all that contains them;
 * a facet the item lacks is empty.
 */
export type ItemFacts = {
  id: string;
  facets: Readonly<Record<Facet, ReadonlySet<string>>>;
  /** The item's own topics, without those above them. */
  topics: readonly string[];
  /** The item's own regions, without what contains them. */
  regions: readonly string[];
  /** What it draws on the map. */
  areas: readonly Area[];
  /** Title, summary and body, as they are written: what rules look for words in. */
  text: readonly string[];
  regionParents: Trees['regionParents'];
};

const listed = (facet: Facet, values: readonly (string | undefined)[] = []): string[] =>
  values.flatMap((value) => (value === undefined ? [] : [facetValue(facet, value)]));

/** The facts of one item version against the trees as they are now. */
export const factsOfItem = (id: string, content: ItemContent, trees: Trees): ItemFacts => {
  const topics = listed('topics', content.topics);
  const regions = listed('regions', content.regions);
  return {
    id,
    topics,
    regions,
    areas: content.areas ?? [],
    text: [content.title, content.summary, ...(content.body === undefined ? [] : [content.body])],
    regionParents: trees.regionParents,
    facets: {
      topics: new Set(topics.flatMap((slug) => withAncestors(trees.topicParents, slug))),
      regions: new Set(regions.flatMap((code) => regionWithAncestors(trees.regionParents, code))),
      audiences: new Set(listed('audiences', content.audiences)),
      keywords: new Set(listed('keywords', content.keywords)),
      category: new Set(listed('category', [content.category])),
      department: new Set(listed('department', content.departments)),
      documentType: new Set(listed('documentType', [content.documentType])),
      language: new Set(listed('language', [content.language])),
      urgency: new Set(listed('urgency', [content.urgency])),
    },
  };
};

/** Everything by which a follow may be found from this item. */
export const anchorsOfItem = (facts: ItemFacts): string[] => [
  anchor('item', facts.id),
  ...facets.flatMap((facet) => [...facts.facets[facet]].map((value) => anchor(facet, value))),
];

const searchMatches = ({ all, any }: Search, facts: ItemFacts): boolean =>
  facets.every((facet) => {
    const held = facts.facets[facet];
    return (
      (all?.[facet] ?? []).every((value) => held.has(value)) && (any?.[facet]?.some((value) => held.has(value)) ?? true)
    );
  });

/** An item without regions concerns everybody; else one of its regions equals, contains or lies in one of the follow's. */
const regionsMatch = (wanted: string[] | null, facts: ItemFacts): boolean => {
  if (wanted === null || facts.regions.length === 0) return true;
  return wanted.some(
    (code) =>
      facts.facets.regions.has(code) ||
      regionWithAncestors(facts.regionParents, code).some((outer) => facts.regions.includes(outer)),
  );
};

/** Whether the item is what the follow asks for (product: semantics 4 and 5). The definition is in its normal form. */
export const followMatches = ({ target, regions }: FollowDefinition, facts: ItemFacts): boolean => {
  if (!regionsMatch(regions, facts)) return false;
  if ('item' in target) return target.item === facts.id;
  if ('topic' in target) return facts.facets.topics.has(target.topic);
  return searchMatches(target.search, facts);
};
