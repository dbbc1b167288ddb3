import { type Item, newItem } from '../../../src/publishing/item.ts';
import type { ItemStore } from '../../../src/publishing/item-store.ts';
import type { DeadlineStore } from '../../../src/reports/deadline-store.ts';
import { eachPair, fullSize, type Pair } from './pair.ts';

const at = Date.parse('2026-03-02T08:30:00.123Z');

const draft = (id: string, fields: Partial<Item['content']> = {}): Item => {
  const content = {
    ...{ title: `题 ${id}`, summary: 'x', language: 'zh-CN', topics: [] },
    ...{ urgency: 'routine' as const, visibility: 'public' as const, departments: ['水务局'] },
    ...fields,
  };
  return newItem({ id, externalId: null, content, writer: 'staff-1' }, at);
};

/** What the report of time limits reads on every storage. */
export const describeDeadlineStore = (
  name: string,
  open: () => Promise<Pair<{ deadlines: DeadlineStore; items: ItemStore }>>,
  { many } = fullSize,
): unknown =>
  describe(`deadline store: ${name}`, () => {
    let store: DeadlineStore;
    let items: ItemStore;
    eachPair(open, ([one, two]) => {
      items = one.items;
      store = two.deadlines;
    });
    const publish = async (item: Item): Promise<void> => {
      const next: Item = { ...item, state: 'published', version: 1, updatedAt: at + 1 };
      const version = {
        ...{ item: item.id, version: 1, revision: 0, kind: 'publication' as const },
        ...{ content: item.content, note: null, at: at + 7, announce: false },
      };
      expect(await items.replace(item, next, version)).toBe(true);
    };

    it('finds public items by the day they were formed on, with the time of their first publication', async () => {
      const published = draft('b', { formedAt: '2026-02-01' });
      for (const one of [draft('a', { formedAt: '2026-02-01' }), published, draft('c', { formedAt: '2026-02-03' })])
        await items.insert(one);
      await items.insert(draft('early', { formedAt: '2026-01-31' }));
      await items.insert(draft('never'));
      await items.insert(draft('targeted', { formedAt: '2026-02-01', visibility: 'targeted' }));
      await publish(published);
      const asked = { unpublished: false, limit: 10 };
      expect(await store.formed('2026-02-01', '2026-02-03', asked)).toEqual(
        [
          ...[{ id: 'a', state: 'draft', publishedAt: null, formedOn: '2026-02-01', title: '题 a' }],
          ...[{ id: 'b', state: 'published', publishedAt: at + 7, formedOn: '2026-02-01', title: '题 b' }],
          ...[{ id: 'c', state: 'draft', publishedAt: null, formedOn: '2026-02-03', title: '题 c' }],
        ].map((one) => ({ ...one, writer: 'staff-1', departments: ['水务局'] })),
      );
      const waiting = await store.formed('2026-02-01', '2026-02-03', { unpublished: true, limit: 1 });
      expect(waiting.map(({ id }) => id)).toEqual(['a']);
      expect(await store.formed('2027-01-01', '2027-12-31', asked)).toEqual([]);
    });

    it('keeps which warnings were given', async () => {
      expect(await store.unwarned([])).toEqual([]);
      await store.warned([], at);
      await store.warned(['answer 1', 'answer 1', '公开 2'], at);
      await store.warned(['answer 1'], at + 1);
      expect((await store.unwarned(['answer 1', 'answer 3', '公开 2'])).sort()).toEqual(['answer 3']);
      const keys = Array.from({ length: many }, (_, n) => `key ${n}`);
      await store.warned(keys, at);
      expect(await store.unwarned([...keys, 'new'])).toEqual(['new']);
    });
  });
