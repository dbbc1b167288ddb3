import { AppError, type Fault } from '../errors.ts';
import { placeAttribute } from './areas/place.ts';
import { defaultAttributes } from './attribute.ts';
import type { Attribute, CatalogueStore } from './catalogue-store.ts';
import { defaultRegions } from './default-regions.ts';
import { defaultTopics } from './default-topics.ts';
import { type Region, regionContains } from './region.ts';
import type { ParentOf, Topic } from './topic.ts';

/** A copy of the trees in memory, renewed when the store's revision moved. */
export type Trees = {
  topics: Topic[];
  topicParents: ParentOf;
  regions: Region[];
  regionParents: ParentOf;
};

export type CatalogueService = {
  trees(): Promise<Trees>;
  /** Throws `conflict` for a taken slug, `invalid` for an unknown parent. */
  addTopic(topic: Topic): Promise<Topic>;
  /** Throws `conflict` for a taken code, `invalid` for an unknown parent. */
  addRegion(region: Region): Promise<Region>;
  /** Adds the regions that are not there yet (an import's); answers how many were added. */
  addMissingRegions(regions: Region[]): Promise<number>;
  attributes(): Promise<Attribute[]>;
  /** Throws `conflict` for a taken name, `invalid` when an enum names no values or an integer does. */
  addAttribute(attribute: Attribute): Promise<Attribute>;
};

export type CatalogueStores = { catalogue: CatalogueStore };

type Copy = { trees: Trees; attributes: Attribute[] };

const treesOf = (topics: Topic[], regions: Region[]): Trees => ({
  topics,
  topicParents: new Map(topics.map(({ slug, parent }) => [slug, parent])),
  regions,
  regionParents: new Map(regions.map(({ code, parent }) => [code, parent])),
});

/** Puts the default topics, regions and attributes where they are missing; safe to repeat and from two processes at once. */
export const seedCatalogue = async (catalogue: CatalogueStore): Promise<void> => {
  for (const topic of defaultTopics) await catalogue.insertTopic(topic);
  await catalogue.insertRegions([...defaultRegions]);
  for (const attribute of defaultAttributes) await catalogue.insertAttribute(attribute);
};

/** The fault of a parent that the tree does not hold; null is the root. */
export const parentFaults = (parent: string | null | undefined, parents: ParentOf): Fault[] =>
  parent == null || parents.has(parent) ? [] : [{ path: 'parent', message: `there is no ${parent}` }];

/** The fault of a parent that lies in the region itself, as codes say it: a topic's never can, for it is there before. */
const circleFaults = ({ code, parent }: Region, parents: ParentOf): Fault[] =>
  parent !== null && parents.has(parent) && regionContains(parents, code, parent)
    ? [{ path: 'parent', message: `${parent} lies in ${code} itself` }]
    : [];

/** The fault of values that do not fit the type. */
export const valuesFaults = ({
  type,
  values,
}: Pick<Attribute, 'type'> & { values: readonly unknown[] | null }): Fault[] => {
  const isListed = type === 'enum' || type === 'enum-list';
  const message =
    !isListed && values !== null
      ? `${type === 'integer' ? 'an integer' : 'a place'} has no list of values`
      : isListed && (values === null || values.length === 0)
        ? 'an enum needs at least one value'
        : null;
  return message === null ? [] : [{ path: 'values', message }];
};

/** There is one place of a person, and conditions ask for it by its name. */
const placeFaults = ({ type, name }: Attribute): Fault[] =>
  (type === 'place') === (name === placeAttribute)
    ? []
    : [{ path: 'name', message: `must be ${placeAttribute} where the type is, and only there` }];

const refuse = (detail: string, faults: Fault[]): void => {
  if (faults.length > 0) throw new AppError('invalid', detail, { faults });
};

/** The trees and attributes. The copy in memory is taken anew whenever another process has added something. */
export const makeCatalogueService = ({ catalogue }: CatalogueStores): CatalogueService => {
  let copy: { revision: number; content: Promise<Copy> } | null = null;

  const load = async (): Promise<Copy> => ({
    trees: treesOf(await catalogue.topics(), await catalogue.regions()),
    attributes: await catalogue.attributes(),
  });

  const current = async (): Promise<Copy> => {
    const revision = await catalogue.revision();
    if (copy?.revision === revision) return copy.content;
    // the revision was read first: whatever is added while loading makes the copy old again
    const content = load();
    copy = { revision, content };
    content.catch(() => {
      copy = null;
    });
    return content;
  };

  /**
   * The trees for looking up a parent. Nothing is ever removed from them, so that what an old copy holds is there: thousands
   * of topics added one after the other need not each read all that were added before.
   */
  const treesWith = async (parent: string | null): Promise<Trees> => {
    const known = (await copy?.content)?.trees;
    return known && (parent === null || known.topicParents.has(parent)) ? known : (await current()).trees;
  };

  return {
    trees: async () => (await current()).trees,
    addTopic: async (topic) => {
      const { topicParents } = await treesWith(topic.parent);
      refuse('The parent is not known', parentFaults(topic.parent, topicParents));
      if (!(await catalogue.insertTopic(topic)))
        throw new AppError('conflict', `There is a topic ${topic.slug} already`);
      return topic;
    },
    addRegion: async (region) => {
      const { regionParents } = (await current()).trees;
      refuse('The parent does not fit', [
        ...parentFaults(region.parent, regionParents),
        ...circleFaults(region, regionParents),
      ]);
      if ((await catalogue.insertRegions([region])) === 0)
        throw new AppError('conflict', `There is a region ${region.code} already`);
      return region;
    },
    addMissingRegions: async (regions) => {
      const { regionParents } = (await current()).trees;
      const missing = regions.filter(({ code }) => !regionParents.has(code));
      return missing.length === 0 ? 0 : catalogue.insertRegions(missing);
    },
    attributes: async () => (await current()).attributes,
    addAttribute: async (attribute) => {
      refuse('The attribute does not fit its type', [...valuesFaults(attribute), ...placeFaults(attribute)]);
      if (!(await catalogue.insertAttribute(attribute)))
        throw new AppError('conflict', `There is an attribute ${attribute.name} already`);
      return attribute;
    },
  };
};
