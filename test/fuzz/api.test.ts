import fc from 'fast-check';
import { fuzzRounds } from '../helpers/soak.ts';
import { adminApiKey, startWeb, type Web } from '../helpers/web.ts';

type Schema = { [name: string]: unknown };
type Operation = {
  operationId: string;
  parameters?: { name: string; in: 'path' | 'query' | 'header'; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema?: Schema; example?: unknown }> };
};
type Document = { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Schema> } };
type Call = { operation: Operation; method: string; path: string };

const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '../..',
    "' OR 1=1 --",
    '{"$gt":""}',
    '9'.repeat(400),
    '2026-13-45T99:00:00Z',
    '🏛',
  ),
  fc.constantFrom(-1, 0, 1e308, 2 ** 53, [], {}, null, { $ne: null }, { __proto__: { admin: true } }),
);

/** Values of a JSON schema, now and then of none. */
const valueFor = (document: Document, schema: Schema | undefined, depth = 0): fc.Arbitrary<unknown> => {
  if (!schema || depth > 5) return junk;
  const ref = /^#\/components\/schemas\/(.+)$/.exec(String(schema.$ref ?? ''))?.[1];
  if (ref) return valueFor(document, document.components.schemas[ref], depth + 1);
  const fits = fitting(document, schema, depth);
  return fc.oneof({ weight: 9, arbitrary: fits }, { weight: 1, arbitrary: junk });
};

const textOf = ({ format, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<unknown> => {
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  if (format === 'email') return fc.emailAddress();
  if (format === 'uri') return fc.webUrl();
  const least = Math.min(Number(minLength), 60);
  return fc.string({ unit: 'grapheme', minLength: least, maxLength: Math.max(least, Math.min(Number(maxLength), 60)) });
};

const fitting = (document: Document, schema: Schema, depth: number): fc.Arbitrary<unknown> => {
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  const some = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
  if (some) return fc.oneof(...some.map((one) => valueFor(document, one, depth + 1)));
  if (schema.type === 'string') return textOf(schema);
  if (schema.type === 'integer' || schema.type === 'number')
    return fc.oneof(fc.integer(), fc.integer({ min: 1, max: 9 }));
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'array') return fc.array(valueFor(document, schema.items as Schema, depth + 1), { maxLength: 3 });
  if (schema.type !== 'object') return junk;
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const required = new Set((schema.required ?? []) as string[]);
  const model = Object.fromEntries(properties.map(([name, one]) => [name, valueFor(document, one, depth + 1)]));
  const known = fc.record(model, { requiredKeys: [...required].filter((name) => name in model) });
  return fc.oneof(
    { weight: 9, arbitrary: known },
    { weight: 1, arbitrary: fc.tuple(known, fc.dictionary(fc.string(), junk)).map(([a, b]) => ({ ...a, ...b })) },
  );
};

describe('every call of the API, asked at random', () => {
  let web: Web;
  let document: Document;
  let calls: Call[];
  /** Ids of things that are there, so that not every call ends at an unknown one. */
  const ids: string[] = [];
  beforeAll(async () => {
    web = await startWeb({ rateLimits: { send: 1_000_000, guess: 1_000_000 } });
    document = (await web.api('GET', '/openapi.json', undefined, null)).body as unknown as Document;
    await web.town.people([
      { externalId: 'li', email: 'li@home.example', verified: true, follow: [{ topic: 'services' }] },
    ]);
    const item = { title: 'Water', summary: 'x', language: 'en', topics: ['services'] };
    const { id } = (await web.api('POST', '/items', item)).body as { id: string };
    const published = (await web.api('POST', `/items/${id}/publish`)).body as { push: { id: string } };
    const li = (await web.api('GET', '/subscribers?externalId=li')).body as { id: string };
    ids.push(id, published.push.id, li.id);
    calls = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ operation, method: method.toUpperCase(), path })),
    );
  });
  afterAll(() => web.close());

  const requestOf = ({ operation, method, path }: Call) => {
    const parameters = operation.parameters ?? [];
    const [[type = '', body] = []] = Object.entries(operation.requestBody?.content ?? {});
    return fc.record({
      method: fc.constant(method),
      path: fc.constant(path),
      ids: fc.array(fc.oneof(fc.constantFrom(...ids), fc.string({ unit: 'binary', minLength: 1, maxLength: 30 })), {
        minLength: 3,
        maxLength: 3,
      }),
      query: fc.record(
        Object.fromEntries(
          parameters.filter((one) => one.in === 'query').map(({ name, schema }) => [name, valueFor(document, schema)]),
        ),
        { requiredKeys: [] },
      ),
      type: fc.constantFrom(...(type ? [type, type, type, 'text/plain', 'application/json'] : [''])),
      body: fc.oneof(
        { weight: 6, arbitrary: valueFor(document, body?.schema).map((one) => JSON.stringify(one) ?? '') },
        { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
        { weight: body?.example === undefined ? 0 : 3, arbitrary: fc.constant(JSON.stringify(body?.example)) },
      ),
      key: fc.constantFrom(adminApiKey, adminApiKey, adminApiKey, '', 'a.b'),
      idempotency: fc.option(
        fc.string({ maxLength: 20 }).filter((text) => /^[\x21-\x7e]*$/.test(text)),
        { freq: 6 },
      ),
    });
  };

  type Request = ReturnType<typeof requestOf> extends fc.Arbitrary<infer R> ? R : never;
  /** A connection that was kept may have been closed meanwhile; a call that closes it does so twice. */
  const twice = (ask: () => Promise<Response>): Promise<Response> => ask().catch(ask);
  const answerOf = async ({ method, path, ids: names, query, type, body, key, idempotency }: Request) => {
    let at = 0;
    const place = path.replace(/\{\w+\}/g, () => encodeURIComponent(names[at++ % names.length] ?? ''));
    const search = new URLSearchParams(
      // an object may have a toString that is no function
      Object.entries(query).map(([name, value]): [string, string] => [
        name,
        typeof value === 'object' ? JSON.stringify(value) : String(value),
      ]),
    );
    const sends = method !== 'GET' && method !== 'DELETE' && type !== '';
    const ask = () =>
      fetch(`${web.url}/api/v1${place}?${search}`, {
        method,
        headers: {
          ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
          ...(sends ? { 'content-type': type } : {}),
          ...(idempotency ? { 'idempotency-key': idempotency } : {}),
        },
        ...(sends ? { body } : {}),
        // what never ends is a hang: an event stream is given up, and counts as answered once its head is there
        signal: AbortSignal.timeout(20_000),
      });
    return twice(ask);
  };

  it('answers no 500, hangs nowhere, and refuses by a problem document', async () => {
    for (const call of calls) {
      const property = fc.asyncProperty(requestOf(call), async (request) => {
        const answer = await answerOf(request);
        const media = answer.headers.get('content-type') ?? '';
        if (media.startsWith('text/event-stream')) return void (await answer.body?.cancel());
        const text = await answer.text();
        const told = `${call.method} ${call.path} -> ${answer.status} ${media} ${text.slice(0, 300)}`;
        if (answer.status >= 500 && answer.status !== 503) throw new Error(told);
        if (answer.status < 400) return;
        if (!media.startsWith('application/problem+json')) throw new Error(told);
        const problem = JSON.parse(text) as Record<string, unknown>;
        if (problem.status !== answer.status || typeof problem.code !== 'string') throw new Error(told);
      });
      await fc.assert(property, { numRuns: fuzzRounds(8, 1_000) });
    }
  }, 3_600_000);
});
