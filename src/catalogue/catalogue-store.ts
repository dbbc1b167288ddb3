import type { Region } from './region.ts';
import type { Bilingual, Topic } from './topic.ts';

/** A fact that people may tell about themselves, as the office declares it. */
export type Attribute = {
  name: string;
  type: 'enum' | 'enum-list' | 'integer' | 'place';
  values: string[] | null;
  title: Bilingual;
};

/** The two trees and the attributes; small, read whole. */
export type CatalogueStore = {
  /** All topics, parents before children, in the order they were added. */
  topics(): Promise<Topic[]>;
  /** Adds a topic; answers false when the slug is taken. */
  insertTopic(topic: Topic): Promise<boolean>;
  /** All regions in the order they were added. */
  regions(): Promise<Region[]>;
  /** Adds those regions whose code is not there yet; answers how many were added. */
  insertRegions(regions: Region[]): Promise<number>;
  /** All attributes in the order they were added. */
  attributes(): Promise<Attribute[]>;
  /** Adds an attribute; answers false when the name is taken. */
  insertAttribute(attribute: Attribute): Promise<boolean>;
  /** Grows by one whenever a topic, region or attribute is added: a cheap way to know that a copy in memory is old. */
  revision(): Promise<number>;
};
