import type { Urgency } from '../publishing/item.ts';
import type { ChannelName } from '../subscriptions/follow.ts';

/** Leaves over the item: two-valued, what the item lacks is false. */
export type ItemLeaf =
  | { item: 'topics' | 'regions' | 'audiences' | 'keywords'; has: string[] }
  | { item: 'category' | 'department' | 'documentType' | 'language'; in: string[] }
  | { item: 'urgency'; atLeast: Urgency }
  | { item: 'text'; contains: string[] };

/** Leaves over the person: region, place, age and attributes are unknown where the person has not told them. */
export type PersonLeaf =
  | { person: 'region'; within: string[] | 'item.regions' }
  | { person: 'place'; within: 'item.areas' }
  | { person: 'language'; in: string[] }
  | { person: 'age'; from?: number | undefined; to?: number | undefined }
  | { person: `attributes.${string}`; in: (string | number)[] }
  | { person: 'follows'; topic: string }
  | { person: 'interest'; topic: string; atLeast: number }
  | { person: 'channel'; has: ChannelName[] }
  | { person: 'activeWithin'; days: number };

/** **condition**: the language of rules (api: Rules and audiences). Kleene's three values; only true selects. */
export type Condition = { all: Condition[] } | { any: Condition[] } | { not: Condition } | ItemLeaf | PersonLeaf;

/** `follows` and `interest` may ask for the item's own topics by this name, `region` for its regions. */
export const itemTopics = 'item.topics';
export const itemRegions = 'item.regions';
/** What the item draws on the map: the only thing that `place` may lie in. */
export const itemAreas = 'item.areas';
