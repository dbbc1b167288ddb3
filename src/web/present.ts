import type { z } from 'zod';
import type { Staff } from '../access/access-store.ts';
import type { Attribute } from '../catalogue/catalogue-store.ts';
import type { Region } from '../catalogue/region.ts';
import type { Topic } from '../catalogue/topic.ts';
import type { DeliveryView, PushView } from '../fanout/fanout-service.ts';
import { type DeliveryState, deliveryStates } from '../fanout/push.ts';
import { codeText, type ReasonWords, sourceText } from '../fanout/reasons.ts';
import type { Habits, InterestView } from '../profiles/profile-service.ts';
import type { Item } from '../publishing/item.ts';
import type { PersonView } from '../subscriptions/subscription-service.ts';
import type { Followed } from '../subscriptions/subscription-store.ts';
import type {
  attributeShape,
  deliveryShape,
  followShape,
  itemShape,
  personShape,
  pushShape,
  regionShape,
  staffShape,
  topicShape,
} from './api/shapes.ts';

/** The HTTP shape is not the domain shape: what leaves through the API is written here, field by field. */
export const time = (at: number): string => new Date(at).toISOString();
export const timeOrNull = (at: number | null): string | null => (at === null ? null : time(at));

export const presentTopic = ({ slug, title, parent }: Topic, followers: number): z.output<typeof topicShape> => ({
  slug,
  title,
  parent,
  followers,
});

export const presentRegion = ({ code, name, parent }: Region): z.output<typeof regionShape> => ({ code, name, parent });

export const presentAttribute = ({ name, type, values, title }: Attribute): z.output<typeof attributeShape> => ({
  name,
  type,
  values,
  title,
});

const presentFollow = (followed: Followed): z.output<typeof followShape> => ({
  id: followed.id,
  ...followed.definition.target,
  regions: followed.definition.regions,
  pace: followed.pace,
  channels: followed.channels,
  origin: followed.origin,
  since: time(followed.createdAt),
});

/** `concluded`: what the profile says of them. */
export const presentPerson = (
  { person, addresses, follows }: PersonView,
  concluded: { interests: InterestView[]; habits: Habits },
): z.output<typeof personShape> => ({
  id: person.id,
  externalId: person.externalId,
  locale: person.locale,
  region: person.region,
  timeZone: person.timeZone,
  quietHours: person.quietHours,
  digestHour: person.digestHour,
  follow: follows.filter((followed) => followed.stoppedAt === null).map(presentFollow),
  attributes: person.attributes,
  interests: concluded.interests.map(({ topic, weight, because }) => ({ topic, weight, because })),
  habits: {
    lastActiveAt: timeOrNull(concluded.habits.lastActiveAt),
    preferredHour: concluded.habits.preferredHour,
    preferredChannel: concluded.habits.preferredChannel,
  },
  consents: { personalisation: person.consents.personalisation },
  addresses: addresses.map(({ channel, masked, suppressed }) => ({ channel, masked, suppressed })),
  createdAt: time(person.createdAt),
});

type ItemShape = z.output<typeof itemShape>;

const presentContent = ({ content }: Pick<Item, 'content'>) => ({
  title: content.title,
  summary: content.summary,
  body: content.body ?? null,
  url: content.url ?? null,
  language: content.language,
  topics: content.topics,
  category: content.category ?? null,
  departments: content.departments ?? [],
  documentType: content.documentType ?? null,
  regions: content.regions ?? [],
  areas: content.areas ?? [],
  audiences: content.audiences ?? [],
  keywords: content.keywords ?? [],
  urgency: content.urgency,
  deadline: content.deadline ?? null,
  expiresAt: content.expiresAt ?? null,
  formedAt: content.formedAt ?? null,
  visibility: content.visibility,
  translations: content.translations ?? {},
});

/** `inside`: with what only publishers may see. */
export const presentItem = (item: Item, { publicUrl, inside }: { publicUrl: string; inside: boolean }): ItemShape => ({
  id: item.id,
  externalId: item.externalId,
  state: item.state,
  version: item.version,
  revision: item.revision,
  pending: item.pending && { kind: item.pending.kind, state: item.pending.state },
  ...presentContent(item),
  page: `${publicUrl}/items/${item.id}`,
  changeNote: item.changeNote,
  publishedAt: timeOrNull(item.publishedAt),
  createdAt: time(item.createdAt),
  updatedAt: time(item.updatedAt),
  ...(inside
    ? {
        writer: item.writer,
        approvals: (item.pending ?? item).approvals.map((approval) => ({ ...approval, at: time(approval.at) })),
        rejection: item.rejection,
        scheduledFor: timeOrNull(item.scheduledFor),
      }
    : {}),
});

export const presentPush = (push: PushView): z.output<typeof pushShape> => ({
  id: push.id,
  item: push.item,
  version: push.version,
  state: push.state,
  lane: push.lane,
  counts: { matched: deliveryStates.reduce((sum, state) => sum + push.counts[state], 0), ...push.counts },
  bySource: push.bySource,
  note: push.note,
  createdAt: time(push.createdAt),
  plannedAt: timeOrNull(push.plannedAt),
  finishedAt: timeOrNull(push.finishedAt),
  estimatedEnd: timeOrNull(push.estimatedEnd),
});

export const presentDelivery = (row: DeliveryView, words: ReasonWords): z.output<typeof deliveryShape> => ({
  id: row.id,
  subscriber: row.subscriber,
  channel: row.channel,
  state: row.state as DeliveryState,
  code: row.code,
  why: codeText(row.code, words.text),
  reasons: row.reasons.map(({ source, facts }) => ({ source, text: sourceText(source, words), facts })),
  attempts: row.attempts,
  at: time(row.at),
  dueAt: timeOrNull(row.dueAt),
  provider: row.provider,
});

export const presentStaff = ({
  id,
  email,
  name,
  roles,
  departments,
  createdAt,
}: Staff): z.output<typeof staffShape> => ({
  id,
  email,
  name,
  roles,
  departments,
  createdAt: time(createdAt),
});
