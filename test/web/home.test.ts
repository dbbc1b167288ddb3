import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const dayMs = 86_400_000;

describe('the front page', () => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb({ env: { REVIEW: 'off' } });
  });
  afterAll(() => web.close());

  const publish = async (topics: string[]): Promise<string> => {
    const content = { title: 'x', summary: 'x', language: 'en', topics };
    const { id } = (await web.api('POST', '/items', content)).body as { id: string };
    await web.api('POST', `/items/${id}/publish`);
    return id;
  };
  /** What stands on the card of a topic. */
  const card = async (title: string, language = 'en'): Promise<string> => {
    const { html } = await plainVisitor(web.url, language).get('/');
    const cards = html.split('<li class="bm-topic">').slice(1);
    return cards.find((one) => one.includes(title))?.split('</li>')[0] ?? '';
  };

  it('says of each topic how many follow and what is new this week, with what lies below it', async () => {
    const water = { slug: 'water', title: { en: 'Water', 'zh-CN': '供水' }, parent: 'services' };
    await web.api('POST', '/topics', water);
    expect(await card('Public services')).toContain('Nobody follows this yet');
    expect(await card('Public services')).not.toContain('this week');
    await publish(['services', 'water']);
    expect(await card('Public services')).toContain('1 new or corrected this week');
    const second = await publish(['water']);
    expect(await card('Public services')).toContain('2 new or corrected this week');
    expect(await card('公共服务', 'zh-CN')).toContain('本周新发布或更正 2 条');
    expect(await card('Budgets')).not.toContain('this week');
    await web.api('POST', `/items/${second}/withdraw`, { note: 'wrong', notify: false });
    expect(await card('Public services')).toContain('1 new or corrected this week');
    web.town.pass(8 * dayMs);
    expect(await card('Public services')).not.toContain('this week');
  });
});
