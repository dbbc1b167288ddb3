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
});
