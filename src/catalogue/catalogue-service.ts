import type { Attribute, CatalogueStore } from './catalogue-store.ts';
import type { Region } from './region.ts';
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
  attributes(): Promise<Attribute[]>;
  /** Throws `conflict` for a taken name. */
  addAttribute(attribute: Attribute): Promise<Attribute>;
};

export type CatalogueStores = { catalogue: CatalogueStore };
