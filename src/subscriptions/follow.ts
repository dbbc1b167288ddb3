import { z } from 'zod';

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

/** What is followed: a topic with its descendants, a saved search, or one item. */
export const targetSchema = z.union([
  z.strictObject({ topic: z.string().min(1).max(100) }),
  z.strictObject({
    search: z
      .strictObject({ all: facetTable.optional(), any: facetTable.optional() })
      .refine((search) => Object.keys({ ...search.all, ...search.any }).length > 0, 'must name at least one facet'),
  }),
  z.strictObject({ item: z.string().min(1).max(100) }),
]);
export type Target = z.infer<typeof targetSchema>;

export const paces = ['immediate', 'daily', 'weekly'] as const;
export type Pace = (typeof paces)[number];
