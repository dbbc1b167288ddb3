import type { Item } from '../../../src/publishing/item.ts';
import { openPublishing, reviewer, writer } from './fixtures.ts';

let opened: Awaited<ReturnType<typeof openPublishing>>;
beforeEach(async () => {
  opened = await openPublishing({ review: false });
});
afterEach(() => opened.close());

type Alert = Partial<
  Record<'sender' | 'sent' | 'status' | 'msgType' | 'scope' | 'references' | 'note' | 'infos', string>
>;

const info = (fields: Record<string, string> = {}, area = ''): string => {
  const all = {
    event: 'Flood',
    urgency: 'Expected',
    severity: 'Moderate',
    certainty: 'Likely',
    headline: 'Flood',
    ...fields,
  };
  return `<info>${Object.entries(all)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('')}${area}</info>`;
};
const area = (codes: [string, string][], name = 'Somewhere'): string =>
  `<area><areaDesc>${name}</areaDesc>${codes.map(([scheme, value]) => `<geocode><valueName>${scheme}</valueName><value>${value}</value></geocode>`).join('')}</area>`;
const alert = (identifier: string, fields: Alert = {}): string => {
  const { sender = 'w@example.org', sent = '2026-01-05T09:00:00+00:00', status = 'Actual', msgType = 'Alert' } = fields;
  const { scope = 'Public', references, note, infos = info() } = fields;
  return `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>${identifier}</identifier><sender>${sender}</sender>
<sent>${sent}</sent><status>${status}</status><msgType>${msgType}</msgType><scope>${scope}</scope>
${note ? `<note>${note}</note>` : ''}${references ? `<references>${references}</references>` : ''}${infos}</alert>`;
};
const refer = (identifier: string, sent = '2026-01-05T09:00:00+00:00'): string => `w@example.org,${identifier},${sent}`;
const later = '2026-01-05T10:00:00+00:00';
const latest = '2026-01-05T11:00:00+00:00';

const bring = (content: string, notify = true) =>
  opened.service.importItems({ format: 'cap', content, topics: [], publish: true, notify }, writer);
const item = async (identifier: string): Promise<Item> => {
  const found = await opened.items.get({ externalId: `w@example.org,${identifier}` });
  if (!found) throw new Error(`no ${identifier}`);
  return found;
};

describe('urgency of an alert', () => {
  it.each([
    ['Extreme', 'Immediate', 'Observed', 'emergency'],
    ['Severe', 'Immediate', 'Likely', 'emergency'],
    ['Severe', 'Immediate', 'Possible', 'important'],
    ['Severe', 'Expected', 'Observed', 'important'],
    ['Extreme', 'Past', 'Unknown', 'important'],
    ['Minor', 'Immediate', 'Observed', 'important'],
    ['Moderate', 'Expected', 'Observed', 'routine'],
    ['Unknown', 'Unknown', 'Unknown', 'routine'],
  ])('%s, %s, %s is %s', async (severity, urgency, certainty, expected) => {
    await bring(alert('a', { infos: info({ severity, urgency, certainty }) }));
    expect((await item('a')).content.urgency).toBe(expected);
  });
});

describe('regions of an alert', () => {
  const regionsOf = async (...areas: string[]): Promise<string[] | undefined> => {
    expect(await bring(alert('a', { infos: info({}, areas.join('')) }))).toMatchObject({ created: 1, errors: [] });
    return (await item('a')).content.regions;
  };

  it('are counties, states and the country, added where they are unknown', async () => {
    const found = await regionsOf(area([['SAME', '006037']], 'Los Angeles'), area([['FIPS6', '148000 000000 036061']]));
    expect(found).toEqual(['US-CA-037', 'US-TX', 'US', 'US-NY-061']);
    const regions = new Map((await opened.catalogue.regions()).map((region) => [region.code, region]));
    expect(regions.get('US-CA-037')).toEqual({
      code: 'US-CA-037',
      name: { en: 'Los Angeles', 'zh-CN': 'Los Angeles' },
      parent: 'US-CA',
    });
    expect(regions.get('US-CA')).toMatchObject({ name: { en: 'California', 'zh-CN': '加利福尼亚州' }, parent: 'US' });
    expect(regions.get('US-NY-061')?.name).toEqual({ en: 'New York 061', 'zh-CN': '纽约州 061' });
  });

  it('leave out sea areas, unknown states and what is no code', async () => {
    const codes: [string, string][] = [
      ['SAME', '075610'],
      ['FIPS6', '003001'],
      ['SAME', 'XYZ'],
      ['SAME', ''],
      ['OTHER', '006037'],
    ];
    expect(await regionsOf(area(codes))).toEqual([]);
  });

  it('take UGC codes only from the table', async () => {
    await opened.catalogue.insertRegions([{ code: 'CAZ041', name: { en: 'Zone', 'zh-CN': '区' }, parent: null }]);
    expect(
      await regionsOf(
        area([
          ['UGC', 'CAZ041 CAZ042'],
          ['FIPS6', '006037'],
        ]),
      ),
    ).toEqual(['US-CA-037', 'CAZ041']);
    expect((await opened.catalogue.regions()).some(({ code }) => code === 'CAZ042')).toBe(false);
  });
});

describe('texts of an alert', () => {
  it('put other languages into translations and leave nothing out', async () => {
    const infos = [
      info(
        {
          language: 'en',
          headline: 'Flood',
          description: 'Water rises.',
          instruction: 'Go uphill.',
          web: 'https://w.example/1',
          expires: '2026-01-05T20:00:00+00:00',
        },
        area([], 'Valley'),
      ),
      info({
        language: 'zh-CN',
        headline: '洪水',
        description: '水位上涨。',
        instruction: '请往高处走。',
        expires: '2026-01-05T22:00:00-00:00',
      }),
      info({ language: 'en', headline: 'Landslide', description: 'Earth moves.' }),
    ];
    await bring(alert('a', { infos: infos.join('') }));
    const { content } = await item('a');
    expect(content).toMatchObject({
      title: 'Flood',
      summary: 'Water rises.',
      language: 'en',
      url: 'https://w.example/1',
      expiresAt: '2026-01-05T22:00:00Z',
      translations: { 'zh-CN': { title: '洪水', summary: '水位上涨。\n\n请往高处走。' } },
    });
    for (const part of ['Go uphill.', 'Valley', 'Landslide', 'Earth moves.']) expect(content.body).toContain(part);
  });

  it('fall back to the event and, without a language, to en-US', async () => {
    await bring(alert('a', { infos: '<info><event>Storm</event></info>' }));
    expect((await item('a')).content).toMatchObject({ title: 'Storm', summary: 'Storm', language: 'en-US' });
  });
});

describe('messages about earlier alerts', () => {
  it('an update is a major correction of the item it refers to; repeating any of them changes nothing', async () => {
    const first = alert('1');
    const update = alert('2', {
      msgType: 'Update',
      sent: later,
      references: refer('1'),
      note: 'Higher now.',
      infos: info({ headline: 'Worse' }),
    });
    await bring(first);
    const report = await bring(update);
    expect(report).toMatchObject({
      updated: 1,
      notify: [{ version: { version: 2, kind: 'correction', note: 'Higher now.' } }],
    });
    expect(await item('1')).toMatchObject({ version: 2, content: { title: 'Worse' }, changeNote: 'Higher now.' });
    expect((await item('2')).id).toBe((await item('1')).id);
    for (const again of [first, update, first]) expect(await bring(again)).toMatchObject({ unchanged: 1, notify: [] });
    expect(await item('1')).toMatchObject({ version: 2, content: { title: 'Worse' } });
    await bring(
      alert('3', {
        msgType: 'Update',
        sent: latest,
        references: refer('2', later),
        infos: info({ headline: 'Third' }),
      }),
    );
    expect(await item('1')).toMatchObject({ version: 3, content: { title: 'Third' } });
  });

  it('the same message with other words is a minor correction', async () => {
    await bring(alert('1'));
    expect(await bring(alert('1', { infos: info({ headline: 'Floods' }) }))).toMatchObject({ updated: 1, notify: [] });
    expect(await item('1')).toMatchObject({ version: 1, revision: 1 });
  });

  it('a cancellation withdraws all it refers to, keeps their words, and tells those who were told', async () => {
    await bring(alert('1'));
    await bring(alert('2', { infos: info({ headline: 'Second' }) }));
    const cancel = alert('9', {
      msgType: 'Cancel',
      sent: later,
      references: `${refer('1')} ${refer('2')}`,
      note: 'All clear.',
      infos: '',
    });
    const report = await bring(cancel);
    expect(report).toMatchObject({ created: 0, updated: 1, failed: 0 });
    expect(report.notify.map(({ version }) => version?.kind)).toEqual(['withdrawal', 'withdrawal']);
    for (const [id, title] of [
      ['1', 'Flood'],
      ['2', 'Second'],
    ] as const)
      expect(await item(id)).toMatchObject({
        state: 'withdrawn',
        version: 2,
        content: { title },
        changeNote: 'All clear.',
      });
    for (const again of [cancel, alert('1'), alert('2', { infos: info({ headline: 'Second' }) })])
      expect(await bring(again)).toMatchObject({ unchanged: 1, notify: [] });
  });

  it('an alert that comes after its own cancellation stays withdrawn', async () => {
    await bring(alert('9', { msgType: 'Cancel', sent: later, references: refer('1') }));
    expect(await bring(alert('1'))).toMatchObject({ unchanged: 1, notify: [] });
    expect(await item('1')).toMatchObject({ state: 'withdrawn' });
    expect(await opened.items.unannounced(9)).toEqual([]);
  });
});

describe('what is not for the public', () => {
  it.each([
    [{ status: 'Exercise' }, 'public'],
    [{ status: 'Test', msgType: 'Cancel', references: refer('0') }, 'public'],
    [{ status: 'Draft' }, 'public'],
    [{ msgType: 'Ack' }, 'public'],
    [{ scope: 'Restricted' }, 'targeted'],
  ] as [Alert, string][])('%j stays a draft', async (fields, visibility) => {
    await bring(alert('0'));
    expect(await bring(alert('t', fields))).toMatchObject({ created: 1, notify: [] });
    expect(await item('t')).toMatchObject({ state: 'draft', version: 0, content: { visibility } });
    expect(await bring(alert('t', fields))).toMatchObject({ unchanged: 1 });
    expect(await item('0')).toMatchObject({ state: 'published' });
  });

  it('cannot change what is public', async () => {
    await bring(alert('1'));
    const report = await bring(alert('1', { status: 'Test', infos: info({ headline: 'TEST' }) }));
    expect(report).toMatchObject({ failed: 1, errors: [{ id: 'w@example.org,1' }] });
    expect(await item('1')).toMatchObject({ state: 'published', content: { title: 'Flood' } });
  });
});

describe('a broken alert', () => {
  it.each([
    ['no sender', alert('1', { sender: '' })],
    ['no time', alert('1', { sent: 'yesterday' })],
    ['unclosed', alert('1').replace('</info>', '')],
  ])('%s: is reported and stores nothing', async (_what, content) => {
    expect(await bring(content)).toMatchObject({ created: 0, failed: 1, errors: [{ entry: 1 }] });
    expect((await opened.service.list({}, { cursor: null, limit: 9 })).rows).toEqual([]);
  });
});

describe('with review', () => {
  it('a sender named as department does not stand in the way of one approval', async () => {
    await opened.close();
    opened = await openPublishing({ review: true });
    await bring(alert('1', { infos: info({ senderName: 'Weather Office' }) }));
    const { id, content } = await item('1');
    expect(content.departments).toEqual(['Weather Office']);
    expect(await opened.service.approve(id, null, reviewer)).toMatchObject({ item: { state: 'approved' } });
  });
});
