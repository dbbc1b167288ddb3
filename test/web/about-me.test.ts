import { readOutbox } from '../../src/channels/outbox.ts';
import { type PlainVisitor, plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const follow = [{ topic: 'services' }];

describe('consent and facts on the pages', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb();
  });
  afterEach(() => web.close());

  const letter = async (to: string): Promise<string> => {
    await web.town.drain();
    return (await readOutbox(web.town.dataDir, { limit: 10 })).find((message) => message.to === to)?.text ?? '';
  };
  /** Asks for a sign-up and opens its link in a browser without scripts. */
  const atConfirmation = async (email: string, locale = 'en') => {
    await web.api('POST', '/subscriptions', { email, follow, locale }, null);
    const path = /\/confirm\/[\w.-]+/.exec(await letter(email))?.[0] ?? '';
    const visitor = plainVisitor(web.url, locale);
    return { visitor, path, page: await visitor.get(path) };
  };
  const signedIn = async (email = 'li@example.org', ticked = false, locale = 'en') => {
    const { visitor, path } = await atConfirmation(email, locale);
    await visitor.send(path, ticked ? { personalisation: 'yes' } : {});
    const file = JSON.parse((await visitor.get('/my/export')).html);
    return { visitor, id: String(file.person.id) };
  };
  const person = async (id: string) => {
    const found = await web.town.subscriptions.person({ id });
    if (!found) throw new Error(`there is no ${id}`);
    return found.person;
  };
  const publish = async (): Promise<string> => {
    const content = { title: 'Grants for tenants', summary: 'Apply in May.', language: 'en', topics: ['policies'] };
    const { id } = (await web.api('POST', '/items', content)).body as { id: string };
    await web.api('POST', `/items/${id}/publish`);
    return id;
  };
  const read = async (visitor: PlainVisitor, id: string, item: string): Promise<void> => {
    await visitor.get(`/items/${item}`);
    // the page does not wait for the record of its view
    for (let tries = 0; tries < 100 && (await web.town.profiles.interestsOf(id, 'en')).length === 0; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('asks with an empty box, in plain words, and GET changes nothing', async () => {
    const { page, path, visitor } = await atConfirmation('li@example.org');
    expect(page.html).toMatch(/<input[^>]+name="personalisation"[^>]+value="yes"/);
    expect(page.html).not.toMatch(/name="personalisation"[^>]*checked/);
    for (const words of ['What is kept', 'What for', 'For how long', '90 days', 'How to stop'])
      expect(page.html).toContain(words);
    await visitor.get(`${path}?personalisation=yes`);
    expect(web.rows('SELECT * FROM subscribers')).toEqual([]);
  });

  it('takes an empty box for no, and forgets nothing that was allowed before', async () => {
    const { id } = await signedIn();
    expect((await person(id)).consents).toEqual({ personalisation: false });
    await web.town.subscriptions.consent(id, { personalisation: true, wording: 'personalisation-2/en' });
    const { visitor, path } = await atConfirmation('li@example.org');
    await visitor.send(path, {});
    expect((await person(id)).consents.personalisation).toBe(true);
  });

  it.each(['en', 'zh-CN'])('keeps when, where and in which words consent was given (%s)', async (locale) => {
    const { id } = await signedIn('li@example.org', true, locale);
    const given = { at: web.town.now(), how: 'page', wording: `personalisation-2/${locale}` };
    expect((await person(id)).consents).toEqual({ personalisation: true, given });
    const { body } = await web.api('GET', `/subscribers/${id}`);
    expect(body.consents).toEqual({ personalisation: true });
  });

  it('asks on the page of the code too', async () => {
    await web.api('POST', '/subscriptions', { phone: '+8613912345678', follow }, null);
    const code = /\d{6}/.exec(await letter('+8613912345678'))?.[0] ?? '';
    const visitor = plainVisitor(web.url);
    expect((await visitor.get('/code')).html).not.toMatch(/name="personalisation"[^>]*checked/);
    await visitor.send('/code', { phone: '+8613912345678', code, personalisation: 'yes' });
    const { person } = JSON.parse((await visitor.get('/my/export')).html);
    expect(person.consents).toMatchObject({ personalisation: true, given: { how: 'page' } });
  });

  it('tells an API change from one on a page', async () => {
    const { id } = await signedIn();
    await web.api('PATCH', `/subscribers/${id}`, { consents: { personalisation: true } });
    expect((await person(id)).consents.given).toEqual({ at: web.town.now(), how: 'api', wording: null });
  });

  it.each(['/my/about', '/my/settings'])(
    'switches on and off at %s; off forgets what was concluded at once',
    async (home) => {
      const { visitor, id } = await signedIn();
      await visitor.get(home);
      const empty = await visitor.send('/my/consent', { back: home });
      expect([empty.path, (await person(id)).consents.personalisation]).toEqual([`${home}?done=not-ticked`, false]);
      expect(empty.html).toContain('Tick the box if you agree');
      const on = await visitor.send('/my/consent', { back: home, personalisation: 'yes' });
      expect(on.path).toBe(`${home}?done=consented`);
      expect(on.html).toContain('You allowed this on 10 June 2026.');
      expect(visitor.cookie('bellman-visitor')).toBeDefined();
      await read(visitor, id, await publish());
      expect(await web.town.profiles.interestsOf(id, 'en')).toMatchObject([{ topic: 'policies' }]);

      await visitor.get(home);
      web.town.pass(5_000);
      const off = await visitor.send('/my/consent/withdraw', { back: home });
      expect(off.path).toBe(`${home}?done=withdrawn`);
      const { consents } = await person(id);
      expect(consents).toMatchObject({ personalisation: false, given: { how: 'page' }, withdrawnAt: web.town.now() });
      expect(await web.town.profiles.interestsOf(id, 'en')).toEqual([]);
      expect(web.rows('SELECT * FROM browsing_events')).toEqual([]);
      expect(visitor.cookie('bellman-visitor')).toBeUndefined();
      await visitor.get('/search?q=budget');
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(web.rows('SELECT * FROM browsing_events')).toEqual([]);
    },
  );

  it('leads back to its own pages only', async () => {
    const { visitor } = await signedIn();
    await visitor.get('/my/about');
    const { path } = await visitor.send('/my/consent', { back: 'https://evil.example', personalisation: 'yes' });
    expect(path).toBe('/my/about?done=consented');
  });

  it('changes nothing without the form’s token, and nothing for a stranger', async () => {
    const { visitor, id } = await signedIn('li@example.org', true);
    await read(visitor, id, await publish());
    await visitor.get('/my/about');
    for (const [path, fields] of [
      ['/my/consent/withdraw', {}],
      ['/my/about/facts', { region: '110000' }],
      ['/my/about/interests/policies/delete', {}],
    ] as const)
      expect((await visitor.send(path, { ...fields, _csrf: 'guessed' })).status).toBe(403);
    expect(await person(id)).toMatchObject({ region: null, consents: { personalisation: true } });
    expect(await web.town.profiles.interestsOf(id, 'en')).toHaveLength(1);
    const stranger = plainVisitor(web.url);
    await stranger.get('/manage');
    for (const path of ['/my/consent', '/my/consent/withdraw', '/my/about/facts'])
      expect((await stranger.send(path, { personalisation: 'yes' })).path).toBe('/manage');
  });

  it('ties the browser of whoever consented when they come in, and unties it when they go', async () => {
    const { visitor } = await signedIn('li@example.org', true);
    expect(visitor.cookie('bellman-visitor')).toBeDefined();
    await visitor.get('/my/settings');
    await visitor.send('/sign-out', {});
    expect(visitor.cookie('bellman-visitor')).toBeUndefined();
    await visitor.get('/manage');
    await visitor.send('/manage', { address: 'li@example.org' });
    const link = /\/manage\/[\w.-]+/.exec(await letter('li@example.org'))?.[0] ?? '';
    await visitor.get(link);
    expect(visitor.cookie('bellman-visitor')).toBeUndefined();
    await visitor.send(link, {});
    expect(visitor.cookie('bellman-visitor')).toBeDefined();
    const other = await signedIn('no@example.org');
    expect(other.visitor.cookie('bellman-visitor')).toBeUndefined();
  });

  it('shows what is concluded with its reasons, and deletes one interest until they act on it again', async () => {
    const { visitor, id } = await signedIn('li@example.org', true);
    const item = await publish();
    await read(visitor, id, item);
    const page = await visitor.get('/my/about');
    expect(page.html).toContain('What we conclude');
    expect(page.html).toContain('Slight interest');
    expect(page.html).toContain('Grants for tenants');
    expect(page.html).toContain('You were last active here on 10 June 2026.');
    const file = JSON.parse((await visitor.get('/my/export')).html);
    expect(file.interests).toMatchObject([{ topic: 'policies' }]);
    const at = new Date(web.town.now()).toISOString();
    expect(file.events).toEqual([
      { kind: 'view', at, item, query: null, topics: ['policies'], hour: null, channel: null },
    ]);
    await visitor.get('/my/about');
    web.town.pass(1_000);
    const corrected = await visitor.send('/my/about/interests/policies', { strength: 'strong' });
    expect(corrected.html).toMatch(/Corrected\.[\s\S]*You said yourself on 10 June[\s\S]*value="strong" selected/);
    expect((await web.town.profiles.interestsOf(id, 'en'))[0]?.weight).toBeCloseTo(0.75, 5);
    expect((await visitor.send('/my/about/interests/policies', { strength: 'endless' })).status).toBe(400);
    await visitor.get('/my/about');
    const deleted = await visitor.send('/my/about/interests/policies/delete', {});
    expect(deleted.html).toContain('stays away until');
    expect(deleted.html).toContain('Nothing so far.');
    web.town.pass(1_000);
    await read(visitor, id, item);
    expect((await visitor.get('/my/about')).html).toContain('Slight interest');
  });

  it('asks for what is declared, in the visitor’s language, the office’s own attributes too', async () => {
    const title = { en: 'Pets', 'zh-CN': '宠物' };
    await web.api('POST', '/attributes', { name: 'pets', type: 'enum', values: ['cat', 'dog: small'], title });
    const { visitor, id } = await signedIn('li@example.org', false, 'zh-CN');
    const confirmed = await visitor.get('/confirmed');
    for (const words of ['出生年份', '教师', '有 6 岁以下儿童', '宠物', 'dog: small', '北京市', '时区'])
      expect(confirmed.html).toContain(words);
    const saved = await visitor.send('/my/about/facts', {
      region: '110000',
      timeZone: 'Europe/London',
      'fact-birthYear': '１９８４',
      'fact-occupation': ['teacher', 'other'],
      'fact-pets': 'dog: small',
    });
    expect(saved.path).toBe('/my/about?done=facts');
    for (const words of ['北京市', '1984', '教师、其他', 'dog: small']) expect(saved.html).toContain(words);
    expect(await person(id)).toMatchObject({
      region: '110000',
      timeZone: 'Europe/London',
      attributes: { birthYear: 1984, occupation: ['teacher', 'other'], pets: 'dog: small' },
    });
    const form = await visitor.get('/my/about/facts');
    expect(form.html).toMatch(/value="teacher" checked/);
    expect(form.html).toMatch(/value="110000" selected/);
  });

  it('asks for a place where the office does, and keeps no more of it than about a kilometre', async () => {
    await web.api('POST', '/attributes', { name: 'place', type: 'place', title: { en: 'A place', 'zh-CN': '地点' } });
    const { visitor, id } = await signedIn('place@example.org');
    expect((await visitor.get('/my/about/facts')).html).toContain('about a kilometre');
    const refused = await visitor.send('/my/about/facts', { 'fact-place': 'at home' });
    expect([refused.status, refused.html.includes('Enter latitude and longitude')]).toEqual([400, true]);
    expect(refused.html).toContain('value="at home"');
    await visitor.send('/my/about/facts', { 'fact-place': '30.023456, 113.131234' });
    expect((await person(id)).attributes).toEqual({ place: '30.02,113.13' });
  });

  it('takes back what is left empty, and leaves consent alone', async () => {
    const { visitor, id } = await signedIn('li@example.org', true);
    await visitor.get('/my/about/facts');
    await visitor.send('/my/about/facts', { region: '110000', 'fact-birthYear': '1984', 'fact-household': 'tenant' });
    await visitor.get('/my/about/facts');
    await visitor.send('/my/about/facts', { 'fact-birthYear': '', region: '', timeZone: '' });
    expect(await person(id)).toMatchObject({
      region: null,
      attributes: {},
      consents: { personalisation: true },
    });
  });

  it.each([
    [{ 'fact-birthYear': 'old' }, 'Enter a year with four digits'],
    [{ 'fact-birthYear': '3084' }, 'Enter a year with four digits'],
    [{ 'fact-occupation': ['teacher', 'pirate'] }, 'Choose from the list'],
    [{ region: '999999' }, 'Choose a region from the list'],
    [{ timeZone: 'Mars/Olympus' }, 'Choose from the list'],
  ])('names the fault of %j and keeps what was typed', async (fields, fault) => {
    const { visitor, id } = await signedIn();
    await visitor.get('/my/about/facts');
    const refused = await visitor.send('/my/about/facts', { 'fact-household': 'tenant', ...fields });
    expect(refused.status).toBe(400);
    expect(refused.html).toContain(fault);
    expect(refused.html).toMatch(/value="tenant" checked/);
    expect((await person(id)).attributes).toEqual({});
  });
});
