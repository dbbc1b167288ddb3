import { startWeb, type Web } from '../helpers/web.ts';

type Json = Record<string, unknown>;
type Operation = Json & {
  operationId: string;
  responses: Record<string, Json>;
  parameters?: { name: string; in: string; schema: Json }[];
  security: Record<string, string[]>[];
  requestBody?: { content: Record<string, { schema?: Json; example?: Json }> };
};
type Document = Json & {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, Json>>;
};

const everyRef = (value: unknown): string[] =>
  value === null || typeof value !== 'object'
    ? []
    : Object.entries(value).flatMap(([key, entry]) =>
        key === '$ref' && typeof entry === 'string' ? [entry] : everyRef(entry),
      );

const at = (document: Json, ref: string): unknown =>
  ref
    .slice(2)
    .split('/')
    .reduce<unknown>((value, part) => (value as Json | undefined)?.[part], document);

/** The calls of api.md that belong to this issue, as they stand there. */
const promised = `GET /topics · POST /topics · GET /regions · POST /regions · GET /attributes · POST /attributes
  · POST /subscriptions · POST /subscriptions/confirm · POST /subscribers/import · GET /subscribers · GET /subscribers/{id}
  · PATCH /subscribers/{id} · DELETE /subscribers/{id} · POST /items · GET /items · GET /items/{id} · POST /items/{id}/submit
  · POST /items/{id}/approve · POST /items/{id}/reject · POST /items/{id}/schedule · POST /items/{id}/publish
  · POST /items/{id}/correct · POST /items/{id}/withdraw · POST /items/import · POST /pushes · GET /pushes · GET /pushes/{id}
  · GET /pushes/{id}/events · POST /pushes/{id}/pause · POST /pushes/{id}/resume · POST /pushes/{id}/cancel
  · GET /pushes/{id}/deliveries · POST /deliveries/redrive · POST /staff · POST /keys · DELETE /keys/{id} · POST /hooks/sms
  · POST /applications · GET /applications · GET /applications/{id} · POST /applications/{id}/postpone
  · POST /applications/{id}/answer · GET /opinions · POST /opinions/{id}/answer · GET /reports/deadlines
  · GET /reports/funnel · GET /reports/rules · GET /reports/coverage · GET /tuning/changes · POST /tuning/changes/{id}/apply
  · POST /tuning/changes/{id}/undo · POST /feedback · POST /hooks/email`
  .split('·')
  .map((call) => call.trim());

/** POSTs that take no Idempotency-Key, each with the reason. */
const withoutKey: Record<string, string> = {
  'POST /audience/explain': 'it writes nothing',
  'POST /audience/preview': 'it writes nothing',
  'POST /rules/{id}/dry-run': 'it writes nothing',
  'POST /sources/test': 'it writes nothing',
  'POST /suppressions/find': 'it writes nothing',
  'POST /pushes/{id}/cancel': 'again it changes nothing',
  'POST /pushes/{id}/pause': 'again it changes nothing',
  'POST /pushes/{id}/resume': 'again it changes nothing',
  'POST /sources/{id}/pause': 'again it changes nothing',
  'POST /sources/{id}/resume': 'again it changes nothing',
  'POST /applications/{id}/forget': 'again it changes nothing',
  'POST /suppressions/{id}/lift': 'again it changes nothing',
  'POST /tuning/changes/{id}/apply': 'again it changes nothing',
  'POST /tuning/changes/{id}/undo': 'again it changes nothing',
  'POST /subscriptions/confirm': 'again it answers the same',
  'POST /subscribers/import': 'its lines name whom they are of: again it updates them to what they are',
  'POST /beacon': 'a page’s own events, from a browser',
  'POST /hooks/email': 'a mail is known by its own id',
  'POST /hooks/sms': 'a receipt is known by its own id',
};

describe('the OpenAPI document', () => {
  let web: Web;
  let document: Document;
  beforeAll(async () => {
    web = await startWeb();
    document = (await web.api('GET', '/openapi.json', undefined, null)).body as Document;
  });
  afterAll(() => web.close());

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        call: `${method.toUpperCase()} ${path}`,
        path,
        operation,
      })),
    );

  it('says that a push is for named people or for a condition', () => {
    const { operation } = operations().find(({ call }) => call === 'POST /pushes') ?? {};
    const body = Object.values(
      ((operation as Json).requestBody as { content: Record<string, { schema: { properties: Json } }> }).content,
    )[0]?.schema;
    expect(body?.properties.audience).toMatchObject({
      anyOf: [
        { type: 'object', required: ['subscribers'], additionalProperties: false },
        { $ref: '#/components/schemas/Condition' },
      ],
    });
  });

  it('has the structure of 3.1', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    expect(document.servers).toEqual([{ url: 'http://localhost:3000/api/v1' }]);
    for (const { path, operation } of operations()) {
      expect(path).toMatch(/^\//);
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
      expect(Object.keys(operation.responses).every((status) => /^([1-5]\d\d|default)$/.test(status))).toBe(true);
      for (const response of Object.values(operation.responses))
        expect(response.description ?? response.$ref).toBeTruthy();
      const named = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
      expect(named).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      const keys = (operation.parameters ?? []).map((one) => `${one.in} ${one.name}`);
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  it('has every call that was promised, and no operationId twice', () => {
    const calls = operations().map(({ call }) => call);
    expect(promised.filter((call) => !calls.includes(call))).toEqual([]);
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('refers only to what is there, and names no component that nobody uses', () => {
    const refs = new Set(everyRef(document));
    for (const ref of refs) expect([ref, at(document, ref)]).toEqual([ref, expect.any(Object)]);
    for (const name of Object.keys(document.components.schemas ?? {}))
      expect(refs).toContain(`#/components/schemas/${name}`);
    expect(Object.keys(document.components.schemas ?? {})).toEqual(
      expect.arrayContaining(['Problem', 'Item', 'Person', 'Push', 'Delivery', 'Follow', 'Topic']),
    );
  });

  it('tells scopes, idempotency and refusals', () => {
    const of = (call: string) => operations().find((one) => one.call === call)?.operation;
    expect(of('POST /pushes')?.security).toEqual([{ apiKey: ['publish'] }]);
    expect(of('POST /subscriptions')?.security).toEqual([{}, { apiKey: [] }]);
    expect(of('POST /pushes')?.parameters?.map((one) => one.name)).toContain('Idempotency-Key');
    expect(of('GET /pushes')?.parameters?.map((one) => one.name)).toEqual(['cursor', 'limit']);
    expect(of('POST /subscriptions')?.responses).toMatchObject({ 202: {}, 400: {}, 429: {}, default: {} });
    expect(of('POST /items')?.requestBody?.content['application/json']?.schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['title', 'summary', 'language', 'topics'],
    });
  });

  it('takes an Idempotency-Key for every POST that creates or sends; of the others the reason is given', () => {
    const posts = operations().filter(({ call }) => call.startsWith('POST '));
    const without = posts.filter(
      ({ operation }) => !operation.parameters?.some(({ name }) => name === 'Idempotency-Key'),
    );
    expect(without.map(({ call }) => call).sort()).toEqual(Object.keys(withoutKey).sort());
  });

  it('shows examples that the calls take', async () => {
    for (const { call, operation } of operations()) {
      const example = operation.requestBody?.content['application/json']?.example;
      if (!example) continue;
      const [method = '', path = ''] = call.split(' ');
      const { status, body } = await web.api(method, path.replace('{id}', 'x'), example);
      expect([call, body.errors ?? []].flat()).toEqual(
        status === 400
          ? [call, { path: expect.stringMatching(/^(parent|code)$/), message: expect.any(String) }]
          : [call],
      );
    }
  });

  it('is met by the router: no documented call is unknown to it', async () => {
    for (const { call } of operations()) {
      const [method = '', path = ''] = call.split(' ');
      const { body } = await web.api(method, path.replace('{id}', 'x'), undefined, 'bad.key');
      expect([call, body.code]).toEqual([call, 'no-key']);
    }
  });
});
