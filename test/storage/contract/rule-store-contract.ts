import type { Rule, RuleVersion } from '../../../src/rules/rule.ts';
import type { RuleStore } from '../../../src/rules/rule-store.ts';
import { fullSize } from './pair.ts';

type Opened = { store: RuleStore; close: () => Promise<void> };
type OpenedTwice = { stores: [RuleStore, RuleStore]; close: () => Promise<void> };

const at = Date.parse('2026-06-10T04:00:00.123Z');

const makeRule = (changes: Partial<Rule> = {}): Rule => ({
  id: 'rule-1',
  state: 'draft',
  active: null,
  latest: 1,
  departments: ['住房局'],
  inReview: null,
  rejection: null,
  createdAt: at,
  updatedAt: at,
  ...changes,
});

const makeVersion = (changes: Partial<RuleVersion> = {}): RuleVersion => ({
  rule: 'rule-1',
  version: 1,
  content: {
    name: 'Tenants – “Mieter” 🏠',
    explanation: { en: 'You rent a home.', 'zh-CN': '您租房居住。' },
    when: { all: [] },
    who: { not: { person: 'region', within: 'item.regions' } },
    deliver: { channels: ['email', 'webPush'], pace: 'daily', priority: 5 },
    holdout: 0.125,
    tune: { threshold: [0.2, 0.75], hour: true },
  },
  writer: 'writer',
  approvedBy: null,
  createdAt: at,
  usedAt: null,
  ...changes,
});

const touched = (rule: Rule, changes: Partial<Rule> = {}): Rule => ({
  ...rule,
  updatedAt: rule.updatedAt + 1,
  ...changes,
});

/** What every rule store keeps. */
export const describeRuleStore = (
  name: string,
  open: () => Promise<Opened>,
  openTwice: () => Promise<OpenedTwice>,
  { many: count } = fullSize,
): void => {
  describe(`rule store: ${name}`, () => {
    let store: RuleStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(() => close());

    const put = async (changes: Partial<Rule> = {}): Promise<Rule> => {
      const rule = makeRule(changes);
      await store.insert(rule, makeVersion({ rule: rule.id, version: rule.latest }));
      return rule;
    };

    it('keeps a rule with its first version as they were', async () => {
      const rule = await put();
      expect(await store.get('rule-1')).toEqual(rule);
      expect(await store.versions([{ rule: 'rule-1', version: 1 }])).toEqual([makeVersion()]);
    });

    it('tells null from absent', async () => {
      const full = makeRule({
        id: 'full',
        state: 'paused',
        active: 2,
        latest: 3,
        inReview: 3,
        rejection: 'Too wide – 太宽',
      });
      await store.insert(full, makeVersion({ rule: 'full', version: 3, approvedBy: 'reviewer', usedAt: at + 7 }));
      expect(await store.get('full')).toEqual(full);
      const [version] = await store.versionsOf('full', 1);
      expect(version).toEqual(makeVersion({ rule: 'full', version: 3, approvedBy: 'reviewer', usedAt: at + 7 }));
      await put({ id: 'bare' });
      expect(await store.get('bare')).toMatchObject({ active: null, inReview: null, rejection: null });
    });

    it('takes an id once', async () => {
      await put();
      await expect(store.insert(makeRule({ state: 'active' }), makeVersion({ writer: 'x' }))).rejects.toMatchObject({
        code: 'conflict',
      });
      expect(await store.get('rule-1')).toMatchObject({ state: 'draft' });
      expect(await store.versionsOf('rule-1', 9)).toEqual([makeVersion()]);
    });

    it('knows nothing of ids that are none', async () => {
      await put();
      for (const id of ['nope', '', '../..', "x' OR 1=1 --", '编号', 'x'.repeat(5_000)]) {
        expect(await store.get(id)).toBeNull();
        expect(await store.versionsOf(id, 5)).toEqual([]);
        expect(await store.versions([{ rule: id, version: 1 }])).toEqual([]);
        expect(await store.update(makeRule({ id }), touched(makeRule({ id })))).toBe(false);
      }
      expect(await store.versions([{ rule: 'rule-1', version: 2 }])).toEqual([]);
    });

    it('takes empty lists', async () => {
      expect(await store.versions([])).toEqual([]);
      expect(await store.active()).toEqual([]);
      expect(await store.list({ cursor: null, limit: 5 })).toEqual({ rows: [], next: null });
      await store.markUsed([], at);
    });

    it('changes a rule and adds a version in one step, if it still is what it was', async () => {
      const before = await put();
      const after = touched(before, { latest: 2, state: 'active', active: 1, inReview: 2, rejection: 'x' });
      const second = makeVersion({ version: 2, writer: 'another', createdAt: at + 1 });
      expect(await store.update(before, after, second)).toBe(true);
      expect(await store.get('rule-1')).toEqual(after);
      expect(await store.versionsOf('rule-1', 9)).toEqual([second, makeVersion()]);
      expect(await store.versionsOf('rule-1', 1)).toEqual([second]);

      const stale = touched(before, { state: 'paused', latest: 3 });
      expect(await store.update(before, stale, makeVersion({ version: 3 }))).toBe(false);
      expect(await store.get('rule-1')).toEqual(after);
      expect(await store.versionsOf('rule-1', 9)).toHaveLength(2);
    });

    it('lets a version that is there be approved, and nothing else of it change', async () => {
      const before = await put();
      await store.markUsed([{ rule: 'rule-1', version: 1 }], at + 5);
      const content = { ...makeVersion().content, name: 'Another' };
      const handed = makeVersion({ approvedBy: 'reviewer', writer: 'x', content, createdAt: at + 9, usedAt: null });
      expect(await store.update(before, touched(before), handed)).toBe(true);
      expect(await store.versionsOf('rule-1', 9)).toEqual([makeVersion({ approvedBy: 'reviewer', usedAt: at + 5 })]);
    });

    it('keeps the first time of use', async () => {
      await put();
      await put({ id: 'rule-2' });
      await store.markUsed(
        [
          { rule: 'rule-1', version: 1 },
          { rule: 'nope', version: 1 },
        ],
        at + 1,
      );
      await store.markUsed(
        [
          { rule: 'rule-1', version: 1 },
          { rule: 'rule-2', version: 1 },
        ],
        at + 2,
      );
      const used = await store.versions([
        { rule: 'rule-1', version: 1 },
        { rule: 'rule-2', version: 1 },
      ]);
      expect(new Map(used.map(({ rule, usedAt }) => [rule, usedAt]))).toEqual(
        new Map([
          ['rule-1', at + 1],
          ['rule-2', at + 2],
        ]),
      );
    });

    it('names the versions that select now', async () => {
      const one = await put({ id: 'one', state: 'active', active: 1 });
      await store.update(one, touched(one, { latest: 2, inReview: 2 }), makeVersion({ rule: 'one', version: 2 }));
      await put({ id: 'draft' });
      await put({ id: 'paused', state: 'paused', active: 1 });
      await put({ id: 'another', state: 'active', active: 1 });
      expect(await store.active()).toEqual([makeVersion({ rule: 'another' }), makeVersion({ rule: 'one' })]);
    });

    it('lists by creation, newest first, also over ties', async () => {
      const ids = ['b', 'a', 'd', 'c', 'e'];
      for (const id of ids) await put({ id, createdAt: id === 'e' ? at + 1 : id === 'a' ? at - 1 : at });
      const seen: string[] = [];
      for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
        const page: Awaited<ReturnType<RuleStore['list']>> = await store.list({ cursor, limit: 2 });
        expect(page.rows.length).toBeLessThanOrEqual(2);
        seen.push(...page.rows.map(({ id }) => id));
        cursor = page.next;
      }
      expect([seen[0], seen.at(-1)]).toEqual(['e', 'a']);
      expect([...seen].sort()).toEqual([...ids].sort());
      expect((await store.list({ cursor: null, limit: 5 })).next).toBeNull();
      await expect(store.list({ cursor: 'abc', limit: 5 })).rejects.toMatchObject({ code: 'invalid' });
    });

    it('takes 40,000 ids at once', async () => {
      await put();
      const ids = Array.from({ length: count }, (_, n) => ({ rule: n % 2 ? `no-${n}` : 'rule-1', version: n + 1 }));
      await store.markUsed(ids, at + 1);
      expect(await store.versions(ids)).toEqual([makeVersion({ usedAt: at + 1 })]);
      const again = Array.from({ length: count }, () => ({ rule: 'rule-1', version: 1 }));
      expect(new Set((await store.versions(again)).map(({ version }) => version))).toEqual(new Set([1]));
    });
  });

  describe(`rule store, two handles: ${name}`, () => {
    it('lets one of two win', async () => {
      const { stores, close } = await openTwice();
      const [one, two] = stores;
      const rule = makeRule();
      await one.insert(rule, makeVersion());
      const second = (writer: string) => makeVersion({ version: 2, writer });
      const won = await Promise.all([
        one.update(rule, touched(rule, { latest: 2 }), second('one')),
        two.update(rule, touched(rule, { latest: 2 }), second('two')),
      ]);
      expect([...won].sort()).toEqual([false, true]);
      const [kept] = await two.versionsOf('rule-1', 1);
      expect(kept?.writer).toBe(won[0] ? 'one' : 'two');

      const made = await Promise.allSettled(
        stores.map((store, n) =>
          store.insert(makeRule({ id: 'new' }), makeVersion({ rule: 'new', writer: String(n) })),
        ),
      );
      expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      await close();
    });
  });
};
