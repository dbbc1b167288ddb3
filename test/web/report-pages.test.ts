import type { Role } from '../../src/access/access-store.ts';
import type { Change } from '../../src/tuning/tuning.ts';
import { count, feedbackOn, publishAndCount, residents } from '../helpers/reports.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const password = 'four words are enough';

describe('the pages of analysts, without scripts', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb();
  });
  afterEach(() => web.close());

  const signedIn = async (roles: Role[], language = 'en') => {
    const email = `${roles.join('-')}@example.org`;
    const { id } = await web.town.access.addStaff({ email, name: 'Ana', roles, departments: [] });
    await web.town.staff.setUp((await web.town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
    const visitor = plainVisitor(web.url, language);
    await visitor.get('/staff/sign-in');
    await visitor.send('/staff/sign-in', { email, password });
    return visitor;
  };
  const counted = async () => {
    await residents(web.town, 12, { follow: [{ topic: 'services' }] });
    await residents(web.town, 3, { follow: [{ topic: 'services' }], region: '310000' }, 'q');
    const { rows, item } = await publishAndCount(web.town);
    for (const row of rows.slice(0, 11))
      await web.town.stores.feedback.record(
        feedbackOn(row, item, web.town.now(), { kind: 'rating', rating: 1 + (row.ordinal % 5) }),
      );
    await count(web.town);
  };

  it('show this week in five figures, with what changed', async () => {
    await counted();
    const { html, status } = await (await signedIn(['analyst'])).get('/staff/reports');
    expect(status).toBe(200);
    expect(html.match(/class="bm-figure"/g)).toHaveLength(5);
    expect(html).toMatch(/Messages sent<\/dt>\s*<dd class="bm-figure__value">15</);
    expect(html).toContain('Nothing changed by more than chance explains.');
    expect(html).toContain('As of 10 June 2026');
    expect(html).toMatch(/<th scope="row">2026-06-10<\/th>\s*<td data-value="15">15/);
  });

  it('say what changed by more than chance', async () => {
    await counted();
    web.town.pass(8 * 86_400_000);
    await publishAndCount(web.town);
    const { html } = await (await signedIn(['analyst'])).get('/staff/reports');
    expect(html).toContain('Fewer people acted on what they were told: 0% after');
  });

  it('hold each chart as a table, with small groups hidden, and say why somebody got nothing', async () => {
    await counted();
    const analyst = await signedIn(['analyst']);
    const { html } = await analyst.get('/staff/reports/funnel?by=region');
    expect(html).toContain('Where do messages get lost on their way?');
    expect(html).toMatch(/data-chart="bars" data-table="table-by"/);
    expect(html).toMatch(/<th scope="row">Shanghai<\/th>\s*<td>not shown</);
    // 15 less 12 would say how many live in Shanghai
    expect(html).toMatch(/<th scope="row">Beijing<\/th>\s*<td>not shown</);
    expect(html).toContain('Rows about fewer than ten people show no numbers');
    const boss = await signedIn(['analyst', 'admin']);
    expect((await boss.get('/staff/reports/funnel?by=region')).html).toMatch(
      /<th scope="row">Shanghai<\/th>\s*<td data-value="3">3</,
    );
    expect(web.rows("SELECT 1 FROM audit WHERE action = 'report:funnel'")).toHaveLength(1);
  });

  it.each(['funnel', 'rules', 'coverage', 'satisfaction'])(
    'answer %s for a range of days, and as CSV',
    async (name) => {
      await counted();
      const analyst = await signedIn(['analyst']);
      const seen = await analyst.get(`/staff/reports/${name}?from=2026-06-01&to=2026-06-30`);
      expect([seen.status, seen.html.includes('value="2026-06-01"')]).toEqual([200, true]);
      expect(seen.html).not.toMatch(/<script(?![^>]*src=)|style="/);
      const empty = await analyst.get(`/staff/reports/${name}?from=2020-01-01&to=2020-01-02`);
      expect(empty.html).toContain('Nothing was counted in these days.');
      const csv = await analyst.get(`/staff/reports/${name}?from=2026-06-01&to=2026-06-30&format=csv`);
      expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
      expect(csv.headers.get('content-disposition')).toContain(`${name}-2026-06-01-2026-06-30.csv`);
      for (const fault of [
        'from=tomorrow',
        'from=2026-06-02&to=2026-06-01',
        'from=2026-06-02&to=2026-06-01&format=csv',
      ]) {
        const refused = await analyst.get(`/staff/reports/${name}?${fault}`);
        expect([refused.status, refused.html.includes('Choose two days')]).toEqual([400, true]);
      }
    },
  );

  it('are for analysts', async () => {
    expect((await plainVisitor(web.url).get('/staff/reports')).path).toBe('/staff/sign-in');
    const publisher = await signedIn(['publisher']);
    expect((await publisher.get('/staff')).html).not.toContain('/staff/reports');
    for (const path of ['', '/funnel', '/rules', '/coverage', '/satisfaction'])
      expect((await publisher.get(`/staff/reports${path}`)).status).toBe(403);
  });

  it('list what tuning changed', async () => {
    const analyst = await signedIn(['analyst']);
    expect((await analyst.get('/staff/reports')).html).not.toContain('Tuning proposed');
    const share = (value: number) => ({ share: value, half: 0.04, n: 600 });
    const propose = (change: Partial<Change>) =>
      web.town.stores.tuning.propose({
        ...{ id: 'c', rule: 'rule-1', lineage: 'l', parameter: 'threshold', from: 0.4, to: 0.55 },
        ...{ at: web.town.now() - 1_000, state: 'applied', fromVersion: 1, toVersion: 2, by: 'tuning' },
        evidence: { kind: 'raise', above: share(0.71), below: share(0.12), n: 1240, probability: 0.99 },
        ...change,
      });
    await propose({});
    await propose({
      ...{ id: 'd', parameter: 'state', from: 'active', to: 'paused' },
      evidence: { kind: 'worth', worth: share(0.02), floor: 0.05, n: 300, probability: 0.97 },
    });
    expect((await analyst.get('/staff/reports')).html).toContain('Tuning proposed or made 2 changes this week.');
    const { html } = await analyst.get('/staff/reports/tuning');
    expect(html).toContain('Threshold: 0.4 → 0.55');
    expect(html).toContain('71% ± 4% against 12% ± 4%, of 1,240 people');
    expect(html).toContain('2% ± 4% useful, below the floor of 5%, of 300 people');
    expect(html).not.toContain('?cursor=');
    for (let n = 0; n < 50; n += 1) await propose({ id: `more-${n}` });
    expect((await analyst.get('/staff/reports/tuning')).html).toContain('/staff/reports/tuning?cursor=');
  });

  it('speak Chinese', async () => {
    await counted();
    const analyst = await signedIn(['analyst'], 'zh-CN');
    expect((await analyst.get('/staff/reports')).html).toContain('最近七天情况如何？');
    const { html } = await analyst.get('/staff/reports/coverage');
    expect(html).toContain('哪些人应收到而未收到？');
    expect(html).not.toMatch(/reports:|reports\.\w/);
  });
});
