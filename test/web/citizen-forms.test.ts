import { readOutbox } from '../../src/channels/outbox.ts';
import { locales, textIn } from '../../src/text.ts';
import { crawlCitizen, type FoundForm, formsOf } from '../helpers/crawl.ts';
import { letterTo, signedInTo } from '../helpers/signed-in.ts';
import { type PlainVisitor, plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const item = { title: 'Bus 12', summary: 'x', language: 'en', topics: ['services'] };

const publish = async (web: Web, more: object = {}): Promise<string> => {
  const { id } = (await web.api('POST', '/items', { ...item, ...more })).body;
  await web.api('POST', `/items/${id}/publish`);
  return String(id);
};

/** The first link of a letter to a path of the site. */
const linkIn = (letter: string, path: string): string => new RegExp(`/${path}/[\\w.~-]+`).exec(letter)?.[0] ?? '';

/** Somebody with one of everything, and the links that their letters hold. */
const settle = async (web: Web, language: string): Promise<{ visitor: PlainVisitor; links: string[] }> => {
  const email = 'li@example.org';
  const { visitor } = await signedInTo(web, email, { locale: language });
  await visitor.get('/my/about');
  await visitor.send('/my/consent', { back: '/my/about', personalisation: 'yes' });
  const id = await publish(web);
  const told = await letterTo(web, email);
  await visitor.get(`/items/${id}`);
  await web.api('POST', '/subscriptions', { email: 'new@example.org', follow: [{ topic: 'budgets' }] }, null);
  const confirm = linkIn(await letterTo(web, 'new@example.org'), 'confirm');
  await visitor.get('/my/settings');
  await visitor.send('/my/addresses', { address: 'other@example.org' });
  const another = linkIn(await letterTo(web, 'other@example.org'), 'confirm');
  await visitor.get('/manage');
  await visitor.send('/manage', { address: email });
  const manage = linkIn(await letterTo(web, email), 'manage');
  const [stop, say] = [linkIn(told, 'u'), linkIn(told, 'f')];
  const links = [confirm, another, manage, stop, say, `${say}/rating-4`, `${say}/too-many/thanks`];
  const more = ['/my/addresses/code', `/follow?item=${id}`, '/follow?q=bus', '/my/erase'];
  return { visitor, links: [...links, ...more] };
};

/** What begins the title of a page with faults, in each language. */
const prefixes = new RegExp(`<title>(${locales.map((locale) => textIn(locale)('fault.prefix')).join('|')})`);
/** Not pressed on the walk: they end the session that it needs. */
const ends = /sign-out$|my\/erase$/;
const idsOf = (html: string): Set<string> => new Set([...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id ?? ''));
const nonsense = 'nonsense "<b';

describe.each(['en', 'zh-CN'])('every form of citizens, found by walking all pages (%s)', (language) => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb({ rateLimits: { send: 10_000, guess: 10_000 } });
  }, 60_000);
  afterAll(() => web.close());

  const judge = (form: FoundForm, sent: Record<string, string>, { status, html }: { status: number; html: string }) => {
    if (status >= 500) return [String(status)];
    if (status < 400) return [];
    // a choice that no browser offers is told as what it is: a form that somebody altered
    if (!html.includes(`action="${form.action}"`))
      return status === 400 && form.chosen.length > 0 ? [] : [`${status} without the form`];
    const named = [...html.matchAll(/<a href="#([^"]*)"/g)]
      .map(([, id]) => id ?? '')
      .filter((id) => id !== 'main-content');
    const there = idsOf(html);
    return [
      ...(html.includes('govuk-error-summary') && named.length > 0 ? [] : [`${status} without a summary of faults`]),
      ...named.filter((id) => !there.has(id)).map((id) => `the summary leads to #${id}, which is not there`),
      ...(prefixes.test(html) ? [] : ['the title does not say that there is a fault']),
      ...form.typed.filter((name) => sent[name] && !html.includes(sent[name])).map((name) => `${name} is not kept`),
    ];
  };

  it('names its faults in a summary that leads to each, keeps what was typed, and does no harm when it is sent twice', async () => {
    const { visitor, links } = await settle(web, language);
    const stranger = plainVisitor(web.url, language);
    const wrong: string[] = [];
    let count = 0;
    for (const [who, from] of [
      [stranger, []],
      [visitor, links],
    ] as const) {
      const forms = (await crawlCitizen(who, [...from])).flatMap(formsOf).filter(({ action }) => !ends.test(action));
      count += forms.length;
      for (const form of forms) {
        const { _csrf: _token, ...blank } = form.blank;
        const bad = Object.fromEntries([...form.typed, ...form.chosen].map((name) => [name, nonsense]));
        const badlyTyped = Object.fromEntries(form.typed.map((name) => [name, nonsense]));
        for (const sent of [blank, { ...blank, ...badlyTyped }, { ...blank, ...bad }])
          for (let times = 0; times < 2; times++) {
            await who.get('/manage');
            const answer = await who.send(form.action, sent);
            wrong.push(
              ...judge(form, sent, answer).map(
                (what) => `${form.page} -> ${form.action} ${JSON.stringify(sent)}: ${what}`,
              ),
            );
          }
      }
    }
    expect(count).toBeGreaterThan(25);
    expect([...new Set(wrong)]).toEqual([]);
  }, 120_000);
});

describe('forms of citizens', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb({ rateLimits: { send: 10_000, guess: 10_000 } });
  });
  afterEach(() => web.close());

  const count = (table: string): number => Number(web.rows(`SELECT count(*) AS n FROM ${table}`)[0]?.n);
  /** What a form leaves behind: rows that people see, and letters. */
  const left = async (): Promise<Record<string, number> & { letters: number }> => {
    await web.town.drain();
    const tables = ['subscribers', 'subscriptions', 'addresses', 'sign_ups', 'opinions', 'feedback'];
    const letters = (await readOutbox(web.town.dataDir, { limit: 1_000 })).length;
    return { letters, ...Object.fromEntries(tables.map((table) => [table, count(table)])) };
  };
  const summary = (html: string): string[] =>
    [...(/govuk-error-summary__list[\s\S]*?<\/ul>/.exec(html)?.[0] ?? '').matchAll(/href="#([^"]*)"/g)].map(
      ([, id]) => id ?? '',
    );

  it('name all faults at once and keep what was typed', async () => {
    const stranger = plainVisitor(web.url);
    await stranger.get('/follow?topic=services');
    const signUp = { contact: 'email', email: 'x@y..z', phone: '12', pace: 'hourly', region: 'Oz' };
    const refused = await stranger.send('/follow?topic=services', signUp);
    expect([refused.status, summary(refused.html).sort()]).toEqual([400, ['email', 'pace', 'region']]);
    for (const typed of ['x@y..z', '12']) expect(refused.html).toContain(`value="${typed}"`);
    const bySms = await stranger.send('/follow?topic=services', { contact: 'sms', phone: '', region: 'Oz' });
    expect(summary(bySms.html).sort()).toEqual(['phone', 'region']);

    await web.api('POST', '/attributes', { name: 'place', type: 'place', title: { en: 'Home', 'zh-CN': '家' } });
    const { visitor } = await signedInTo(web, 'li@example.org');
    const item = await publish(web);
    const told = linkIn(await letterTo(web, 'li@example.org'), 'f');
    const cases: [string, string, Record<string, string>, string[]][] = [
      [
        '/my/settings',
        '/my/settings',
        { from: '22', to: '', region: 'Oz', digestHour: '8' },
        ['region', 'from', 'to', 'digestHour'],
      ],
      [
        '/my/about/facts',
        '/my/about/facts',
        { region: 'Oz', timeZone: 'Mars', 'fact-birthYear': 'old', 'fact-place': 'there' },
        ['region', 'timeZone', 'fact-birthYear', 'fact-place'],
      ],
      [`/items/${item}`, `/items/${item}/opinions`, { kind: '', text: '长'.repeat(9_000) }, ['kind', 'text']],
      [told, told, { kind: '', comment: '长'.repeat(9_000), asks: 'question' }, ['kind', 'comment']],
      [`${told}/rating-3`, told, { kind: 'rating', rating: '', asks: 'question' }, ['rating', 'comment']],
      ['/code', '/code', { phone: '', code: '' }, ['phone', 'code']],
    ];
    for (const [page, action, fields, named] of cases) {
      await visitor.get(page);
      const { status, html } = await visitor.send(action, fields);
      expect([page, status, summary(html).sort()]).toEqual([page, 400, named.toSorted()]);
      for (const [name, typed] of Object.entries(fields))
        if (!/region|timeZone|from|digestHour|kind|asks/.test(name))
          expect([page, html.includes(typed)]).toEqual([page, true]);
    }
  });

  it('sent twice leave what they leave when they are sent once', async () => {
    const stranger = plainVisitor(web.url);
    const twice = async (who: PlainVisitor, page: string, action: string, fields: Record<string, string>) => {
      await who.get(page);
      const first = await who.send(action, fields);
      const after = await left();
      // the back button shows the page as it was, with its token
      const token = who.cookie('bellman-csrf')
        ? web.town.keyring.sign('csrf', who.cookie('bellman-csrf') ?? '', 16)
        : '';
      const second = await who.send(action, { ...fields, _csrf: token.toString('base64url') });
      expect([action, second.status, second.path]).toEqual([action, first.status, first.path]);
      expect([action, await left()]).toEqual([action, after]);
      return second;
    };
    const asked = { contact: 'email', email: 'new@example.org', pace: 'immediate', region: '' };
    await twice(stranger, '/follow?topic=services', '/follow?topic=services', asked);
    const confirm = linkIn(await letterTo(web, 'new@example.org'), 'confirm');
    await twice(stranger, confirm, confirm, { personalisation: 'yes' });
    await twice(stranger, '/follow?topic=budgets', '/follow?topic=budgets', {
      contact: 'email',
      pace: 'daily',
      region: '',
    });
    await twice(stranger, '/my/settings', '/my/addresses', { address: '139 1234 5678' });
    const code = /\d{6}/.exec(await letterTo(web, '+8613912345678'))?.[0] ?? '';
    await twice(stranger, '/my/addresses/code', '/my/addresses/code', { phone: '139 1234 5678', code });
    const id = await publish(web);
    const words = { kind: 'question', text: 'Since when?' };
    await twice(stranger, `/items/${id}`, `/items/${id}/opinions`, words);
    const told = await letterTo(web, 'new@example.org');
    const [say, stop] = [linkIn(told, 'f'), linkIn(told, 'u')];
    await twice(stranger, say, say, { kind: 'complaint', comment: 'Too long', asks: 'opinion' });
    await twice(stranger, say, `${say}/daily`, {});
    const [follow = ''] = /\/my\/follows\/[\w-]+/.exec((await stranger.get('/my')).html) ?? [];
    await twice(stranger, '/my', follow, { pace: 'weekly' });
    const page = (await stranger.get('/my/settings')).html;
    const changed = /\/my\/addresses\/[\w-]+\/change/.exec(page)?.[0] ?? '';
    await twice(stranger, changed, changed, { address: 'newer@example.org' });
    const newer = linkIn(await letterTo(web, 'newer@example.org'), 'confirm');
    await stranger.get(newer);
    await stranger.send(newer, {});
    const gone = await stranger.send(changed, { address: 'newer@example.org' });
    expect([gone.path, gone.html]).toEqual([
      '/my/settings?done=address-gone',
      expect.stringContaining('no longer there'),
    ]);
    const phone = /\/my\/addresses\/[\w-]+\/remove/.exec(gone.html)?.[0] ?? '';
    await twice(stranger, '/my/settings', phone, {});
    await twice(stranger, '/manage', '/manage', { address: 'newer@example.org' });
    const manage = linkIn(await letterTo(web, 'newer@example.org'), 'manage');
    await twice(stranger, manage, manage, {});
    await twice(stranger, '/my/about', '/my/consent/withdraw', { back: '/my/about' });
    await twice(stranger, '/my', `${follow}/stop`, {});
    await stranger.get('/my/stop');
    const stopped = await stranger.send(follow, { pace: 'daily' });
    expect([stopped.path, stopped.html]).toEqual(['/my?done=gone', expect.stringContaining('no longer follow')]);
    await twice(stranger, stop, `${stop}/stop`, { what: 'everything' });
    await twice(stranger, '/my/stop', '/my/stop', {});
    await twice(stranger, '/my/erase', '/my/erase', {});
    const stay = linkIn(await letterTo(web, 'newer@example.org'), 'stay');
    await twice(stranger, stay, stay, {});
    await twice(stranger, manage, manage, {});
    await twice(stranger, '/my/settings', '/sign-out', {});
  });

  it('asked again a minute later, send another letter', async () => {
    const stranger = plainVisitor(web.url);
    const ask = async (address: string) => {
      await stranger.get('/manage');
      await stranger.send('/manage', { address });
      return (await left()).letters;
    };
    await signedInTo(web, 'li@example.org');
    const before = (await left()).letters;
    expect(await ask('li@example.org')).toBe(before + 1);
    expect(await ask('li@example.org')).toBe(before + 1);
    web.town.pass(60_001);
    expect(await ask('li@example.org')).toBe(before + 2);
  });

  it('give words back that are too many for a day, or whose form has run out', async () => {
    const { visitor } = await signedInTo(web, 'li@example.org');
    const id = await publish(web);
    const write = async (text: string, more = {}) => {
      await visitor.get(`/items/${id}`);
      return visitor.send(`/items/${id}/opinions`, { kind: 'question', text, ...more });
    };
    for (let n = 0; n < 10; n++) expect((await write(`Number ${n}?`)).status).toBe(200);
    expect((await write('Number 9?')).status).toBe(200);
    const refused = await write('One too many?');
    expect([refused.status, summary(refused.html)]).toEqual([429, ['text']]);
    expect(refused.html).toContain('>One too many?</textarea>');
    const old = await write('Words of an old form', { _csrf: 'of yesterday' });
    expect([old.status, old.html]).toEqual([403, expect.stringContaining('>Words of an old form</textarea>')]);
    expect(count('opinions')).toBe(10);
  });
});
