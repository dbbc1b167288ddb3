import { unpackOrdinals } from '../../src/fanout/ordinals.ts';
import { lanes } from '../../src/fanout/push.ts';
import type { PushStore } from '../../src/fanout/push-store.ts';
import { makeDuties } from '../../src/fanout/worker/duties.ts';
import { makePlanner } from '../../src/fanout/worker/planner.ts';
import { dieInFlight } from '../helpers/dying-worker.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { countsOf, makeResident, publishIn } from '../helpers/published.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

onEachEngine('duties', (engine) => {
  let town: Town;
  beforeEach(async () => {
    town = await makeTown(engine.town);
  });
  afterEach(() => town.close());

  /** Claims one batch and runs it. */
  const runOne = async (token: string): Promise<void> => {
    const claim = await town.stores.pushes.claim(token, [...lanes]);
    if (claim) await town.parts.runner.run(claim, token, () => false);
  };
  const personOf = async (externalId: string) => {
    const person = await town.stores.subscriptions.subscriber({ externalId });
    if (!person) throw new Error(`there is no ${externalId}`);
    return person;
  };

  /** The duties of the town over its own store, with some verbs of the pushes in the test's hand. */
  const dutiesWith = (verbs: Partial<PushStore>) => {
    const stores = { ...town.stores, pushes: { ...town.stores.pushes, ...verbs } };
    const planner = makePlanner(stores, { edges: town.edges, audience: town.audienceMatcher });
    return makeDuties(stores, {
      planner,
      edges: town.edges,
      log: town.log,
      announceLost: town.fanout.announceLost,
      tell: town.webhooks.tell,
    });
  };

  describe('planning', () => {
    it('freezes what one try has found, and nothing of a try that failed before it', async () => {
      await town.people([makeResident('ana'), makeResident('ben')]);
      const { push } = await publishIn(town);
      const failing = dutiesWith({
        freeze: async () => {
          throw new Error('the process dies before the plan is frozen');
        },
      });
      await failing.tick();
      expect((await town.stores.pushes.get(push))?.plan).toBeNull();
      await town.subscriptions.stop((await personOf('ana')).id, 'all');
      await town.parts.duties.tick();
      const [source] = await town.stores.pushes.sources(push);
      expect(unpackOrdinals(source?.ordinals ?? new Uint8Array())).toEqual([(await personOf('ben')).ordinal]);
      expect((await town.fanout.get(push))?.matched).toBe(1);
    });
  });

  describe('a push that is about to end', () => {
    it('is not ended with people left when it is cancelled while the duties look at it', async () => {
      town.pass('2026-06-10T22:30:00Z');
      await town.people([makeResident('ana', { quietHours: { from: '22:00', to: '07:00' } })]);
      const { push } = await publishIn(town);
      await town.parts.duties.tick();
      await runOne('worker');
      await town.parts.duties.tick();
      let cancelled = false;
      const racing = dutiesWith({
        batchesOf: async (id) => {
          const found = await town.stores.pushes.batchesOf(id);
          if (!cancelled) await town.fanout.cancel(push, publisher);
          cancelled = true;
          return found;
        },
      });
      await racing.tick();
      expect(cancelled).toBe(true);
      await town.drain();
      expect(await countsOf(town, push)).toEqual({ cancelled: 1 });
    });
  });

  describe('an older version', () => {
    const correct = async (item: string): Promise<string> => {
      const change = { change: 'major' as const, note: 'Thursday.', fields: { title: 'Thursday' } };
      const { push } = await town.fanout.correct(item, change, publisher);
      return push?.id ?? '';
    };
    const stateOf = async (push: string) => (await town.fanout.get(push))?.state;

    it('that is paused with messages in flight holds up the newer one only until they are settled', async () => {
      await town.people([makeResident('ana'), makeResident('ben')]);
      const { item, push } = await publishIn(town);
      await town.parts.duties.tick();
      await dieInFlight(town);
      await town.fanout.pause(push, publisher);
      const newer = await correct(item);
      await town.drain();
      expect(await countsOf(town, push)).toEqual({ sent: 2 });
      expect(await stateOf(push)).toBe('done');
      expect(await countsOf(town, newer)).toEqual({ sent: 2 });
      expect(await stateOf(newer)).toBe('done');
    });

    it('that was paused before it was planned is settled as superseded', async () => {
      await town.people([makeResident('ana')]);
      const { item, push } = await publishIn(town);
      await town.fanout.pause(push, publisher);
      const newer = await correct(item);
      await town.drain();
      expect(await countsOf(town, push)).toEqual({ withheld: 1 });
      expect(await countsOf(town, newer)).toEqual({ sent: 1 });
      expect([await stateOf(push), await stateOf(newer)]).toEqual(['done', 'done']);
    });
  });
});
