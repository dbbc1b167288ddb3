import { z } from 'zod';
import { type CatalogueService, parentFaults, valuesFaults } from '../../catalogue/catalogue-service.ts';
import { decodeCursor, encodeCursor, notOurCursor } from '../../cursor.ts';
import type { SubscriptionService } from '../../subscriptions/subscription-service.ts';
import { type Route, route } from '../contract/route.ts';
import { presentAttribute, presentRegion, presentTopic } from '../present.ts';
import { attributeShape, attributeTypes, bilingual, next, regionShape, topicShape } from './shapes.ts';

type Deps = {
  catalogue: CatalogueService;
  subscriptions: Pick<SubscriptionService, 'topicFollowers'>;
};

const slug = z
  .string()
  .max(100)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case letters, digits and single hyphens');
const code = z
  .string()
  .max(50)
  .regex(/^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/, 'must be letters, digits and single hyphens');

const topicBody = z.strictObject({ slug, title: bilingual, parent: slug.nullish() });
const regionBody = z.strictObject({ code, name: bilingual, parent: code.nullish() });
const attributeBody = z.strictObject({
  name: z
    .string()
    .max(50)
    .regex(/^[a-z][A-Za-z0-9]*$/, 'must be letters and digits, the first a small letter'),
  type: attributeTypes,
  values: z.array(z.string().trim().min(1).max(200)).min(1).max(500).optional(),
  title: bilingual,
});

/** The trees are small: they come whole unless a page is asked for. */
const treeQuery = z.strictObject({
  cursor: z.string().min(1).max(1_000).optional(),
  limit: z.coerce.number<string>().int().min(1).max(200).optional(),
});

/** The page after the cursor, which names the last row of the page before; nothing is ever taken out of these lists. */
const pageOfTree = <T>(rows: T[], keyOf: (row: T) => string, { cursor, limit }: z.output<typeof treeQuery>) => {
  const [key] = decodeCursor(cursor ?? null, ['']);
  const before = cursor === undefined ? -1 : rows.findIndex((row) => keyOf(row) === key);
  if (cursor !== undefined && before < 0) throw notOurCursor();
  const page = rows.slice(before + 1, limit === undefined ? rows.length : before + 1 + limit);
  const last = page.at(-1);
  return { page, next: last && before + 1 + page.length < rows.length ? encodeCursor([keyOf(last)]) : null };
};

const topicRoutes = ({ catalogue, subscriptions }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/topics',
    operationId: 'listTopics',
    tag: 'Catalogue',
    scope: 'public',
    summary: 'The topic tree, parents before children, with the number of followers of each.',
    query: treeQuery,
    responses: { 200: z.object({ topics: z.array(topicShape), next }) },
    handler: async ({ query }) => {
      const { topics } = await catalogue.trees();
      const { page, next } = pageOfTree(topics, (topic) => topic.slug, query);
      const followers = await subscriptions.topicFollowers(page.map((topic) => topic.slug));
      const shown = page.map((topic) => presentTopic(topic, followers.get(topic.slug) ?? 0));
      return { status: 200, body: { topics: shown, next } };
    },
  }),
  route({
    method: 'post',
    path: '/topics',
    operationId: 'addTopic',
    tag: 'Catalogue',
    scope: 'admin',
    summary: 'Adds a topic, below another one if `parent` says so.',
    body: topicBody,
    example: { slug: 'housing', title: { en: 'Housing', 'zh-CN': '住房' }, parent: 'services' },
    responses: { 201: topicShape },
    idempotent: true,
    check: async ({ parent }) => parentFaults(parent, (await catalogue.trees()).topicParents),
    handler: async ({ body }) => {
      const topic = await catalogue.addTopic({ ...body, parent: body.parent ?? null });
      return { status: 201, body: presentTopic(topic, 0), subject: topic.slug };
    },
  }),
];

const regionRoutes = ({ catalogue }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/regions',
    operationId: 'listRegions',
    tag: 'Catalogue',
    scope: 'public',
    summary: 'The regions, in the order they were added.',
    query: treeQuery,
    responses: { 200: z.object({ regions: z.array(regionShape), next }) },
    handler: async ({ query }) => {
      const { regions } = await catalogue.trees();
      const { page, next } = pageOfTree(regions, (region) => region.code, query);
      return { status: 200, body: { regions: page.map(presentRegion), next } };
    },
  }),
  route({
    method: 'post',
    path: '/regions',
    operationId: 'addRegion',
    tag: 'Catalogue',
    scope: 'admin',
    summary: 'Adds a region.',
    body: regionBody,
    example: { code: 'US-CA', name: { en: 'California', 'zh-CN': '加利福尼亚州' }, parent: 'US' },
    responses: { 201: regionShape },
    idempotent: true,
    check: async ({ parent }) => parentFaults(parent, (await catalogue.trees()).regionParents),
    handler: async ({ body }) => {
      const region = await catalogue.addRegion({ ...body, parent: body.parent ?? null });
      return { status: 201, body: presentRegion(region), subject: region.code };
    },
  }),
];

const attributeRoutes = ({ catalogue }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/attributes',
    operationId: 'listAttributes',
    tag: 'Catalogue',
    scope: 'admin',
    summary: 'What people may tell about themselves.',
    query: treeQuery,
    responses: { 200: z.object({ attributes: z.array(attributeShape), next }) },
    handler: async ({ query }) => {
      const { page, next } = pageOfTree(await catalogue.attributes(), (attribute) => attribute.name, query);
      return { status: 200, body: { attributes: page.map(presentAttribute), next } };
    },
  }),
  route({
    method: 'post',
    path: '/attributes',
    operationId: 'addAttribute',
    tag: 'Catalogue',
    scope: 'admin',
    summary: 'Declares a fact that people may tell about themselves.',
    body: attributeBody,
    responses: { 201: attributeShape },
    idempotent: true,
    check: async ({ type, values }) => (type ? valuesFaults({ type, values: values ?? null }) : []),
    handler: async ({ body }) => {
      const attribute = await catalogue.addAttribute({ ...body, values: body.values ?? null });
      return { status: 201, body: presentAttribute(attribute), subject: attribute.name };
    },
  }),
];

/** Topics, regions and attributes. */
export const catalogueRoutes = (deps: Deps): Route[] => [
  ...topicRoutes(deps),
  ...regionRoutes(deps),
  ...attributeRoutes(deps),
];
