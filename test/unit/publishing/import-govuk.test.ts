import type { Item } from '../../../src/publishing/item.ts';
import { openPublishing, reviewer, writer } from './fixtures.ts';

let opened: Awaited<ReturnType<typeof openPublishing>>;
beforeEach(async () => {
  opened = await openPublishing({ review: false });
});
afterEach(() => opened.close());

const first = { public_timestamp: '2024-03-01T10:00:00+00:00', note: 'First published.' };
const second = { public_timestamp: '2024-04-02T10:00:00+01:00', note: 'Added a form.' };
const source = (overrides: Record<string, unknown> = {}) => ({
  base_path: '/guidance/x',
  title: 'Guidance X',
  description: 'How to X.',
  document_type: 'guidance',
  locale: 'en',
  first_published_at: '2024-03-01T10:00:00+00:00',
  public_updated_at: '2024-03-01T10:00:00+00:00',
  withdrawn: false,
  links: {},
  change_history: [first],
  ...overrides,
});
const lines = (...sources: unknown[]): string => sources.map((one) => JSON.stringify(one)).join('\n');

const bring = (content: string) =>
  opened.service.importItems({ format: 'govuk', content, topics: ['services'], publish: true, notify: true }, writer);
const item = async (path = '/guidance/x'): Promise<Item> => {
  const found = await opened.items.get({ externalId: path });
  if (!found) throw new Error(`no ${path}`);
  return found;
};

describe('GOV.UK content items', () => {
  it('come with departments, keywords, dates, address and topics', async () => {
    const links = {
      organisations: [{ title: 'Home Office' }],
      worldwide_organisations: [{ title: 'Embassy' }],
      policy_areas: [{ title: 'Crime' }],
      taxons: [{ title: 'Crime' }, { title: 'Justice' }],
      unknown_links: ['whatever'],
    };
    await bring(lines(source({ links, locale: 'cy' })));
    expect((await item()).content).toEqual({
      title: 'Guidance X',
      summary: 'How to X.',
      url: 'https://www.gov.uk/guidance/x',
      language: 'cy',
      topics: ['services'],
      departments: ['Home Office', 'Embassy'],
      keywords: ['Crime', 'Justice'],
      documentType: 'guidance',
      formedAt: '2024-03-01',
      urgency: 'routine',
      visibility: 'public',
    });
  });

  it('change in version only with a new note', async () => {
    await bring(lines(source()));
    const minor = await bring(lines(source({ title: 'Guidance X2', public_updated_at: second.public_timestamp })));
    expect(minor).toMatchObject({ updated: 1, notify: [] });
    expect(await item()).toMatchObject({ version: 1, revision: 1 });
    const major = await bring(lines(source({ title: 'Guidance X3', change_history: [first, second] })));
    expect(major.notify).toMatchObject([{ version: { version: 2, kind: 'correction', note: 'Added a form.' } }]);
    expect(await item()).toMatchObject({
      version: 2,
      changeNote: 'Added a form.',
      content: { body: '2024-04-02 Added a form.\n2024-03-01 First published.' },
    });
    // a note that goes away and comes back is no news
    const without = await bring(lines(source({ title: 'Guidance X4', change_history: [second] })));
    expect(without).toMatchObject({ updated: 1, notify: [] });
  });

  it('are withdrawn with their source, and come back with it as the next version', async () => {
    await bring(lines(source()));
    const gone = lines(source({ withdrawn: true, change_history: [first, { ...second, note: 'Out of date.' }] }));
    const report = await bring(gone);
    expect(report.notify).toMatchObject([{ version: { version: 2, kind: 'withdrawal', note: 'Out of date.' } }]);
    expect(await item()).toMatchObject({ state: 'withdrawn', version: 2 });
    expect(await bring(gone)).toMatchObject({ unchanged: 1, notify: [] });
    await bring(lines(source()));
    expect(await item()).toMatchObject({ state: 'published', version: 3 });
    expect(await opened.items.version((await item()).id, 3)).toMatchObject({ kind: 'publication' });
  });

  it('withdrawn from the start are readable as such, and nobody is told', async () => {
    const notice = { explanation: '<p>Old &amp; gone.</p>', withdrawn_at: '2024-05-01T00:00:00Z' };
    const report = await bring(lines(source({ withdrawn: undefined, withdrawn_notice: notice })));
    expect(report).toMatchObject({ created: 1, notify: [] });
    expect(await item()).toMatchObject({ state: 'withdrawn', version: 2, changeNote: 'Old & gone.' });
    expect(await opened.items.unannounced(9)).toEqual([]);
  });

  it('withdrawn keep the words that people read, though the source changes its own', async () => {
    await bring(lines(source({ withdrawn: true })));
    expect(await bring(lines(source({ withdrawn: true, title: 'Other' })))).toMatchObject({ updated: 1, notify: [] });
    expect(await item()).toMatchObject({ state: 'withdrawn', version: 2, content: { title: 'Guidance X' } });
    expect(await bring(lines(source({ withdrawn: true, title: 'Other' })))).toMatchObject({ unchanged: 1 });
  });

  it('withdrawn here stay withdrawn, whatever the source changes', async () => {
    await bring(lines(source()));
    await opened.service.withdraw((await item()).id, 'Not ours.', writer);
    expect(await bring(lines(source({ title: 'New', change_history: [first, second] })))).toMatchObject({
      unchanged: 1,
    });
    expect(await item()).toMatchObject({ state: 'withdrawn', changeNote: 'Not ours.' });
  });

  it('broken lines name their number and their path, and stop no other', async () => {
    const content = [
      JSON.stringify(source()),
      '',
      '{"base_path": "/b", ',
      'null',
      JSON.stringify(source({ base_path: '/c', title: '' })),
      JSON.stringify(source({ base_path: undefined })),
      JSON.stringify(source({ base_path: '/d', locale: 'not a language' })),
      JSON.stringify(source({ base_path: '/e' })),
    ].join('\r\n');
    const report = await bring(content);
    expect(report).toMatchObject({ created: 2, failed: 5 });
    expect(report.errors).toMatchObject([
      { entry: 3, id: null },
      { entry: 4, id: null },
      { entry: 5, id: '/c', message: expect.stringContaining('title') },
      { entry: 6, id: null, message: expect.stringContaining('base_path') },
      { entry: 7, id: '/d', message: expect.stringContaining('language') },
    ]);
  });

  it('takes what holds half a surrogate pair, which no database gives back', async () => {
    expect(await bring(lines(source({ base_path: '/half\ud83d', title: 'A \udc00 title' })))).toMatchObject({
      created: 1,
    });
    expect((await item('/half\ufffd')).content.title).toBe('A \ufffd title');
  });

  it('with review: organisations do not hold up the one approval, yet a member may give theirs', async () => {
    await opened.close();
    opened = await openPublishing({ review: true });
    const links = { organisations: [{ title: 'Home Office' }, { title: 'Treasury' }] };
    await bring(
      lines(source({ links }), source({ base_path: '/y', links }), source({ base_path: '/z', withdrawn: true })),
    );
    expect(await item()).toMatchObject({ state: 'in-review' });
    expect(await item('/z')).toMatchObject({ state: 'withdrawn', version: 0 });
    await expect(opened.service.approve((await item()).id, null, writer)).rejects.toMatchObject({ code: 'own-work' });
    expect(await opened.service.approve((await item()).id, null, reviewer)).toMatchObject({
      item: { state: 'approved' },
    });
    for (const [name, state] of [
      ['Home Office', 'in-review'],
      ['Treasury', 'approved'],
    ] as const) {
      const member = { staff: name, roles: ['reviewer'], departments: [name] };
      expect(await opened.service.approve((await item('/y')).id, name, member)).toMatchObject({ item: { state } });
    }
  });
});
