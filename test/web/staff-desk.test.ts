import type { Role } from '../../src/access/access-store.ts';
import { readOutbox } from '../../src/channels/outbox.ts';
import { letterTo, signedInTo } from '../helpers/signed-in.ts';
import { type PlainVisitor, plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const password = 'four words are enough';

describe('the desk of staff', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb();
  });
  afterEach(() => web.close());

  const staff = async (roles: Role[], language = 'en'): Promise<PlainVisitor> => {
    const email = `${roles.join('-')}@x.org`;
    const { id } = await web.town.access.addStaff({ email, name: 'Li', roles, departments: [] });
    await web.town.staff.setUp((await web.town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
    const visitor = plainVisitor(web.url, language);
    await visitor.get('/staff/sign-in');
    visitor.setCookie('bellman-staff', (await web.town.staff.signIn(email, password)) ?? '');
    return visitor;
  };
  const targeted = async (fields: object = {}): Promise<string> => {
    const item = { title: 'The answer', summary: 'Here it is.', language: 'en', topics: [], visibility: 'targeted' };
    return String((await web.api('POST', '/items', { ...item, ...fields })).body.id);
  };

  it('takes an application from its receipt to the proof of its answer', async () => {
    const visitor = await staff(['publisher']);
    expect((await visitor.get('/staff/applications')).html).toContain('There is none.');
    await visitor.get('/staff/applications/new');
    const wrong = await visitor.send('/staff/applications/new', { who: '', text: '', receivedOn: '2026-06-11' });
    expect(wrong.status).toBe(400);
    for (const id of ['#who', '#text', '#receivedOn']) expect(wrong.html).toContain(`href="${id}"`);
    const typed = { who: 'no address@', text: 'The budget <b>of</b> the bridge', receivedOn: '2026-05-25' };
    const again = await visitor.send('/staff/applications/new', typed);
    expect([again.status, again.html.includes('no address@')]).toEqual([400, true]);
    const long = { ...typed, who: 'wang@example.org', text: '桥'.repeat(20_001) };
    const tooLong = await visitor.send('/staff/applications/new', long);
    expect([tooLong.status, tooLong.html.includes('Shorten this to 20,000 characters')]).toEqual([400, true]);
    const made = await visitor.send('/staff/applications/new', { ...typed, who: 'wang@example.org' });
    expect([made.status, made.html.includes('The application is registered.')]).toEqual([200, true]);
    for (const words of ['25 May 2026', '15 June 2026', '3 working days left', 'w…@example.org', 'until 14 July 2026'])
      expect(made.html).toContain(words);
    const here = made.path.split('?')[0] ?? '';
    expect((await visitor.get('/staff/applications?state=received')).html).toContain(here);
    expect((await visitor.get('/staff/applications?state=answered')).html).not.toContain(here);

    await visitor.get(here);
    const early = await visitor.send(`${here}/postpone`, { until: '2026-06-15', reason: '' });
    expect([early.status, early.html.includes('href="#reason"')]).toEqual([400, true]);
    expect(early.html).toContain('after the day on which the answer is due');
    const wordy = await visitor.send(`${here}/postpone`, { until: '2026-07-14', reason: 'x'.repeat(2_001) });
    expect([wordy.status, wordy.html.includes('Shorten the reason')]).toEqual([400, true]);
    const late = await visitor.send(`${here}/postpone`, { until: '2026-07-15', reason: 'More time.' });
    expect(late.html).toContain('at most 20 working days after');
    expect([late.status, late.html.includes('href="#until"'), late.html.includes('More time.')]).toEqual([
      400,
      true,
      true,
    ]);
    const postponed = await visitor.send(`${here}/postpone`, { until: '2026-07-14', reason: 'More time.' });
    expect(postponed.html).toContain('the applicant is being told');
    expect(await letterTo(web, 'wang@example.org')).toContain('More time.');
    expect(postponed.html).not.toContain(`${here}/postpone`);

    expect((await visitor.send(`${here}/answer`, { item: '' })).html).toContain('Enter the id of an item');
    const open = await targeted({ visibility: 'public' });
    expect((await visitor.send(`${here}/answer`, { item: open })).html).toContain('Choose a targeted item');
    const of = await targeted();
    const answered = await visitor.send(`${here}/answer`, { item: of });
    expect(answered.html).toContain('The answer is on its way.');
    expect(await letterTo(web, 'wang@example.org')).toContain('Here it is.');
    const proof = (await visitor.get(here)).html;
    for (const words of ['Email', 'Sent', 'outbox', 'has not been opened yet']) expect(proof).toContain(words);
    expect(proof).not.toContain(`${here}/forget`);
    const { body: other } = await web.api('POST', '/applications', {
      ...{ applicant: { email: 'li@example.org' }, text: 'x', receivedAt: '2026-06-08' },
    });
    await visitor.get(`/staff/applications/${other.id}`);
    const taken = await visitor.send(`/staff/applications/${other.id}/answer`, { item: of });
    expect([taken.status, taken.html.includes('answers another application')]).toEqual([409, true]);
    expect(proof).not.toContain('did not reach the applicant');
    const [mail] = await readOutbox(web.town.dataDir, { limit: 1 });
    const bounce = { at: web.town.now(), provider: 'smtp', ok: false, response: '550 no such user', reference: null };
    await web.town.stores.ledger.receipt(String(mail?.messageId), 'bounced', bounce);
    const back = (await visitor.get(here)).html;
    for (const words of ['did not reach the applicant', '550 no such user']) expect(back).toContain(words);
    expect((await visitor.get('/staff/applications')).html).toContain('Not delivered');
    const actions = web.rows("SELECT action, actor FROM audit WHERE details LIKE '%page%'").map(({ action }) => action);
    expect(actions).toEqual(
      expect.arrayContaining([
        'addApplication',
        'postponeApplication',
        'answerApplication',
        'getApplication',
        'listApplications',
      ]),
    );

    const admin = await staff(['admin']);
    await admin.get(here);
    expect((await visitor.get(`${here}/forget`)).status).toBe(403);
    expect((await admin.get(here)).html).toContain(`href="${here}/forget"`);
    expect((await admin.get(`${here}/forget`)).html).toContain('Forget this applicant?');
    expect((await web.town.applications.get(here.split('/').at(-1) ?? ''))?.text).not.toBeNull();
    const forgotten = await admin.send(`${here}/forget`, {});
    expect([forgotten.html.includes('Forgotten with the person'), forgotten.html.includes('w…@')]).toEqual([
      true,
      false,
    ]);
  });

  it('answers a question and shows it with the notice', async () => {
    const { body } = await web.api('POST', '/items', {
      title: 'Line 7',
      summary: 'x',
      language: 'en',
      topics: ['services'],
    });
    await web.api('POST', `/items/${body.id}/publish`);
    const { visitor: citizen } = await signedInTo(web, 'li@example.org');
    await citizen.get(`/items/${body.id}`);
    const long = await citizen.send(`/items/${body.id}/opinions`, { kind: 'question', text: 'x'.repeat(4_001) });
    expect([long.status, long.html.includes('Shorten this to 4,000 characters')]).toEqual([400, true]);
    await citizen.send(`/items/${body.id}/opinions`, { kind: 'question', text: 'Since when? Li' });
    const visitor = await staff(['reviewer'], 'zh-CN');
    const list = (await visitor.get('/staff/opinions')).html;
    const here = /\/staff\/opinions\/[\w-]{22}/.exec(list)?.[0] ?? '';
    expect([list.includes('待答复'), (await visitor.get(here)).html.includes('Since when? Li')]).toEqual([true, true]);
    const wrong = await visitor.send(`${here}/answer`, { reason: '' });
    for (const id of ['#outcome', '#reason']) expect(wrong.html).toContain(`href="${id}"`);
    const wordy = await visitor.send(`${here}/answer`, { outcome: 'answered', reason: '字'.repeat(5_001) });
    expect([wordy.status, wordy.html.includes('请缩短到5000字以内')]).toEqual([400, true]);
    const whole = `Since May.${'\n字'.repeat(2_400)} End.`;
    const done = await visitor.send(`${here}/answer`, { outcome: 'answered', reason: whole });
    expect((await visitor.get(here)).html).toContain('字 End.');
    expect([done.status, done.html.includes('正在告知留言人')]).toEqual([200, true]);
    expect(await letterTo(web, 'li@example.org')).toContain('Since May.');
    expect((await visitor.send(`${here}/publish`, { text: '' })).status).toBe(400);
    await visitor.send(`${here}/publish`, { text: 'Since when?', what: 'show' });
    expect((await citizen.get(`/items/${body.id}`)).html).toContain('Since May.');
    await visitor.get(here);
    await visitor.send(`${here}/publish`, { what: 'hide', text: 'x' });
    expect((await citizen.get(`/items/${body.id}`)).html).not.toContain('Since May.');
    const actions = web.rows("SELECT action FROM audit WHERE details LIKE '%page%'").map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['listOpinions', 'getOpinion']));
  });

  it('shows what is due, and lets an administrator keep the calendar', async () => {
    await web.api('POST', '/items', {
      title: 'Slow',
      summary: 'x',
      language: 'en',
      topics: [],
      formedAt: '2026-05-14',
    });
    const admin = await staff(['admin']);
    const due = (await admin.get('/staff/deadlines')).html;
    for (const words of ['Slow', '11 June 2026', '1 working day left']) expect(due).toContain(words);
    expect((await admin.get('/staff/calendar')).html).toContain('国办发明电〔2025〕7号');
    await admin.get('/staff/calendar/2027');
    const typed = { holidays: '2027-01-01, 2027-02-30', workdays: '', source: '' };
    const wrong = await admin.send('/staff/calendar/2027', typed);
    expect([wrong.status, wrong.html.includes('2027-02-30')]).toEqual([400, true]);
    for (const id of ['#holidays', '#source']) expect(wrong.html).toContain(`href="${id}"`);
    const saved = await admin.send('/staff/calendar/2027', {
      ...typed,
      holidays: '2027-01-01\n2027-01-02',
      source: 'x',
    });
    expect(saved.html).toContain('The year is saved.');
    expect((await admin.get('/staff/calendar/2027')).html).toContain('2027-01-01\n2027-01-02');
    expect((await admin.get('/staff/calendar/soon')).status).toBe(404);
  });

  it('asks for a role and for the token of every form', async () => {
    const analyst = await staff(['analyst']);
    for (const path of ['/staff/applications', '/staff/opinions', '/staff/calendar', '/staff/applications/new'])
      expect([path, (await analyst.get(path)).status]).toEqual([path, 403]);
    const seen = await analyst.get('/staff/deadlines');
    expect([seen.status, seen.html.includes('/staff/applications')]).toEqual([200, false]);
    for (const path of ['/staff/applications', '/staff/opinions', '/staff/deadlines', '/staff/calendar'])
      expect((await plainVisitor(web.url).get(path)).path).toBe('/staff/sign-in');
    const publisher = await staff(['publisher', 'admin']);
    const forms = ['applications/new', 'applications/x/postpone', 'applications/x/answer', 'applications/x/forget'];
    for (const form of [...forms, 'opinions/x/answer', 'opinions/x/publish', 'calendar/2026']) {
      await publisher.get('/staff');
      expect([form, (await publisher.send(`/staff/${form}`, { _csrf: 'guessed' })).status]).toEqual([form, 403]);
    }
    expect((await publisher.get('/staff/applications/unknown')).status).toBe(404);
    expect((await publisher.get('/staff/opinions/unknown')).status).toBe(404);
    const reviewer = await staff(['reviewer']);
    await reviewer.get('/staff');
    expect((await reviewer.send('/staff/applications/x/forget', {})).status).toBe(403);
  });
});
