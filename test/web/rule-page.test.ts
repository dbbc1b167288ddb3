import { Readable } from 'node:stream';
import { signedInTo } from '../helpers/signed-in.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const rule = (changes: Record<string, unknown> = {}) => ({
  name: 'an inner name',
  explanation: { en: 'You live in Beijing & rent.', 'zh-CN': '您在北京租房居住。' },
  when: { item: 'topics', has: ['services'] },
  who: {
    all: [{ person: 'region', within: ['110000'] }, { not: { person: 'attributes.household', in: ['home-owner'] } }],
  },
  deliver: { channels: ['email', 'webPush'], pace: 'daily', priority: 5 },
  holdout: 0.1,
  tune: { weight: [0.5, 2] },
  ...changes,
});

describe('the public page of rules', () => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb({ env: { REVIEW: 'off' } });
  });
  afterAll(() => web.close());

  const seen = async (language = 'en') => (await plainVisitor(web.url, language).get('/rules')).html;
  const make = async (changes = {}) => {
    const id = String((await web.api('POST', '/rules', rule(changes))).body.id);
    await web.api('POST', `/rules/${id}/activate`);
    return id;
  };
  const people = async (from: number, count: number) => {
    const lines = Array.from({ length: count }, (_, n) =>
      JSON.stringify({
        ...{ externalId: `p-${from + n}`, email: `p${from + n}@example.org`, verified: true, region: '110000' },
        ...{ attributes: { household: ['tenant'] }, consents: { personalisation: true }, follow: [] },
      }),
    );
    const { imported } = await web.town.subscriptions.importPeople(Readable.from([Buffer.from(lines.join('\n'))]));
    expect(imported).toBe(count);
  };

  it('says in the reader’s language what active rules do, how, and by which facts; drafts are not there', async () => {
    expect(await seen()).toContain('No rule is active at the moment');
    await web.api('POST', '/rules', rule({ explanation: { en: 'A draft', 'zh-CN': '草案' } }));
    const id = await make();
    const page = await seen();
    for (const words of [
      ...['You live in Beijing & rent.', 'where you live, Household', 'Email, Browser notification · Daily'],
      ...['The notice is about “Public services”.', 'You live in Beijing.'],
      'You told us something other than “Household: ',
      ...['10 June 2026', '10%', 'within bounds', 'Reaches fewer than 10 people', `id="${id}"`],
    ])
      expect(page).toContain(words);
    expect(page).not.toContain('A draft');
    expect(page).not.toContain('an inner name');
    const chinese = await seen('zh-CN');
    expect(chinese).toContain('您在北京租房居住。');
    expect(chinese).toContain('目前覆盖不到 10 人');
    expect(chinese).toContain('信息属于“公共服务”。');
    expect(chinese).toContain('您所在地区为北京市。');
  });

  it('counts in tens, and not anew for each person who comes or goes', async () => {
    await people(0, 23);
    web.town.pass(11 * 60_000);
    await web.town.audienceIndex.follow();
    expect(await seen()).toContain('Reaches about 20 people now');
    await people(100, 30);
    await web.town.audienceIndex.follow();
    expect(await seen()).toContain('Reaches about 20 people now');
    web.town.pass(11 * 60_000);
    expect(await seen()).toContain('Reaches about 50 people now');
  });

  it('is where a message leads that a rule has sent', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org', { follow: [{ topic: 'budgets' }] });
    await web.api('PATCH', `/subscribers/${id}`, { region: '110000', attributes: { household: ['tenant'] } });
    await web.town.subscriptions.consent(id, { personalisation: true, wording: 'personalisation-2/en' });
    const content = { title: 'Grants', summary: 'x', language: 'en', topics: ['services'], regions: ['110000'] };
    const item = String((await web.api('POST', '/items', content)).body.id);
    await web.api('POST', `/items/${item}/publish`);
    await web.town.drain();
    const { html } = await visitor.get('/my/messages');
    expect(html).toMatch(/You live in Beijing[\s\S]*href="\/rules#[\w-]+"/);
  });

  it('stands while nothing can be counted', async () => {
    const other = await startWeb({
      services: {
        audience: {
          reach: async () => {
            const { AppError } = await import('../../src/errors.ts');
            throw new AppError('index-building', 'not yet');
          },
        } as never,
      },
      env: { REVIEW: 'off' },
    });
    const id = String((await other.api('POST', '/rules', rule())).body.id);
    await other.api('POST', `/rules/${id}/activate`);
    expect((await plainVisitor(other.url).get('/rules')).html).toContain('is being counted');
    await other.close();
  });
});
