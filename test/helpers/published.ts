import type { DeliveryView } from '../../src/fanout/fanout-service.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import { publisher, type Town } from './town.ts';

/** A routine public item about services. */
export const makeItemContent = (overrides: Partial<ItemContent> = {}): ItemContent => ({
  title: 'Water is off',
  summary: 'On Wednesday from eight to four.',
  language: 'en',
  topics: ['services'],
  urgency: 'routine',
  visibility: 'public',
  ...overrides,
});

/** One line of the import: a person in London by email, who follows services at once. */
export const makeResident = (name: string, overrides: object = {}): object => ({
  externalId: name,
  email: `${name}@example.org`,
  verified: true,
  locale: 'en',
  timeZone: 'Europe/London',
  follow: [{ topic: 'services' }],
  ...overrides,
});

/** Publishes an item of a town; nothing is planned or sent yet. */
export const publishIn = async (
  town: Town,
  overrides: Partial<ItemContent> = {},
): Promise<{ item: string; push: string }> => {
  const item = await town.publishing.create(makeItemContent(overrides), null, publisher);
  const { push } = await town.fanout.publish(item.id, publisher);
  return { item: item.id, push: push.id };
};

/** A push's counts above zero. */
export const countsOf = async (town: Town, push: string): Promise<Record<string, number>> =>
  Object.fromEntries(Object.entries((await town.fanout.get(push))?.counts ?? {}).filter(([, people]) => people > 0));

/** `person0@example.org` and so on, who follow services. */
export const makeResidents = (count: number): object[] =>
  Array.from({ length: count }, (_, n) => makeResident(`person${n}`));

/** All rows of a push. */
export const rowsOf = async (town: Town, push: string): Promise<DeliveryView[]> => {
  const rows: DeliveryView[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = await town.fanout.deliveries(push, null, { cursor, limit: 200 });
    rows.push(...page.rows);
    if (page.next === null) return rows;
    cursor = page.next;
  }
};
