import type { CatalogueStore } from '../../../src/catalogue/catalogue-store.ts';
import { fullSize } from './pair.ts';

type Opened = { store: CatalogueStore; close: () => Promise<void> };

const title = { en: 'Housing – “homes”', 'zh-CN': '住房与城乡建设 🏠' };

/** What every catalogue store keeps. */
export const describeCatalogueStore = (
  name: string,
  open: () => Promise<Opened>,
  { many: count } = fullSize,
): unknown =>
  describe(`catalogue store: ${name}`, () => {
    let store: CatalogueStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(() => close());

    it('starts empty', async () => {
      expect(await store.topics()).toEqual([]);
      expect(await store.regions()).toEqual([]);
      expect(await store.attributes()).toEqual([]);
    });

    it('keeps topics in the order they were added, and a slug only once', async () => {
      expect(await store.insertTopic({ slug: 'services', title, parent: null })).toBe(true);
      expect(await store.insertTopic({ slug: 'housing', title, parent: 'services' })).toBe(true);
      expect(await store.insertTopic({ slug: 'housing', title: { en: 'x', 'zh-CN': 'x' }, parent: null })).toBe(false);
      expect(await store.topics()).toEqual([
        { slug: 'services', title, parent: null },
        { slug: 'housing', title, parent: 'services' },
      ]);
    });

    it('adds only regions that are not there, 40,000 at once too', async () => {
      const region = (n: number) => ({ code: `XX-${n}`, name: title, parent: n === 0 ? null : 'XX-0' });
      expect(await store.insertRegions([])).toBe(0);
      expect(await store.insertRegions([region(7), region(0)])).toBe(2);
      const many = Array.from({ length: count }, (_, n) => region(n));
      expect(await store.insertRegions(many)).toBe(count - 2);
      expect(await store.insertRegions(many)).toBe(0);
      const regions = await store.regions();
      expect(regions).toHaveLength(count);
      expect(regions.slice(0, 2)).toEqual([region(7), region(0)]);
    });

    it('keeps attributes, and tells no values from values', async () => {
      const year = { name: 'birthYear', type: 'integer', values: null, title } as const;
      const pets = { name: 'pets', type: 'enum-list' as const, values: ['cat', '狗'], title };
      expect(await store.insertAttribute(year)).toBe(true);
      expect(await store.insertAttribute(pets)).toBe(true);
      expect(await store.insertAttribute({ ...pets, values: ['bird'] })).toBe(false);
      expect(await store.attributes()).toEqual([year, pets]);
    });

    it('moves the revision with every addition and only then', async () => {
      const seen = [await store.revision()];
      await store.insertTopic({ slug: 'a', title, parent: null });
      seen.push(await store.revision());
      await store.insertRegions([{ code: 'a', name: title, parent: null }]);
      seen.push(await store.revision());
      await store.insertAttribute({ name: 'a', type: 'enum', values: ['b'], title });
      seen.push(await store.revision());
      expect(new Set(seen).size).toBe(4);
      await store.insertTopic({ slug: 'a', title, parent: null });
      await store.insertRegions([{ code: 'a', name: title, parent: null }]);
      expect(await store.revision()).toBe(seen[3]);
    });
  });
