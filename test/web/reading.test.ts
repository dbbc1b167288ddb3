import { confirmPath, letterTo, signedInTo } from '../helpers/signed-in.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

let web: Web;
beforeEach(async () => {
  web = await startWeb();
});
afterEach(() => web.close());

const publish = async (content: Record<string, unknown>): Promise<string> => {
  const body = { summary: 'A summary.', language: 'en', topics: ['services'], ...content };
  const { id } = (await web.api('POST', '/items', body)).body as { id: string };
  expect((await web.api('POST', `/items/${id}/publish`)).status).toBe(202);
  return id;
};

describe('following a search', () => {
  beforeEach(async () => {
    await publish({ title: 'Water will be off', keywords: ['Water'], topics: ['services'] });
    await publish({ title: 'Water prices', topics: ['services', 'budgets'] });
    await publish({ title: 'A new well', summary: 'It gives water.', topics: ['services'] });
  });

  it('says what a follow of the words will match, and suggests the topics that were found', async () => {
    const { html } = await plainVisitor(web.url).get('/search?q=water');
    expect(html).toContain('words inside a notice do not count');
    expect(html).toContain('fits 1 of the 3 notices shown here');
    expect(html).toMatch(/name="q"[^>]+value="water" checked/);
    expect(html).toMatch(
      /name="also"[^>]+value="services"[\s\S]*3 of the 3[\s\S]*name="also"[^>]+value="budgets"[\s\S]*1 of the 3/,
    );
    expect(html).not.toMatch(/name="also"[^>]*checked/);
  });

  it('follows the words and each chosen topic as follows of their own', async () => {
    const visitor = plainVisitor(web.url);
    const query = '/follow?words=water&q=water&also=services&also=budgets';
    const form = await visitor.get(query);
    for (const words of ['Search: keyword “water”', 'Public services', 'Budgets and public funds'])
      expect(form.html).toContain(words);
    const action = /<form action="([^"]+)" method="post" novalidate/.exec(form.html)?.[1] ?? '';
    await visitor.send(action, { contact: 'email', email: 'li@example.org', pace: 'daily' });
    const path = await confirmPath(web, 'li@example.org');
    await visitor.get(path);
    const confirmed = await visitor.send(path, {});
    for (const words of ['keyword “water”', 'Public services', 'Budgets and public funds'])
      expect(confirmed.html).toContain(words);
  });

  it('does so at once for whoever is signed in', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org', { follow: [{ topic: 'policies' }] });
    await visitor.get('/follow?also=services&also=budgets&words=water');
    const done = await visitor.send('/follow?also=services&also=budgets', { contact: 'email', pace: 'weekly' });
    expect(done.path).toBe('/my?done=followed');
    const sources = (await web.town.subscriptions.person({ id }))?.follows.map(({ definition }) => definition.source);
    expect(sources?.sort()).toEqual(['budgets', 'policies', 'services'].map((slug) => `subscription:topic:${slug}`));
  });

  it('keeps to the topic that was searched in, and asks for a choice where there is none', async () => {
    const visitor = plainVisitor(web.url);
    const { html } = await visitor.get('/follow?words=water&within=budgets&q=water');
    expect(html).toContain('topic “Budgets and public funds”');
    const none = await visitor.get('/follow?words=water&within=budgets');
    expect(none.path).toBe('/search?q=water&topic=budgets&follow=none');
    expect(none.html).toContain('Choose at least one');
    expect((await visitor.get('/follow?also=nothing')).status).toBe(404);
    expect((await visitor.get('/follow')).status).toBe(404);
  });
});

describe('a notice', () => {
  it.each([
    ['See https://example.org/a?b=1&c=(2).', 'https://example.org/a?b=1&c=(2)'],
    ['(http://example.org/x)', 'http://example.org/x'],
    ['详见https://www.gov.cn/zhengce，或者来电', 'https://www.gov.cn/zhengce'],
    ['详见https://www.gov.cn查看', 'https://www.gov.cn'],
  ])('links what is a URL in %j', async (body, href) => {
    const id = await publish({ title: 'T', body });
    const { html } = await plainVisitor(web.url).get(`/items/${id}`);
    expect(html).toContain(`<a class="govuk-link" href="${href}" rel="nofollow noopener">${href}</a>`);
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'https://bank.example@evil.example/',
    'http://',
    'ftp://example.org/x',
    '"><a href="https:',
  ])('does not link %j', async (body) => {
    const id = await publish({ title: 'T', body });
    const { html } = await plainVisitor(web.url).get(`/items/${id}`);
    expect(html).not.toContain('rel="nofollow noopener"');
  });

  it('cannot break out of its link', async () => {
    const id = await publish({ title: 'T', body: 'https://example.org/"onmouseover="alert(1)' });
    const { text } = await web.call('GET', `/items/${id}`, { headers: { accept: 'text/html' } });
    expect(text).not.toContain('"onmouseover');
  });

  it.each([
    ['en', '1 December 2026 at 17:00 (UTC+8)'],
    ['zh-CN', '2026年12月1日 17:00（UTC+8）'],
  ])('says until when in the same words on its page and in the mail (%s)', async (locale, words) => {
    await signedInTo(web, 'li@example.org', { locale });
    const id = await publish({ title: 'Apply now', deadline: '2026-12-01T17:00:00+08:00' });
    expect((await plainVisitor(web.url, locale).get(`/items/${id}`)).html).toContain(words);
    expect(await letterTo(web, 'li@example.org')).toContain(words);
  });

  it('stands in the list of messages at the person’s own time', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    await web.api('PATCH', `/subscribers/${id}`, { timeZone: 'Europe/Paris' });
    await publish({ title: 'Apply now' });
    await web.town.drain();
    expect((await visitor.get('/my/messages')).html).toContain('10 June 2026 at 06:00 (UTC+2)');
  });
});

describe('the page of the code', () => {
  it('leads back to where a new one is asked for', async () => {
    const visitor = plainVisitor(web.url);
    await visitor.get('/follow?topic=services');
    const page = await visitor.send('/follow?topic=services', { contact: 'sms', phone: '13912345678', pace: 'daily' });
    expect(page.path).toBe('/code');
    expect(page.html).toMatch(/href="\/follow\?topic=services"[^>]*>[^<]*new code/);
    expect((await plainVisitor(web.url).get('/code')).html).toMatch(/href="\/topics"[^>]*>/);
  });
});
