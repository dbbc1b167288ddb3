import { letterTo, signedInTo } from '../helpers/signed-in.ts';
import { publisher } from '../helpers/town.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const notice = { title: 'A new bus line', summary: 'Line 7.', language: 'en', topics: ['services'] };

describe('questions and opinions', () => {
  let web: Web;
  let item: string;
  beforeEach(async () => {
    web = await startWeb();
    item = String((await web.api('POST', '/items', notice)).body.id);
    await web.api('POST', `/items/${item}/publish`);
  });
  afterEach(() => web.close());

  const list = async (query = '') =>
    (await web.api('GET', `/opinions?${query}`)).body.opinions as Record<string, unknown>[];
  const write = async (email = 'li@example.org') => {
    const { visitor, id } = await signedInTo(web, email);
    await visitor.get(`/items/${item}`);
    const page = await visitor.send(`/items/${item}/opinions`, {
      kind: 'opinion',
      text: 'Stop at the school. Li, 139 1234 5678',
    });
    expect([page.status, page.path]).toEqual([200, `/items/${item}?done=opinion`]);
    expect(page.html).toContain('The office has your message');
    return { visitor, id, opinion: String((await list())[0]?.id) };
  };

  it('come from the page of a notice, from whoever is signed in alone', async () => {
    const stranger = plainVisitor(web.url);
    const page = await stranger.get(`/items/${item}`);
    expect([page.html.includes('name="text"'), page.html.includes('/manage')]).toEqual([false, true]);
    // what was typed is handed back, to be sent again after signing in
    const handedBack = await stranger.send(`/items/${item}/opinions`, { kind: 'opinion', text: 'Typed for an hour' });
    expect([handedBack.status, handedBack.html.includes('Typed for an hour')]).toEqual([401, true]);
    expect(await list()).toEqual([]);
    const { visitor } = await write();
    expect(await list('state=open')).toEqual([
      {
        ...{ id: expect.any(String), state: 'open', kind: 'opinion', item, title: 'A new bus line' },
        ...{ text: 'Stop at the school. Li, 139 1234 5678', at: expect.any(String), answer: null, published: null },
      },
    ]);
    // the same words again are the same opinion
    await visitor.send(`/items/${item}/opinions`, { kind: 'opinion', text: 'Stop at the school. Li, 139 1234 5678' });
    expect(await list()).toHaveLength(1);
    const wrong = await visitor.send(`/items/${item}/opinions`, { kind: 'praise', text: ' ' });
    expect([wrong.status, wrong.html.includes('There is a problem')]).toEqual([400, true]);
    expect((await visitor.send(`/items/${item}/opinions`, { _csrf: 'x', kind: 'opinion', text: 'x' })).status).toBe(
      403,
    );
    expect(JSON.stringify(web.rows('SELECT * FROM opinions'))).not.toContain('school');
  });

  it('are ten a day at most', async () => {
    const { visitor } = await write();
    for (let n = 0; n < 9; n++)
      expect((await visitor.send(`/items/${item}/opinions`, { kind: 'question', text: `When? ${n}` })).status).toBe(
        200,
      );
    expect((await visitor.send(`/items/${item}/opinions`, { kind: 'question', text: 'When?' })).status).toBe(429);
  });

  it('are answered, adopted or not and why, and the writer is told', async () => {
    const { opinion, visitor } = await write();
    const answer = (body: object) => web.api('POST', `/opinions/${opinion}/answer`, body);
    expect((await answer({ outcome: 'not-adopted', reason: ' ' })).body.errors).toMatchObject([{ path: 'reason' }]);
    expect((await answer({ reason: 'x' })).body.errors).toMatchObject([{ path: 'outcome' }]);
    expect((await answer({ outcome: 'answered', reason: 'x' })).body.errors).toMatchObject([{ path: 'outcome' }]);
    const done = await answer({ outcome: 'not-adopted', reason: 'The street is too narrow.' });
    expect([done.status, done.body]).toMatchObject([200, { state: 'answered', answer: { outcome: 'not-adopted' } }]);
    const letter = await letterTo(web, 'li@example.org');
    for (const words of ['not adopted', 'The street is too narrow.', `/items/${item}`]) expect(letter).toContain(words);
    expect((await answer({ outcome: 'adopted', reason: 'x' })).status).toBe(409);
    expect((await web.api('POST', '/opinions/nothing/answer', { outcome: 'adopted', reason: 'x' })).status).toBe(404);
    expect(await web.town.opinions.settleOwed()).toBe(0);
    const file = JSON.parse((await visitor.get('/my/export')).html);
    expect(file.opinions).toMatchObject([{ kind: 'opinion', answer: { reason: 'The street is too narrow.' } }]);
  });

  it('are shown with the notice where staff choose to, in words without personal data', async () => {
    const { opinion, id } = await write();
    const publish = (body: object) => web.api('POST', `/opinions/${opinion}/publish`, body);
    expect((await publish({ published: true })).status).toBe(409);
    await web.api('POST', `/opinions/${opinion}/answer`, { outcome: 'adopted', reason: 'Good idea.' });
    const page = async () => (await plainVisitor(web.url).get(`/items/${item}`)).html;
    expect(await page()).not.toContain('Good idea.');
    expect((await publish({ published: true, text: 'Stop at the school.' })).status).toBe(200);
    const shown = await page();
    for (const words of ['Stop at the school.', 'Good idea.', 'Adopted']) expect(shown).toContain(words);
    expect(shown).not.toContain('139 1234');
    // the pair stays when its writer is forgotten, and nothing else of them
    await web.api('DELETE', `/subscribers/${id}`);
    expect(await page()).toContain('Stop at the school.');
    expect(await list()).toMatchObject([{ text: null }]);
    expect((await publish({ published: false })).status).toBe(200);
    expect(await page()).not.toContain('Good idea.');
    expect((await publish({ published: true })).status).toBe(409);
  });

  it('about a targeted item are never shown', async () => {
    const { id } = await write();
    const person = await web.town.stores.subscriptions.subscriber({ id });
    const hidden = String((await web.api('POST', '/items', { ...notice, visibility: 'targeted' })).body.id);
    await web.api('POST', `/items/${hidden}/publish`);
    const { receive, answer, publish } = web.town.opinions;
    const wrote = {
      person: person?.ordinal ?? 0,
      item: hidden,
      kind: 'question',
      text: 'Why me?',
      at: web.town.now(),
    } as const;
    const { id: opinion } = await receive(wrote);
    await answer(opinion, { outcome: 'answered', reason: 'You asked.' }, { staff: 'x', roles: [], departments: [] });
    expect(await letterTo(web, 'li@example.org')).not.toContain(`/items/${hidden}`);
    await expect(publish(opinion, {}, publisher)).rejects.toMatchObject({ code: 'wrong-state' });
    await expect(receive({ ...wrote, item: 'nothing' })).rejects.toMatchObject({ code: 'not-found' });
  });
});
