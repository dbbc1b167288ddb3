import { numberOf } from '../../src/applications/application.ts';
import { readOutbox } from '../../src/channels/outbox.ts';
import { letterTo } from '../helpers/signed-in.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const email = 'wang@example.org';
const targeted = {
  title: 'The budget of the bridge',
  summary: 'It costs less than you think.',
  language: 'en',
  topics: ['budgets'],
  visibility: 'targeted',
};

describe('the answer to an application', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb({ env: { SURVEY_SHARE: '1' } });
  });
  afterEach(() => web.close());

  const added = async (applicant: unknown = { email }) => {
    const made = await web.api('POST', '/applications', { applicant, text: 'Bridge?', receivedAt: '2026-06-08' });
    expect(made.status).toBe(201);
    return made.body as { id: string; number: string };
  };
  const item = async (): Promise<string> => String((await web.api('POST', '/items', targeted)).body.id);
  const answer = (id: string, of: string) => web.api('POST', `/applications/${id}/answer`, { item: of });
  const get = async (id: string) => (await web.api('GET', `/applications/${id}`)).body;
  const mails = async () => {
    await web.town.drain();
    return (await readOutbox(web.town.dataDir, { limit: 50 })).filter(({ to }) => to === email);
  };

  it('says which application it answers, and offers nothing that makes no sense of it', async () => {
    const { id, number } = await added();
    expect(number).toBe(numberOf(id, '2026-06-08'));
    expect(number).toMatch(/^20260608-[2-9A-HJ-NP-Z]{6}$/);
    const of = await item();
    await answer(id, of);
    const [mail] = await mails();
    expect(mail?.title).toBe(`Answer to your application ${number}`);
    for (const words of [number, 'The budget of the bridge', 'It costs less', 'Open the answer', `/items/${of}?key=`])
      expect(mail?.text).toContain(words);
    for (const path of ['/f/', '/u/', '/c/', '/manage', 'satisfied', 'Too many'])
      expect(`${mail?.text}${mail?.html}`).not.toContain(path);
    await web.api('POST', `/items/${of}/correct`, { change: 'major', note: 'A sum was wrong.', summary: 'More.' });
    const [corrected] = await mails();
    expect(corrected?.title).toBe(`Corrected: the answer to your application ${number}`);
    expect(corrected?.text).toContain('A sum was wrong.');
  });

  it('is an ordinary message to whoever else is sent the same item', async () => {
    await web.town.people([{ externalId: 'b', email: 'b@example.org', verified: true, follow: [{ topic: 'other' }] }]);
    const { body: other } = await web.api('GET', '/subscribers?externalId=b');
    const { id, number } = await added();
    const of = await item();
    await answer(id, of);
    await web.api('POST', '/pushes', { item: of, audience: { subscribers: [other.id] }, note: 'for b, too' });
    const letter = await letterTo(web, 'b@example.org');
    expect(letter).toContain('It costs less');
    expect(letter).not.toContain(number);
  });

  it('is in the language that the applicant asked for, as is the letter of a postponement', async () => {
    const { id, number } = await added({ email, locale: 'zh-CN' });
    await web.api('POST', `/applications/${id}/postpone`, { until: '2026-07-20', reason: '需要征求意见' });
    expect((await mails())[0]?.title).toBe(`您的信息公开申请${number}将于2026年7月20日前答复`);
    await answer(id, await item());
    expect((await mails())[0]?.title).toBe(`对您的信息公开申请${number}的答复`);
    const french = { applicant: { email, locale: 'fr' }, text: 'x', receivedAt: '2026-06-08' };
    expect((await web.api('POST', '/applications', french)).status).toBe(400);
  });

  it('is of one application: an item that answers one is refused for another', async () => {
    const [one, two] = [await added(), await added()];
    const of = await item();
    expect((await answer(one.id, of)).status).toBe(202);
    const refused = await answer(two.id, of);
    expect([refused.status, refused.body.code, refused.body.errors]).toEqual([
      409,
      'conflict',
      [{ path: 'item', message: 'answers another application: an item answers one' }],
    ]);
    expect(await get(two.id)).toMatchObject({ state: 'received', answer: null });
    expect(await mails()).toHaveLength(1);
    expect((await answer(one.id, of)).status).toBe(202);
  });

  it('goes to neither of two that are answered by one item at the same moment, unless one was first', async () => {
    const [one, two] = [await added(), await added()];
    const of = await item();
    await web.api('POST', `/items/${of}/publish`);
    const statuses = (await Promise.all([answer(one.id, of), answer(two.id, of)])).map(({ status }) => status);
    expect(statuses.filter((status) => status === 202).length).toBeLessThanOrEqual(1);
    const states = [await get(one.id), await get(two.id)].filter(({ state }) => state === 'answered');
    expect(states).toHaveLength(statuses.filter((status) => status === 202).length);
    expect(await mails()).toHaveLength(states.length);
  });

  it('raises a flag when it comes back, which a corrected one takes down', async () => {
    const { id } = await added();
    const of = await item();
    await answer(id, of);
    expect(await get(id)).toMatchObject({ answer: { delivery: 'waiting' } });
    const [mail] = await mails();
    expect(await get(id)).toMatchObject({ answer: { delivery: 'sent' } });
    const bounce = { at: web.town.now(), provider: 'smtp', ok: false, response: '550 5.1.1 nobody', reference: null };
    await web.town.stores.ledger.receipt(String(mail?.messageId), 'bounced', bounce);
    expect(await get(id)).toMatchObject({ state: 'answered', answer: { delivery: 'undelivered' } });
    const { body } = await web.api('GET', '/applications?state=answered');
    expect(body.applications).toMatchObject([{ id, answer: { delivery: 'undelivered' } }]);
    await web.api('POST', `/items/${of}/correct`, { change: 'major', note: 'Once more.', summary: 'More.' });
    await web.town.drain();
    expect(await get(id)).toMatchObject({ answer: { delivery: 'sent' } });
  });

  it('is not put off to a day that is past', async () => {
    const { id } = await added();
    web.town.pass(Date.parse('2026-07-06T10:00:00+08:00') - web.town.now());
    const postpone = (until: string) => web.api('POST', `/applications/${id}/postpone`, { until, reason: 'x' });
    expect((await postpone('2026-06-30')).body.errors).toMatchObject([{ message: 'must lie after 2026-06-30' }]);
    expect((await postpone('2026-07-03')).body.errors).toEqual([
      { path: 'until', message: 'is past: today is 2026-07-06' },
    ]);
    expect((await postpone('2026-07-06')).status).toBe(200);
  });
});
