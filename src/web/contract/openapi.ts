import { z } from 'zod';
import type { Route } from './route.ts';

type Json = { [key: string]: unknown };

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details; every fault is named by its dotted path.' });

const statusText: Record<number, string> = {
  200: 'Done',
  201: 'Made',
  202: 'Accepted; it goes on in the background',
  204: 'Done; no content',
};

const refsTo = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(refsTo);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      key === '$ref' && typeof entry === 'string' ? entry.replace('#/$defs/', '#/components/schemas/') : refsTo(entry),
    ]),
  );
};

/** Turns zod schemas into JSON Schema 2020-12; schemas with an id become components, referred to. */
const makeSchemas = () => {
  const components: Json = {};
  const write = (schema: z.ZodType, io: 'input' | 'output'): Json => {
    // wrapped, so that a root that has an id becomes a component too
    const { properties, $defs } = z.toJSONSchema(z.object({ root: schema }), { io, unrepresentable: 'any' }) as {
      properties?: Json;
      $defs?: Json;
    };
    for (const [id, definition] of Object.entries($defs ?? {})) {
      const { id: _id, ...rest } = refsTo(definition) as Json;
      components[id] = rest;
    }
    return refsTo(properties?.root) as Json;
  };
  return { components, write };
};

type Write = ReturnType<typeof makeSchemas>['write'];

const pathParameters = (path: string): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

const queryParameters = (route: Route, write: Write): Json[] => {
  if (!route.query) return [];
  const { properties = {}, required = [] } = write(route.query, 'input') as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
};

const idempotencyParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Repeating a call with the same key and body answers the first answer, for 24 hours.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const requestBody = (route: Route, write: Write): Json => {
  if (route.stream)
    return { requestBody: { required: true, content: Object.fromEntries(route.stream.map((media) => [media, {}])) } };
  if (!route.body) return {};
  const schema = write(route.body, 'input');
  const example = route.example === undefined ? {} : { example: route.example };
  return { requestBody: { required: true, content: { 'application/json': { schema, ...example } } } };
};

/** A call whose query may ask for CSV answers that as well. */
const csvOf = (parameters: Json[]): Json =>
  parameters.some(({ name, schema }) => name === 'format' && ((schema as Json).enum as string[])?.includes('csv'))
    ? { 'text/csv': { schema: { type: 'string' } } }
    : {};

const responseOf = (status: number, shape: z.ZodType | string | null, write: Write, also: Json): Json => {
  const description = statusText[status] ?? 'Answer';
  if (shape === null) return { description };
  if (typeof shape === 'string') return { description, content: { [shape]: { schema: { type: 'string' } } } };
  return { description, content: { 'application/json': { schema: write(shape, 'output') }, ...also } };
};

const refusals = (route: Route): Json => {
  const problem = { $ref: '#/components/responses/Problem' };
  const statuses = [
    '400',
    ...(route.scope === 'public' ? [] : ['401', '403']),
    ...(route.path.includes('{') ? ['404'] : []),
    ...(route.idempotent ? ['409', '422'] : []),
    ...(route.limited ? ['429'] : []),
    'default',
  ];
  return Object.fromEntries(statuses.map((status) => [status, problem]));
};

const operation = (route: Route, write: Write): Json => {
  const parameters = [
    ...pathParameters(route.path),
    ...queryParameters(route, write),
    ...(route.idempotent ? [idempotencyParameter] : []),
  ];
  const answers = Object.entries(route.responses).map(([status, shape]) => [
    status,
    responseOf(Number(status), shape, write, csvOf(parameters)),
  ]);
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    security:
      route.scope === 'public' ? [{}, { apiKey: [] }] : [route.scope].flat().map((scope) => ({ apiKey: [scope] })),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBody(route, write),
    responses: { ...Object.fromEntries(answers), ...refusals(route) },
  };
};

/** The OpenAPI 3.1 document of these routes, made from the very schemas that check the calls. */
export const openApiOf = (routes: Route[], info: { version: string; server: string }): Json => {
  const { components, write } = makeSchemas();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = paths[route.path] ?? {};
    path[route.method] = operation(route, write);
    paths[route.path] = path;
  }
  const problem = { 'application/problem+json': { schema: write(problemSchema, 'output') } };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bellman',
      version: info.version,
      description: 'Push notifications and subscriptions for public information.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: info.server }],
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components,
      responses: { Problem: { description: 'What is wrong, with every fault named', content: problem } },
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key; the names beside it are the scopes that a call needs. `admin` holds all.',
        },
      },
    },
  };
};
