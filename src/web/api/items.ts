import { z } from 'zod';
import type { CatalogueService } from '../../catalogue/catalogue-service.ts';
import { withAncestors } from '../../catalogue/topic.ts';
import { AppError } from '../../errors.ts';
import type { FanoutService } from '../../fanout/fanout-service.ts';
import { type Item, itemStates } from '../../publishing/item.ts';
import type { ItemFilter } from '../../publishing/item-store.ts';
import type { PublishingService } from '../../publishing/publishing-service.ts';
import { holds, keyed, pageOf, pageQuery, type Route, route } from '../contract/route.ts';
import { presentItem } from '../present.ts';
import { newItemBody, reviseBody, sentFields, withDepartments } from './item-input.ts';
import { itemWorkflowRoutes } from './item-workflow.ts';
import { itemShape, next } from './shapes.ts';

export type ItemDeps = {
  catalogue: CatalogueService;
  publishing: PublishingService;
  fanout: FanoutService;
  publicUrl: string;
};

/** Items may be long texts; imports are whole feeds. */
const itemBodyLimit = 4 * 1024 * 1024;
const importBodyLimit = 64 * 1024 * 1024;

const listQuery = z.strictObject({
  state: z.enum(itemStates).optional(),
  topic: z.string().min(1).max(100).optional(),
  q: z.string().trim().max(200).optional(),
  ...pageQuery,
});

const importBody = z.strictObject({
  format: z.enum(['rss', 'atom', 'cap', 'govuk']),
  content: z.string().min(1),
  topics: z.array(z.string().trim().min(1).max(100)).max(100).default([]),
  publish: z.boolean().default(false),
  notify: z.boolean().default(false),
});

const reportShape = z.object({
  created: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  failed: z.int(),
  errors: z.array(z.object({ entry: z.int(), id: z.union([z.string(), z.null()]), message: z.string() })),
});

const publicStates: readonly Item['state'][] = ['published', 'withdrawn'];

const isPublic = (item: Item): boolean =>
  publicStates.includes(item.state) && item.version > 0 && item.content.visibility === 'public';

const filterOf = async (
  catalogue: CatalogueService,
  { state, topic, q }: z.output<typeof listQuery>,
  inside: boolean,
): Promise<ItemFilter> => {
  const filter: ItemFilter = inside ? {} : { published: true, visibility: 'public' };
  if (state) filter.state = state;
  if (q) filter.q = q;
  if (topic) {
    const { topics, topicParents } = await catalogue.trees();
    filter.topics = topics.map(({ slug }) => slug).filter((slug) => withAncestors(topicParents, slug).includes(topic));
  }
  return filter;
};

/** What nobody can see: a state that is not public, a topic that is not there. */
const isVoid = (filter: ItemFilter): boolean =>
  filter.topics?.length === 0 || (filter.published === true && !!filter.state && !publicStates.includes(filter.state));

const readRoutes = ({ catalogue, publishing, publicUrl }: ItemDeps): Route[] => [
  route({
    method: 'get',
    path: '/items',
    operationId: 'listItems',
    tag: 'Items',
    scope: 'public',
    summary: 'Items, newest first. Without a key of scope publish: the published and withdrawn public ones.',
    query: listQuery,
    responses: { 200: z.object({ items: z.array(itemShape), next }) },
    handler: async ({ query, caller }) => {
      const inside = holds(caller, 'publish');
      const filter = await filterOf(catalogue, query, inside);
      const found = isVoid(filter) ? { rows: [], next: null } : await publishing.list(filter, pageOf(query));
      const items = found.rows.map((item) => presentItem(item, { publicUrl, inside }));
      return { status: 200, body: { items, next: found.next } };
    },
  }),
  route({
    method: 'get',
    path: '/items/{id}',
    operationId: 'getItem',
    tag: 'Items',
    scope: 'public',
    summary: 'One item as it is public; with a key of scope publish, any item.',
    responses: { 200: itemShape },
    handler: async ({ params, caller }) => {
      const inside = holds(caller, 'publish');
      const item = await publishing.get(params.id);
      if (!item || !(inside || isPublic(item))) throw new AppError('not-found', 'There is no such item.');
      return { status: 200, body: presentItem(item, { publicUrl, inside }) };
    },
  }),
];

const writeRoutes = ({ publishing, publicUrl }: ItemDeps): Route[] => [
  route({
    method: 'post',
    path: '/items',
    operationId: 'createItem',
    tag: 'Items',
    scope: 'publish',
    summary: 'Writes a draft.',
    body: newItemBody,
    bodyLimit: itemBodyLimit,
    example: { title: 'Bus 12 diverted', summary: 'From Monday.', language: 'en', topics: ['services'] },
    responses: { 201: itemShape },
    idempotent: true,
    check: (content) => publishing.faultsIn(content),
    handler: async (call) => {
      const { externalId, ...content } = withDepartments(call.body);
      const item = await publishing.create(content, externalId ?? null, keyed(call).actor);
      return { status: 201, body: presentItem(item, { publicUrl, inside: true }), subject: item.id };
    },
  }),
  route({
    method: 'patch',
    path: '/items/{id}',
    operationId: 'reviseItem',
    tag: 'Items',
    scope: 'publish',
    summary: 'Changes a draft; only its writer may.',
    body: reviseBody,
    bodyLimit: itemBodyLimit,
    responses: { 200: itemShape },
    check: (content) => publishing.faultsIn(content),
    handler: async (call) => {
      const item = await publishing.revise(call.params.id, sentFields(call.body), keyed(call).actor);
      return { status: 200, body: presentItem(item, { publicUrl, inside: true }) };
    },
  }),
];

const importRoute = ({ publishing, fanout }: ItemDeps): Route =>
  route({
    method: 'post',
    path: '/items/import',
    operationId: 'importItems',
    tag: 'Items',
    scope: 'publish',
    summary: 'Imports a feed (RSS, Atom), a CAP alert or GOV.UK content items; a broken entry never stops the others.',
    body: importBody,
    bodyLimit: importBodyLimit,
    responses: { 200: reportShape },
    idempotent: true,
    check: ({ topics }) => publishing.faultsIn({ topics }),
    handler: async (call) => {
      const { notify, ...report } = await publishing.importItems(call.body, keyed(call).actor);
      await fanout.announce(notify);
      return { status: 200, body: report };
    },
  });

/** Items: reading, writing, importing, and their way through review to the public. */
export const itemRoutes = (deps: ItemDeps): Route[] => [
  ...readRoutes(deps),
  ...writeRoutes(deps),
  importRoute(deps),
  ...itemWorkflowRoutes(deps),
];
