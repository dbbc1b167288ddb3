import { roles } from '../../src/access/access-store.ts';
import { locales, textIn } from '../../src/text.ts';
import { crawlStaff, type FoundForm, formsOf } from '../helpers/crawl.ts';
import { staffVisitor } from '../helpers/staff-visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const source = 'https://office.example.org/atom.xml';

/** A town with one of everything, so that every kind of page has something to link to. */
const furnish = async (web: Web): Promise<void> => {
  const item = { title: 'Bus 12', summary: 'x', language: 'en', topics: ['services'] };
  const ids = [];
  for (let n = 0; n < 2; n++) ids.push(String((await web.api('POST', '/items', item)).body.id));
  await web.api('POST', `/items/${ids[0]}/publish`);
  await web.api('POST', '/rules', {
    ...{
      name: 'r',
      explanation: { en: 'e', 'zh-CN': 'z' },
      when: { all: [] },
      who: { person: 'follows', topic: 'services' },
    },
    deliver: { channels: ['email'], pace: 'daily', priority: 5 },
  });
  await web.api('POST', '/webhooks', { url: 'https://desk.example.org/x', events: ['push.done'] });
  await web.api('POST', '/sources', { url: source, topics: ['services'] });
  const applicant = { email: 'a@example.org' };
  await web.api('POST', '/applications', { applicant, text: 'Why?', receivedAt: '2026-06-01T08:00:00Z' });
  await web.town.people([{ externalId: 'p', email: 'p@example.org', verified: true, follow: [{ topic: 'services' }] }]);
  await web.town.drain();
};

/** What begins the title of a page with faults, in each language. */
const prefixes = new RegExp(`<title>(${locales.map((locale) => textIn(locale)('fault.prefix')).join('|')})`);
/** Not pressed here: it ends the session that the test needs. */
const ends = /sign-out$/;
const idsOf = (html: string): Set<string> => new Set([...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id ?? ''));

describe.each(['en', 'zh-CN'])('every form of staff, found by walking all pages (%s)', (language) => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb({ rateLimits: { send: 10_000, guess: 10_000 } });
    await furnish(web);
  }, 60_000);
  afterAll(() => web.close());

  it('names its faults in a summary that leads to each, and does no harm when it is sent twice', async () => {
    const visitor = await staffVisitor(web, { name: 'Li', roles: [...roles], language });
    const forms = (await crawlStaff(visitor)).flatMap(formsOf).filter(({ action }) => !ends.test(action));
    expect(forms.length).toBeGreaterThan(20);
    const wrong: string[] = [];
    const judge = (form: FoundForm, status: number, html: string): void => {
      const say = (what: string) => wrong.push(`${form.page} -> ${form.action}: ${what}`);
      if (status >= 500) return void say(String(status));
      if (status < 400 || !html.includes(`action="${form.action}"`)) return;
      const named = [...html.matchAll(/<a href="#([^"]*)"/g)]
        .map(([, id]) => id ?? '')
        .filter((id) => id !== 'main-content');
      if (!html.includes('govuk-error-summary') || named.length === 0) say(`${status} without a summary of faults`);
      const there = idsOf(html);
      for (const id of named) if (!there.has(id)) say(`the summary leads to #${id}, which is not there`);
      if (!prefixes.test(html)) say('the title does not say that there is a fault');
    };
    for (const form of forms) {
      // whatever its button says; an empty form is what nobody meant to send
      const button = form.buttons.find(([, value]) => ['save', 'send', 'test'].includes(value));
      const fields = { ...form.blank, ...(button ? { [button[0]]: button[1] } : {}) };
      for (let times = 0; times < 2; times++) {
        await visitor.get('/staff');
        const { _csrf: _token, ...sent } = fields as Record<string, string>;
        const { status, html } = await visitor.send(form.action, sent);
        judge(form, status, html);
      }
    }
    expect([...new Set(wrong)]).toEqual([]);
  }, 240_000);
});

describe('a form of staff that makes something, pressed twice at once', () => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb({ rateLimits: { send: 10_000, guess: 10_000 } });
  }, 60_000);
  afterAll(() => web.close());

  const count = (table: string): number => Number(web.rows(`SELECT count(*) AS n FROM ${table}`)[0]?.n);
  const item = { language: 'en', 'title-en': 'Bus 12', 'summary-en': 'x', topics: 'services', visibility: 'public' };
  const words = { name: 'r', 'explanation-en': 'e', 'explanation-zh-CN': 'z' };
  const of = (group: string) => ({ [`${group}.kind`]: 'all', [`${group}.count`]: '1', [`${group}.0.values`]: 'named' });
  const who = { 'who.0.about': 'person.region', 'who.0.text': 'Beijing' };
  const when = { 'when.0.about': 'item.topics', 'when.0.text': 'Public services' };
  const deliver = { pace: 'daily', priority: '5', 'channel-0': 'email' };
  const rule = { ...words, ...of('who'), ...of('when'), ...who, ...when, ...deliver };
  const forms: [string, string, string, Record<string, string>][] = [
    ['/staff/items/new', '/staff/items/new', 'items', { ...item, 'title-zh-CN': '12', 'summary-zh-CN': 'x' }],
    ['/staff/rules/new', '/staff/rules/new', 'rules', { ...rule, do: 'save' }],
    [
      ...(['/staff/applications/new', '/staff/applications/new', 'applications'] as const),
      { who: 'wang@example.org', text: 'Why?', receivedOn: '2026-06-01' },
    ],
    [
      ...(['/staff/admin/webhooks', '/staff/admin/webhooks', 'webhooks'] as const),
      { url: 'https://desk.example.org/x', events: 'push.done' },
    ],
    ['/staff/admin/keys', '/staff/admin/keys', 'api_keys', { scopes: 'publish', life: '30' }],
  ];

  it.each(forms)('%s', async (page, action, table, fields) => {
    const visitor = await staffVisitor(web, { name: `Wu-${table}`, roles: ['admin', 'publisher'] });
    const { html } = await visitor.get(page);
    const once = /name="once" value="([^"]+)"/.exec(html)?.[1] ?? '';
    const sent = { ...fields, once, ...(table === 'api_keys' ? { staff: visitor.id } : {}) };
    const before = count(table);
    const answers = await Promise.all([visitor.send(action, sent), visitor.send(action, sent)]);
    expect(answers.map(({ status }) => status).filter((status) => status >= 500)).toEqual([]);
    expect(count(table)).toBe(before + 1);
    const token = /name="_csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
    const again = await visitor.send(action, { ...sent, _csrf: token });
    expect([again.status < 400, count(table)]).toEqual([true, before + 1]);
    const secret = /<code[^>]*>([^<]+)<\/code>/;
    if (secret.test(again.html))
      expect(answers.some(({ html }) => secret.exec(html)?.[1] === secret.exec(again.html)?.[1])).toBe(true);
  });
});
