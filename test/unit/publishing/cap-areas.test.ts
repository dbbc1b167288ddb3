import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseOutlines, readOutlines } from '../../../src/catalogue/areas/outlines.ts';
import { projectRoot } from '../../../src/project-root.ts';
import { capMessage } from '../../../src/publishing/cap-message.ts';
import type { Item, ItemVersion } from '../../../src/publishing/item.ts';
import { xmllint } from '../../helpers/xmllint.ts';
import { openPublishing, writer } from './fixtures.ts';

const sample = (...path: string[]): string => join(projectRoot, 'samples', ...path);
const xsd = join(projectRoot, 'test', 'fixtures', 'cap', 'CAP-v1.2.xsd');
const flood = readFileSync(sample('flood.cap.xml'), 'utf8');
const outlines = readOutlines(sample('outlines'));

let opened: Awaited<ReturnType<typeof openPublishing>>;
afterEach(() => opened.close());

const bring = (content: string) =>
  opened.service.importItems({ format: 'cap', content, topics: [], publish: true, notify: true }, writer);
const item = async (externalId = 'rivers.example.org,flood-2026-07-01'): Promise<Item> => {
  const found = await opened.items.get({ externalId });
  if (!found) throw new Error(`no ${externalId}`);
  return found;
};
const drawing = (shape: string): string =>
  flood.replaceAll(/<polygon>[\s\S]*?<\/circle>/g, shape).replace('flood-2026-07-01', 'other');

describe('an alert that draws its area', () => {
  beforeEach(async () => {
    opened = await openPublishing({ review: false, outlines });
  });

  it('is about the regions on whose ground it lies, and keeps what it drew', async () => {
    await xmllint(flood, { xsd });
    expect(await bring(flood)).toMatchObject({ created: 1, errors: [], notify: [expect.anything()] });
    const { content, state } = await item();
    expect(state).toBe('published');
    expect(content.regions).toEqual(['QS-EAST-1']);
    expect(content.areas).toEqual([
      {
        description: '柳荫社区河岸',
        polygons: [
          [
            [113.125, 30.02],
            [113.14, 30.02],
            [113.14, 30.03],
            [113.125, 30.03],
            [113.125, 30.02],
          ],
        ],
        circles: [{ center: [113.147, 30.025], km: 0.2 }],
      },
    ]);
    const added = (await opened.catalogue.regions()).filter(({ code }) => code.startsWith('QS'));
    expect(added.map(({ code, parent }) => [code, parent])).toEqual([
      ['QS', null],
      ['QS-EAST', 'QS'],
      ['QS-EAST-1', 'QS-EAST'],
    ]);
  });

  it('is left to people where it lies outside all that is known, for without regions it would go to everybody', async () => {
    expect(await bring(drawing('<circle>40,20 5</circle>'))).toMatchObject({ created: 1, notify: [] });
    const { state, content } = await item('rivers.example.org,other');
    expect([state, content.regions]).toEqual(['draft', []]);
  });

  it.each([
    '<polygon>30.02,113.125 30.02</polygon>',
    '<polygon>30.02,113.125 30.03,113.13</polygon>',
    '<polygon>113.125,30.02 113.14,30.02 113.14,30.03 113.125,30.02</polygon>',
    '<polygon>a,b c,d e,f a,b</polygon>',
    '<circle>30.02,113.125</circle>',
    '<circle>30.02,113.125 -1</circle>',
    '<circle>30.02,113.125 1e99</circle>',
  ])('that cannot be read is refused by name: %s', async (shape) => {
    const report = await bring(drawing(shape));
    expect(report).toMatchObject({ created: 0, failed: 1 });
    expect(report.errors[0]?.message).toMatch(/^area: /);
  });

  it('and leaves its line open means it closed', async () => {
    await bring(drawing('<polygon>30.02,113.125 30.02,113.14 30.03,113.14</polygon>'));
    const { content } = await item('rivers.example.org,other');
    expect(content.areas?.[0]?.polygons?.[0]).toHaveLength(4);
  });

  it('of more points than an area holds is drawn with fewer', async () => {
    const points = Array.from({ length: 9_000 }, (_, n) => {
      const turn = (n / 9_000) * 2 * Math.PI;
      return `${(30.025 + 0.004 * Math.sin(turn)).toFixed(6)},${(113.13 + 0.004 * Math.cos(turn)).toFixed(6)}`;
    });
    expect(await bring(drawing(`<polygon>${points.join(' ')} ${points[0]}</polygon>`))).toMatchObject({ created: 1 });
    expect((await item('rivers.example.org,other')).content.regions).toEqual(['QS-EAST-1']);
  });

  it.each([
    '<!DOCTYPE alert [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    '<!DOCTYPE alert SYSTEM "file:///etc/passwd">',
  ])('is refused with a document type: %s', async (declaration) => {
    const bomb = flood.replace('?>', `?>${declaration}`).replace('<headline>', '<headline>&b;');
    await expect(bring(bomb)).rejects.toMatchObject({ code: 'invalid' });
  });
});

it('without outlines an alert is about the regions that its codes name, as ever', async () => {
  opened = await openPublishing({ review: false });
  await bring(flood);
  const { state, content } = await item();
  expect([state, content.regions, content.areas?.length]).toEqual(['published', [], 1]);
});

describe('an alert of ours', () => {
  beforeEach(async () => {
    opened = await openPublishing({ review: false, outlines });
  });
  const tools = async () => ({
    sender: 'notices.example.org',
    publicUrl: 'https://notices.example.org',
    regions: await opened.catalogue.regions(),
  });
  const versionsOf = async ({ id, version }: Item): Promise<ItemVersion[]> => {
    const rows = await Promise.all(Array.from({ length: version }, (_, n) => opened.items.version(id, n + 1)));
    return rows.flatMap((row) => row ?? []);
  };
  const message = async (found: Item): Promise<string> => {
    const xml = capMessage(await versionsOf(found), await tools());
    if (xml === null) throw new Error('no alert');
    await xmllint(xml, { xsd });
    return xml;
  };
  const value = (xml: string, name: string): string[] =>
    [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map(([, text = '']) => text);

  it('says what it was made of, in every language, with its shapes and its codes', async () => {
    await bring(flood);
    const xml = await message(await item());
    expect(value(xml, 'msgType')).toEqual(['Alert']);
    expect(value(xml, 'language')).toEqual(['zh-CN', 'en']);
    expect(value(xml, 'event')).toEqual(['洪水', '洪水']);
    expect(value(xml, 'responseType')).toEqual(['Evacuate', 'Evacuate']);
    expect(value(xml, 'circle')[0]).toBe('30.025,113.147 0.2');
    expect(value(xml, 'value')).toEqual(['QS-EAST-1', 'QS-EAST-1']);
    expect(value(xml, 'sent')[0]).toMatch(/^2026-01-05T09:00:00-00:00$/);
  });

  it('is the same again to whoever imports it, as are its update and its end', async () => {
    await bring(flood);
    const { id } = await item();
    const messages = [await message(await item())];
    opened.clock.now += 3_600_000;
    const fields = { summary: 'Anew: <go> & "stay" away', translations: {}, language: 'en', title: 'Flood', body: '' };
    await opened.service.correct(id, { change: 'major', note: 'It rises', fields }, writer);
    messages.push(await message(await item()));
    opened.clock.now += 3_600_000;
    await opened.service.withdraw(id, 'It is over', writer);
    messages.push(await message(await item()));
    const [first = '', second = '', third = ''] = messages;
    const reference = (xml: string) => `notices.example.org,${value(xml, 'identifier')[0]},${value(xml, 'sent')[0]}`;
    expect(value(second, 'msgType')).toEqual(['Update']);
    expect(value(second, 'references')).toEqual([reference(first)]);
    expect(value(third, 'msgType')).toEqual(['Cancel']);
    expect(value(third, 'references')).toEqual([`${reference(first)} ${reference(second)}`]);
    expect(value(third, 'note')).toEqual(['It is over']);

    await opened.close();
    opened = await openPublishing({ review: false, outlines });
    const name = `notices.example.org,${value(first, 'identifier')[0]}`;
    await bring(first);
    expect((await item(name)).content).toMatchObject({ urgency: 'emergency', regions: ['QS-EAST-1'] });
    await bring(second);
    expect(await item(name)).toMatchObject({ version: 2, content: { summary: 'Anew: <go> & "stay" away' } });
    await bring(third);
    expect(await item(name)).toMatchObject({ version: 3, state: 'withdrawn' });
  });

  it('begins with the version that made it an emergency, and anew after its end', async () => {
    await bring(flood);
    const [emergency] = await versionsOf(await item());
    if (!emergency) throw new Error('no version');
    const at = (version: number, fields: Partial<ItemVersion>): ItemVersion => ({
      ...emergency,
      version,
      at: emergency.at + version * 60_000,
      ...fields,
    });
    const routine = at(1, { content: { ...emergency.content, urgency: 'routine' } });
    const risen = at(2, { kind: 'correction' });
    const over = at(3, { kind: 'withdrawal' });
    const again = at(4, { kind: 'publication' });
    const kinds = await Promise.all(
      [[routine], [routine, risen], [routine, risen, over], [routine, risen, over, again]].map(async (versions) => {
        const xml = capMessage(versions, await tools());
        return xml && [value(xml, 'msgType')[0], value(xml, 'references').length];
      }),
    );
    expect(kinds).toEqual([null, ['Alert', 0], ['Cancel', 1], ['Alert', 0]]);
  });

  it('is valid whatever its texts and codes hold', async () => {
    const wild = outlines.length > 0 ? parseOutlines(readFileSync(sample('outlines', 'qingshi.geojson'), 'utf8')) : [];
    expect(wild).toHaveLength(6);
    await bring(flood);
    const [version] = await versionsOf(await item());
    if (!version) throw new Error('no version');
    const content = {
      ...version.content,
      title: ']]> & <b> \u0000\u001b "x"',
      regions: ['110000', 'US-TX', 'a & b'],
      areas: [],
      departments: ['A, "B" & <C>'],
      audiences: ['所有人'],
      keywords: ['Met', 'Fire', 'Flood'],
      expiresAt: '2026-07-02T08:00:00.123+08:00',
    };
    const xml = capMessage([{ ...version, content }], await tools()) ?? '';
    await xmllint(xml, { xsd });
    expect(value(xml, 'valueName').slice(0, 3)).toEqual(['GB/T 2260', 'ISO 3166', 'region']);
    expect(value(xml, 'expires')[0]).toBe('2026-07-02T00:00:00-00:00');
    expect(value(xml, 'category').slice(0, 2)).toEqual(['Met', 'Fire']);
  });
});
