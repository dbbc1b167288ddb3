import { activeRule, count, feedbackOn, publishAndCount, residents } from '../helpers/reports.ts';
import { startWeb, type Web } from '../helpers/web.ts';

type Row = Record<string, unknown> & { key: string };

describe('reports over the API', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb();
  });
  afterEach(() => web.close());

  const report = async (path: string, key?: string) => {
    const { status, body } = await web.api('GET', `/reports/${path}`, undefined, key);
    expect([path, status]).toEqual([path, 200]);
    return body as { rows: Row[]; total: Row; opens: { atMost: number }; worst: Row | null; asOf: string } & Row;
  };

  it('shows the way from matched to acted, without machines', async () => {
    await residents(web.town, 12, { follow: [{ topic: 'services' }] });
    const { rows, item } = await publishAndCount(web.town);
    const { feedback } = web.town.stores;
    const [a, b, c, d, e] = rows;
    if (!a || !b || !c || !d || !e) throw new Error('five rows were sent');
    const now = web.town.now();
    await feedback.record(feedbackOn(a, item, now));
    await feedback.record(feedbackOn(a, item, now, { kind: 'click' }));
    await feedback.record(feedbackOn(b, item, now, { kind: 'rating', rating: 4 }));
    await feedback.record(feedbackOn(c, item, now, { kind: 'not-for-me' }));
    await feedback.record(feedbackOn(d, item, now, { kind: 'click', machine: 'too-soon' }));
    await feedback.record(feedbackOn(e, item, now, { kind: 'rating', rating: 2 }));
    await feedback.opened(a.message ?? '', now);
    web.town.pass(60_000);
    await count(web.town);

    const { total, opens, asOf, from, to } = await report('funnel');
    expect(total).toMatchObject({ matched: 12, sent: 12, delivered: 4, seen: 4, clicked: 1, acted: 2, notForMe: 1 });
    expect([opens, from, to]).toEqual([{ atMost: 1 }, '2026-03-12', '2026-06-10']);
    expect(Date.parse(asOf)).toBe(web.town.now());
    for (const [by, key] of [
      ['channel', 'email'],
      ['topic', 'services'],
      ['region', '110000'],
      ['rule', 'none'],
      ['hour', '12'],
    ]) {
      const found = await report(`funnel?by=${by}`);
      expect([by, found.rows]).toEqual([by, [expect.objectContaining({ ...total, key })]]);
    }
    const byItem = await report('satisfaction?by=item');
    expect(byItem.rows).toEqual([
      expect.objectContaining({
        key: item,
        title: 'Rent subsidy',
        ratings: 2,
        mean: 3,
        share: 0.5,
        byRating: [0, 1, 0, 1, 0],
      }),
    ]);
    expect((await report('satisfaction')).rows.map(({ key }) => key)).toEqual(['services']);
  });

  it('says who was entitled and not reached, and names the group served worst', async () => {
    const follow = [{ topic: 'services' }];
    await residents(web.town, 20, { follow, attributes: { birthYear: 1990 } });
    await residents(web.town, 15, { follow, region: '310000', attributes: { birthYear: 1950 } }, 'q');
    const { addresses, subscriptions } = web.town.stores;
    for (let n = 0; n < 10; n += 1) {
      const person = await subscriptions.subscriber({ externalId: `q${n}` });
      for (const { lookup } of await addresses.ofSubscribers([person?.ordinal ?? 0]))
        await addresses.suppress(lookup, 'hard', web.town.now());
    }
    await publishAndCount(web.town);
    const { rows, worst } = await report('coverage');
    const of = (group: string, key: string) => rows.find((row) => row.group === group && row.key === key);
    expect(of('region', '110000')).toMatchObject({ entitled: 20, reached: 20, share: 1 });
    expect(of('region', '310000')).toMatchObject({ entitled: 15, reached: 5, share: 1 / 3 });
    expect(of('age', '65+')).toMatchObject({ entitled: 15, reached: 5 });
    expect(of('age', '35-49')).toMatchObject({ entitled: 20 });
    expect(of('language', 'en')).toMatchObject({ entitled: 35, reached: 25 });
    expect(of('channel', 'none')).toMatchObject({ entitled: 10, reached: 0 });
    expect(worst).toMatchObject({ group: 'region', key: '310000' });
    const byRegion = await report('funnel?by=region');
    expect(byRegion.rows[1]?.byCode).toEqual([{ state: 'withheld', code: 'suppressed', people: 10 }]);
  });

  it('measures a rule: what it was worth after 72 hours, and its lift against the holdout after 7 days', async () => {
    await residents(web.town, 40);
    const rule = await activeRule(web.town, { holdout: 0.5 });
    const { subscriptions, profiles } = web.town.stores;
    const ordinals: number[] = [];
    for (let n = 0; n < 40; n += 1) {
      const person = await subscriptions.subscriber({ externalId: `p${n}` });
      ordinals.push(person?.ordinal ?? 0);
      await profiles.tieVisitor(`visitor-${n}`, person?.ordinal ?? 0, web.town.now());
    }
    web.town.pass(1_000);
    const { rows, item } = await publishAndCount(web.town);
    const sent = rows.filter(({ state }) => state === 'sent');
    const heldOut = rows.filter(({ code }) => code === 'holdout');
    expect([sent.length > 8, heldOut.length > 8, sent.length + heldOut.length]).toEqual([true, true, 40]);
    const now = web.town.now();
    for (const row of sent.slice(0, 6)) await web.town.stores.feedback.record(feedbackOn(row, item, now));
    const look = async (ordinal: number) => {
      const person = await subscriptions.subscriber({ ordinal });
      await web.town.browsing.record([{ subscriber: { id: person?.id ?? '' }, kind: 'view', item: { id: item } }]);
    };
    for (const row of sent) await look(row.ordinal);
    await look(heldOut[0]?.ordinal ?? 0);
    await count(web.town);

    const [young] = (await report('rules')).rows;
    expect(young).toMatchObject({ rule, version: 1, name: 'Beijing', sent: sent.length, useful: 6 });
    expect(young?.posterior).toMatchObject({ mean: 0.5, messages: 0 });
    web.town.pass(3 * 86_400_000);
    await count(web.town);
    const [judged] = (await report('rules')).rows;
    expect(judged?.posterior).toMatchObject({ messages: sent.length, rewarded: 6 });
    expect((judged?.posterior as { mean: number } | undefined)?.mean).toBeCloseTo(6.5 / (sent.length + 1), 10);
    expect(judged?.lift).toMatchObject({
      told: { people: sent.length, viewed: sent.length },
      heldOut: { people: heldOut.length, viewed: 1 },
    });
    // what is looked at later does not count, what was looked at within 7 days is counted once they are over
    await look(heldOut[1]?.ordinal ?? 0);
    web.town.pass(4 * 86_400_000);
    await look(heldOut[2]?.ordinal ?? 0);
    await count(web.town);
    const [last] = (await report('rules')).rows;
    expect((last?.lift as { heldOut: unknown } | undefined)?.heldOut).toEqual({ people: heldOut.length, viewed: 2 });
  });

  it('takes a click back that turned out to be a machine’s', async () => {
    await residents(web.town, 2, { follow: [{ topic: 'services' }] });
    const { rows, item } = await publishAndCount(web.town);
    const [a] = rows;
    if (!a) throw new Error('a row was sent');
    const click = feedbackOn(a, item, web.town.now(), { kind: 'click' });
    await web.town.stores.feedback.record(click);
    await count(web.town);
    expect((await report('funnel')).total).toMatchObject({ clicked: 1 });
    await web.town.stores.feedback.record({ ...click, machine: 'honeypot' });
    web.town.pass(70_000);
    await count(web.town);
    expect((await report('funnel')).total).toMatchObject({ clicked: 0, seen: 0 });
  });

  it('counts what an interrupted count left, and all of it anew: the same', async () => {
    await residents(web.town, 12, { follow: [{ topic: 'services' }] });
    const { rows, item } = await publishAndCount(web.town);
    const [a] = rows;
    if (!a) throw new Error('a row was sent');
    await web.town.stores.feedback.record(feedbackOn(a, item, web.town.now()));
    web.town.pass(60_000);
    const stopped = new AbortController();
    stopped.abort();
    await web.town.reportCounter.run(stopped.signal);
    await count(web.town);
    const before = await report('funnel?by=region');
    expect(before.total).toMatchObject({ matched: 12, acted: 1 });
    web.rows('DELETE FROM report_parts');
    web.rows('DELETE FROM report_sums');
    web.rows(`UPDATE batches SET counts = '{}'`);
    expect(await web.town.reportCounter.rebuild(new AbortController().signal)).toBe(1);
    const { rows: again, total } = await report('funnel?by=region');
    expect([again, total]).toEqual([before.rows, before.total]);
    const [push] = (await web.town.stores.pushes.list({ cursor: null, limit: 1 })).rows;
    const [batch] = await web.town.stores.pushes.batchesOf(push?.id ?? '');
    expect(batch?.counts).toMatchObject({ sent: 12, planned: 0 });
  });

  it('hides rows about fewer than ten people from whoever may not read people', async () => {
    await residents(web.town, 12, { follow: [{ topic: 'services' }] });
    await residents(web.town, 14, { follow: [{ topic: 'services' }], region: '440000' }, 'g');
    await residents(web.town, 3, { follow: [{ topic: 'services' }], region: '310000' }, 'q');
    await publishAndCount(web.town);
    const key = await web.keyFor(['analyse']);
    const { rows, total } = await report('funnel?by=region', key);
    expect(total).toMatchObject({ matched: 29, sent: 29 });
    expect(rows[0]).toMatchObject({ key: '440000', matched: 14 });
    // 29 less 14 less 12 would be 3
    expect(rows[1]).toMatchObject({ key: '110000', matched: null, fewerThan: 10 });
    expect(rows[2]).toMatchObject({ key: '310000', matched: null, sent: null, byCode: [], fewerThan: 10 });
    expect((await report('funnel?by=region')).rows[2]).toMatchObject({ matched: 3, sent: 3 });
    const coverage = await report('coverage', key);
    expect(coverage.rows.find((row) => row.key === '310000')).toMatchObject({
      entitled: null,
      share: null,
      interval: [],
    });
    expect(web.rows(`SELECT 1 FROM audit WHERE action = 'reportFunnel'`)).toHaveLength(2);
  });

  it('answers CSV that no spreadsheet takes for a formula', async () => {
    await residents(web.town, 2, { follow: [{ topic: 'services' }] });
    const { rows, item } = await publishAndCount(web.town, { title: '=cmd|"/c calc"!A1, and more' });
    for (const row of rows)
      await web.town.stores.feedback.record(feedbackOn(row, item, web.town.now(), { kind: 'rating', rating: 5 }));
    await count(web.town);
    const funnel = await web.api('GET', '/reports/funnel?by=topic&format=csv');
    expect(funnel.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(funnel.headers.get('content-disposition')).toBe('attachment; filename="funnel-2026-03-12-2026-06-10.csv"');
    expect(funnel.text.split('\r\n')).toEqual([
      'key,matched,sent,delivered,seen,clicked,acted,useful,notForMe,tooMany,stops,complaints,withheld,deferred,digested,failed,bounced,cancelled,planned,sending',
      'services,2,2,2,2,0,2,0,0,0,0,0,0,0,0,0,0,0,0,0',
      '',
    ]);
    const satisfaction = await web.api('GET', '/reports/satisfaction?by=item&format=csv');
    expect(satisfaction.text.split('\r\n')[1]).toContain(`${item},"'=cmd|""/c calc""!A1, and more",2,5,1,`);
    for (const name of ['rules', 'coverage', 'satisfaction'])
      expect((await web.api('GET', `/reports/${name}?format=csv`)).status).toBe(200);
  });

  it('reads the span: days or moments, both ends in', async () => {
    await residents(web.town, 2, { follow: [{ topic: 'services' }] });
    await publishAndCount(web.town);
    const matched = async (query: string) => (await report(`funnel?${query}`)).total.matched;
    expect(await matched('from=2026-06-10&to=2026-06-10')).toBe(2);
    expect(await matched('from=2026-06-09T23:00:00%2B08:00&to=2026-06-10T23:00:00%2B08:00')).toBe(2);
    expect(await matched('from=2026-06-11&to=2026-06-12')).toBe(0);
    expect(await matched('to=2026-06-09')).toBe(0);
  });

  it.each([
    ['from=yesterday', 'from'],
    ['from=2026-02-30', 'from'],
    ['from=2026-06-10&to=2026-06-09', 'to'],
    ['by=weather', 'by'],
    ['format=xml', 'format'],
    ['more=1', 'more'],
  ])('names the fault of ?%s', async (query, path) => {
    const { status, body } = await web.api('GET', `/reports/funnel?${query}`);
    expect([status, (body.errors as { path: string }[])[0]?.path]).toEqual([400, path]);
  });

  it.each(['funnel', 'rules', 'coverage', 'satisfaction'])('keeps %s for the scope analyse', async (name) => {
    const path = `/reports/${name}`;
    expect((await web.api('GET', path, undefined, null)).status).toBe(401);
    expect((await web.api('GET', path, undefined, await web.keyFor(['publish']))).status).toBe(403);
    expect((await report(name, await web.keyFor(['analyse']))).rows).toBeDefined();
  });
});
