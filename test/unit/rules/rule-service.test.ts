import { makeCatalogueService, seedCatalogue } from '../../../src/catalogue/catalogue-service.ts';
import { realEdges } from '../../../src/edges.ts';
import type { Actor } from '../../../src/publishing/item.ts';
import type { RuleContent } from '../../../src/rules/rule.ts';
import { makeRuleService, type RuleService } from '../../../src/rules/rule-service.ts';
import { sqliteStorage } from '../../../src/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';

const actor = (staff: string, ...roles: string[]): Actor => ({ staff, roles, departments: [] });
const ann = actor('ann', 'publisher', 'reviewer');
const bob = actor('bob', 'publisher');
const rita = actor('rita', 'reviewer');

const content = (changes: Partial<RuleContent> = {}): RuleContent => ({
  name: 'Everybody',
  explanation: { en: 'You live here.', 'zh-CN': '您住在这里。' },
  when: { all: [] },
  who: { person: 'region', within: ['110000'] },
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
  holdout: 0,
  tune: {},
  ...changes,
});

const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('the rule service', () => {
  let stores: Storage;
  const now = Date.parse('2026-06-10T04:00:00Z');
  const service = (review: boolean): RuleService =>
    makeRuleService(stores, {
      catalogue: makeCatalogueService(stores),
      edges: { ...realEdges, now: () => now },
      review,
    });
  beforeEach(async () => {
    stores = sqliteStorage(await openMemory());
    await seedCatalogue(stores.catalogue);
  });
  afterEach(() => stores.close());

  it('lets publishers write and nobody else', async () => {
    const rules = service(true);
    await expect(rules.create(content(), rita)).rejects.toEqual(code('no-scope'));
    const { rule } = await rules.create(content(), ann);
    await expect(rules.put(rule.id, content(), null, rita)).rejects.toEqual(code('no-scope'));
    await expect(rules.activate(rule.id, null, rita)).rejects.toEqual(code('no-scope'));
    await expect(rules.pause(rule.id, rita)).rejects.toEqual(code('no-scope'));
    await rules.activate(rule.id, null, ann);
    await expect(rules.approve(rule.id, bob)).rejects.toEqual(code('no-scope'));
    await expect(rules.reject(rule.id, 'x', bob)).rejects.toEqual(code('no-scope'));
  });

  it('never changes a version: one that a push used can be read as it was', async () => {
    const rules = service(false);
    const { rule } = await rules.create(content(), ann);
    await stores.rules.markUsed([{ rule: rule.id, version: 1 }], now);
    const changed = await rules.put(rule.id, content({ name: 'Other' }), 1, bob);
    expect(changed.version).toMatchObject({ version: 2, writer: 'bob', usedAt: null });
    expect((await rules.get(rule.id, 1))?.version).toMatchObject({ content: content(), writer: 'ann', usedAt: now });
  });

  it('loses nothing when many write at once', async () => {
    const rules = service(false);
    const { rule } = await rules.create(content(), ann);
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => rules.put(rule.id, content({ name }), null, ann)));
    const versions = await rules.versions(rule.id, 10);
    expect(versions.map(({ version }) => version)).toEqual([5, 4, 3, 2, 1]);
    expect(versions.map((one) => one.content.name).sort()).toEqual(['Everybody', 'a', 'b', 'c', 'd']);
  });

  it('lets one of those win who changed the same version', async () => {
    const rules = service(false);
    const { rule } = await rules.create(content(), ann);
    const done = await Promise.allSettled(['a', 'b', 'c'].map((name) => rules.put(rule.id, content({ name }), 1, ann)));
    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await rules.versions(rule.id, 10)).toHaveLength(2);
  });

  it('selects by what was approved, whatever is written meanwhile', async () => {
    const rules = service(true);
    const { rule } = await rules.create(content(), ann);
    await rules.activate(rule.id, null, ann);
    expect(await stores.rules.active()).toEqual([]);
    await rules.put(rule.id, content({ name: 'Unseen' }), null, ann);
    await expect(rules.activate(rule.id, null, ann)).rejects.toEqual(code('conflict'));
    await rules.approve(rule.id, rita);
    expect(await stores.rules.active()).toEqual([
      expect.objectContaining({ version: 1, approvedBy: 'rita', content: content() }),
    ]);
  });

  it('lets the writer of a version not approve it, even when another asked for its activation', async () => {
    const rules = service(true);
    const { rule } = await rules.create(content(), ann);
    await rules.activate(rule.id, null, bob);
    await expect(rules.approve(rule.id, ann)).rejects.toEqual(code('own-work'));
    await rules.reject(rule.id, 'Not yet', rita);
    await rules.put(rule.id, content({ name: 'By Bob' }), null, bob);
    await rules.activate(rule.id, null, bob);
    expect((await rules.approve(rule.id, ann)).rule).toMatchObject({ state: 'active', active: 2, rejection: null });
  });

  it('asks for a review of what was made active while none was asked for', async () => {
    const { rule } = await service(false).create(content(), ann);
    await service(false).activate(rule.id, null, ann);
    await service(false).pause(rule.id, ann);
    expect((await service(true).activate(rule.id, null, ann)).rule).toMatchObject({ state: 'paused', inReview: 1 });
  });

  it('repeats steps without harm', async () => {
    const rules = service(false);
    const { rule } = await rules.create(content(), ann);
    const once = await rules.activate(rule.id, null, ann);
    expect(await rules.activate(rule.id, null, ann)).toEqual(once);
    const paused = await rules.pause(rule.id, ann);
    expect(await rules.pause(rule.id, ann)).toEqual(paused);
    expect(paused.rule.updatedAt).toBeGreaterThan(once.rule.updatedAt);
  });
});
