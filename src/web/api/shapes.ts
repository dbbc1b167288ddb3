import { z } from 'zod';
import { roles, scopes } from '../../access/access-store.ts';
import { areaSchema } from '../../catalogue/areas/area.ts';
import { deliveryStates, lanes, pushStates } from '../../fanout/push.ts';
import { itemStates, urgencies } from '../../publishing/item.ts';
import { plainText } from '../../rules/condition-schema.ts';
import { channelNames, paces } from '../../subscriptions/follow.ts';

/** What the API answers, as the document shows it; present.ts makes them. */
export const instant = z.iso.datetime();
export const orNull = <S extends z.ZodType>(schema: S) => z.union([schema, z.null()]);
const channel = z.enum(channelNames);

export const bilingual = z.strictObject({
  en: plainText(200),
  'zh-CN': plainText(200),
});

export const next = orNull(z.string()).describe('The cursor of the next page; null: this is the last one.');

export const topicShape = z
  .object({ slug: z.string(), title: bilingual, parent: orNull(z.string()), followers: z.int() })
  .meta({ id: 'Topic' });

export const regionShape = z
  .object({ code: z.string(), name: bilingual, parent: orNull(z.string()) })
  .meta({ id: 'Region' });

export const attributeTypes = z.enum(['enum', 'enum-list', 'integer', 'place']);

export const attributeShape = z
  .object({
    name: z.string(),
    type: attributeTypes,
    values: orNull(z.array(z.string())),
    title: bilingual,
  })
  .meta({ id: 'Attribute' });

export const quietHours = z.strictObject({
  from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 22:00'),
  to: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 07:00'),
});

export const digestHour = z.int().min(0).max(23);

const facetTable = z.record(z.string(), z.array(z.string()));

export const followShape = z
  .object({
    id: z.string(),
    topic: z.string().optional(),
    search: z.object({ all: facetTable.optional(), any: facetTable.optional() }).optional(),
    item: z.string().optional(),
    regions: orNull(z.array(z.string())),
    pace: z.enum(paces),
    channels: orNull(z.array(channel)),
    origin: z.enum(['person', 'import']),
    since: instant,
  })
  .meta({ id: 'LiveFollow', description: 'What a person follows now: exactly one of topic, search and item.' });

export const personShape = z
  .object({
    id: z.string(),
    externalId: orNull(z.string()),
    locale: z.string(),
    region: orNull(z.string()),
    timeZone: orNull(z.string()),
    quietHours: orNull(quietHours),
    digestHour: orNull(digestHour).describe('The local hour of daily and weekly digests; null: the usual one, 8.'),
    follow: z.array(followShape),
    attributes: z.record(z.string(), z.union([z.string(), z.array(z.string()), z.number()])),
    interests: z.array(z.object({ topic: z.string(), weight: z.number(), because: z.string() })),
    habits: z
      .object({
        lastActiveAt: orNull(instant),
        preferredHour: orNull(z.int().min(0).max(23)),
        preferredChannel: orNull(channel),
      })
      .describe('When they were last active, and the local hour and channel of most of their reactions.'),
    consents: z.object({ personalisation: z.boolean() }),
    addresses: z.array(z.object({ channel, masked: z.string(), suppressed: orNull(z.string()) })),
    createdAt: instant,
  })
  .meta({ id: 'Person' });

const approvalShape = z.object({ department: orNull(z.string()), staff: z.string(), at: instant });

export const itemShape = z
  .object({
    id: z.string(),
    externalId: orNull(z.string()),
    state: z.enum(itemStates),
    version: z.int(),
    revision: z.int(),
    pending: orNull(z.object({ kind: z.enum(['major', 'minor']), state: z.literal('in-review') })),
    title: z.string(),
    summary: z.string(),
    body: orNull(z.string()),
    url: orNull(z.string()),
    page: z.string().describe("The item's own page, which serves where `url` is null."),
    language: z.string(),
    topics: z.array(z.string()),
    category: orNull(z.string()),
    departments: z.array(z.string()),
    documentType: orNull(z.string()),
    regions: z.array(z.string()),
    areas: z.array(areaSchema).describe('Shapes on the map; whom the item concerns is told by `regions`.'),
    audiences: z.array(z.string()),
    keywords: z.array(z.string()),
    urgency: z.enum(urgencies),
    deadline: orNull(z.string()),
    expiresAt: orNull(z.string()),
    formedAt: orNull(z.string()),
    visibility: z.enum(['public', 'targeted']),
    translations: z.record(
      z.string(),
      z.object({ title: z.string(), summary: z.string(), url: z.string().optional() }),
    ),
    changeNote: orNull(z.string()),
    publishedAt: orNull(instant),
    createdAt: instant,
    updatedAt: instant,
    writer: z.string().optional(),
    approvals: z.array(approvalShape).optional(),
    rejection: orNull(z.string()).optional(),
    scheduledFor: orNull(instant).optional(),
  })
  .meta({
    id: 'Item',
    description: 'writer, approvals, rejection and scheduledFor are shown to keys of scope publish.',
  });

export const pushRef = z.object({ id: z.string() });

const countsShape = z.object({
  matched: z.int(),
  ...(Object.fromEntries(deliveryStates.map((state) => [state, z.int()])) as Record<
    (typeof deliveryStates)[number],
    z.ZodInt
  >),
});

export const pushShape = z
  .object({
    id: z.string(),
    item: z.string(),
    version: z.int(),
    state: z.enum(pushStates),
    lane: z.enum(lanes),
    counts: countsShape,
    bySource: z.array(z.object({ source: z.string(), people: z.int() })),
    note: orNull(z.string()),
    createdAt: instant,
    plannedAt: orNull(instant),
    finishedAt: orNull(instant),
    estimatedEnd: orNull(instant).describe(
      'When nobody will be planned or sending any more at the present pace; null unless it runs and moves.',
    ),
  })
  .meta({ id: 'Push' });

export const deliveryShape = z
  .object({
    id: z.string(),
    subscriber: z.string(),
    channel: orNull(channel),
    state: z.enum(deliveryStates),
    code: orNull(z.string()),
    why: orNull(z.string()).describe('The code in words, in the language asked for.'),
    reasons: z.array(z.object({ source: z.string(), text: z.string(), facts: z.record(z.string(), z.string()) })),
    attempts: z.int(),
    at: instant,
    dueAt: orNull(instant),
    provider: orNull(z.string()),
  })
  .meta({ id: 'Delivery' });

export const staffShape = z
  .object({
    id: z.string(),
    email: z.string(),
    name: z.string(),
    roles: z.array(z.enum(roles)),
    departments: z.array(z.string()),
    createdAt: instant,
  })
  .meta({ id: 'Staff' });

export const scopeList = z.array(z.enum(scopes)).min(1).max(scopes.length);
