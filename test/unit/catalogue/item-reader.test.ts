import { makeCatalogueService } from '../../../src/catalogue/catalogue-service.ts';
import { type ItemReader, makeItemReader } from '../../../src/catalogue/item-reader.ts';
import type { ItemContent } from '../../../src/publishing/item.ts';
import { makeContent, openPublishing, reviewer, writer } from '../publishing/fixtures.ts';

let opened: Awaited<ReturnType<typeof openPublishing>>;
let reader: ItemReader;
beforeEach(async () => {
  opened = await openPublishing({ review: false });
  const title = { en: 'Housing', 'zh-CN': '住房' };
  await opened.catalogue.insertTopic({ slug: 'housing', title, parent: 'services' });
  await opened.catalogue.insertTopic({ slug: 'rents', title, parent: 'housing' });
  reader = makeItemReader({ items: opened.items }, { catalogue: makeCatalogueService(opened) });
});
afterEach(() => opened.close());

const draft = async (content: Partial<ItemContent> = {}): Promise<string> =>
  (await opened.service.create(makeContent(content), null, writer)).id;
const published = async (content: Partial<ItemContent> = {}): Promise<string> => {
  const id = await draft(content);
  opened.clock.now += 1_000;
  await opened.service.publish(id, writer);
  return id;
};
const found = async (search: Partial<Parameters<ItemReader['search']>[0]> = {}): Promise<string[]> =>
  (await reader.search({ cursor: null, limit: 50, ...search })).rows.map(({ id }) => id);

describe('items as citizens read them', () => {
  it('are public ones, published or withdrawn; nothing else is found or opened', async () => {
    const [shown, back] = [await published(), await published()];
    await opened.service.withdraw(back, 'Out of date.', writer);
    const hidden = [await draft(), await published({ visibility: 'targeted' })];
    const reviewed = await draft();
    await opened.service.submit(reviewed, writer);
    await opened.service.approve(reviewed, null, reviewer);
    hidden.push(reviewed);
    const never = '{"base_path":"/never","title":"Never public","withdrawn":true}';
    const order = { format: 'govuk', content: never, publish: false, notify: false } as const;
    await opened.service.importItems({ ...order, topics: [] }, writer);
    const unseen = await opened.items.get({ externalId: '/never' });
    if (unseen) hidden.push(unseen.id);
    expect(hidden).toHaveLength(4);

    expect(await found()).toEqual([back, shown]);
    expect(await found({ state: 'withdrawn' })).toEqual([back]);
    expect(await found({ state: 'published' })).toEqual([shown]);
    for (const id of [...hidden, 'nobody']) expect(await reader.read(id)).toBeNull();
    expect(await reader.read(back)).toMatchObject({ state: 'withdrawn', changeNote: 'Out of date.' });
  });

  it('show no writer, no approval, no waiting change', async () => {
    const id = await published({ title: 'Public' });
    const item = await opened.items.get({ id });
    if (!item) throw new Error('not there');
    const pending = {
      kind: 'major',
      state: 'in-review',
      content: makeContent({ title: 'Secret until approved' }),
      note: 'n',
      writer: 'writer',
      approvals: [],
    } as const;
    await opened.items.replace(item, {
      ...item,
      pending: { ...pending, approvals: [] },
      updatedAt: item.updatedAt + 1,
    });
    const read = await reader.read(id);
    expect(Object.keys(read ?? {}).sort()).toEqual(
      [
        'id',
        'externalId',
        'state',
        'version',
        'revision',
        'content',
        'changeNote',
        'publishedAt',
        'updatedAt',
        'history',
      ].sort(),
    );
    expect(JSON.stringify([read, await reader.search({ cursor: null, limit: 9 })])).not.toMatch(/writer|Secret|visib/);
  });

  it('tell their history, newest first', async () => {
    const id = await published();
    await opened.service.correct(id, { change: 'minor', note: 'typo', fields: { title: 'T' } }, writer);
    await opened.service.correct(id, { change: 'major', note: 'New date.', fields: {} }, writer);
    expect((await reader.read(id))?.history).toMatchObject([
      { version: 2, kind: 'correction', note: 'New date.' },
      { version: 1, kind: 'publication', note: null },
    ]);
  });

  it('are found by words and by topic with what lies below it', async () => {
    const rents = await published({ topics: ['rents'], title: '租金补贴' });
    const services = await published({ topics: ['services'] });
    const other = await published({ topics: ['budgets'] });
    expect(await found({ topic: 'services' })).toEqual([services, rents]);
    expect(await found({ topic: 'housing' })).toEqual([rents]);
    expect(await found({ topic: 'budgets' })).toEqual([other]);
    expect(await found({ topic: 'services', q: '补贴' })).toEqual([rents]);
    expect(await found({ topic: 'penalties' })).toEqual([]);
    await expect(found({ topic: 'nope' })).rejects.toMatchObject({ code: 'invalid', faults: [{ path: 'topic' }] });
  });

  it('come page by page', async () => {
    const ids = [await published(), await published(), await published()].reverse();
    const first = await reader.search({ cursor: null, limit: 2 });
    expect(first.rows.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await reader.search({ cursor: first.next, limit: 2 });
    expect(second.rows.map(({ id }) => id)).toEqual(ids.slice(2));
    expect(second.next).toBeNull();
    await expect(found({ cursor: 'nonsense' })).rejects.toMatchObject({ code: 'invalid' });
  });
});
