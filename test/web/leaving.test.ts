import { forgetLeavers } from '../../jobs/forget-leavers.ts';
import { confirmPath, letterTo, signedInTo } from '../helpers/signed-in.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const dayMs = 86_400_000;
const signal = new AbortController().signal;

let web: Web;
beforeEach(async () => {
  web = await startWeb();
});
afterEach(() => web.close());

const publish = async (title: string): Promise<void> => {
  const content = { title, summary: 'x', language: 'en', topics: ['services'] };
  const item = ((await web.api('POST', '/items', content)).body as { id: string }).id;
  await web.api('POST', `/items/${item}/publish`);
  await web.town.drain();
};

const left = async (email = 'li@example.org') => {
  const { visitor, id } = await signedInTo(web, email);
  await visitor.get('/my/erase');
  const done = await visitor.send('/my/erase', {});
  const stay = /\/stay\/[\w.-]+/.exec(await letterTo(web, email))?.[0] ?? '';
  return { visitor, id, done, stay };
};

const tokenOn = (html: string): string => /name="_csrf" value="([^"]*)"/.exec(html)?.[1] ?? '';
const isThere = async (id: string): Promise<boolean> => (await web.town.subscriptions.person({ id })) !== null;
const nightly = () => forgetLeavers.run(web.town as never, signal);

describe('being forgotten', () => {
  it('ends the session at once, tells by letter, and erases after a week and not before', async () => {
    const { visitor, id, done, stay } = await left();
    expect(done.path).toBe('/goodbye');
    expect(done.html).toContain('In 7 days');
    expect(stay).not.toBe('');
    expect((await visitor.get('/my')).path).toBe('/manage');
    const _csrf = tokenOn((await visitor.get(stay)).html);
    web.town.pass(7 * dayMs - 3_600_000);
    await nightly();
    expect(await isThere(id)).toBe(true);
    web.town.pass(3 * 3_600_000);
    await nightly();
    expect(await isThere(id)).toBe(false);
    const late = await visitor.get(stay);
    expect(late.status).toBe(410);
    expect((await visitor.send(stay, { _csrf })).status).toBe(410);
  });

  it('tells nobody who leaves of anything, and says so; who stays is told again', async () => {
    const { visitor, id, stay } = await left();
    await publish('While leaving');
    expect(await letterTo(web, 'li@example.org')).not.toContain('While leaving');
    const page = await visitor.get(stay);
    expect(page.html).toContain('You asked to be forgotten');
    expect(await web.town.stores.subscriptions.leaving(Number.MAX_SAFE_INTEGER, 9)).toHaveLength(1);
    const _csrf = tokenOn(page.html);
    // twice, as after the back button
    for (let press = 0; press < 2; press++) expect((await visitor.send(stay, { _csrf })).html).toContain('You stay');
    web.town.pass(8 * dayMs);
    await nightly();
    expect(await isThere(id)).toBe(true);
    await publish('After staying');
    expect(await letterTo(web, 'li@example.org')).toContain('After staying');
  });

  it('shows another open session nothing but the way back', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    await visitor.get('/my');
    await web.town.subscriptions.leaving.leave(id);
    for (const path of ['/my', '/my/settings', '/my/messages', '/my/about', '/my/export'])
      expect((await visitor.get(path)).html).toContain('You asked to be forgotten');
    expect((await visitor.send('/my/stop', {})).html).toContain('You asked to be forgotten');
    expect((await visitor.send('/follow?topic=budgets', { contact: 'email', pace: 'daily' })).path).toBe('/my');
    const back = await visitor.send('/my/stay', {});
    expect(back.path).toBe('/my?done=stayed');
    expect(back.html).toContain('Public services');
  });

  it('asked for twice keeps the first day and sends one letter', async () => {
    const { id } = await left();
    const letters = async () => web.rows('SELECT count(*) AS n FROM transactional');
    const first = await web.town.subscriptions.leaving.leave(id);
    web.town.pass(dayMs);
    expect(await web.town.subscriptions.leaving.leave(id)).toBe(first);
    expect(await letters()).toMatchObject([{ n: 0 }]);
  });

  it('is taken back by a new sign-up that is confirmed', async () => {
    const { id } = await left();
    await web.api('POST', '/subscriptions', { email: 'li@example.org', follow: [{ topic: 'budgets' }] }, null);
    const path = await confirmPath(web, 'li@example.org');
    const visitor = plainVisitor(web.url);
    await visitor.get(path);
    await visitor.send(path, {});
    expect((await visitor.get('/my')).html).toContain('Budgets and public funds');
    web.town.pass(9 * dayMs);
    await nightly();
    expect(await isThere(id)).toBe(true);
  });

  it('is not done by a look, without the form’s token, or by a made-up link', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    await visitor.get('/my/erase');
    expect((await visitor.send('/my/erase', { _csrf: 'guessed' })).status).toBe(403);
    expect((await visitor.get('/stay/made.up.link')).status).toBe(403);
    expect(await web.town.stores.subscriptions.leaving(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
    expect(await isThere(id)).toBe(true);
  });

  it('in turns with staying sends no flood of letters: five an hour, then nobody is told, and nobody leaves', async () => {
    const { id } = await signedInTo(web, 'li@example.org');
    const { leaving } = web.town.subscriptions;
    const letters = () => Number(web.rows('SELECT count(*) AS n FROM transactional')[0]?.n);
    for (let n = 0; n < 5; n += 1) {
      await leaving.leave(id);
      await leaving.stay(id);
    }
    const before = letters();
    await expect(leaving.leave(id)).rejects.toMatchObject({ code: 'too-many' });
    expect([before, letters(), await web.town.stores.subscriptions.leaving(Number.MAX_SAFE_INTEGER, 9)]).toEqual([
      5,
      5,
      [],
    ]);
    web.town.pass(3_600_001);
    await leaving.leave(id);
    expect(letters()).toBe(6);
  });
});
