import type { Item } from '../../../src/publishing/item.ts';
import type { ImportRequest, PublishingService } from '../../../src/publishing/publishing-service.ts';
import { describeRealData, realData } from '../../helpers/real-data.ts';
import { openPublishing, writer } from './fixtures.ts';

const request = (format: ImportRequest['format'], file: string): ImportRequest => ({
  format,
  content: realData(file),
  topics: [],
  publish: true,
  notify: false,
});

const all = async (service: PublishingService): Promise<Item[]> => {
  const found: Item[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: Awaited<ReturnType<PublishingService['list']>> = await service.list({}, { cursor, limit: 100 });
    found.push(...page.rows);
    cursor = page.next;
    if (cursor === null) return found;
  }
};

const files: [ImportRequest['format'], string, number][] = [
  ['govuk', 'govuk-items.jsonl', 246],
  ['atom', 'feeds/nws-alerts.atom.xml', 163],
  ['cap', 'feeds/cap-amber-alert.xml', 1],
  ['rss', 'feeds/news-gov-scot.rss.xml', 2],
];

describeRealData('import of real files', () => {
  for (const review of [true, false])
    it.each(files)(`brings %s whole, and nothing the second time (review ${review})`, async (format, file, entries) => {
      const { service, close } = await openPublishing({ review });
      expect(await service.importItems(request(format, file), writer)).toEqual({
        created: entries,
        updated: 0,
        unchanged: 0,
        failed: 0,
        errors: [],
        notify: [],
      });
      expect(await all(service)).toHaveLength(entries);
      expect(await service.importItems(request(format, file), writer)).toMatchObject({
        created: 0,
        unchanged: entries,
      });
      await close();
    });

  it('keeps locales, withdrawn items, organisations and histories of GOV.UK', async () => {
    const { service, close } = await openPublishing({ review: false });
    await service.importItems(request('govuk', 'govuk-items.jsonl'), writer);
    const items = await all(service);
    const sources = realData('govuk-items.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const byPath = new Map(items.map((item) => [item.externalId, item]));
    expect(items.filter(({ state }) => state === 'withdrawn')).toHaveLength(12);
    for (const source of sources) {
      const item = byPath.get(source.base_path);
      expect(item).toMatchObject({
        state: source.withdrawn ? 'withdrawn' : 'published',
        version: source.withdrawn ? 2 : 1,
        content: {
          title: source.title.trim(),
          summary: source.description?.trim() || source.title,
          language: source.locale,
          documentType: source.document_type,
          url: `https://www.gov.uk${source.base_path}`,
        },
      });
      for (const { title } of source.links.organisations ?? [])
        expect(item?.content.departments).toContain(title.trim());
      for (const { title } of [...(source.links.policy_areas ?? []), ...(source.links.taxons ?? [])])
        expect(item?.content.keywords).toContain(title.trim());
    }
    await close();
  });

  it('finds the 30 emergencies among the weather alerts, their regions and ends', async () => {
    const { service, catalogue, close } = await openPublishing({ review: false });
    await service.importItems(request('atom', 'feeds/nws-alerts.atom.xml'), writer);
    const items = await all(service);
    expect(items.filter(({ content }) => content.urgency === 'emergency')).toHaveLength(30);
    const wind = items.find(({ content }) => content.title.startsWith('High Wind Warning issued August 15 at 2:52PM'));
    expect(wind).toMatchObject({
      content: {
        urgency: 'important',
        language: 'en-US',
        category: 'Met',
        regions: ['US-AK-185'],
        expiresAt: '2018-08-16T07:00:00-08:00',
        formedAt: '2018-08-15',
        body: 'Eastern Beaufort Sea Coast',
      },
    });
    const regions = new Map((await catalogue.regions()).map((region) => [region.code, region]));
    for (const { content } of items)
      for (const code of content.regions ?? []) {
        expect(code).toMatch(/^US-[A-Z]{2}(-\d{3})?$/);
        expect(regions.get(code)?.parent).toBe(code.slice(0, code.lastIndexOf('-')));
      }
    await close();
  });

  it('reads the CAP alert with its translation, and the news feed', async () => {
    const { service, close } = await openPublishing({ review: false });
    await service.importItems(request('cap', 'feeds/cap-amber-alert.xml'), writer);
    const [alert] = await all(service);
    expect(alert).toMatchObject({
      externalId: 'KARO@CLETS.DOJ.CA.GOV,KAR0-0306112239-SW',
      content: {
        title: 'Amber Alert in Los Angeles County',
        language: 'en-US',
        urgency: 'emergency',
        regions: ['US-CA-037'],
        translations: { 'es-US': { title: 'Alerta Amber en el condado de Los Ángeles' } },
      },
    });
    await service.importItems(request('rss', 'feeds/news-gov-scot.rss.xml'), writer);
    const news = (await service.list({ q: 'SCOTLAND’S FUTURE'.replace('’', "'") }, { cursor: null, limit: 5 })).rows;
    expect(news).toHaveLength(1);
    expect(news[0]).toMatchObject({
      externalId: 'f5efd7f6-e9e4-4e70-a47c-e8dec8cb0400',
      content: {
        language: 'en',
        formedAt: '2017-06-27',
        keywords: ['Communities', 'Constitution'],
        body: "We don't need a referendum to leave the EU, we can just leave.",
      },
    });
    await close();
  });
});
