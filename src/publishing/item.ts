import { z } from 'zod';
import { areaSchema } from '../catalogue/areas/area.ts';

/** The states of an item; a refused one goes back to draft. */
export const itemStates = ['draft', 'in-review', 'approved', 'scheduled', 'published', 'withdrawn'] as const;
export type ItemState = (typeof itemStates)[number];

export const urgencies = ['routine', 'important', 'emergency'] as const;
export type Urgency = (typeof urgencies)[number];

const instant = z.iso.datetime({ offset: true });
const text = (most: number) => z.string().trim().min(1).max(most);
const words = z.array(text(200)).max(200);
const link = z.url({ protocol: /^https?$/ }).max(2_000);

/** What a publisher writes. `language` is a BCP 47 tag; times are ISO 8601 with offset; `formedAt` is a date. */
export const itemContentSchema = z.strictObject({
  title: text(500),
  summary: text(5_000),
  body: z.string().max(200_000).optional(),
  url: link.optional(),
  language: z.string().regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a BCP 47 language tag'),
  topics: z.array(text(100)).max(100),
  category: text(200).optional(),
  departments: words.optional(),
  documentType: text(200).optional(),
  regions: z.array(text(50)).max(1_000).optional(),
  /** Where it is about, drawn on the map: whom it concerns is told by `regions`, which an import finds by these. */
  areas: z.array(areaSchema).max(100).optional(),
  audiences: words.optional(),
  keywords: words.optional(),
  urgency: z.enum(urgencies).default('routine'),
  deadline: instant.optional(),
  expiresAt: instant.optional(),
  formedAt: z.iso.date().optional(),
  visibility: z.enum(['public', 'targeted']).default('public'),
  translations: z
    .record(z.string().max(35), z.strictObject({ title: text(500), summary: text(5_000), url: link.optional() }))
    .optional(),
});
export type ItemContent = z.infer<typeof itemContentSchema>;

/** What stands for an item where there is none yet: a condition asked by itself, a draft that says nothing. */
export const noItem: ItemContent = {
  title: '',
  summary: '',
  language: 'und',
  topics: [],
  urgency: 'routine',
  visibility: 'public',
};

/** Who did something: a staff account's id and the departments it belongs to. */
export type Actor = { staff: string; roles: string[]; departments: string[] };

export type Approval = { department: string | null; staff: string; at: number };

/** A correction that waits for its review. */
export type PendingChange = {
  kind: 'major' | 'minor';
  state: 'in-review';
  content: ItemContent;
  note: string;
  writer: string;
  approvals: Approval[];
};

/**
 * **item**: one published piece of information. `version` counts what notifies (publication, major correction,
 * withdrawal), `revision` the minor corrections of a version; both are 0 until the first publication.
 */
export type Item = {
  id: string;
  externalId: string | null;
  /** Other external ids that stand for the same item: the updates of a CAP alert have ids of their own. */
  aliases?: string[];
  state: ItemState;
  version: number;
  revision: number;
  content: ItemContent;
  writer: string;
  approvals: Approval[];
  rejection: string | null;
  scheduledFor: number | null;
  pending: PendingChange | null;
  /** What happened last to a published item, in words for its readers. */
  changeNote: string | null;
  /** What an import last brought (fingerprint, time, notes; see import/plan.ts), or null for what was written here. */
  importMark: string | null;
  createdAt: number;
  updatedAt: number;
  publishedAt: number | null;
};

/** A fresh draft. `now` in ms. */
export const newItem = (made: Pick<Item, 'id' | 'externalId' | 'content' | 'writer'>, now: number): Item => ({
  ...made,
  state: 'draft',
  version: 0,
  revision: 0,
  approvals: [],
  rejection: null,
  scheduledFor: null,
  pending: null,
  changeNote: null,
  importMark: null,
  createdAt: now,
  updatedAt: now,
  publishedAt: null,
});

/** One version as people were or will be told of it; a minor correction replaces `content` and counts `revision`. */
export type ItemVersion = {
  item: string;
  version: number;
  revision: number;
  kind: 'publication' | 'correction' | 'withdrawal';
  content: ItemContent;
  note: string | null;
  at: number;
  /** True until the push that tells people of it is written; false from the start for an import that tells nobody. */
  announce: boolean;
};
