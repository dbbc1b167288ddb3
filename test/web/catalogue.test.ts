import { startWeb, type Web } from '../helpers/web.ts';

describe('the trees over the API', () => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb();
  });
  afterAll(() => web.close());

  it.each([
    ['topics', 'slug'],
    ['regions', 'code'],
    ['attributes', 'name'],
  ])('gives %s whole, or page by page with nothing twice and nothing missed', async (list, key) => {
    const read = async (query = '') => {
      const { body } = await web.api('GET', `/${list}${query}`);
      return {
        keys: (body[list] as Record<string, string>[]).map((row) => row[key]),
        next: body.next as string | null,
      };
    };
    const whole = await read();
    expect(whole.next).toBeNull();
    expect(whole.keys.length).toBeGreaterThan(2);
    const seen: (string | undefined)[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const page: Awaited<ReturnType<typeof read>> = await read(`?limit=2${next ? `&cursor=${next}` : ''}`);
      expect(page.keys.length).toBeLessThanOrEqual(2);
      seen.push(...page.keys);
      next = page.next;
    }
    expect(seen).toEqual(whole.keys);
  });

  it.each(['a\u202eb', 'a\u0000b', 'a\nb'])(
    'refuses names that run backwards or hold control characters: %j',
    async (en) => {
      const words = { en, 'zh-CN': '住房' };
      for (const [path, body] of [
        ['title.en', { slug: 'housing', title: words }],
        ['name.en', { code: 'hill', name: words }],
        ['title.en', { name: 'pet', type: 'enum', values: ['dog'], title: words }],
      ] as const) {
        const list = path === 'name.en' ? 'regions' : 'slug' in body ? 'topics' : 'attributes';
        const answer = await web.api('POST', `/${list}`, body);
        expect([answer.status, (answer.body.errors as { path: string }[])[0]?.path]).toEqual([400, path]);
      }
    },
  );
});
