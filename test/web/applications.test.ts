import { readOutbox } from '../../src/channels/outbox.ts';
import { letterTo, signedInTo } from '../helpers/signed-in.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const email = 'wang@example.org';
const apply = {
  applicant: { email },
  text: 'The budget of the new bridge, 新桥预算.',
  receivedAt: '2026-06-08T09:30:00+08:00',
};
const targeted = {
  title: 'The budget of the bridge',
  summary: 'It costs less than you think.',
  language: 'en',
  topics: ['budgets'],
  visibility: 'targeted',
};

describe('applications', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb();
  });
  afterEach(() => web.close());

  const added = async (fields: object = {}): Promise<string> => {
    const { status, body } = await web.api('POST', '/applications', { ...apply, ...fields });
    expect([status, body.errors ?? []]).toEqual([201, []]);
    return String(body.id);
  };
  const item = async (fields: object = {}): Promise<string> =>
    String((await web.api('POST', '/items', { ...targeted, ...fields })).body.id);
  const answer = async (id: string, of?: string) =>
    web.api('POST', `/applications/${id}/answer`, { item: of ?? (await item()) });
  const outbox = () => readOutbox(web.town.dataDir, { limit: 50 });
  const get = async (id: string) => (await web.api('GET', `/applications/${id}`)).body;

  it('are due in 15 working days: Dragon Boat is none of them', async () => {
    const id = await added();
    expect(await get(id)).toEqual({
      id,
      number: expect.stringMatching(/^20260608-/),
      state: 'received',
      applicant: { contact: 'w…@example.org' },
      text: apply.text,
      receivedAt: '2026-06-08T01:30:00.000Z',
      dueOn: '2026-06-30',
      dueAt: '2026-06-30T23:59:59+08:00',
      workingDaysLeft: 13,
      postponableUntil: '2026-07-28',
      postponement: null,
      answer: null,
      proof: [],
      createdAt: expect.any(String),
    });
    const other = await added({ receivedAt: '2025-01-24' });
    expect(await get(other)).toMatchObject({ receivedAt: '2025-01-23T16:00:00.000Z', dueOn: '2025-02-20' });
    const { body } = await web.api('GET', '/applications?state=received&limit=1');
    expect((body.applications as { id: string }[]).length).toBe(1);
    const rest = await web.api('GET', `/applications?cursor=${body.next}`);
    expect(rest.body).toMatchObject({ applications: [{}], next: null });
  });

  it('name every fault', async () => {
    const faultsOf = async (body: object) => (await web.api('POST', '/applications', body)).body.errors;
    expect(await faultsOf({ applicant: { email: 'nobody' }, text: ' ', receivedAt: '2026-06-11' })).toEqual([
      { path: 'text', message: expect.any(String) },
      { path: 'applicant.email', message: 'is not an email address' },
      { path: 'receivedAt', message: 'lies ahead' },
    ]);
    expect(await faultsOf({ ...apply, applicant: 'nobody' })).toEqual([
      { path: 'applicant', message: 'there is no subscriber nobody' },
    ]);
    expect(await faultsOf({ ...apply, applicant: 7, receivedAt: 'soon' })).toEqual([
      { path: 'applicant', message: expect.any(String) },
      { path: 'receivedAt', message: expect.any(String) },
    ]);
    expect((await web.api('GET', '/applications/nothing')).status).toBe(404);
    const key = await web.keyFor(['publish', 'analyse']);
    expect((await web.api('POST', '/applications', apply, key)).status).toBe(403);
    for (const path of ['/applications', '/opinions'])
      expect((await web.api('GET', path, undefined, key)).status).toBe(403);
  });

  it('are postponed once, by 20 working days at most, and the applicant is told in writing', async () => {
    const id = await added();
    const postpone = (until: string, reason = 'Another office has to be asked.') =>
      web.api('POST', `/applications/${id}/postpone`, { until, reason });
    expect((await postpone('2026-06-30')).body.errors).toEqual([
      { path: 'until', message: 'must lie after 2026-06-30' },
    ]);
    expect((await postpone('2026-07-29')).body.errors).toEqual([
      { path: 'until', message: 'must be 2026-07-28 at the latest' },
    ]);
    expect((await postpone('2026-07-20', ' ')).status).toBe(400);
    expect(await letterTo(web, email)).toBe('');
    const done = await postpone('2026-07-20T10:00:00+08:00');
    expect([done.status, done.body]).toMatchObject([
      200,
      { state: 'postponed', dueOn: '2026-07-20', postponement: { until: '2026-07-20', told: true } },
    ]);
    const letter = await letterTo(web, email);
    for (const words of ['8 June 2026', '30 June 2026', '20 July 2026', 'Another office has to be asked.'])
      expect(letter).toContain(words);
    expect((await postpone('2026-07-21')).status).toBe(409);
    expect(await web.town.applications.settleOwed()).toBe(0);
    expect((await outbox()).length).toBe(1);
  });

  it('are answered by a targeted item that goes to the applicant alone, with proof', async () => {
    await web.town.people([
      { externalId: 'a', email: 'a@example.org', verified: true, follow: [{ topic: 'budgets' }] },
      { externalId: 'b', email: 'b@example.org', verified: true, follow: [{ topic: 'budgets' }] },
    ]);
    const id = await added();
    expect((await answer(id, await item({ visibility: 'public' }))).body.errors).toEqual([
      { path: 'item', message: 'must be a targeted item' },
    ]);
    expect((await answer(id, 'no-such-item')).status).toBe(404);
    const of = await item();
    const done = await answer(id, of);
    expect([done.status, done.body]).toMatchObject([
      202,
      { state: 'answered', workingDaysLeft: null, answer: { item: of } },
    ]);
    await web.town.drain();
    const [message, ...others] = await outbox();
    expect([message?.to, others.length]).toEqual([email, 0]);
    expect(message?.text).toContain('It costs less than you think.');
    const push = String((done.body.answer as { push: string }).push);
    expect((await web.api('GET', `/pushes/${push}`)).body).toMatchObject({
      state: 'done',
      counts: { matched: 1, sent: 1 },
    });

    expect((await answer(id, of)).status).toBe(202);
    expect((await answer(id)).status).toBe(409);
    await web.town.drain();
    expect((await outbox()).length).toBe(1);

    const proof = await get(id);
    expect(proof).toMatchObject({
      answer: { openedAt: null },
      proof: [
        { channel: 'email', state: 'sent', attempts: [{ ok: true, provider: 'outbox', at: expect.any(String) }] },
      ],
    });
    const link = new URL(message?.url ?? '');
    expect(link.searchParams.get('key')).toMatch(/^[\w-]+\.\.[\w-]+$/);
    // whatever opens it in the same second is a mail filter
    await plainVisitor(web.url).get(link.pathname + link.search);
    expect((await get(id)).answer).toMatchObject({ openedAt: null });
    web.town.pass(60_000);
    const head = await web.call('HEAD', link.pathname + link.search);
    expect([head.status, ((await get(id)).answer as { openedAt: unknown }).openedAt]).toEqual([200, null]);
    const page = await plainVisitor(web.url).get(link.pathname + link.search);
    expect([page.status, page.html.includes('It costs less')]).toEqual([200, true]);
    const openedAt = new Date(web.town.now()).toISOString();
    expect((await get(id)).answer).toMatchObject({ openedAt });
    web.town.pass(60_000);
    await plainVisitor(web.url).get(link.pathname + link.search);
    expect((await get(id)).answer).toMatchObject({ openedAt });
  });

  it('reach a subscriber at their own addresses', async () => {
    await web.town.people([
      { externalId: 'x', email: 'x@example.org', verified: true, locale: 'en', follow: [{ topic: 'budgets' }] },
    ]);
    const { body: person } = await web.api('GET', '/subscribers?externalId=x');
    const id = await added({ applicant: person.id });
    expect(await get(id)).toMatchObject({ applicant: { subscriber: person.id } });
    await web.api('POST', `/applications/${id}/postpone`, { until: '2026-07-20', reason: 'We need more time.' });
    expect(await letterTo(web, 'x@example.org')).toContain('We need more time.');
    await answer(id);
    expect(await letterTo(web, 'x@example.org')).toContain('It costs less than you think.');
    expect((await get(id)).proof).toMatchObject([{ channel: 'email', state: 'sent' }]);
  });

  it('whoever has stopped all or is in quiet hours is answered all the same, then or later', async () => {
    await web.town.people([
      {
        externalId: 'x',
        email: 'x@example.org',
        verified: true,
        follow: [{ topic: 'budgets' }],
        quietHours: { from: '11:00', to: '13:00' },
      },
    ]);
    const { body: person } = await web.api('GET', '/subscribers?externalId=x');
    await web.town.subscriptions.stop(String(person.id), 'all');
    const id = await added({ applicant: person.id });
    await answer(id);
    expect(await letterTo(web, 'x@example.org')).toBe('');
    web.town.pass(2 * 3_600_000);
    expect(await letterTo(web, 'x@example.org')).toContain('It costs less than you think.');
  });

  it('make a contact that nobody finds, and that signing up does not meet', async () => {
    const id = await added();
    await answer(id);
    await web.town.drain();
    const [contact] = web.rows('SELECT ordinal, id FROM subscribers WHERE contact = 1');
    expect(web.rows('SELECT ordinal FROM subscribers').length).toBe(1);
    expect(JSON.stringify(web.rows('SELECT * FROM applications'))).not.toContain('wang');

    await web.town.audienceIndex.caughtUp();
    const preview = { item: { title: 'x', summary: 'x', language: 'en', topics: ['budgets'] }, subscriptions: true };
    expect((await web.api('POST', '/audience/preview', preview)).body.people).toBe(0);
    const everybody = { item: preview.item, who: { person: 'language', in: ['en', 'zh'] } };
    expect((await web.api('POST', '/audience/preview', everybody)).body.people).toBe(0);
    expect((await web.api('GET', `/subscribers/${contact?.id}`)).status).toBe(404);
    expect((await web.api('DELETE', `/subscribers/${contact?.id}`)).status).toBe(404);
    const named = { item: await item(), audience: { subscribers: [contact?.id] }, note: 'x' };
    await web.api('POST', `/items/${named.item}/publish`);
    expect((await web.api('POST', '/pushes', named)).status).toBe(400);
    const event = { subscriber: contact?.id, type: 'view', topic: 'budgets' };
    expect((await web.api('POST', '/events', { events: [event] })).body).toMatchObject({ accepted: 0 });
    expect((await web.api('POST', '/applications', { ...apply, applicant: contact?.id })).status).toBe(400);

    const { visitor, id: own } = await signedInTo(web, email, { follow: [{ topic: 'budgets' }] });
    expect(own).not.toBe(contact?.id);
    expect((await visitor.get('/my/messages')).html).not.toContain('budget of the bridge');
    expect((await visitor.get('/my/export')).html).not.toContain('budget of the bridge');
    const before = (await outbox()).length;
    const news = await web.api('POST', '/items', { ...targeted, title: 'A public budget', visibility: 'public' });
    await web.api('POST', `/items/${news.body.id}/publish`);
    await web.town.drain();
    expect((await outbox()).length).toBe(before + 1);
  });

  it('are forgotten with their applicant, at whose address whoever is proved to be', async () => {
    const [waiting, closed] = [await added(), await added()];
    await answer(closed);
    await web.town.drain();
    const { id } = await signedInTo(web, email);
    expect((await web.api('DELETE', `/subscribers/${id}`)).status).toBe(204);
    expect(await get(waiting)).toMatchObject({
      state: 'forgotten',
      applicant: null,
      text: null,
      workingDaysLeft: null,
    });
    expect(await get(closed)).toMatchObject({ state: 'answered', applicant: null, text: null });
    expect(web.rows('SELECT * FROM addresses')).toEqual([]);
    expect(web.rows('SELECT * FROM subscribers WHERE erased_at IS NULL')).toEqual([]);
    expect((await answer(waiting)).status).toBe(409);
  });

  it('are not answered at an address that was suppressed after its contact was made, and again once that is lifted', async () => {
    const id = await added();
    const of = await item();
    await answer(id, of);
    await web.town.drain();
    const { lookup } = (await web.town.stores.applications.get(id)) ?? {};
    const correct = async (summary: string) => {
      const done = await web.api('POST', `/items/${of}/correct`, {
        change: 'major',
        note: 'A sum was wrong.',
        summary,
      });
      expect(done.status).toBe(202);
      await web.town.drain();
    };
    await web.town.stores.addresses.suppress(lookup ?? '', 'gone', web.town.now());
    await correct('It costs more.');
    expect((await outbox()).length).toBe(1);
    await web.town.stores.addresses.lift(lookup ?? '', 'gone');
    await correct('It costs less.');
    expect((await outbox()).length).toBe(2);
  });

  it('are forgotten by an administrator', async () => {
    const id = await added();
    await answer(id);
    await web.town.drain();
    expect((await web.api('POST', `/applications/${id}/forget`, {}, await web.keyFor(['publish']))).status).toBe(403);
    expect((await web.api('POST', `/applications/${id}/forget`)).status).toBe(204);
    expect(await get(id)).toMatchObject({ state: 'answered', applicant: null, text: null });
    expect(web.rows('SELECT * FROM addresses')).toEqual([]);
  });

  it.each([
    ['forgotten', (id: string) => web.api('POST', `/applications/${id}/forget`)],
    [
      'erased by the address’s owner',
      async () => web.api('DELETE', `/subscribers/${(await signedInTo(web, email)).id}`),
    ],
  ])('leave no address behind where the answer failed half-way: %s', async (_, erase) => {
    const id = await added();
    const { applications } = web.town.stores;
    const { replace } = applications;
    applications.replace = async (next) => {
      if (next.state !== 'answered') return replace(next);
      expect((await erase(id)).status).toBe(204);
      return replace(next);
    };
    expect((await answer(id)).status).toBe(409);
    expect(await get(id)).toMatchObject({ state: 'forgotten', applicant: null });
    expect(web.rows('SELECT * FROM addresses')).toEqual([]);
    expect(web.rows('SELECT * FROM subscribers WHERE contact = 1 AND erased_at IS NULL')).toEqual([]);
  });

  it('keep a correction of the answer with the applicant', async () => {
    const id = await added();
    const of = await item();
    await answer(id, of);
    await web.town.drain();
    await web.api('POST', `/items/${of}/correct`, {
      change: 'major',
      note: 'A sum was wrong.',
      summary: 'It costs more.',
    });
    expect(await letterTo(web, email)).toContain('A sum was wrong.');
    expect((await get(id)).proof).toHaveLength(2);
  });

  it('say so where nothing may be sent to the address', async () => {
    await web.town.people([{ externalId: 'w', email, verified: true, follow: [{ topic: 'budgets' }] }]);
    const person = await web.town.stores.subscriptions.subscriber({ externalId: 'w' });
    const [address] = await web.town.stores.addresses.ofSubscribers([person?.ordinal ?? 0]);
    await web.town.stores.addresses.suppress(address?.lookup ?? '', 'gone', web.town.now());
    const id = await added();
    const postponed = await web.api('POST', `/applications/${id}/postpone`, { until: '2026-07-20', reason: 'Time.' });
    expect(postponed.body).toMatchObject({ postponement: { told: false } });
    await answer(id);
    await web.town.drain();
    expect(await outbox()).toEqual([]);
    expect(await get(id)).toMatchObject({
      state: 'answered',
      proof: [{ state: 'withheld', code: 'suppressed', attempts: [] }],
    });
  });

  it('need review where the office asks for it', async () => {
    await web.close();
    web = await startWeb({ env: { REVIEW: 'on' } });
    const id = await added();
    const of = await item();
    expect((await answer(id, of)).status).toBe(409);
    expect(await get(id)).toMatchObject({ state: 'received', answer: null });
    await web.api('POST', `/items/${of}/submit`);
    const reviewer = await web.town.access.addStaff({
      email: 'r@x.org',
      name: 'r',
      roles: ['reviewer'],
      departments: [],
    });
    const { key } = await web.town.access.addKey({ staff: reviewer.id, scopes: ['publish'], expiresAt: null });
    expect((await web.api('POST', `/items/${of}/approve`, {}, key)).status).toBe(200);
    expect((await answer(id, of)).status).toBe(202);
    expect(await letterTo(web, email)).toContain('It costs less than you think.');
  });

  it('make good what a process left that died after a change', async () => {
    const id = await added();
    const of = await item();
    await web.api('POST', `/items/${of}/publish`);
    const application = await web.town.stores.applications.get(id);
    if (!application) throw new Error('it was added');
    await web.town.people([
      { externalId: 'x', email: 'x@example.org', verified: true, follow: [{ topic: 'budgets' }] },
    ]);
    const person = await web.town.stores.subscriptions.subscriber({ externalId: 'x' });
    const at = web.town.now();
    const given = { item: of, push: 'a-push-that-was-lost', at, by: 'x' };
    await web.town.stores.applications.replace({
      ...application,
      ...{ state: 'answered', contact: false, applicant: person?.ordinal ?? 0, answer: given, owes: 'push' },
    });
    expect(await web.town.applications.settleOwed()).toBe(0);
    web.town.pass(120_000);
    expect(await web.town.applications.settleOwed()).toBe(1);
    expect(await letterTo(web, 'x@example.org')).toContain('It costs less than you think.');
    expect(await web.town.applications.settleOwed()).toBe(0);
  });

  it('wait again where their answer was withdrawn before it was pushed, and hold up nobody else', async () => {
    const { stores, applications } = web.town;
    const owing = async (of: string, push: string): Promise<string> => {
      const id = await added();
      const application = await stores.applications.get(id);
      if (!application) throw new Error('it was added');
      const given = { item: of, push, at: web.town.now(), by: 'x' };
      await web.town.people([
        { externalId: push, email: `${push}@example.org`, verified: true, follow: [{ topic: 'budgets' }] },
      ]);
      const applicant = (await stores.subscriptions.subscriber({ externalId: push }))?.ordinal ?? 0;
      await stores.applications.replace({
        ...application,
        ...{ state: 'answered', contact: false, applicant, answer: given, owes: 'push' },
      });
      return id;
    };
    const [gone, there] = [await item(), await item({ title: 'Another' })];
    for (const one of [gone, there]) await web.api('POST', `/items/${one}/publish`);
    const unpayable = await owing(gone, 'first');
    await owing(there, 'second');
    expect((await web.api('POST', `/items/${gone}/withdraw`, { note: 'x', notify: false })).status).toBe(202);
    web.town.pass(120_000);
    expect(await applications.settleOwed()).toBe(1);
    expect(await letterTo(web, 'second@example.org')).toContain('It costs less than you think.');
    expect(await get(unpayable)).toMatchObject({ state: 'received', answer: null });
    expect(await applications.settleOwed()).toBe(0);
  });

  it('refuse two answers at once', async () => {
    const id = await added();
    const [one, two] = [await item(), await item({ title: 'Another' })];
    const statuses = await Promise.all([answer(id, one), answer(id, two)]);
    expect(statuses.map(({ status }) => status).sort()).toEqual([202, 409]);
    await web.town.drain();
    expect((await outbox()).filter(({ to }) => to === email)).toHaveLength(1);
  });
});
