import { letterTo } from '../helpers/signed-in.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const notice = { title: 'Budget', summary: 'x', language: 'en', topics: ['budgets'] };

describe('the report of time limits', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb();
  });
  afterEach(() => web.close());

  const item = async (fields: object, publish = true): Promise<string> => {
    const { body } = await web.api('POST', '/items', { ...notice, ...fields });
    if (publish) await web.api('POST', `/items/${body.id}/publish`);
    return String(body.id);
  };
  const report = async (query: string) => (await web.api('GET', `/reports/deadlines?${query}`)).body;

  it('judges publications and answers whose clock started in the span', async () => {
    // 20 working days after 11 May 2026 is 8 June: today is the 10th
    const late = await item({ formedAt: '2026-05-11', title: 'Late' });
    const kept = await item({ formedAt: '2026-05-12', title: 'Kept' });
    const soon = await item({ formedAt: '2026-05-14', title: 'Soon' }, false);
    await item({ formedAt: '2026-05-12', visibility: 'targeted' });
    await item({});
    await item({ formedAt: '2026-04-30', title: 'Before' });
    const asked = { applicant: { email: 'w@example.org' }, text: 'x', receivedAt: '2026-05-13' };
    const { body: application } = await web.api('POST', '/applications', asked);
    const answer = await report('from=2026-05-11&to=2026-06-10');
    expect(answer).toMatchObject({ from: '2026-05-11', to: '2026-06-10', unknownYears: [], more: false });
    expect(answer.asOf).toBe(new Date(web.town.now()).toISOString());
    const row = { kind: 'publication', allowed: 20 };
    expect(answer.rows).toEqual([
      {
        ...row,
        id: late,
        title: 'Late',
        startedOn: '2026-05-11',
        dueOn: '2026-06-08',
        doneOn: '2026-06-10',
        taken: 22,
        daysLeft: null,
        state: 'late',
      },
      {
        ...row,
        id: kept,
        title: 'Kept',
        startedOn: '2026-05-12',
        dueOn: '2026-06-09',
        doneOn: '2026-06-10',
        taken: 21,
        daysLeft: null,
        state: 'late',
      },
      {
        ...row,
        id: soon,
        title: 'Soon',
        startedOn: '2026-05-14',
        dueOn: '2026-06-11',
        doneOn: null,
        taken: 19,
        daysLeft: 1,
        state: 'due-soon',
      },
      {
        kind: 'answer',
        allowed: 15,
        id: application.id,
        title: null,
        startedOn: '2026-05-13',
        dueOn: '2026-06-03',
        doneOn: null,
        taken: 20,
        daysLeft: -5,
        state: 'overdue',
      },
    ]);
    expect(answer.summary).toMatchObject([
      { kind: 'publication', cases: 3, late: 2, 'due-soon': 1, share: 0 },
      { kind: 'answer', cases: 1, overdue: 1, share: 0 },
    ]);
  });

  it('is not fooled by a postponement that came too late', async () => {
    const postponed = async (receivedAt: string, until: string) => {
      const asked = { applicant: { email: 'w@example.org' }, text: 'x', receivedAt };
      const { body } = await web.api('POST', '/applications', asked);
      const done = await web.api('POST', `/applications/${body.id}/postpone`, { until, reason: 'Time.' });
      expect(done.status).toBe(200);
    };
    await postponed('2026-05-13', '2026-06-24');
    await postponed('2026-06-01', '2026-07-15');
    const { rows } = await report('from=2026-05-01&to=2026-06-10');
    expect(rows).toMatchObject([
      { startedOn: '2026-05-13', dueOn: '2026-06-03', state: 'overdue' },
      { startedOn: '2026-06-01', dueOn: '2026-07-15', state: 'open' },
    ]);
    // and it stays on the desk, although the day it was postponed to is far off
    const desk = await web.town.deadlines.pressing();
    expect(desk.rows).toMatchObject([{ startedOn: '2026-05-13', dueOn: '2026-06-03', givenUntil: '2026-06-24' }]);
  });

  it('does not count a postponement of which nobody could be told', async () => {
    const asked = { applicant: { email: 'w@example.org' }, text: 'x', receivedAt: '2026-06-01' };
    const { body } = await web.api('POST', '/applications', asked);
    const { lookup } = (await web.town.stores.applications.get(String(body.id))) ?? {};
    await web.town.stores.addresses.suppress(lookup ?? '', 'gone', web.town.now());
    await web.api('POST', `/applications/${body.id}/postpone`, { until: '2026-07-15', reason: 'Time.' });
    const { rows } = await report('from=2026-05-01&to=2026-06-10');
    expect(rows).toMatchObject([{ startedOn: '2026-06-01', dueOn: body.dueOn }]);
  });

  it('moves what is due by a year that is entered later, and counts a day off after the last day as late', async () => {
    const received = async (receivedAt: string): Promise<string> => {
      const asked = { applicant: { email: 'w@example.org' }, text: 'x', receivedAt };
      return String((await web.api('POST', '/applications', asked)).body.id);
    };
    const [one, two, done] = [await received('2026-05-20'), await received('2026-05-20'), await received('2026-05-20')];
    const get = async (id: string) => (await web.api('GET', `/applications/${id}`)).body;
    expect(await get(one)).toMatchObject({ dueOn: '2026-06-10', workingDaysLeft: 0 });
    await web.api('POST', `/applications/${two}/postpone`, { until: '2026-06-12', reason: 'Time.' });
    const of = await item({ visibility: 'targeted' });
    await web.api('POST', `/applications/${done}/answer`, { item: of });
    const source = 'The office';
    const year = { holidays: ['2026-06-10', '2026-06-11'], workdays: [], source };
    expect((await web.api('PUT', '/calendar/2026', year)).status).toBe(200);
    expect([(await get(one)).dueOn, (await get(two)).dueOn]).toEqual(['2026-06-12', '2026-06-12']);
    expect((await get(done)).dueOn).toBe('2026-06-10');
    await web.api('PUT', '/calendar/2026', { ...year, holidays: [] });
    expect([(await get(one)).dueOn, (await get(two)).dueOn]).toEqual(['2026-06-10', '2026-06-12']);
    await web.api('PUT', '/calendar/2026', { ...year, holidays: ['2026-06-11'] });
    web.town.pass('2026-06-11T04:00:00Z');
    expect(await get(one)).toMatchObject({ dueOn: '2026-06-10', workingDaysLeft: -1 });
  });

  it('shows what may still be done in time, however much is late, and says where there is more', async () => {
    const key = (await web.town.access.addStaff({ email: 'w@x.org', name: 'w', roles: ['publisher'], departments: [] }))
      .id;
    const { key: writer } = await web.town.access.addKey({ staff: key, scopes: ['publish'], expiresAt: null });
    for (let n = 0; n < 52; n += 1)
      await web.api('POST', '/items', { ...notice, title: `Old ${n}`, formedAt: '2026-01-05' }, writer);
    await web.api('POST', '/items', { ...notice, title: 'Fresh', formedAt: '2026-05-15' }, writer);
    const { formed } = web.town.stores.deadlines;
    // a store that has more than may be read at once
    web.town.stores.deadlines.formed = async (from, to, options) =>
      formed(from, to, { ...options, limit: Math.min(options.limit, 50) });
    const { rows } = await web.town.deadlines.pressing();
    expect([rows.length, rows.at(-1)?.title]).toEqual([51, 'Fresh']);
    web.town.stores.deadlines.formed = formed;
    expect(await web.town.warnDeadlines()).toBe(53);
    expect(await letterTo(web, 'w@x.org')).toContain('and 3 more');
  });

  it('answers as CSV, with no formula in it', async () => {
    const id = await item({ formedAt: '2026-05-20', title: '=1+1, "x"' });
    const csv = await web.api('GET', '/reports/deadlines?from=2026-05-20&to=2026-05-20&format=csv');
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.headers.get('content-disposition')).toBe(
      'attachment; filename="reportDeadlines-2026-05-20-2026-05-20.csv"',
    );
    expect(csv.text).toBe(
      `kind,id,title,startedOn,dueOn,doneOn,allowed,taken,daysLeft,state\r\npublication,${id},"'=1+1, ""x""",2026-05-20,2026-06-17,2026-06-10,20,15,,kept\r\n`,
    );
  });

  it('says which years the calendar does not know, and an operator can mend it', async () => {
    await item({ formedAt: '2027-01-04', title: 'Next year' });
    const asked = 'from=2027-01-01&to=2027-12-31';
    expect(await report(asked)).toMatchObject({ unknownYears: [2027], rows: [{ dueOn: '2027-02-01' }] });
    const year = {
      holidays: ['2027-02-01', '2027-01-29'],
      workdays: ['2027-01-30'],
      source: 'The State Council, 2026',
    };
    const wrong = await web.api('PUT', '/calendar/2027', { ...year, workdays: ['2027-01-29', '2026-12-31'] });
    expect([wrong.status, wrong.body.errors]).toMatchObject([
      400,
      [{ path: 'workdays.0' }, { path: 'workdays.1', message: 'is not a day of 2027' }],
    ]);
    expect((await web.api('PUT', '/calendar/2027', year, await web.keyFor(['publish']))).status).toBe(403);
    expect((await web.api('PUT', '/calendar/soon', year)).status).toBe(404);
    const done = await web.api('PUT', '/calendar/2027', year);
    expect([done.status, done.body]).toEqual([200, { year: 2027, ...year, holidays: ['2027-01-29', '2027-02-01'] }]);
    expect(await report(asked)).toMatchObject({ unknownYears: [], rows: [{ dueOn: '2027-02-02' }] });
    expect((await web.api('GET', '/calendar', undefined, await web.keyFor(['publish', 'analyse']))).status).toBe(403);
    const { body } = await web.api('GET', '/calendar');
    expect((body.years as { year: number }[]).map(({ year }) => year)).toEqual([2024, 2025, 2026, 2027]);
  });

  it('refuses what is no span, and keys of another scope', async () => {
    expect((await report('from=2026-06-10&to=2026-06-01')).errors).toEqual([
      { path: 'to', message: 'must not be before from' },
    ]);
    expect((await report('from=soon&format=pdf')).errors).toMatchObject([{ path: 'from' }, { path: 'format' }]);
    const publisher = await web.keyFor(['publish']);
    expect((await web.api('GET', '/reports/deadlines', undefined, publisher)).status).toBe(403);
  });

  it('warns the writer and the reviewers by email, once for each time limit, in office hours', async () => {
    const account = async (email: string, roles: ('publisher' | 'reviewer')[], departments: string[] = []) => {
      const staff = await web.town.access.addStaff({ email, name: email, roles, departments });
      const scopes = departments.length === 0 ? ['publish' as const, 'admin' as const] : ['publish' as const];
      return (await web.town.access.addKey({ staff: staff.id, scopes, expiresAt: null })).key;
    };
    const writer = await account('writer@x.org', ['publisher']);
    await account('other@x.org', ['publisher']);
    await account('water@x.org', ['reviewer'], ['Water']);
    await account('roads@x.org', ['reviewer'], ['Roads']);
    const draft = { ...notice, formedAt: '2026-05-15', departments: ['Water'], title: 'The water budget' };
    await web.api('POST', '/items', draft, writer);
    const asked = { applicant: { email: 'w@example.org' }, text: 'secret words', receivedAt: '2026-05-26' };
    const { body: application } = await web.api('POST', '/applications', asked, writer);

    web.town.pass('2026-06-09T20:00:00Z');
    expect(await web.town.warnDeadlines()).toBe(0);
    web.town.pass('2026-06-10T02:00:00Z');
    expect(await web.town.warnDeadlines()).toBe(2);
    expect(await web.town.warnDeadlines()).toBe(0);
    const mine = await letterTo(web, 'writer@x.org');
    expect(mine).toContain('“The water budget”: publish by 12 June 2026 (2 working days left)');
    expect(mine).toContain(`Application ${application.id}: answer by 16 June 2026 (4 working days left)`);
    expect(mine).not.toContain('secret words');
    expect(await letterTo(web, 'water@x.org')).toContain('The water budget');
    const roads = await letterTo(web, 'roads@x.org');
    expect([roads.includes('The water budget'), roads.includes(String(application.id))]).toEqual([false, true]);
    expect(await letterTo(web, 'other@x.org')).toBe('');

    // another time limit is another warning
    await web.api('POST', `/applications/${application.id}/postpone`, { until: '2026-06-18', reason: 'Time.' });
    web.town.pass('2026-06-17T02:00:00Z');
    expect(await web.town.warnDeadlines()).toBe(1);
  });
});
