import type { Actor } from '../../../src/publishing/item.ts';
import type { PublishingService } from '../../../src/publishing/publishing-service.ts';
import { actor, admin, makeContent, openPublishing, reviewer, writer } from './fixtures.ts';

let opened: Awaited<ReturnType<typeof openPublishing>>;
let service: PublishingService;

const begin = async (options: { review?: boolean } = {}) => {
  opened = await openPublishing(options);
  service = opened.service;
};
afterEach(() => opened.close());

const submitted = async (content = makeContent(), by: Actor = writer): Promise<string> => {
  const { id } = await service.create(content, null, by);
  await service.submit(id, by);
  return id;
};
const publishedOne = async (content = makeContent()): Promise<string> => {
  const id = await submitted(content);
  for (const department of content.departments ?? [null])
    await service.approve(id, department, actor(`r-${department}`, ['reviewer'], department ? [department] : []));
  await service.publish(id, writer);
  return id;
};
const refused = (code: string, faults?: unknown) =>
  expect.objectContaining({ name: 'AppError', code, ...(faults ? { faults } : {}) });

describe('an item on its way, with review', () => {
  beforeEach(() => begin());

  it('is written, reviewed, approved, published', async () => {
    const made = await service.create(makeContent(), 'ext-1', writer);
    expect(made).toMatchObject({ state: 'draft', version: 0, revision: 0, externalId: 'ext-1', writer: 'writer' });
    expect(await service.submit(made.id, writer)).toMatchObject({ state: 'in-review' });
    expect(await service.approve(made.id, null, reviewer)).toMatchObject({
      item: { state: 'approved' },
      version: null,
    });
    const { item, version } = await service.publish(made.id, writer);
    expect(item).toMatchObject({ state: 'published', version: 1, revision: 0, publishedAt: opened.clock.now });
    expect(version).toMatchObject({ item: made.id, version: 1, kind: 'publication', announce: true });
    expect(await service.version(made.id, 1)).toEqual(version);
  });

  it('answers the same when published again, as after a crash', async () => {
    const id = await publishedOne();
    const before = await service.get(id);
    opened.clock.now += 1_000;
    const again = await service.publish(id, writer);
    expect(again.item).toEqual(before);
    expect(again.version).toEqual(await service.version(id, 1));
  });

  it('names every unknown topic and region at once', async () => {
    const content = makeContent({ topics: ['services', 'nope'], regions: ['110000', 'XX', 'YY'] });
    const faults = [
      { path: 'topics.1', message: expect.stringContaining('nope') },
      { path: 'regions.1', message: expect.stringContaining('XX') },
      { path: 'regions.2', message: expect.stringContaining('YY') },
    ];
    await expect(service.create(content, null, writer)).rejects.toEqual(refused('invalid', faults));
    const id = await publishedOne();
    const fields = { topics: ['nope'] };
    await expect(service.correct(id, { change: 'minor', note: 'n', fields }, writer)).rejects.toEqual(
      refused('invalid'),
    );
  });

  it('refuses a taken externalId and an unknown id', async () => {
    await service.create(makeContent(), 'x', writer);
    await expect(service.create(makeContent(), 'x', writer)).rejects.toEqual(refused('conflict'));
    expect(await service.get('nobody')).toBeNull();
    for (const call of [
      () => service.submit('nobody', writer),
      () => service.approve('nobody', null, reviewer),
      () => service.publish('nobody', writer),
      () => service.withdraw('nobody', 'n', writer),
    ])
      await expect(call()).rejects.toEqual(refused('not-found'));
  });

  it('lets nobody approve their own, not even an admin', async () => {
    const id = await submitted(makeContent(), admin);
    await expect(service.approve(id, null, admin)).rejects.toEqual(refused('own-work'));
    const both = actor('both', ['publisher', 'reviewer', 'admin']);
    const other = await submitted(makeContent(), both);
    await expect(service.approve(other, null, both)).rejects.toEqual(refused('own-work'));
    expect(await service.approve(other, null, admin)).toMatchObject({ item: { state: 'approved' } });
  });

  it('asks for the right role', async () => {
    const analyst = actor('analyst', ['analyst']);
    await expect(service.create(makeContent(), null, reviewer)).rejects.toEqual(refused('no-scope'));
    await expect(service.create(makeContent(), null, analyst)).rejects.toEqual(refused('no-scope'));
    const id = await submitted();
    await expect(service.approve(id, null, actor('other', ['publisher']))).rejects.toEqual(refused('no-scope'));
    await expect(service.reject(id, 'no', analyst)).rejects.toEqual(refused('no-scope'));
    await service.approve(id, null, reviewer);
    await expect(service.publish(id, reviewer)).rejects.toEqual(refused('no-scope'));
  });

  it('is countersigned by each department once, by a member of it', async () => {
    const id = await submitted(makeContent({ departments: ['Housing', 'Roads', 'Housing'] }));
    const housing = actor('h', ['reviewer'], ['Housing']);
    await expect(service.approve(id, null, housing)).rejects.toEqual(
      refused('invalid', [expect.objectContaining({ path: 'as' })]),
    );
    await expect(service.approve(id, 'Parks', actor('p', ['reviewer'], ['Parks']))).rejects.toEqual(refused('invalid'));
    await expect(service.approve(id, 'Roads', housing)).rejects.toEqual(refused('no-scope'));
    await expect(service.approve(id, 'Roads', admin)).rejects.toEqual(refused('no-scope'));
    expect(await service.approve(id, 'Housing', housing)).toMatchObject({ item: { state: 'in-review' } });
    const second = actor('h2', ['reviewer'], ['Housing']);
    await expect(service.approve(id, 'Housing', second)).rejects.toEqual(refused('conflict'));
    const { item } = await service.approve(id, 'Roads', actor('r', ['reviewer'], ['Roads']));
    expect(item.state).toBe('approved');
    expect(item.approvals.map(({ department, staff }) => [department, staff])).toEqual([
      ['Housing', 'h'],
      ['Roads', 'r'],
    ]);
    const bare = await submitted();
    await expect(service.approve(bare, 'Housing', housing)).rejects.toEqual(refused('invalid'));
  });

  it('counts both of two approvals that come at the same moment', async () => {
    const id = await submitted(makeContent({ departments: ['A', 'B'] }));
    await Promise.all(['A', 'B'].map((name) => service.approve(id, name, actor(name, ['reviewer'], [name]))));
    expect(await service.get(id)).toMatchObject({ state: 'approved', approvals: [{ staff: 'A' }, { staff: 'B' }] });
  });

  it('goes back with a reason, is mended by its writer alone, and starts its review anew', async () => {
    const id = await submitted(makeContent({ departments: ['A', 'B'] }));
    await service.approve(id, 'A', actor('a', ['reviewer'], ['A']));
    expect(await service.reject(id, 'names a person', reviewer)).toMatchObject({
      state: 'draft',
      rejection: 'names a person',
      approvals: [],
    });
    await expect(service.revise(id, { title: 'X' }, admin)).rejects.toEqual(refused('no-scope'));
    expect(await service.revise(id, { title: 'Mended' }, writer)).toMatchObject({ content: { title: 'Mended' } });
    expect(await service.submit(id, writer)).toMatchObject({ state: 'in-review', rejection: null, approvals: [] });
    await expect(service.revise(id, { title: 'Y' }, writer)).rejects.toEqual(refused('wrong-state'));
  });

  it('refuses every step from a wrong state', async () => {
    const { id } = await service.create(makeContent(), null, writer);
    const change = { change: 'major', note: 'n', fields: {} } as const;
    for (const call of [
      () => service.approve(id, null, reviewer),
      () => service.reject(id, 'n', reviewer),
      () => service.schedule(id, opened.clock.now + 1, writer),
      () => service.publish(id, writer),
      () => service.correct(id, change, writer),
      () => service.withdraw(id, 'n', writer),
    ])
      await expect(call()).rejects.toEqual(refused('wrong-state'));
    await service.submit(id, writer);
    await expect(service.submit(id, writer)).rejects.toEqual(refused('wrong-state'));
    await expect(service.publish(id, writer)).rejects.toEqual(refused('wrong-state'));
  });

  it('waits for its time', async () => {
    const id = await submitted();
    await service.approve(id, null, reviewer);
    const at = opened.clock.now + 60_000;
    await expect(service.schedule(id, opened.clock.now, writer)).rejects.toEqual(refused('invalid'));
    expect(await service.schedule(id, at, writer)).toMatchObject({ state: 'scheduled', scheduledFor: at });
    expect(await service.due(at - 1)).toEqual([]);
    expect((await service.due(at)).map((item) => item.id)).toEqual([id]);
    opened.clock.now = at;
    expect((await service.publish(id, writer)).item).toMatchObject({ state: 'published', scheduledFor: null });
    expect(await service.due(at)).toEqual([]);
  });
});

describe('a correction, with review', () => {
  beforeEach(() => begin());
  const major = { change: 'major', note: 'The date was wrong.', fields: { title: 'From Tuesday' } } as const;

  it('waits beside the public item, and the last approval applies it', async () => {
    const id = await publishedOne(makeContent({ departments: ['A', 'B'] }));
    const before = await service.get(id);
    expect(await service.correct(id, major, writer)).toMatchObject({
      item: { version: 1, content: before?.content, pending: { kind: 'major', state: 'in-review' } },
      version: null,
    });
    await expect(service.correct(id, major, writer)).rejects.toEqual(refused('conflict'));
    await expect(service.approve(id, 'A', actor('writer', ['admin'], ['A']))).rejects.toEqual(refused('own-work'));
    expect((await service.approve(id, 'A', actor('a', ['reviewer'], ['A']))).version).toBeNull();
    const { item, version } = await service.approve(id, 'B', actor('b', ['reviewer'], ['B']));
    expect(item).toMatchObject({ version: 2, revision: 0, pending: null, changeNote: 'The date was wrong.' });
    expect(version).toMatchObject({ version: 2, kind: 'correction', note: 'The date was wrong.', announce: true });
    expect(version?.content.title).toBe('From Tuesday');
    expect((await service.version(id, 1))?.content.title).toBe(makeContent().title);
  });

  it('is dropped when refused, and may be asked for again', async () => {
    const id = await publishedOne();
    await service.correct(id, major, writer);
    expect(await service.reject(id, 'unproved', reviewer)).toMatchObject({
      state: 'published',
      version: 1,
      pending: null,
      rejection: 'unproved',
    });
    await expect(service.reject(id, 'again', reviewer)).rejects.toEqual(refused('wrong-state'));
    expect(await service.correct(id, major, writer)).toMatchObject({ item: { rejection: null } });
  });

  it('may be approved by the first writer, when another wrote it', async () => {
    const both = actor('writer', ['publisher', 'reviewer']);
    const id = await publishedOne();
    await service.correct(id, major, actor('second', ['publisher']));
    expect((await service.approve(id, null, both)).version).toMatchObject({ version: 2 });
  });

  it('falls with a withdrawal', async () => {
    const id = await publishedOne();
    await service.correct(id, major, writer);
    const { item, version } = await service.withdraw(id, 'Was published by mistake.', writer);
    expect(item).toMatchObject({ state: 'withdrawn', version: 2, pending: null });
    expect(version).toMatchObject({ kind: 'withdrawal', note: 'Was published by mistake.' });
    expect(await service.withdraw(id, 'Was published by mistake.', writer)).toEqual({ item, version });
    await expect(service.withdraw(id, 'Other words.', writer)).rejects.toEqual(refused('wrong-state'));
    await expect(service.approve(id, null, reviewer)).rejects.toEqual(refused('wrong-state'));
    await expect(service.publish(id, writer)).rejects.toEqual(refused('wrong-state'));
  });
});

describe('without review', () => {
  beforeEach(() => begin({ review: false }));

  it('a publisher publishes at once and corrects at once', async () => {
    const { id } = await service.create(makeContent(), null, writer);
    await service.publish(id, writer);
    const minor = await service.correct(id, { change: 'minor', note: 'typo', fields: { title: 'T1' } }, writer);
    expect(minor).toMatchObject({ item: { version: 1, revision: 1, content: { title: 'T1' } }, version: null });
    expect(await service.version(id, 1)).toMatchObject({ kind: 'publication', revision: 1, content: { title: 'T1' } });
    const major = await service.correct(id, { change: 'major', note: 'date', fields: { title: 'T2' } }, writer);
    expect(major.version).toMatchObject({ version: 2, revision: 0, kind: 'correction' });
    await service.correct(id, { change: 'minor', note: 'typo', fields: { title: 'T3' } }, writer);
    expect(await service.version(id, 2)).toMatchObject({
      kind: 'correction',
      note: 'date',
      revision: 1,
      content: { title: 'T3' },
    });
    expect(await service.get(id)).toMatchObject({ version: 2, revision: 1, changeNote: 'typo' });
    expect((await service.withdraw(id, 'gone', writer)).version).toMatchObject({ version: 3, kind: 'withdrawal' });
  });
});
