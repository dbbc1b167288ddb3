import { totpCode } from '../../src/access/totp.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { type PlainVisitor, plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const password = 'four words are enough';
const boss = { email: 'boss@example.org', name: 'Boss', roles: ['admin' as const], departments: [] };
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

onEachEngine('the second step of signing in', ({ town }) => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb({ ...town, env: { STAFF_SECOND_STEP: 'required' } });
    const { id } = await web.town.access.addStaff(boss);
    await web.town.staff.setUp((await web.town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
  });
  afterEach(() => web.close());

  const signIn = async (visitor = plainVisitor(web.url)) => {
    await visitor.get('/staff/sign-in');
    return { visitor, page: await visitor.send('/staff/sign-in', { email: boss.email, password }) };
  };
  const offered = (html: string) => ({
    secret: (/class="bm-code">([^<]*)</.exec(html)?.[1] ?? '').replaceAll(' ', ''),
    sealed: /name="sealed" value="([^"]*)"/.exec(html)?.[1] ?? '',
  });
  const enrol = async () => {
    const { visitor, page } = await signIn();
    const { secret, sealed } = offered(page.html);
    const done = await visitor.send('/staff/second-step', { sealed, code: totpCode(secret, web.town.now()) });
    const codes = [...done.html.matchAll(/class="bm-code">([^<]*)</g)].map(([, code]) => code ?? '');
    return { visitor, secret, codes };
  };
  /** A fresh browser that has shown the password and is asked for the code. */
  const half = async (): Promise<PlainVisitor> => {
    const { visitor, page } = await signIn();
    expect(page.path).toBe('/staff/code');
    return visitor;
  };

  it('leads an account without one to set it up, shows nothing else before, and then asks for codes', async () => {
    const { visitor, page } = await signIn();
    expect(page.path).toBe('/staff/second-step');
    expect(page.html).not.toContain('Not now');
    for (const path of ['/staff', '/staff/people', '/staff/code'])
      expect((await visitor.get(path)).path).toBe('/staff/second-step');
    const { secret, sealed } = offered((await visitor.get('/staff/second-step')).html);
    const waiting = visitor.cookie('bellman-staff');
    const refused = await visitor.send('/staff/second-step', { sealed, code: '000000' });
    expect([refused.status, offered(refused.html).secret]).toEqual([400, secret]);
    const done = await visitor.send('/staff/second-step', { sealed, code: totpCode(secret, web.town.now()) });
    expect([done.status, done.html.includes('Keep your recovery codes')]).toEqual([200, true]);
    expect(visitor.cookie('bellman-staff')).not.toBe(waiting);
    expect((await visitor.get('/staff')).html).toContain('On, with 10 recovery codes left');
  });

  it('takes a code once, and none of an earlier step', async () => {
    const { secret } = await enrol();
    const used = totpCode(secret, web.town.now());
    const visitor = await half();
    expect((await visitor.get('/staff')).path).toBe('/staff/code');
    expect((await visitor.send('/staff/code', { code: used })).status).toBe(400);
    web.town.pass(minuteMs);
    const fresh = totpCode(secret, web.town.now());
    expect((await visitor.send('/staff/code', { code: ` ${fresh.slice(0, 3)} ${fresh.slice(3)}` })).path).toBe(
      '/staff',
    );
    const other = await half();
    expect((await other.send('/staff/code', { code: fresh })).status).toBe(400);
    expect((await other.send('/staff/code', { code: '' })).status).toBe(400);
  });

  it('takes each recovery code once, however it is typed', async () => {
    const { codes } = await enrol();
    expect(codes).toHaveLength(10);
    const [one = ''] = codes;
    const visitor = await half();
    expect((await visitor.send('/staff/code', { code: one.toLowerCase().replaceAll('-', ' ') })).path).toBe('/staff');
    expect((await visitor.get('/staff')).html).toContain('9 recovery codes left');
    expect((await (await half()).send('/staff/code', { code: one })).status).toBe(400);
  });

  it('stops guessing codes of an account, from however many browsers', async () => {
    const { secret } = await enrol();
    for (let n = 0; n < 10; n += 1)
      expect((await (await half()).send('/staff/code', { code: '000000' })).status).toBe(400);
    web.town.pass(minuteMs);
    const visitor = await half();
    expect((await visitor.send('/staff/code', { code: totpCode(secret, web.town.now()) })).status).toBe(429);
    const refused = (await web.town.stores.access.audit(1, 100)).filter(({ action }) => action === 'refuseCode');
    expect(refused).toHaveLength(10);
  });

  it('keeps neither the secret nor the codes in the clear', async () => {
    const { secret, codes } = await enrol();
    const account = await web.town.stores.staffSignIns.account({ email: boss.email });
    const kept = JSON.stringify(account);
    for (const text of [secret, ...codes, ...codes.map((code) => code.replaceAll('-', ''))])
      expect(kept).not.toContain(text);
    expect(account?.recovery).toHaveLength(10);
  });

  it('forgets a half sign-in after ten minutes, and what was offered to another account or long ago', async () => {
    const { page, visitor } = await signIn();
    const { secret, sealed } = offered(page.html);
    web.town.pass(10 * minuteMs);
    expect((await visitor.send('/staff/second-step', { sealed, code: '0' })).path).toBe('/staff/sign-in');
    web.town.pass(hourMs);
    await signIn(visitor);
    const late = await visitor.send('/staff/second-step', { sealed, code: totpCode(secret, web.town.now()) });
    expect([late.status, offered(late.html).secret === secret]).toEqual([400, false]);
  });

  it('is replaced only soon after a sign-in, and removed by the operator, which ends every session', async () => {
    const { visitor, secret } = await enrol();
    const again = offered((await visitor.get('/staff/second-step')).html);
    web.town.pass(11 * minuteMs);
    const stale = { sealed: again.sealed, code: totpCode(again.secret, web.town.now()) };
    expect((await visitor.send('/staff/second-step', stale)).path).toBe('/staff');
    const fresh = await half();
    await fresh.send('/staff/code', { code: totpCode(secret, web.town.now()) });
    const next = offered((await fresh.get('/staff/second-step')).html);
    const done = await fresh.send('/staff/second-step', { ...next, code: totpCode(next.secret, web.town.now()) });
    expect(done.html).toContain('Keep your recovery codes');
    expect((await visitor.get('/staff')).path).toBe('/staff/sign-in');
    await web.town.staff.removeSecondStep((await web.town.staff.byEmail(boss.email)).id);
    expect((await fresh.get('/staff')).path).toBe('/staff/sign-in');
    expect((await signIn()).page.path).toBe('/staff/second-step');
  });

  it('needs the token of its form, and a password link does not go round it', async () => {
    await enrol();
    const visitor = await half();
    expect((await visitor.send('/staff/code', { _csrf: 'x', code: '000000' })).status).toBe(403);
    const { id } = await web.town.staff.byEmail(boss.email);
    await web.town.staff.setUp((await web.town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
    expect((await visitor.get('/staff')).path).toBe('/staff/sign-in');
    expect((await signIn()).page.path).toBe('/staff/code');
  });
});

describe('where the second step is optional', () => {
  it('is on a site of this machine, and offered at home', async () => {
    const web = await startWeb();
    try {
      const { id } = await web.town.access.addStaff(boss);
      await web.town.staff.setUp((await web.town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
      const visitor = plainVisitor(web.url);
      await visitor.get('/staff/sign-in');
      const home = await visitor.send('/staff/sign-in', { email: boss.email, password });
      expect([home.path, home.html.includes('href="/staff/second-step"')]).toEqual(['/staff', true]);
      expect((await visitor.get('/staff/second-step')).html).toContain('Not now');
      expect((await plainVisitor(web.url).get('/staff/second-step')).path).toBe('/staff/sign-in');
      expect((await plainVisitor(web.url).get('/staff/code')).path).toBe('/staff/sign-in');
    } finally {
      await web.close();
    }
  });
});

describe('the first administrator', () => {
  it('makes their account by the link of the first start, once', async () => {
    const web = await startWeb();
    try {
      const link = new URL((await web.town.staff.firstLink()) ?? '').pathname;
      const [one, two] = [plainVisitor(web.url), plainVisitor(web.url)];
      expect((await two.get(link)).status).toBe(200);
      expect((await one.get(link)).html).toContain('Make the first account');
      expect((await one.send(link, { email: 'x', name: '', password })).status).toBe(400);
      expect((await one.send(link, { email: boss.email, name: 'Boss', password: 'short' })).status).toBe(400);
      const made = await one.send(link, { email: ' BOSS@example.org', name: 'Boss', password });
      expect(made.path).toBe('/staff/sign-in?done=set-up');
      expect((await one.send('/staff/sign-in', { email: boss.email, password })).html).toContain('Administrator');
      expect((await two.send(link, { email: 'eve@example.org', name: 'Eve', password })).status).toBe(410);
      expect(await web.town.staff.firstLink()).toBeNull();
      expect((await two.get(`${link}x`)).status).toBe(403);
    } finally {
      await web.close();
    }
  });
});
