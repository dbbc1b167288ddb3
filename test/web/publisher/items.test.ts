import { staffVisitor } from '../../helpers/staff-visitor.ts';
import { plainVisitor } from '../../helpers/visitor.ts';
import { startWeb, type Web } from '../../helpers/web.ts';

/** The fields of a form as the page shows them: what a browser would send back. */
const hidden = (html: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';

const words = {
  'title-zh-CN': '公交12路改道',
  'summary-zh-CN': '自周一起改道。',
  'title-en': 'Bus 12 is diverted',
  'summary-en': 'From Monday.',
  language: 'zh-CN',
  topics: ['services'],
  urgency: 'routine',
  visibility: 'public',
};

describe('the pages on which notices are written and reviewed', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb({ env: { REVIEW: 'on' } });
  });
  afterEach(() => web.close());

  const writer = () => staffVisitor(web, { name: 'Li', roles: ['publisher'] });
  const reviewer = (language = 'en') =>
    staffVisitor(web, { name: 'Wang', roles: ['reviewer'], departments: ['交通局'], language });
  const write = async (visitor: Awaited<ReturnType<typeof writer>>, fields: object = {}) => {
    const once = hidden((await visitor.get('/staff/items/new')).html, 'once');
    const made = await visitor.send('/staff/items/new', { once, ...words, ...fields });
    return { made, once, path: made.path.split('?')[0] ?? '' };
  };
  const audit = (action: string) =>
    web.rows(`SELECT actor, subject, details FROM audit WHERE action = '${action}' ORDER BY n`);

  it('names every fault at its field and keeps what was typed', async () => {
    const li = await writer();
    const { made } = await write(li, {
      ...{ 'title-zh-CN': '', 'summary-en': '', topics: [], regions: '北京市、Beijng', deadline: 'soon' },
      'url-en': 'no address',
    });
    expect(made.status).toBe(400);
    for (const id of ['title-zh-CN', 'summary-en', 'topics', 'regions', 'deadline', 'url-en'])
      expect(made.html).toContain(`href="#${id}"`);
    for (const said of ['Do you mean “Beijing', 'Beijng', 'no address', 'Bus 12 is diverted'])
      expect(made.html).toContain(said);
    expect((await web.town.publishing.list({}, { cursor: null, limit: 5 })).rows).toEqual([]);
  });

  it('makes one draft of a form that is sent twice, and changes it by the way back', async () => {
    const li = await writer();
    const { made, once, path } = await write(li, {
      regions: 'Beijing; 310000',
      keywords: 'bus, line 12',
      deadline: '2026-06-30T17:00',
    });
    expect(made.html).toContain('The notice is saved.');
    const again = await li.send('/staff/items/new', { once, ...words });
    expect(again.path.split('?')[0]).toBe(path);
    await li.get('/staff/items/new');
    await li.send('/staff/items/new', { once, ...words, 'title-en': 'Bus 12 runs elsewhere' });
    const { rows } = await web.town.publishing.list({}, { cursor: null, limit: 5 });
    expect(rows.map(({ content }) => content.translations?.en?.title)).toEqual(['Bus 12 runs elsewhere']);
    expect(rows[0]?.content.deadline).toBeUndefined();
    expect((await li.send('/staff/items/new', { once: 'guessed', ...words })).status).toBe(400);
  });

  it('keeps every field through a change, and takes away what was emptied', async () => {
    const li = await writer();
    const fields = {
      ...{
        regions: '上海市',
        keywords: 'bus; line 12',
        departments: '交通局',
        category: 'roads',
        documentType: 'notice',
      },
      ...{ deadline: '2026-06-30T17:00', expiresAt: '2026-07-30T17:00', formedAt: '2026-06-01', body: 'One.\n\nTwo.' },
      ...{ audiences: 'parents', 'url-en': 'https://office.example/en', urgency: 'important' },
    };
    const { path } = await write(li, fields);
    const id = path.split('/').at(-1) ?? '';
    const first = (await web.town.publishing.get(id))?.content;
    expect(first).toMatchObject({
      ...{ regions: ['310000'], keywords: ['bus', 'line 12'], departments: ['交通局'], urgency: 'important' },
      ...{
        deadline: '2026-06-30T17:00:00+08:00',
        formedAt: '2026-06-01',
        body: 'One.\n\nTwo.',
        audiences: ['parents'],
      },
      translations: { en: { title: 'Bus 12 is diverted', summary: 'From Monday.', url: 'https://office.example/en' } },
    });
    const shown = (await li.get(`${path}/edit`)).html;
    for (const value of ['2026-06-30T17:00', 'Shanghai', 'bus; line 12', 'One.', 'https://office.example/en'])
      expect(shown).toContain(value);
    await li.send(`${path}/edit`, { ...words, ...fields, deadline: '', category: '', 'url-en': '' });
    const second = (await web.town.publishing.get(id))?.content;
    expect(Object.keys(second ?? {})).not.toEqual(expect.arrayContaining(['deadline']));
    expect([second?.category, second?.translations?.en, second?.expiresAt]).toEqual([
      undefined,
      { title: 'Bus 12 is diverted', summary: 'From Monday.' },
      first?.expiresAt,
    ]);
  });

  it('shows the messages as they will be, and what could be plainer', async () => {
    const li = await writer();
    const { path } = await write(li, {
      'summary-en': 'Pursuant to [law], utilise line 7.',
      'summary-zh-CN': '兹予以改道。',
    });
    const { html } = await li.get(path);
    for (const said of [
      'Pursuant to [law], utilise line 7.',
      'rather “use”',
      'Still to be filled in: [law]',
      '1 text message for',
    ])
      expect(html).toContain(said);
    expect(html).toContain('“予以”');
    const mail = await li.get(`${path}/mail/en`);
    expect(mail.html).toContain('Bus 12 is diverted');
    expect(mail.headers.get('content-security-policy')).toContain("frame-ancestors 'self'");
    await li.get(`${path}/edit`);
    const live = await li.send('/staff/items/preview', { ...words, 'title-en': 'Typed just now' });
    expect([live.status, live.html.includes('Typed just now'), live.html.includes('<html')]).toEqual([
      200,
      true,
      false,
    ]);
  });

  it('asks for both languages before a review', async () => {
    const li = await writer();
    const { path } = await write(li, { 'title-en': '', 'summary-en': '' });
    const refused = await li.send(`${path}/steps/submit`, {});
    expect([refused.status, refused.html.includes('href="#oneLanguage"')]).toEqual([400, true]);
    expect((await li.send(`${path}/steps/submit`, { oneLanguage: 'yes' })).html).toContain('It is in review.');
    expect(String(audit('submitItem')[0]?.details)).toContain('"missing":["en"]');
  });

  it('takes a notice from its draft over every department to the public, and back', async () => {
    await web.town.people([{ externalId: 'a', email: 'a@x.org', verified: true, follow: [{ topic: 'services' }] }]);
    const li = await writer();
    const { path } = await write(li, { departments: '交通局, 水务局' });
    await li.send(`${path}/steps/submit`, {});
    await li.get('/staff');
    expect((await li.send(`${path}/steps/submit`, {})).html).toContain('It is in review.');
    const own = await li.get(path);
    expect([own.html.includes('somebody else has to approve'), own.html.includes('/steps/approve')]).toEqual([
      true,
      false,
    ]);

    const wang = await reviewer();
    const page = await wang.get(path);
    const seen = hidden(page.html, 'seen');
    expect(page.html).toContain('It holds no state secret');
    const careless = await wang.send(`${path}/steps/approve`, { secrets: ['state'], as: '交通局', seen });
    expect([careless.status, careless.html.includes('href="#secrets"')]).toEqual([400, true]);
    const secrets = ['state', 'commercial', 'privacy'];
    const blind = await wang.send(`${path}/steps/approve`, { secrets, as: '交通局', seen: 'what it was before' });
    expect([blind.status, blind.html.includes('Read it again')]).toEqual([400, true]);
    const signed = await wang.send(`${path}/steps/approve`, { secrets, as: '交通局', seen });
    expect(signed.html).toContain('Your approval is noted.');
    expect([signed.html.includes('Wang,'), signed.html.includes('Still to come')]).toEqual([true, true]);
    await wang.get('/staff');
    await wang.send(`${path}/steps/approve`, { secrets, as: '交通局', seen });
    expect(audit('approveItem').map(({ details }) => String(details))).toEqual([
      '{"as":"交通局","by":"page","checked":["state","commercial","privacy"]}',
    ]);
    const zhao = await staffVisitor(web, { name: 'Zhao', roles: ['reviewer'], departments: ['水务局'] });
    await zhao.get(path);
    await zhao.send(`${path}/steps/approve`, { secrets, as: '水务局', seen });

    await li.get(path);
    const past = await li.send(`${path}/steps/schedule`, { at: '2020-01-01T10:00' });
    expect([past.status, past.html.includes('still to come')]).toEqual([409, true]);
    expect((await li.send(`${path}/steps/schedule`, { at: '2026-07-01T09:00' })).html).toContain(
      'Goes out on 1 July 2026',
    );
    await li.send(`${path}/steps/publish`, {});
    expect((await li.send(`${path}/steps/publish`, {})).html).toContain('It is public');
    await web.town.drain();
    expect((await li.get('/staff/items')).html).toContain('1 person');

    await li.get(`${path}/correct`);
    const wrong = await li.send(`${path}/correct`, { ...words, note: '' });
    for (const id of ['change', 'note']) expect(wrong.html).toContain(`href="#${id}"`);
    const correction = {
      ...words,
      departments: '',
      change: 'major',
      note: 'It is Tuesday.',
      'summary-en': 'From Tuesday.',
    };
    expect((await li.send(`${path}/correct`, correction)).html).toContain('A major correction waits for review');
    expect((await li.send(`${path}/correct`, correction)).html).toContain('The correction is on its way.');
    const now = hidden((await wang.get(path)).html, 'seen');
    expect((await wang.send(`${path}/steps/approve`, { secrets, seen: now })).html).toContain(
      'Your approval is noted.',
    );
    await li.get(path);
    expect((await li.send(`${path}/steps/withdraw`, { note: '' })).html).toContain('href="#note"');
    expect((await li.send(`${path}/steps/withdraw`, { note: 'All is as before.' })).html).toContain('It is withdrawn.');
    await web.town.drain();
    const id = path.split('/').at(-1) ?? '';
    expect((await web.town.publishing.get(id))?.state).toBe('withdrawn');
  });

  it('sends a notice back with a reason', async () => {
    const li = await writer();
    const { path } = await write(li);
    await li.send(`${path}/steps/submit`, {});
    const wang = await reviewer('zh-CN');
    await wang.get(path);
    expect((await wang.send(`${path}/steps/reject`, { reason: '' })).html).toContain('请说明原因');
    expect((await wang.send(`${path}/steps/reject`, { reason: 'Name the stops.' })).html).toContain(
      '公告已退回撰写人。',
    );
    expect((await li.get(path)).html).toContain('Name the stops.');
    await wang.get('/staff');
    const late = await wang.send(`${path}/steps/reject`, { reason: 'Once more.' });
    expect([late.status, late.html.includes('Name the stops.')]).toEqual([409, true]);
  });

  it('loses nothing when a session ends in the middle', async () => {
    const li = await writer();
    const once = hidden((await li.get('/staff/items/new')).html, 'once');
    li.signOut();
    const kept = await li.send('/staff/items/new', { once, ...words, body: 'Line one.\nLine two "quoted".' });
    expect([kept.status, kept.html.includes('You have been signed out')]).toEqual([403, true]);
    for (const text of ['公交12路改道', 'Line one.\nLine two "quoted".', once]) expect(kept.html).toContain(text);
    expect(kept.html).toContain('action="/staff/items/new"');
    const guessed = await li.send('/staff/items/new', { ...words, _csrf: 'guessed' });
    expect([guessed.path, guessed.html.includes('公交12路改道')]).toEqual(['/staff/sign-in', false]);
  });

  it('start from what names the account’s department, and may leave it out only for the whole office', async () => {
    const zhao = await staffVisitor(web, { name: 'Zhao', roles: ['publisher'], departments: ['水务局'] });
    expect((await zhao.get('/staff/items/new')).html).toContain('value="水务局"');
    const { made } = await write(zhao);
    expect([made.status, made.html.includes('An account of a department')]).toEqual([409, true]);
    const { path } = await write(zhao, { departments: '水务局, 交通局' });
    await zhao.send(`${path}/steps/submit`, {});
    const { html } = await zhao.get(path);
    expect([html.includes('somebody else has to approve'), html.includes('/steps/approve')]).toEqual([true, false]);
  });

  it('lists by state and words, for the desk alone', async () => {
    const li = await writer();
    expect((await li.get('/staff/items')).html).toContain('There is none.');
    await write(li, { formedAt: '2026-05-14' });
    const all = (await li.get('/staff/items')).html;
    for (const said of ['Bus 12 is diverted', 'Draft', '1 working day left', 'Public services'])
      expect(all).toContain(said);
    expect((await li.get('/staff/items?state=published')).html).not.toContain('Bus 12');
    expect((await li.get('/staff/items?q=elsewhere')).html).not.toContain('Bus 12');
    expect((await plainVisitor(web.url).get('/staff/items')).path).toBe('/staff/sign-in');
    const analyst = await staffVisitor(web, { name: 'Ana', roles: ['analyst'] });
    for (const path of ['/staff/items', '/staff/items/new', '/staff/items/x'])
      expect((await analyst.get(path)).status).toBe(403);
    const wang = await reviewer();
    expect([(await wang.get('/staff/items/new')).status, (await wang.get('/staff/items/x')).status]).toEqual([
      403, 404,
    ]);
  });
});
