import { readOutbox } from '../../src/channels/outbox.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const password = 'four words are enough';
const boss = { email: 'boss@example.org', name: 'Boss', roles: ['admin'], departments: ['Water office'] };

describe('staff pages', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb();
  });
  afterEach(() => web.close());

  /** Adds an account over the API and sets its password by the link that was mailed. */
  const addStaff = async (account = boss): Promise<string> => {
    const { status, body } = await web.api('POST', '/staff', account);
    expect([status, body]).toMatchObject([201, { email: account.email, roles: account.roles }]);
    expect(Object.keys(body).sort()).toEqual(['createdAt', 'departments', 'email', 'id', 'name', 'roles']);
    await web.town.drain();
    const [mail] = await readOutbox(web.town.dataDir, { limit: 1 });
    expect(mail?.to).toBe(account.email);
    const path = /\/staff\/set-up\/[\w.~-]+/.exec(mail?.text ?? '')?.[0] ?? '';
    const visitor = plainVisitor(web.url);
    expect((await visitor.get(path)).html).toContain(account.email);
    expect((await visitor.send(path, { password: 'too short' })).status).toBe(400);
    expect((await visitor.send(path, { password })).path).toBe('/staff/sign-in?done=set-up');
    expect((await visitor.get(path)).status).toBe(410);
    return String(body.id);
  };
  const signIn = async (email = boss.email, secret = password) => {
    const visitor = plainVisitor(web.url);
    await visitor.get('/staff/sign-in');
    return { visitor, page: await visitor.send('/staff/sign-in', { email, password: secret }) };
  };

  it('says who is signed in, with their roles, and sends everybody else to sign in', async () => {
    await addStaff();
    for (const path of ['/staff', '/staff/people']) {
      const page = await plainVisitor(web.url).get(path);
      expect([page.path, page.html.includes('Staff sign-in')]).toEqual(['/staff/sign-in', true]);
    }
    const { page, visitor } = await signIn();
    expect(page.path).toBe('/staff');
    for (const words of ['Hello, Boss', 'Administrator', 'Water office']) expect(page.html).toContain(words);
    expect(page.headers.get('cache-control')).toBe('private, no-store');
    expect((await visitor.get('/staff/sign-in')).path).toBe('/staff');
  });

  it('keeps the session in a cookie that no script reads, of this host alone where the site is https', async () => {
    await addStaff();
    const visitor = plainVisitor(web.url);
    const { html } = await visitor.get('/staff/sign-in');
    const token = /name="_csrf" value="([^"]*)"/.exec(html)?.[1] ?? '';
    const answer = await web.call('POST', '/staff/sign-in', {
      headers: { cookie: `bellman-csrf=${visitor.cookie('bellman-csrf')}` },
      body: new URLSearchParams({ _csrf: token, email: boss.email, password }),
    });
    expect(answer.headers.getSetCookie().at(-1)).toMatch(
      /^bellman-staff=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const secure = await startWeb({ env: { PUBLIC_URL: 'https://bellman.example' } });
    try {
      const { status, headers } = await secure.call('GET', '/staff/sign-in');
      expect([status, headers.get('set-cookie')]).toEqual([
        200,
        expect.stringMatching(/^__Host-bellman-csrf=[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
      ]);
    } finally {
      await secure.close();
    }
  });

  it('answers a wrong password and an unknown address with the same page', async () => {
    await addStaff();
    const pages = await Promise.all(
      [boss.email, 'nobody@example.org'].map(async (email) => {
        const { status, html } = (await signIn(email, 'a wrong password')).page;
        const same = html.replaceAll(email, 'EMAIL').replace(/name="_csrf" value="[^"]*"/g, '');
        return { status, same };
      }),
    );
    expect(pages[0]).toEqual(pages[1]);
    expect(pages[0]).toMatchObject({ status: 400, same: expect.stringContaining('password is wrong') });
    expect(pages[0]?.same).not.toContain('a wrong password');
  });

  it('refuses every form without its token', async () => {
    await addStaff();
    const link = new URL(await web.town.staff.setUpLink((await web.town.staff.byEmail(boss.email)).id)).pathname;
    const { visitor } = await signIn();
    for (const path of ['/staff/sign-in', '/staff/sign-out', '/staff/people', link]) {
      await visitor.get('/staff');
      const refused = await visitor.send(path, { _csrf: 'guessed', email: boss.email, password, who: 'x' });
      expect([path, refused.status]).toEqual([path, 403]);
    }
    expect((await visitor.get('/staff')).path).toBe('/staff');
    expect((await signIn()).page.path).toBe('/staff');
  });

  it('ends a session when it is signed out, ended everywhere, or twelve hours old', async () => {
    await addStaff();
    const [one, two, three] = [await signIn(), await signIn(), await signIn()].map(({ visitor }) => visitor);
    const stolen = one?.cookie('bellman-staff') ?? '';
    expect(stolen).toMatch(/^[\w-]{43}$/);
    await one?.send('/staff/sign-out', {});
    expect(one?.cookie('bellman-staff')).toBeUndefined();
    one?.setCookie('bellman-staff', stolen);
    expect((await one?.get('/staff'))?.path).toBe('/staff/sign-in');
    expect((await two?.get('/staff'))?.path).toBe('/staff');
    await two?.send('/staff/sign-out', { what: 'everywhere' });
    expect((await three?.get('/staff'))?.path).toBe('/staff/sign-in');
    const { visitor } = await signIn();
    web.town.pass(12 * 3_600_000);
    expect((await visitor.get('/staff')).path).toBe('/staff/sign-in');
  });

  it('a new sign-in ends the session that the browser had', async () => {
    await addStaff();
    const { visitor } = await signIn();
    const before = visitor.cookie('bellman-staff') ?? '';
    const page = await visitor.get('/about');
    expect(page.status).toBe(200);
    const fresh = plainVisitor(web.url);
    await fresh.get('/staff/sign-in');
    fresh.setCookie('bellman-staff', before);
    await fresh.send('/staff/sign-in', { email: boss.email, password });
    expect(fresh.cookie('bellman-staff')).not.toBe(before);
    expect((await visitor.get('/staff')).path).toBe('/staff/sign-in');
  });

  it('stops guessing at one address, and from one place', async () => {
    await addStaff();
    for (let n = 0; n < 10; n += 1) expect((await signIn(boss.email, 'wrong')).page.status).toBe(400);
    const stopped = (await signIn()).page;
    expect([stopped.status, stopped.headers.get('retry-after')]).toEqual([429, '900']);
    expect(stopped.html).toContain('Too many tries');
    // twelve failed so far from this one place: the password that was too short, ten wrong ones, one refused
    for (let n = 0; n < 18; n += 1) expect((await signIn(`x${n}@example.org`, 'wrong')).page.status).toBe(400);
    expect((await signIn('another@example.org', 'wrong')).page.status).toBe(429);
  });

  it('shows one person to an admin, what the API shows, and writes who looked into the audit log', async () => {
    const id = await addStaff();
    await web.town.people([
      {
        externalId: 'citizen-1',
        email: 'zhang@example.org',
        verified: true,
        region: '110000',
        attributes: { birthYear: 1984, household: ['tenant'] },
        consents: { personalisation: true },
        follow: [{ topic: 'services' }],
      },
    ]);
    const person = await web.town.subscriptions.person({ externalId: 'citizen-1' });
    const { visitor } = await signIn();
    const before = (await web.town.stores.access.audit(1, 100)).length;
    for (const who of ['citizen-1', person?.person.id ?? '']) {
      await visitor.get('/staff/people');
      const { status, html } = await visitor.send('/staff/people', { who });
      expect(status).toBe(200);
      for (const words of ['citizen-1', 'z…@example.org', 'Beijing', '1984', 'We rent our home', 'Public services'])
        expect(html).toContain(words);
      expect(html).toContain('with an import');
      expect(html).not.toContain('zhang@example.org');
    }
    const entries = (await web.town.stores.access.audit(before + 1, 10)).map(({ actor, action, subject }) => ({
      actor,
      action,
      subject,
    }));
    const entry = { actor: id, action: 'getPerson', subject: person?.person.id };
    expect(entries).toEqual([entry, entry]);
    const missing = await visitor.send('/staff/people', { who: 'zhang@example.org' });
    expect([missing.status, missing.html.includes('There is nobody with this id')]).toEqual([404, true]);
    expect((await visitor.send('/staff/people', { who: '' })).status).toBe(400);
  });

  it('keeps the page of people from every other role', async () => {
    await addStaff({ ...boss, email: 'pub@example.org', roles: ['publisher', 'reviewer', 'analyst'] });
    const { visitor, page } = await signIn('pub@example.org');
    expect(page.html).not.toContain('/staff/people');
    const refused = await visitor.get('/staff/people');
    expect([refused.status, refused.html.includes('not for your account')]).toEqual([403, true]);
    await visitor.get('/staff');
    expect((await visitor.send('/staff/people', { who: 'x' })).status).toBe(403);
  });

  it.each(['/staff/set-up/nonsense', '/staff/set-up/a~0.zzzzzz.aaaaaaaaaaaaaaaaaaaaaa'])(
    '%s is a page that says so',
    async (path) => {
      const page = await plainVisitor(web.url).get(path);
      expect([page.status, page.html.includes('This link does not work')]).toEqual([403, true]);
    },
  );

  it('speaks the language of its reader', async () => {
    await addStaff();
    const visitor = plainVisitor(web.url, 'zh-CN');
    expect((await visitor.get('/staff/sign-in')).html).toContain('工作人员登录');
    const home = await visitor.send('/staff/sign-in', { email: boss.email, password });
    expect(home.html).toContain('Boss，您好');
    expect(home.html).toContain('管理员');
  });
});
