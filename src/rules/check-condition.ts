import { coarsePlace, placeAttribute } from '../catalogue/areas/place.ts';
import type { Trees } from '../catalogue/catalogue-service.ts';
import type { Attribute } from '../catalogue/catalogue-store.ts';
import type { Fault } from '../errors.ts';
import { facetValue } from '../subscriptions/follow.ts';
import { type Condition, type ItemLeaf, itemTopics, type PersonLeaf } from './condition.ts';
import { makeUnknown, type Named, type Unknown } from './nearest.ts';
import type { RuleContent } from './rule.ts';
import { personLeavesOf } from './selection.ts';

/** What conditions may name. */
export type Declared = { trees: Trees; attributes: readonly Attribute[] };

type Check = {
  topics: { known: Trees['topicParents']; names: Named[] };
  /** What a leaf over a person's topics may name. */
  personTopics: Named[];
  regions: { known: Trees['regionParents']; names: Named[] };
  attributes: readonly Attribute[];
  unknown: Unknown;
};

const checkOf = ({ trees, attributes }: Declared): Check => {
  const topics = trees.topics.map(({ slug, title }) => ({ name: slug, also: Object.values(title) }));
  return {
    topics: { known: trees.topicParents, names: topics },
    personTopics: [...topics, { name: itemTopics }],
    regions: {
      known: trees.regionParents,
      names: trees.regions.map(({ code, name }) => ({ name: code, also: Object.values(name) })),
    },
    attributes,
    unknown: makeUnknown(),
  };
};

const treeFaults = (kind: 'topics' | 'regions', values: string[], path: string, check: Check): Fault[] =>
  values.flatMap((value, index) =>
    check[kind].known.has(facetValue(kind, value))
      ? []
      : [{ path: `${path}.${index}`, message: check.unknown(kind.slice(0, -1), value, check[kind].names) }],
  );

const topicFaults = (topic: string, path: string, check: Check): Fault[] =>
  topic === itemTopics || check.topics.known.has(facetValue('topics', topic))
    ? []
    : [
        {
          path: `${path}.topic`,
          message: check.unknown('topic', topic, check.personTopics),
        },
      ];

const valueFault = (attribute: Attribute, value: string | number, { unknown }: Check): string | null => {
  if (attribute.type === 'integer')
    return typeof value === 'number' ? null : `must be a whole number: ${attribute.name} is one`;
  if (typeof value === 'number') return `must be a text: ${attribute.name} has values of its own`;
  if (attribute.type === 'place')
    return coarsePlace(value) === value ? null : 'must be a place as it is kept, such as 30.02,113.13';
  const known = attribute.values ?? [];
  if (known.includes(value)) return null;
  return unknown(
    `value of ${attribute.name}`,
    value,
    known.map((name) => ({ name })),
  );
};

const attributeFaults = (name: string, values: (string | number)[], path: string, check: Check): Fault[] => {
  const attribute = check.attributes.find((one) => one.name === name);
  if (!attribute) {
    const names = check.attributes.map((one) => ({ name: one.name, also: Object.values(one.title) }));
    return [{ path: `${path}.person`, message: check.unknown('attribute', name, names) }];
  }
  return values.flatMap((value, index) => {
    const message = valueFault(attribute, value, check);
    return message === null ? [] : [{ path: `${path}.in.${index}`, message }];
  });
};

const itemFaults = (leaf: ItemLeaf, path: string, check: Check): Fault[] =>
  leaf.item === 'topics' || leaf.item === 'regions' ? treeFaults(leaf.item, leaf.has, `${path}.has`, check) : [];

const personFaults = (leaf: PersonLeaf, path: string, check: Check): Fault[] => {
  switch (leaf.person) {
    case 'region':
      return Array.isArray(leaf.within) ? treeFaults('regions', leaf.within, `${path}.within`, check) : [];
    case 'follows':
    case 'interest':
      return topicFaults(leaf.topic, path, check);
    case 'place':
      return attributeFaults(placeAttribute, [], path, check);
    case 'age':
    case 'language':
    case 'channel':
    case 'activeWithin':
      return [];
    default:
      return attributeFaults(leaf.person.slice('attributes.'.length), leaf.in, path, check);
  }
};

type LeafFaults = (leaf: ItemLeaf | PersonLeaf, path: string) => Fault[];

const walk = (condition: Condition, path: string, leafFaults: LeafFaults): Fault[] => {
  if ('all' in condition) return condition.all.flatMap((one, index) => walk(one, `${path}.all.${index}`, leafFaults));
  if ('any' in condition) return condition.any.flatMap((one, index) => walk(one, `${path}.any.${index}`, leafFaults));
  if ('not' in condition) return walk(condition.not, `${path}.not`, leafFaults);
  return leafFaults(condition, path);
};

/**
 * Everything that a condition names and that is not declared, by path below `path`, with the nearest known name.
 * `about: item` refuses every leaf over the person. Thresholds that nobody can be at are condition-schema.ts's to refuse.
 */
export const conditionFaults = (
  condition: Condition,
  declared: Declared,
  { path, about = 'person' }: { path: string; about?: 'item' | 'person' },
): Fault[] => {
  const check = checkOf(declared);
  return walk(condition, path, (leaf, at) => {
    if ('item' in leaf) return itemFaults(leaf, at, check);
    if (about === 'item')
      return [{ path: `${at}.person`, message: 'must not ask about the person here, only the item' }];
    return personFaults(leaf, at, check);
  });
};

/** Tuning starts from the threshold as written, so bounds that shut it out could never be kept. */
const thresholdFaults = ({ who, tune }: Pick<RuleContent, 'who' | 'tune'>): Fault[] => {
  if (tune.threshold === undefined) return [];
  const [least, greatest] = tune.threshold;
  const written = personLeavesOf(who).flatMap((leaf) => (leaf.person === 'interest' ? [leaf.atLeast] : []));
  const within = new Set(written.filter((atLeast) => atLeast >= least && atLeast <= greatest));
  const fault = (message: string): Fault[] => [{ path: 'tune.threshold', message }];
  if (written.length > 0 && within.size === 0)
    return fault(`must hold the threshold as written: ${written.join(', ')}`);
  if (within.size > 1)
    return fault(`must hold one of the thresholds as written, not several: ${[...within].join(', ')}`);
  // a lower threshold must never select fewer: planning cuts at the lowest
  return isNegated(who, within) ? fault('cannot move a threshold that stands under a "not"') : [];
};

const isNegated = (condition: Condition, thresholds: ReadonlySet<number>, negated = false): boolean => {
  if ('not' in condition) return isNegated(condition.not, thresholds, true);
  if ('all' in condition) return condition.all.some((one) => isNegated(one, thresholds, negated));
  if ('any' in condition) return condition.any.some((one) => isNegated(one, thresholds, negated));
  return negated && 'person' in condition && condition.person === 'interest' && thresholds.has(condition.atLeast);
};

/** Every fault of a rule's content against what is declared. */
export const ruleFaults = (content: Pick<RuleContent, 'when' | 'who' | 'tune'>, declared: Declared): Fault[] => [
  ...conditionFaults(content.when, declared, { path: 'when', about: 'item' }),
  ...conditionFaults(content.who, declared, { path: 'who' }),
  ...thresholdFaults(content),
];
