import { defaultAttributes, readAttributes } from '../../../src/catalogue/attribute.ts';
import { makeCatalogueService, seedCatalogue } from '../../../src/catalogue/catalogue-service.ts';
import { regionContains } from '../../../src/catalogue/region.ts';
import { sqliteCatalogueStore } from '../../../src/storage/sqlite/catalogue-store.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';

const title = { en: 'Housing', 'zh-CN': '住房' };

const setUp = async () => {
  const db = await openMemory();
  const catalogue = sqliteCatalogueStore(db);
  await seedCatalogue(catalogue);
  // a second service over the same store stands for another process
  return { db, catalogue, service: makeCatalogueService({ catalogue }), other: makeCatalogueService({ catalogue }) };
};

describe('the catalogue', () => {
  it('starts with eight topics, 34 regions, three attributes, and seeding again adds nothing', async () => {
    const { db, catalogue, service } = await setUp();
    await seedCatalogue(catalogue);
    const { topics, regions } = await service.trees();
    expect(topics.map(({ slug }) => slug)).toEqual([
      'institutions',
      'policies',
      'licensing',
      'penalties',
      'services',
      'budgets',
      'personnel',
      'other',
    ]);
    expect(regions).toHaveLength(34);
    expect(new Set(regions.map(({ code }) => code)).size).toBe(34);
    expect(regions.every(({ code }) => /^\d{2}0000$/.test(code))).toBe(true);
    expect((await service.attributes()).map(({ name }) => name)).toEqual(['birthYear', 'occupation', 'household']);
    await db.close();
  });

  it('sees what another process added', async () => {
    const { db, service, other } = await setUp();
    await other.trees();
    await service.addTopic({ slug: 'housing', title, parent: 'services' });
    await service.addRegion({ code: 'hill', name: title, parent: '110000' });
    const trees = await other.trees();
    expect(trees.topicParents.get('housing')).toBe('services');
    expect(regionContains(trees.regionParents, '110000', 'hill')).toBe(true);
    await other.addTopic({ slug: 'rent', title, parent: 'housing' });
    await db.close();
  });

  it('refuses taken names and unknown parents', async () => {
    const { db, service } = await setUp();
    await expect(service.addTopic({ slug: 'other', title, parent: null })).rejects.toMatchObject({ code: 'conflict' });
    await expect(service.addTopic({ slug: 'x', title, parent: 'nowhere' })).rejects.toMatchObject({
      code: 'invalid',
      faults: [{ path: 'parent', message: 'there is no nowhere' }],
    });
    await expect(service.addRegion({ code: '110000', name: title, parent: null })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(service.addRegion({ code: 'x', name: title, parent: 'y' })).rejects.toMatchObject({ code: 'invalid' });
    await expect(service.addAttribute({ name: 'household', type: 'enum', values: ['a'], title })).rejects.toMatchObject(
      { code: 'conflict' },
    );
    await expect(service.addAttribute({ name: 'pet', type: 'enum', values: null, title })).rejects.toMatchObject({
      code: 'invalid',
    });
    await db.close();
  });

  it('refuses a tree that would run in a circle', async () => {
    const { db, service } = await setUp();
    const refusal = (message: string) => ({ code: 'invalid', faults: [{ path: 'parent', message }] });
    await expect(service.addTopic({ slug: 'own', title, parent: 'own' })).rejects.toMatchObject(
      refusal('there is no own'),
    );
    // US-CA lies in US without anybody saying so
    await service.addRegion({ code: 'US-CA', name: title, parent: null });
    await service.addRegion({ code: 'bay', name: title, parent: 'US-CA' });
    for (const parent of ['US-CA', 'bay'])
      await expect(service.addRegion({ code: 'US', name: title, parent })).rejects.toMatchObject(
        refusal(`${parent} lies in US itself`),
      );
    await service.addRegion({ code: 'US', name: title, parent: null });
    await db.close();
  });

  it('adds the regions of an import that are missing', async () => {
    const { db, service } = await setUp();
    const region = (code: string) => ({ code, name: title, parent: null });
    expect(await service.addMissingRegions([region('US-CA-001'), region('110000'), region('US-CA-001')])).toBe(1);
    expect((await service.trees()).regionParents.has('US-CA-001')).toBe(true);
    await db.close();
  });
});

describe('readAttributes', () => {
  it('keeps an enum-list as a list, without repetitions', () => {
    const told = { birthYear: 1980, occupation: 'teacher', household: ['couple', 'tenant', 'couple'] };
    expect(readAttributes(told, defaultAttributes)).toEqual({
      values: { birthYear: 1980, occupation: ['teacher'], household: ['couple', 'tenant'] },
      faults: [],
    });
  });

  it('names every fault', () => {
    const told = { birthYear: 1980.5, occupation: ['wizard', 'teacher'], shoe: 44 };
    expect(readAttributes(told, defaultAttributes).faults).toEqual([
      { path: 'attributes.birthYear', message: 'must be a whole number' },
      { path: 'attributes.occupation', message: 'unknown value: wizard' },
      { path: 'attributes.shoe', message: 'unknown attribute' },
    ]);
  });
});
