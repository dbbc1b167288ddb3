import { packOrdinals, unpackOrdinals } from '../../../src/fanout/ordinals.ts';
import { lateBatchId, noCounts, type Push, planBatchId } from '../../../src/fanout/push.ts';
import type { PushSource, PushStore } from '../../../src/fanout/push-store.ts';
import { at, makeBatch, makePush, range } from '../../helpers/fanout-builders.ts';
import { eachPair, type Pair } from './pair.ts';

/** How large "many at once" is: smaller where the server of the tests is slow, never where it is the product's own. */
export type Scale = { many: number; races: number };
export const fullScale: Scale = { many: 40_000, races: 200 };

const source = (name: string, ordinals: number[]): PushSource => ({
  source: name,
  follow: null,
  facts: [],
  ordinals: packOrdinals(ordinals),
});

/** What every push store keeps. */
export const describePushStore = (
  name: string,
  open: () => Promise<Pair<PushStore>>,
  scale: Scale = fullScale,
): unknown =>
  describe(`push store: ${name}`, () => {
    let store: PushStore;
    let other: PushStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    describe('pushes', () => {
      it('keeps a push to the letter', async () => {
        const push = makePush({
          id: 'push-ö-住',
          audience: { kind: 'people', subscribers: ['a', 'b–c'] },
          channels: ['sms', 'email'],
          note: 'für alle – 致全体居民 🏠',
          bySource: [{ source: 'subscription:topic:住房', people: 3 }],
          matched: 3,
          plannedAt: at + 1,
          finishedAt: null,
        });
        expect(await store.insert(push)).toEqual(push);
        expect(await other.get('push-ö-住')).toEqual(push);
      });

      it('tells null from absent', async () => {
        await store.insert(makePush());
        expect(await store.get('push-1')).toStrictEqual(makePush());
      });

      it('answers the stored one when an id is inserted twice', async () => {
        await store.insert(makePush({ note: 'first' }));
        const twice = await Promise.all([store, other].map((one) => one.insert(makePush({ note: 'second' }))));
        expect(twice.map((push) => push.note)).toEqual(['first', 'first']);
      });

      it('has one winner when two insert at once', async () => {
        const answers = await Promise.all([
          store.insert(makePush({ note: 'one' })),
          other.insert(makePush({ note: 'two' })),
        ]);
        const [a, b] = answers.map((push) => push.note);
        expect(a).toBe(b);
      });

      it('knows nothing of unknown and malformed ids', async () => {
        await store.insert(makePush());
        for (const id of ['unknown', '', "'; --", '住房', '$ne', 'a\u0000b']) {
          expect(await store.get(id)).toBeNull();
          expect(await store.setState(id, ['running'], 'paused')).toBe(false);
          await store.finish(id, 'running', at);
          expect(await store.sources(id)).toEqual([]);
          expect([...(await store.peopleOf(id))]).toEqual([]);
          await store.addSources(id, 0, [source('a', [1])], []);
          expect(await store.sources(id)).toEqual([]);
          expect(await store.batchesOf(id)).toEqual([]);
          expect(await store.ofItem(id)).toEqual([]);
          await expect(
            store.freeze(id, 'plan', { lane: 'at-once', matched: 0, bySource: [], plannedAt: at }),
          ).rejects.toMatchObject({
            code: 'not-found',
          });
        }
        expect(await store.get('push-1')).toEqual(makePush());
      });

      it('pages newest first, over ties, nothing twice and nothing missed', async () => {
        const ids: string[] = [];
        for (let n = 0; n < 7; n += 1) {
          const push = makePush({ id: `push-${n}`, createdAt: at + Math.floor(n / 3) });
          ids.push(push.id);
          await store.insert(push);
        }
        const seen: Push[] = [];
        let cursor: string | null = null;
        do {
          const page: Awaited<ReturnType<PushStore['list']>> = await store.list({ cursor, limit: 2 });
          expect(page.rows.length).toBeLessThanOrEqual(2);
          seen.push(...page.rows);
          cursor = page.next;
        } while (cursor !== null);
        expect(seen.map((push) => push.id).sort()).toEqual(ids);
        const times = seen.map((push) => push.createdAt);
        expect(times).toEqual([...times].sort((a, b) => b - a));
      });

      it('gives no further page after the last row, and refuses a cursor that is not its own', async () => {
        await store.insert(makePush());
        expect((await store.list({ cursor: null, limit: 1 })).next).toBeNull();
        await expect(store.list({ cursor: 'garbage', limit: 1 })).rejects.toMatchObject({ code: 'invalid' });
      });

      it('lists the pushes of an item, and the unfinished ones, oldest first', async () => {
        await store.insert(makePush({ id: 'b', createdAt: at, version: 1 }));
        await store.insert(makePush({ id: 'a', createdAt: at + 5, version: 2 }));
        await store.insert(makePush({ id: 'c', createdAt: at + 9, item: 'other' }));
        await store.finish('b', 'running', at + 10);
        expect((await store.ofItem('item-住房')).map((push) => push.id)).toEqual(['b', 'a']);
        expect((await store.unfinished(10)).map((push) => push.id)).toEqual(['a', 'c']);
        expect((await store.unfinished(1)).map((push) => push.id)).toEqual(['a']);
      });

      it('lists unfinished pushes by lane, then age, so that no limit cuts off an emergency', async () => {
        for (const [id, lane] of [
          ['b1', 'bulk'],
          ['b2', 'bulk'],
          ['a1', 'at-once'],
          ['e1', 'emergency'],
          ['d1', 'digest'],
          ['e2', 'emergency'],
        ] as const)
          await store.insert(makePush({ id, lane, createdAt: at + Number(id[1]) }));
        const order = ['e1', 'e2', 'a1', 'd1', 'b1', 'b2'];
        for (const limit of [1, 3, 5, 6, 7])
          expect((await store.unfinished(limit)).map((push) => push.id)).toEqual(order.slice(0, limit));
      });

      it('moves a state only from where the caller says', async () => {
        await store.insert(makePush({ state: 'planning' }));
        expect(await store.setState('push-1', ['running'], 'paused')).toBe(false);
        expect(await store.setState('push-1', [], 'paused')).toBe(false);
        expect(await other.setState('push-1', ['paused', 'planning'], 'running')).toBe(true);
        expect((await store.get('push-1'))?.state).toBe('running');
      });

      it('has one winner when two move the state at once', async () => {
        for (let n = 0; n < 10; n += 1) {
          await store.insert(makePush({ id: `p${n}` }));
          const won = await Promise.all([
            store.setState(`p${n}`, ['running'], 'paused'),
            other.setState(`p${n}`, ['running'], 'cancelled'),
          ]);
          expect(won.filter(Boolean)).toHaveLength(1);
        }
      });

      it('finishes a running or cancelled push once, and no other', async () => {
        const states = ['planning', 'running', 'paused', 'cancelled'] as const;
        for (const state of states) await store.insert(makePush({ id: state, state }));
        for (const id of states) await store.finish(id, id, at + 1);
        for (const id of ['running', 'cancelled'] as const) await other.finish(id, id, at + 2);
        await other.finish('running', 'done', at + 3);
        const ended = await Promise.all(states.map((id) => store.get(id)));
        expect(ended.map((push) => [push?.state, push?.finishedAt])).toEqual([
          ['planning', null],
          ['done', at + 1],
          ['paused', null],
          ['cancelled', at + 1],
        ]);
      });

      it('finishes a push only in the state it was judged in', async () => {
        await store.insert(makePush());
        await other.setState('push-1', ['running'], 'cancelled');
        await store.finish('push-1', 'running', at + 1);
        expect(await store.get('push-1')).toMatchObject({ state: 'cancelled', finishedAt: null });
        await store.finish('push-1', 'cancelled', at + 2);
        expect(await store.get('push-1')).toMatchObject({ state: 'cancelled', finishedAt: at + 2 });
      });

      it('names each end of a push until it was told, and the next end again', async () => {
        for (const id of ['a', 'b']) await store.insert(makePush({ id }));
        expect(await store.endUntold(10)).toEqual([]);
        for (const id of ['a', 'b']) await store.finish(id, 'running', at + 1);
        expect((await other.endUntold(10)).map((push) => push.id)).toEqual(['a', 'b']);
        expect((await other.endUntold(1)).map((push) => push.id)).toEqual(['a']);
        await other.endTold('b', at + 1);
        await other.setState('a', ['done'], 'running');
        expect(await store.endUntold(10)).toEqual([]);
        await store.finish('a', 'running', at + 2);
        await other.endTold('a', at + 1);
        expect(await store.endUntold(10)).toMatchObject([{ id: 'a', finishedAt: at + 2 }]);
        await other.endTold('a', at + 2);
        expect(await store.endUntold(10)).toEqual([]);
      });

      it('takes up a finished push again when its state moves on', async () => {
        for (const id of ['a', 'b']) await store.insert(makePush({ id }));
        for (const id of ['a', 'b']) await store.finish(id, 'running', at + 1);
        expect(await store.setState('a', ['running'], 'cancelled')).toBe(false);
        expect(await other.setState('a', ['done'], 'cancelled')).toBe(true);
        expect(await other.get('a')).toMatchObject({ state: 'cancelled', finishedAt: null });
        expect((await store.unfinished(10)).map((push) => push.id)).toEqual(['a']);
        expect(await store.get('b')).toMatchObject({ state: 'done', finishedAt: at + 1 });
      });
    });

    describe('plans', () => {
      const facts = { lane: 'bulk' as const, matched: 3, bySource: [{ source: 'a', people: 3 }], plannedAt: at + 1 };

      it('shows the sources of the frozen plan only, in their order', async () => {
        await store.insert(makePush({ state: 'planning' }));
        await store.writeSources('push-1', 'plan-1', [source('a', [1, 2]), { ...source('b', [3]), follow: '关注' }]);
        expect(await store.sources('push-1')).toEqual([]);
        expect(await store.freeze('push-1', 'plan-1', facts)).toBe('plan-1');
        const frozen = await other.sources('push-1');
        expect(frozen.map(({ source, follow, ordinals }) => [source, follow, unpackOrdinals(ordinals)])).toEqual([
          ['a', null, [1, 2]],
          ['b', '关注', [3]],
        ]);
        expect(await store.get('push-1')).toMatchObject({ plan: 'plan-1', ...facts });
      });

      it('keeps the facts by which a rule selected, with the source they belong to', async () => {
        await store.insert(makePush());
        const facts1 = [
          { leaf: { person: 'region' as const, within: ['110000'] }, ordinals: packOrdinals([3]) },
          { leaf: { person: 'attributes.职业' as const, in: ['教师', 7] }, ordinals: packOrdinals([3, 4]) },
        ];
        await store.writeSources('push-1', 'plan-1', [source('a', [1]), { ...source('b', [3, 4]), facts: facts1 }]);
        await store.freeze('push-1', 'plan-1', facts);
        const frozen = await other.sources('push-1');
        expect(frozen.map((one) => one.facts.map(({ leaf, ordinals }) => [leaf, unpackOrdinals(ordinals)]))).toEqual([
          [],
          [
            [facts1[0]?.leaf, [3]],
            [facts1[1]?.leaf, [3, 4]],
          ],
        ]);
      });

      it('keeps the order of more than ten sources', async () => {
        await store.insert(makePush());
        const names = range(1, 12).map((n) => `s${n}`);
        await store.writeSources(
          'push-1',
          'plan-1',
          names.map((name) => source(name, [1])),
        );
        await store.freeze('push-1', 'plan-1', facts);
        expect((await store.sources('push-1')).map((one) => one.source)).toEqual(names);
      });

      it('writes the sources of a plan once, however often that is repeated', async () => {
        await store.insert(makePush());
        await store.writeSources('push-1', 'plan-1', [source('a', [1])]);
        await other.writeSources('push-1', 'plan-1', [source('changed', [9])]);
        await store.writeSources('push-1', 'plan-1', []);
        await store.freeze('push-1', 'plan-1', facts);
        expect((await store.sources('push-1')).map((one) => one.source)).toEqual(['a']);
      });

      it('freezes the plan of the first of two planners, and both learn which one stands', async () => {
        for (let n = 0; n < 20; n += 1) {
          const id = `push-${n}`;
          await store.insert(makePush({ id, state: 'planning' }));
          const plan = async (handle: PushStore, token: string, people: number[]): Promise<string> => {
            await handle.writeSources(id, token, [source(token, people)]);
            return handle.freeze(id, token, { ...facts, matched: people.length });
          };
          const [a, b] = await Promise.all([plan(store, 'plan-a', [1]), plan(other, 'plan-b', [1, 2])]);
          expect(a).toBe(b);
          expect((await store.sources(id)).map((one) => one.source)).toEqual([a]);
          expect((await store.get(id))?.matched).toBe(a === 'plan-a' ? 1 : 2);
        }
      });

      it('inserts a batch once and leaves it as it is', async () => {
        await store.insert(makePush());
        await store.insertBatches([makeBatch()]);
        await other.insertBatches([
          makeBatch({ ordinals: [7, 8, 9, 10] }),
          makeBatch({ id: 'push-1:1', ordinals: [4] }),
        ]);
        await store.insertBatches([]);
        expect(await store.batchesOf('push-1')).toEqual([
          {
            id: 'push-1:0',
            kind: 'plan',
            open: true,
            dirty: false,
            people: 3,
            counts: { ...noCounts(), planned: 3 },
          },
          { id: 'push-1:1', kind: 'plan', open: true, dirty: false, people: 1, counts: { ...noCounts(), planned: 1 } },
        ]);
      });

      it('knows everybody of the planned and late batches', async () => {
        await store.insert(makePush());
        await store.insert(makePush({ id: 'push-2' }));
        await store.insertBatches([makeBatch({ id: 'push-2:0', push: 'push-2', ordinals: [77] })]);
        await store.insertBatches([
          makeBatch(),
          makeBatch({ id: lateBatchId('push-1', 0), kind: 'late', ordinals: [40_000_000, 8].sort((a, b) => a - b) }),
          makeBatch({ id: lateBatchId('push-1', 1), kind: 'late', ordinals: [9] }),
        ]);
        expect([...(await store.peopleOf('push-1'))]).toEqual([1, 2, 3, 8, 9, 40_000_000]);
      });

      it('adds sources to a frozen plan, each once; those that are there keep their place', async () => {
        await store.insert(makePush());
        await store.addSources('push-1', 0, [source('too early', [1])], [{ source: 'too early', people: 1 }]);
        await store.writeSources('push-1', 'plan', [source('a', [1]), source('b', [2])]);
        await store.freeze('push-1', 'plan', { ...facts, bySource: [{ source: 'a', people: 1 }] });
        const leaf = { person: 'language' as const, in: ['zh'] };
        const late = [
          source('c', [3]),
          { ...source('d', [4]), follow: '关注', facts: [{ leaf, ordinals: packOrdinals([4]) }] },
        ];
        const bySource = [{ source: 'c', people: 1 }];
        await store.addSources('push-1', 2, late, bySource);
        await other.addSources('push-1', 2, [source('other', [9])], bySource);
        await store.addSources('push-1', 4, [], bySource);
        expect((await store.sources('push-1')).map((one) => one.source)).toEqual(['a', 'b', 'c', 'd']);
        expect((await store.sources('push-1'))[3]).toEqual(late[1]);
        expect((await store.get('push-1'))?.bySource).toEqual(bySource);
      });

      it(`holds ${scale.many} people in one source and a batch`, async () => {
        const people = range(1, scale.many);
        await store.insert(makePush());
        await store.writeSources('push-1', 'plan', [source('all', people)]);
        await store.freeze('push-1', 'plan', { ...facts, matched: people.length });
        await store.insertBatches([makeBatch({ ordinals: people })]);
        expect(unpackOrdinals((await store.sources('push-1'))[0]?.ordinals ?? new Uint8Array())).toEqual(people);
        expect((await store.claim('t', ['at-once']))?.batch.ordinals).toEqual(people);
      });
    });

    describe('claims', () => {
      const lay = async (push: Partial<Push>, count = 1): Promise<void> => {
        const made = makePush(push);
        await store.insert(made);
        await store.insertBatches(
          range(0, count - 1).map((k) =>
            makeBatch({ id: planBatchId(made.id, k), push: made.id, lane: made.lane, ordinals: [k * 10 + 1] }),
          ),
        );
      };

      it('gives out the most urgent lane first, and the oldest of it', async () => {
        await lay({ id: 'later', lane: 'bulk', createdAt: at });
        await lay({ id: 'now', lane: 'at-once', createdAt: at + 1 }, 12);
        await lay({ id: 'urgent', lane: 'emergency', createdAt: at + 2 });
        const order: (string | undefined)[] = [];
        for (let n = 0; n < 15; n += 1)
          order.push((await store.claim(`t${n}`, ['bulk', 'emergency', 'at-once']))?.batch.id);
        expect(order).toEqual(['urgent:0', ...range(0, 11).map((k) => `now:${k}`), 'later:0', undefined]);
      });

      it('gives out only the lanes asked for', async () => {
        await lay({ id: 'now', lane: 'at-once' });
        expect(await store.claim('t', ['emergency'])).toBeNull();
        expect(await store.claim('t', [])).toBeNull();
        expect((await store.claim('t', ['at-once', 'bulk']))?.batch).toEqual(
          makeBatch({ id: 'now:0', push: 'now', ordinals: [1] }),
        );
      });

      it('holds back the batches of pushes that are planning, paused or done; gives out those of cancelled ones', async () => {
        for (const state of ['planning', 'paused', 'done', 'cancelled'] as const) await lay({ id: state, state });
        expect((await store.claim('t1', ['at-once']))?.batch.id).toBe('cancelled:0');
        expect(await store.claim('t2', ['at-once'])).toBeNull();
        await store.setState('paused', ['paused'], 'running');
        expect((await store.claim('t3', ['at-once']))?.batch.id).toBe('paused:0');
      });

      it('never gives one batch to two, however many claim at once', async () => {
        const batches = Math.ceil(scale.races / 5);
        await lay({}, batches);
        const claimer = async (handle: PushStore, name: string): Promise<string[]> => {
          const got: string[] = [];
          for (let n = 0; ; n += 1) {
            const claim = await handle.claim(`${name}-${n}`, ['at-once']);
            if (!claim) return got;
            got.push(claim.batch.id);
          }
        };
        const all = await Promise.all([
          claimer(store, 'a'),
          claimer(other, 'b'),
          claimer(store, 'c'),
          claimer(other, 'd'),
        ]);
        expect(all.flat().sort()).toEqual(
          range(0, batches - 1)
            .map((k) => planBatchId('push-1', k))
            .sort(),
        );
        const leases = await store.leases();
        expect(new Set(leases.map((lease) => lease.token)).size).toBe(batches);
      });

      it('counts beats from the claim on, by renewals of the holder alone', async () => {
        await lay({});
        const claim = await store.claim('mine', ['at-once']);
        const first = claim?.beat ?? 0;
        expect(await store.leases()).toEqual([{ id: 'push-1:0', lane: 'at-once', token: 'mine', beat: first }]);
        expect(await store.renew('push-1:0', 'mine')).toBe(first + 1);
        expect(await other.renew('push-1:0', 'mine')).toBe(first + 2);
        expect(await other.renew('push-1:0', 'theirs')).toBeNull();
        expect(await other.renew('unknown', 'mine')).toBeNull();
        expect(await store.leases()).toEqual([{ id: 'push-1:0', lane: 'at-once', token: 'mine', beat: first + 2 }]);
      });

      it('is stolen only while token and beat are as they were seen', async () => {
        await lay({});
        await store.claim('mine', ['at-once']);
        const [seen] = await other.leases();
        if (!seen) throw new Error('a lease was claimed');
        await store.renew('push-1:0', 'mine');
        expect(await other.steal(seen, 'thief')).toBeNull();
        const [again] = await other.leases();
        if (!again) throw new Error('a lease was renewed');
        expect(await other.steal({ ...again, token: 'else' }, 'thief')).toBeNull();
        const stolen = await other.steal(again, 'thief');
        expect(stolen?.batch).toEqual(makeBatch({ ordinals: [1] }));
        expect(await other.leases()).toEqual([{ id: 'push-1:0', lane: 'at-once', token: 'thief', beat: stolen?.beat }]);
      });

      it('is stolen by one of many', async () => {
        for (let n = 0; n < 10; n += 1) {
          await lay({ id: `p${n}` });
          await store.claim(`mine-${n}`, ['at-once']);
          const seen = (await other.leases()).find((lease) => lease.token === `mine-${n}`);
          if (!seen) throw new Error('a lease was claimed');
          const thieves = await Promise.all([
            store.steal(seen, `x${n}`),
            other.steal(seen, `y${n}`),
            store.steal(seen, `z${n}`),
          ]);
          expect(thieves.filter((one) => one !== null)).toHaveLength(1);
        }
      });

      it('refuses a holder whose token is stale', async () => {
        await lay({});
        await store.claim('mine', ['at-once']);
        const [seen] = await other.leases();
        if (seen) await other.steal(seen, 'thief');
        expect(await store.renew('push-1:0', 'mine')).toBeNull();
        expect(await store.close('push-1:0', 'mine')).toBe(false);
        await store.release('push-1:0', 'mine');
        expect(await store.leases()).toHaveLength(1);
        expect(await store.claim('next', ['at-once'])).toBeNull();
      });

      it('gives a released batch to the next', async () => {
        await lay({});
        const before = await store.claim('mine', ['at-once']);
        await store.release('push-1:0', 'mine');
        expect(await store.leases()).toEqual([]);
        const next = await other.claim('next', ['at-once']);
        expect(next?.batch).toEqual(before?.batch);
        expect(next?.beat).toBeGreaterThan(before?.beat ?? 0);
      });

      it('closes a batch once; a closed one is claimed no more and is to be recounted', async () => {
        await lay({});
        await store.claim('mine', ['at-once']);
        expect(await store.close('push-1:0', 'mine')).toBe(true);
        expect(await store.close('push-1:0', 'mine')).toBe(false);
        expect(await store.leases()).toEqual([]);
        expect(await store.claim('next', ['at-once'])).toBeNull();
        expect(await store.batchesOf('push-1')).toMatchObject([{ open: false, dirty: true }]);
      });

      it('deletes a gathered batch when it is closed', async () => {
        const row = { push: 'push-1', ordinal: 5, channel: 'sms' as const };
        await store.insert(makePush());
        await store.insertBatches([
          makeBatch({ id: 'due:1', kind: 'due', push: null, ordinals: [], rows: [row, { ...row, channel: null }] }),
        ]);
        expect((await other.claim('mine', ['at-once']))?.batch.rows).toEqual([row, { ...row, channel: null }]);
        expect(await store.close('due:1', 'mine')).toBe(true);
        expect(await store.close('due:1', 'mine')).toBe(false);
        await store.insertBatches([makeBatch({ id: 'due:1', kind: 'due', push: null, ordinals: [] })]);
        expect((await store.claim('again', ['at-once']))?.batch.id).toBe('due:1');
      });
    });

    describe('counts', () => {
      const counted = { ...noCounts(), sent: 2, bounced: 1 };
      const closed = async (): Promise<number> => {
        await store.insert(makePush());
        await store.insertBatches([makeBatch()]);
        await store.claim('mine', ['at-once']);
        await store.close('push-1:0', 'mine');
        return (await store.dirty(10))[0]?.mark ?? 0;
      };

      it('keeps counts of an open batch, and leaves its mark', async () => {
        await store.insert(makePush());
        await store.insertBatches([makeBatch()]);
        await store.claim('mine', ['at-once']);
        await store.setCounts('push-1:0', counted, null);
        expect(await other.batchesOf('push-1')).toMatchObject([{ counts: counted, open: true, dirty: false }]);
      });

      it('is clean again by a recount that nothing has marked since', async () => {
        const mark = await closed();
        await other.setCounts('push-1:0', counted, mark);
        expect(await store.batchesOf('push-1')).toMatchObject([{ counts: counted, dirty: false }]);
        expect(await store.dirty(10)).toEqual([]);
      });

      it('takes no late counts of a worker that lost its lease', async () => {
        const mark = await closed();
        await other.setCounts('push-1:0', counted, mark);
        await store.setCounts('push-1:0', noCounts(), null);
        expect(await store.batchesOf('push-1')).toMatchObject([{ counts: counted, dirty: false }]);
      });

      it('takes no late recount whose mark is no longer the last', async () => {
        const mark = await closed();
        await store.setCounts('push-1:0', noCounts(), mark - 1);
        expect(await store.batchesOf('push-1')).toMatchObject([{ counts: { planned: 3 }, dirty: true }]);
        await store.setCounts('push-1:0', counted, mark);
        await other.setCounts('push-1:0', noCounts(), mark - 1);
        expect(await store.batchesOf('push-1')).toMatchObject([{ counts: counted, dirty: false }]);
      });

      it('names the dirty batches with their people', async () => {
        await closed();
        expect((await store.dirty(10)).map(({ batch }) => batch)).toEqual([makeBatch()]);
        expect(await store.dirty(0)).toEqual([]);
      });

      it('knows nothing of unknown batches', async () => {
        await store.setCounts('unknown', counted, 1);
        expect(await store.dirty(10)).toEqual([]);
      });
    });

    describe('singleton leases', () => {
      it('has one holder, whose beats others see', async () => {
        const first = await store.hold('duties', 'a');
        expect(first).toMatchObject({ held: true });
        const again = await store.hold('duties', 'a');
        expect(again.held && first.held && again.beat > first.beat).toBe(true);
        const seen = { id: 'duties', token: 'a', beat: again.held ? again.beat : 0 };
        expect(await other.hold('duties', 'b')).toEqual({ held: false, seen });
        expect((await other.hold('jobs', 'b')).held).toBe(true);
      });

      it('is held by one of many who ask at once', async () => {
        for (let n = 0; n < Math.ceil(scale.races / 10); n += 1) {
          const answers = await Promise.all(
            range(0, 5).map((k) => (k % 2 ? store : other).hold(`lease-${n}`, `token-${k}`)),
          );
          expect(answers.filter((answer) => answer.held)).toHaveLength(1);
        }
      });

      it('is taken over only as it was seen, by one', async () => {
        await store.hold('duties', 'a');
        const answer = await other.hold('duties', 'b');
        if (answer.held) throw new Error('a holds it');
        await store.hold('duties', 'a');
        expect(await other.takeOver(answer.seen, 'b')).toBe(false);
        const now = await other.hold('duties', 'b');
        if (now.held) throw new Error('a holds it');
        const won = await Promise.all([other.takeOver(now.seen, 'b'), store.takeOver(now.seen, 'c')]);
        expect(won.filter(Boolean)).toHaveLength(1);
        expect((await store.hold('duties', 'a')).held).toBe(false);
      });

      it('is let go by its holder alone', async () => {
        await store.hold('duties', 'a');
        await other.letGo('duties', 'b');
        expect((await other.hold('duties', 'b')).held).toBe(false);
        await store.letGo('duties', 'a');
        await store.letGo('unknown', 'a');
        expect((await other.hold('duties', 'b')).held).toBe(true);
      });
    });
  });
