import type { Outline } from '../../../src/catalogue/areas/outlines.ts';
import { makeCatalogueService, seedCatalogue } from '../../../src/catalogue/catalogue-service.ts';
import { type Edges, realEdges } from '../../../src/edges.ts';
import type { Actor, ItemContent } from '../../../src/publishing/item.ts';
import { makePublishingService } from '../../../src/publishing/publishing-service.ts';
import { sqliteCatalogueStore } from '../../../src/storage/sqlite/catalogue-store.ts';
import { sqliteItemStore } from '../../../src/storage/sqlite/item-store.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';

export const actor = (staff: string, roles: string[], departments: string[] = []): Actor => ({
  staff,
  roles,
  departments,
});
export const writer = actor('writer', ['publisher']);
export const reviewer = actor('reviewer', ['reviewer']);
export const admin = actor('admin', ['admin']);

export const makeContent = (overrides: Partial<ItemContent> = {}): ItemContent => ({
  title: 'Roadworks in Mill Street',
  summary: 'Mill Street is closed from Monday.',
  language: 'en',
  topics: ['services'],
  urgency: 'routine',
  visibility: 'public',
  ...overrides,
});

/** A publishing service over a fresh database, with a clock in the test's hand (ms). */
export const openPublishing = async ({ review = true, outlines = [] as Outline[] } = {}) => {
  const db = await openMemory();
  const catalogue = sqliteCatalogueStore(db);
  await seedCatalogue(catalogue);
  const clock = { now: Date.UTC(2026, 0, 5, 9) };
  const edges: Edges = { ...realEdges, now: () => clock.now };
  const items = sqliteItemStore(db);
  const service = makePublishingService(
    { items },
    { catalogue: makeCatalogueService({ catalogue }), edges, review, outlines },
  );
  return { service, items, catalogue, clock, close: db.close };
};
