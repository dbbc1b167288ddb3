import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { FollowDefinition } from './subscriber.ts';

/** The channels, as they are always named, and their codes in the ledger (0 is "not chosen yet"). */
export const channelNames = ['email', 'webPush', 'sms', 'wechat'] as const;
export type ChannelName = (typeof channelNames)[number];

/** What a saved search can ask of an item. */
export const facets = [
  'topics',
  'regions',
  'audiences',
  'keywords',
  'category',
  'department',
  'documentType',
  'language',
  'urgency',
] as const;
export type Facet = (typeof facets)[number];

const facetValues = z.array(z.string().trim().min(1).max(200)).min(1).max(100);
const facetTable = z.partialRecord(z.enum(facets), facetValues);
export const searchSchema = z
  .strictObject({ all: facetTable.optional(), any: facetTable.optional() })
  .refine((search) => Object.keys({ ...search.all, ...search.any }).length > 0, 'must name at least one facet');

/** What is followed: a topic with its descendants, a saved search, or one item. */
const targetSchema = z.union([
  z.strictObject({ topic: z.string().min(1).max(100) }),
  z.strictObject({ search: searchSchema }),
  z.strictObject({ item: z.string().min(1).max(100) }),
]);
export type Target = z.infer<typeof targetSchema>;
export type Search = z.infer<typeof searchSchema>;

export const paces = ['immediate', 'daily', 'weekly'] as const;
export type Pace = (typeof paces)[number];

/** What somebody asks for when they sign up (api: Follow). */
export type FollowRequest = { target: Target; regions: string[] | null; pace: Pace; channels: ChannelName[] | null };

/** A follow as it is sent; one object and not a union, so that each fault is named where it stands. */
export const followSchema = z
  .strictObject({
    topic: z.string().trim().min(1).max(100).optional(),
    search: searchSchema.optional(),
    item: z.string().trim().min(1).max(100).optional(),
    pace: z.enum(paces).optional(),
    channels: z.array(z.enum(channelNames)).min(1).max(channelNames.length).optional(),
    regions: z.array(z.string().trim().min(1).max(50)).max(100).optional(),
  })
  .refine(
    ({ topic, search, item }) => [topic, search, item].filter((one) => one !== undefined).length === 1,
    'must name exactly one of topic, search and item',
  );
export type FollowInput = z.infer<typeof followSchema>;

/** A parsed follow as the domain has it; the pace is `immediate` unless said. */
export const toFollowRequest = ({ topic, search, item, pace, channels, regions }: FollowInput): FollowRequest => ({
  target: topic !== undefined ? { topic } : search !== undefined ? { search } : { item: item ?? '' },
  regions: regions?.length ? regions : null,
  pace: pace ?? 'immediate',
  channels: channels ? [...new Set(channels)] : null,
});

/** NFKC, then without the difference of upper and lower case (both ways round, so that ß and ss, σ and ς meet). */
const foldCase = (text: string): string => text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').trim();

/** Facets whose values have no case: words, and language tags (RFC 5646 section 2.1.1). */
const caseless: ReadonlySet<Facet> = new Set<Facet>(['keywords', 'language']);

/** The form in which values of a facet are compared. */
export const facetValue = (facet: Facet, value: string): string =>
  caseless.has(facet) ? foldCase(value) : value.normalize('NFKC').trim();

const sortedSet = (values: Iterable<string>): string[] => [...new Set(values)].sort();

const normalTable = (table: Search['all']): Search['all'] => {
  const entries = facets.flatMap((facet): [Facet, string[]][] => {
    const values = sortedSet((table?.[facet] ?? []).map((value) => facetValue(facet, value)));
    return values.length > 0 ? [[facet, values]] : [];
  });
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
};

const normalTarget = (target: Target): Target => {
  if ('topic' in target) return { topic: facetValue('topics', target.topic) };
  if ('item' in target) return { item: target.item };
  const all = normalTable(target.search.all);
  const any = normalTable(target.search.any);
  return { search: { ...(all && { all }), ...(any && { any }) } };
};

const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url');

export const topicSource = (slug: string): string => `subscription:topic:${slug}`;

const sourceOf = (target: Target): string => {
  if ('topic' in target) return topicSource(target.topic);
  if ('item' in target) return `subscription:item:${target.item}`;
  return `subscription:search:${hash(target).slice(0, 22)}`;
};

/** Facets from the one that picks out the fewest items to the one that picks out the most. */
const bySelectivity: Facet[] = [
  'keywords',
  'topics',
  'audiences',
  'regions',
  'department',
  'category',
  'documentType',
  'urgency',
  'language',
];

export const anchor = (facet: Facet | 'item', value: string): string => `${facet}:${value}`;

/**
 * The values by which an item finds this target: every item that matches holds at least one of them. A facet under `all`
 * needs every value, so one value will do; under `any` each of them may be the one.
 */
const anchorsOfTarget = (target: Target): string[] => {
  if ('topic' in target) return [anchor('topics', target.topic)];
  if ('item' in target) return [anchor('item', target.item)];
  const { all, any } = target.search;
  for (const facet of bySelectivity) {
    const one = all?.[facet]?.[0];
    if (one !== undefined) return [anchor(facet, one)];
    const some = any?.[facet];
    if (some) return some.map((value) => anchor(facet, value));
  }
  return [];
};

/**
 * The distinct follow behind a wish: its normal form (NFKC, sorted, without repetitions; words and language tags without
 * case), and the key that is the SHA-256 of it. Equal wishes, equal keys.
 */
export const defineFollow = ({ target, regions }: Pick<FollowRequest, 'target' | 'regions'>): FollowDefinition => {
  const normal = normalTarget(target);
  const within = sortedSet((regions ?? []).map((code) => facetValue('regions', code)));
  return {
    key: hash([normal, within]),
    source: sourceOf(normal),
    target: normal,
    regions: within.length > 0 ? within : null,
    anchors: anchorsOfTarget(normal),
  };
};
