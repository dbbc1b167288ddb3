import type { Role } from '../../src/access/access-store.ts';
import type { PlainVisitor } from '../helpers/visitor.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const password = 'four words are enough';
const home = '/staff/admin';

let web: Web;
let boss: PlainVisitor & { id: string };
const signedIn = async (name: string, roles: Role[], language = 'en'): Promise<PlainVisitor & { id: string }> => {
  const email = `${name.toLowerCase()}@office.example`;
  const { id } = await web.town.access.addStaff({ email, name, roles, departments: [] });
  await web.town.staff.setUp((await web.town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
  const visitor = plainVisitor(web.url, language);
  await visitor.get('/staff/sign-in');
  visitor.setCookie('bellman-staff', (await web.town.staff.signIn(email, password)) ?? '');
  return { ...visitor, id };
};
beforeAll(async () => {
  web = await startWeb({ env: { ALLOW_PRIVATE_ENDPOINTS: 'on' } });
  boss = await signedIn('Boss', ['admin']);
});
afterAll(() => web.close());

const auditOf = async (action: string) =>
  (await web.town.stores.access.audit(1, 1_000)).filter((entry) => entry.action === action);

describe('the pages of administrators', () => {
  it('are for administrators alone', async () => {
    const others = await signedIn('Paula', ['publisher', 'reviewer', 'analyst']);
    const places = ['', '/accounts', `/accounts/${boss.id}`, '/keys', '/dead-letters', '/webhooks', '/audit'];
    for (const place of places) {
      expect((await plainVisitor(web.url).get(home + place)).path).toBe('/staff/sign-in');
      expect((await others.get(home + place)).status).toBe(403);
      expect((await boss.get(home + place)).status).toBe(200);
    }
    await others.get('/staff');
    for (const place of ['/accounts', `/accounts/${boss.id}`, '/keys', '/keys/revoke', '/webhooks', '/audit'])
      expect((await others.send(home + place, {})).status).toBe(403);
  });

  it.each(['en', 'zh-CN'])('are there in %s', async (language) => {
    const visitor = await signedIn(`Chief-${language}`, ['admin'], language);
    for (const place of ['', '/accounts', '/keys', '/dead-letters', '/webhooks', '/audit']) {
      const { html } = await visitor.get(home + place);
      expect(html).not.toMatch(/admin[:.]\w+\.|staff\.\w+\.title/);
      expect(html).toContain(`<html lang="${language}"`);
    }
  });

  it('add an account with departments, mail its link, and change it', async () => {
    await boss.get(`${home}/accounts`);
    const wrong = await boss.send(`${home}/accounts`, { email: 'x', name: 'Wu', roles: 'king' });
    expect([wrong.status, wrong.html]).toEqual([400, expect.stringContaining('Enter an email address')]);
    const account = { email: 'wu@office.example', name: 'Wu', roles: ['publisher'], departments: '水务局\nDrains' };
    const added = await boss.send(`${home}/accounts`, account);
    for (const words of ['Wu', 'Publisher', '水务局', 'Drains', 'is added']) expect(added.html).toContain(words);
    expect((await boss.send(`${home}/accounts`, account)).status).toBe(409);
    const wu = (await web.town.stores.access.allStaff()).find(({ name }) => name === 'Wu');
    expect(wu).toMatchObject({ roles: ['publisher'], departments: ['水务局', 'Drains'] });
    await web.town.drain();
    const to = { name: 'Wu Li', roles: [], departments: '' };
    expect((await boss.send(`${home}/accounts/${wu?.id}`, to)).html).toContain('is changed');
    expect(await web.town.stores.access.staff(wu?.id ?? '')).toMatchObject({
      name: 'Wu Li',
      roles: [],
      departments: [],
    });
    expect((await boss.send(`${home}/accounts/${wu?.id}/link`, {})).html).toContain('on its way');
    expect((await boss.send(`${home}/accounts/${wu?.id}/sign-out`, {})).html).toContain('ended');
    expect((await boss.send(`${home}/accounts/nobody`, to)).status).toBe(404);
    for (const action of ['addStaff', 'changeStaff', 'mailSetUpLink', 'signOutStaff'])
      expect(await auditOf(action)).toMatchObject([{ actor: boss.id, subject: wu?.id }]);
  });

  it('leave an administrator', async () => {
    await boss.get(`${home}/accounts/${boss.id}`);
    const answer = await boss.send(`${home}/accounts/${boss.id}`, { name: 'Boss', roles: ['analyst'] });
    expect([answer.status, answer.html]).toEqual([400, expect.stringContaining('Another administrator')]);
    await expect(
      web.town.access.changeStaff(boss.id, { name: 'Boss', roles: [], departments: [] }, boss.id),
    ).rejects.toMatchObject({ code: 'conflict' });
  });

  it('make a key, show it once, and revoke it', async () => {
    await boss.get(`${home}/keys`);
    expect((await boss.send(`${home}/keys`, { staff: 'x', scopes: [], life: '1' })).status).toBe(400);
    const made = await boss.send(`${home}/keys`, { staff: boss.id, scopes: ['publish', 'analyse'], life: '30' });
    const key = /<code>([^<]+)<\/code>/.exec(made.html)?.[1] ?? '';
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'private, no-store']);
    expect((await web.api('GET', '/pushes', undefined, key)).status).toBe(200);
    expect((await boss.get(`${home}/keys`)).html).not.toContain(key);
    expect((await boss.get(`${home}/audit`)).html).not.toContain(key.split('.')[1]);
    const [kept] = await web.town.stores.access.allKeys();
    expect((kept?.expiresAt ?? 0) - web.town.now()).toBe(30 * 86_400_000);
    expect((await boss.send(`${home}/keys/revoke`, { id: kept?.id ?? '' })).html).toContain('revoked');
    expect((await web.api('GET', '/pushes', undefined, key)).status).toBe(401);
    expect(await auditOf('revokeKey')).toHaveLength(1);
  });

  it('list what failed, with the reason, and send it again', async () => {
    const { town } = web;
    await town.people([
      { externalId: 'li', email: 'li@home.example', verified: true, follow: [{ topic: 'services' }] },
    ]);
    const item = { title: 'Bus 12 & <b>13</b>', summary: 'x', language: 'en', topics: ['services'] };
    const { id } = (await web.api('POST', '/items', item)).body as { id: string };
    const push = ((await web.api('POST', `/items/${id}/publish`)).body as { push: { id: string } }).push.id;
    await town.drain();
    town.db.exec(`UPDATE deliveries SET state = 2, code = 'content-refused'`);
    town.db.exec('DELETE FROM notices');
    await town.stores.pushes.soil(push);
    await town.drain();
    const list = await boss.get(`${home}/dead-letters`);
    expect(list.html).toContain('1 person');
    const page = await boss.get(`${home}/dead-letters/${push}`);
    expect(page.html).toContain('Bus 12');
    expect(page.html).not.toContain('<b>13');
    expect(page.html).not.toContain('li@home.example');
    expect((await boss.send(`${home}/dead-letters/${push}`, { id: 'nothing' })).html).toContain('nothing to send');
    const again = await boss.send(`${home}/dead-letters/${push}`, {});
    expect(again.html).toContain('on their way again');
    await town.drain();
    expect((await town.fanout.get(push))?.counts).toMatchObject({ sent: 1, failed: 0 });
    expect((await boss.get(`${home}/dead-letters/unknown`)).status).toBe(404);
  });

  it('add a webhook, show its secret once, what it was told, and remove it', async () => {
    await boss.get(`${home}/webhooks`);
    const where = { url: 'http://127.0.0.1:9/hook', events: ['push.done'] };
    expect((await boss.send(`${home}/webhooks`, { ...where, events: [] })).status).toBe(400);
    expect((await boss.send(`${home}/webhooks`, { ...where, url: 'nonsense' })).status).toBe(400);
    const https = { ...where, url: 'https://127.0.0.1:9/hook' };
    const made = await boss.send(`${home}/webhooks`, https);
    expect([made.status, /<code>whsec_[^<]+<\/code>/.test(made.html)]).toEqual([201, true]);
    const [webhook] = await web.town.webhooks.list();
    const call = { webhook: webhook?.id ?? '', event: 'e-1', type: 'push.done' as const, body: '{}', attempts: 3 };
    const times = { at: web.town.now(), dueAt: web.town.now(), giveUpAt: web.town.now() };
    await web.town.stores.webhooks.enqueue([{ ...call, ...times, state: 'failed', response: '500 <no>' }]);
    const page = await boss.get(`${home}/webhooks/${webhook?.id}?state=failed`);
    for (const words of ['push.done', 'Failed', '500 <no']) expect(page.html).toContain(words);
    const replayed = await boss.send(`${home}/webhooks/${webhook?.id}/replay`, { event: 'e-1' });
    expect(replayed.html).toContain('told again');
    expect((await boss.send(`${home}/webhooks/${webhook?.id}/remove`, {})).html).toContain('is removed');
    expect(await web.town.webhooks.list()).toEqual([]);
  });

  it('show the audit log newest first, page by page, and check its chain', async () => {
    for (let n = 0; n < 120; n += 1)
      await web.town.access.audit({ actor: boss.id, action: `act-${n}`, subject: `<i>${n}</i>` });
    const first = await boss.get(`${home}/audit`);
    expect(first.html).toContain('act-119');
    expect(first.html).not.toMatch(/act-5\b/);
    const next = /href="([^"]*before=\d+)"/.exec(first.html)?.[1] ?? '';
    expect((await boss.get(next)).html).toMatch(/act-5\b/);
    await boss.get(`${home}/audit`);
    expect((await boss.send(`${home}/audit`, {})).html).toContain('The log is whole');
    web.town.db.exec("UPDATE audit SET action = 'other' WHERE n = 7");
    expect((await boss.send(`${home}/audit`, {})).html).toContain('entry 7 does not fit');
  });
});
