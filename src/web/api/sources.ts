import { z } from 'zod';
import { type Source, type SourceHandling, sourceFaults } from '../../sources/source.ts';
import type { SourceService } from '../../sources/source-service.ts';
import { languageTag } from '../../text.ts';
import { keyed, type Route, route } from '../contract/route.ts';
import { instant, next, orNull } from './shapes.ts';

const faulty = z.object({ kind: z.literal('fault'), fault: z.enum(sourceFaults), detail: z.string() });
const entryErrors = z.array(z.object({ entry: z.int(), id: orNull(z.string()), message: z.string() }));

const resultShape = z.union([
  z.object({
    ...{ kind: z.literal('read'), created: z.int(), updated: z.int(), unchanged: z.int(), failed: z.int() },
    errors: entryErrors,
  }),
  z.object({ kind: z.literal('same') }),
  faulty,
]);

const word = (most: number) => z.string().trim().min(1).max(most);

const handling = {
  topics: z.array(word(100)).min(1).max(100),
  departments: z.array(word(200)).max(100).default([]),
  language: orNull(languageTag).default(null),
  regions: z.array(word(50)).max(1_000).default([]),
  everyMinutes: z.int().min(5).max(10_080).default(60),
  publish: z.boolean().default(false),
  notify: z.boolean().default(false),
};
const url = z.url().max(2_000);
const sourceBody = z.strictObject({ url, ...handling });
const changeBody = z.strictObject({
  topics: handling.topics.optional(),
  departments: handling.departments.unwrap().optional(),
  language: handling.language.unwrap().optional(),
  regions: handling.regions.unwrap().optional(),
  everyMinutes: handling.everyMinutes.unwrap().optional(),
  publish: z.boolean().optional(),
  notify: z.boolean().optional(),
});

const sourceShape = z
  .object({
    ...{ id: z.string(), url: z.string(), topics: z.array(z.string()), departments: z.array(z.string()) },
    ...{ language: orNull(z.string()), regions: z.array(z.string()), everyMinutes: z.int() },
    ...{ publish: z.boolean(), notify: z.boolean(), paused: z.boolean() },
    result: orNull(resultShape).describe('What the last poll came to.'),
    faults: z.int().describe('Faults in a row.'),
    polledAt: orNull(instant),
    dueAt: orNull(instant).describe('When it is polled next; null: it is paused.'),
    createdAt: instant,
  })
  .meta({ id: 'Source' });

const testShape = z.union([
  z.object({
    kind: z.literal('read'),
    entries: z.array(
      z.object({
        ...{ id: z.string(), title: z.string(), language: z.string(), formedAt: orNull(z.string()) },
        known: z.boolean(),
      }),
    ),
    errors: entryErrors,
  }),
  faulty,
]);

const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

const presentSource = (source: Source) => {
  const { etag: _etag, lastModified: _lastModified, addedBy: _addedBy, dueAt, polledAt, createdAt, ...shown } = source;
  return { ...shown, polledAt: time(polledAt), dueAt: source.paused ? null : time(dueAt), createdAt: time(createdAt) };
};

/** Only the fields that were sent, over what stands. */
const changed = (source: Source, sent: z.output<typeof changeBody>): SourceHandling => {
  const { topics, departments, language, regions, everyMinutes, publish, notify } = source;
  const fields = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined));
  return { topics, departments, language, regions, everyMinutes, publish, notify, ...fields };
};

type Deps = { sources: SourceService };
const tag = 'Sources';
const scope = 'admin';
const example = { url: 'https://office.example.org/news/atom.xml', topics: ['services'], everyMinutes: 30 };

const manageRoutes = ({ sources }: Deps): Route[] => [
  route({
    method: 'post',
    path: '/sources',
    operationId: 'addSource',
    tag,
    scope,
    summary:
      'Polls a feed (RSS, Atom, CAP) of another office from now on; its entries become items as an import makes them.',
    body: sourceBody,
    example,
    idempotent: true,
    responses: { 201: sourceShape },
    handler: async (call) => {
      const source = await sources.add(call.body, keyed(call).actor);
      return { status: 201, body: presentSource(source), subject: source.id };
    },
  }),
  route({
    method: 'get',
    path: '/sources',
    operationId: 'listSources',
    tag,
    scope,
    summary: 'The sources (200 at most), oldest first.',
    responses: { 200: z.object({ sources: z.array(sourceShape), next }) },
    handler: async () => ({
      status: 200,
      body: { sources: (await sources.list()).map(presentSource), next: null },
    }),
  }),
  route({
    method: 'get',
    path: '/sources/{id}',
    operationId: 'getSource',
    tag,
    scope,
    summary: 'One source, with what its last poll came to.',
    responses: { 200: sourceShape },
    handler: async ({ params }) => ({ status: 200, body: presentSource(await sources.get(params.id)) }),
  }),
  route({
    method: 'patch',
    path: '/sources/{id}',
    operationId: 'changeSource',
    tag,
    scope,
    summary: 'Changes what is made of its entries and how often it is polled; its address stays.',
    body: changeBody,
    example: { everyMinutes: 15 },
    responses: { 200: sourceShape },
    handler: async (call) => {
      const now = await sources.get(call.params.id);
      const source = await sources.change(now.id, changed(now, call.body), keyed(call).actor);
      return { status: 200, body: presentSource(source) };
    },
  }),
  route({
    method: 'delete',
    path: '/sources/{id}',
    operationId: 'removeSource',
    tag,
    scope,
    summary: 'Polls it no more; the items that it brought stay.',
    responses: { 204: null },
    handler: async (call) => {
      await sources.remove(call.params.id, keyed(call).actor);
      return { status: 204 };
    },
  }),
];

/** Feeds of other offices: what is polled, what the last poll came to, and polls by hand. */
export const sourceRoutes = (deps: Deps): Route[] => [
  ...manageRoutes(deps),
  route({
    method: 'post',
    path: '/sources/test',
    operationId: 'testSource',
    tag,
    scope,
    summary: 'Fetches a feed now and answers its first entries; nothing is stored.',
    body: sourceBody,
    example,
    responses: { 200: testShape },
    handler: async (call) => ({
      status: 200,
      body: await deps.sources.test(call.body, keyed(call).actor),
    }),
  }),
  ...(['pause', 'resume'] as const).map((step) =>
    route({
      method: 'post',
      path: `/sources/{id}/${step}`,
      operationId: `${step}Source`,
      tag,
      scope,
      summary: step === 'pause' ? 'Polls a source no more until it is resumed.' : 'Polls a source again, from now on.',
      responses: { 200: sourceShape },
      handler: async (call) => {
        const source = await deps.sources.pause(call.params.id, step === 'pause', keyed(call).actor);
        return { status: 200, body: presentSource(source) };
      },
    }),
  ),
  route({
    method: 'post',
    path: '/sources/{id}/poll',
    operationId: 'pollSource',
    tag,
    scope,
    summary: 'Polls a source now, a paused one too, and answers what came.',
    idempotent: true,
    responses: { 200: sourceShape },
    handler: async (call) => ({
      status: 200,
      body: presentSource(await deps.sources.poll(call.params.id, keyed(call).actor)),
    }),
  }),
];
