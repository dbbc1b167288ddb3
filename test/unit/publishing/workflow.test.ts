import fc from 'fast-check';
import { AppError } from '../../../src/errors.ts';
import { type Actor, type Item, type ItemVersion, newItem } from '../../../src/publishing/item.ts';
import * as workflow from '../../../src/publishing/workflow.ts';
import { makeContent } from './fixtures.ts';

const roles = ['publisher', 'reviewer', 'analyst', 'admin'];
const departments = ['A', 'B'];
const people: fc.Arbitrary<Actor> = fc.record({
  staff: fc.constantFrom('ann', 'bob', 'cy'),
  roles: fc.subarray(roles),
  departments: fc.subarray(departments),
});
const steps = ['submit', 'approve', 'reject', 'schedule', 'publish', 'correct', 'withdraw', 'revise'] as const;
const call = fc.record({
  step: fc.constantFrom(...steps),
  by: people,
  as: fc.constantFrom(null, 'A', 'B', 'C'),
  kind: fc.constantFrom('major' as const, 'minor' as const),
  wait: fc.integer({ min: 0, max: 10 }),
  departments: fc.subarray(departments),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

type World = { item: Item; versions: Map<number, ItemVersion>; now: number };

const take = ({ item, versions, now }: World, { step, by, as, kind, departments: wanted }: Call, review: boolean) => {
  const tools = { now, review };
  const current = versions.get(item.version) ?? null;
  const content = { ...item.content, departments: wanted, title: `T${now}` };
  if (step === 'approve') return workflow.approve(item, as, by, current, tools);
  if (step === 'reject') return workflow.reject(item, 'no', by, tools);
  if (step === 'schedule') return workflow.schedule(item, now + 5, by, tools);
  if (step === 'correct') return workflow.correct(item, { kind, content, note: 'n' }, by, current, tools);
  if (step === 'withdraw') return workflow.withdraw(item, 'n', by, tools);
  if (step === 'revise') return workflow.revise(item, content, by, tools);
  if (step === 'submit') return workflow.submit(item, by, tools);
  return workflow.publish(item, by, tools);
};

/** Plays a sequence of calls; refusals must be faults that the caller is told, and change nothing. */
const play = (calls: Call[], review: boolean, see: (before: Item, after: Item, made: Call) => void): World => {
  const item = newItem({ id: 'i', externalId: null, content: makeContent(), writer: 'ann' }, 0);
  const world: World = { item, versions: new Map(), now: 0 };
  for (const made of calls) {
    world.now += made.wait;
    const before = world.item;
    try {
      const { item: after, version } = take(world, made, review);
      world.item = after;
      if (version) world.versions.set(version.version, version);
      see(before, after, made);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }
  return world;
};

const runs = fc.tuple(fc.array(call, { maxLength: 60 }), fc.boolean());

describe('the workflow, whatever is called in whatever order', () => {
  it('lets nobody approve what they wrote', () => {
    fc.assert(
      fc.property(runs, ([calls, review]) => {
        play(calls, review, (before, _after, { step, by, as }) => {
          if (step !== 'approve') return;
          expect(by.staff).not.toBe(before.pending ? before.pending.writer : before.writer);
          if (as === null) expect(by.roles.some((role) => role === 'reviewer' || role === 'admin')).toBe(true);
          else expect(by.departments).toContain(as);
        });
      }),
      { numRuns: 400 },
    );
  });

  it('with review, makes nothing public that its departments, or a reviewer, did not approve', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const world = play(calls, true, (before, after, made) => {
          const isNew = after.version > before.version || after.revision > before.revision;
          if (!isNew || after.state !== 'published') return;
          const approvals = before.pending
            ? [...before.pending.approvals, { department: made.as, staff: made.by.staff }]
            : after.approvals;
          const wanted = new Set(after.content.departments);
          for (const department of wanted) expect(approvals.map((one) => one.department)).toContain(department);
          expect(approvals.length).toBeGreaterThan(0);
          for (const { staff } of approvals) expect(staff).not.toBe(before.pending?.writer ?? before.writer);
        });
        expect(world.versions.size).toBe(world.item.version);
      }),
      { numRuns: 400 },
    );
  });

  it('never counts version or revision back, and gives every public state its row', () => {
    fc.assert(
      fc.property(runs, ([calls, review]) => {
        const world = play(calls, review, (before, after) => {
          const [wasVersion, isVersion] = [before.version, after.version];
          expect(isVersion === wasVersion || isVersion === wasVersion + 1).toBe(true);
          if (isVersion === wasVersion) expect(after.revision).toBeGreaterThanOrEqual(before.revision);
          expect(after.updatedAt).toBeGreaterThan(before.updatedAt);
        });
        const { item, versions } = world;
        expect([...versions.keys()]).toEqual(Array.from({ length: item.version }, (_, n) => n + 1));
        if (item.state === 'published')
          expect(versions.get(item.version)).toMatchObject({ revision: item.revision, content: item.content });
      }),
      { numRuns: 400 },
    );
  });

  it('reaches publication and corrections in these runs at all', () => {
    const script = (step: Call['step'], staff: string): Call => ({
      step,
      by: { staff, roles: ['admin'], departments: [] },
      as: null,
      kind: 'major',
      wait: 1,
      departments: [],
    });
    const calls = [script('submit', 'ann'), script('approve', 'bob'), script('publish', 'ann')];
    const world = play([...calls, script('correct', 'ann'), script('approve', 'bob')], true, () => {});
    expect(world.item).toMatchObject({ state: 'published', version: 2 });
  });
});
