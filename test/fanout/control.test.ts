import { makeWorker } from '../../src/fanout/worker/worker.ts';
import { type CountingSink, startCountingSink } from '../helpers/counting-sink.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { publishIn, rowsOf } from '../helpers/published.ts';
import { rounds } from '../helpers/soak.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

onEachEngine('control of a push', (engine) => {
  const people = engine.some(400, 50);
  /** Three connections, of twenty slots each; or one. */
  const pool = engine.some(3, 1);

  const until = async (what: string, holds: () => Promise<boolean> | boolean): Promise<void> => {
    for (let tries = 0; !(await holds()); tries += 1) {
      if (tries > 3_000) throw new Error(`waited too long until ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  describe('a push that is paused, resumed and cancelled at any moment', () => {
    let sink: CountingSink;
    let town: Town;
    let stop: () => Promise<void>;
    beforeEach(async () => {
      sink = await startCountingSink(10, pool);
      town = await makeTown({ ...engine.town, env: { EMAIL_URL: `${sink.url}&idle=1` } });
      await town.people(
        Array.from({ length: people }, (_, n) => ({
          email: `person${n}@example.org`,
          verified: true,
          follow: [{ topic: 'services' }],
        })),
      );
      const worker = makeWorker(town.stores, { ...town.parts, edges: town.edges, log: town.log, leaseMs: 2_000 });
      const running = worker.run();
      stop = async () => {
        worker.stop();
        await running;
      };
    });
    afterEach(async () => {
      await stop();
      await town.close();
      await sink.close();
    });

    const view = async (push: string) => {
      const found = await town.fanout.get(push);
      if (!found) throw new Error('there is no push');
      return found;
    };
    /** What is in flight has landed, and the counts say so. */
    const atRest = async (push: string): Promise<void> =>
      until('it is at rest', async () => {
        const dirty = (await town.stores.pushes.batchesOf(push)).some((batch) => batch.dirty);
        return !dirty && (await town.stores.pushes.leases()).length === 0 && (await view(push)).counts.sending === 0;
      });
    const someMore = async (): Promise<void> => {
      const mark = sink.total() + 1 + Math.floor(Math.random() * engine.some(60, 10));
      await until(`${mark} mails are out`, () => sink.total() >= mark);
    };

    it.each(rounds(engine.some(2, 1)))(
      'sends nothing while it rests, and ends with everybody counted once (round %i)',
      async () => {
        const push = (await publishIn(town)).push;
        for (let pauses = 0; pauses < engine.some(3, 1); pauses += 1) {
          await someMore();
          await town.fanout.pause(push, publisher);
          await atRest(push);
          const { state, counts, estimatedEnd } = await view(push);
          expect([state, counts.sent, counts.sent + counts.planned, estimatedEnd]).toEqual([
            'paused',
            sink.total(),
            people,
            null,
          ]);
          await town.fanout.resume(push, publisher);
        }
        await someMore();
        await town.fanout.cancel(push, publisher);
        await until('it is over', async () => (await view(push)).finishedAt !== null);
        await atRest(push);
        const { state, counts } = await view(push);
        expect([state, counts.sent + counts.cancelled, counts.sent]).toEqual(['cancelled', people, sink.total()]);
        expect(sink.received.size).toBe(sink.total());
        expect(await rowsOf(town, push)).toHaveLength(people);
      },
      120_000,
    );

    // the pace and the sums are the service's own, whatever the storage
    if (engine.name === 'SQLite')
      it('says while it runs when it will end, and its counts always add up', async () => {
        const push = (await publishIn(town)).push;
        let estimated = 0;
        await until('it is done', async () => {
          const { state, counts, matched, estimatedEnd } = await view(push);
          expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(matched);
          if (estimatedEnd !== null) estimated += 1;
          return state === 'done';
        });
        expect(estimated).toBeGreaterThan(0);
        expect(await view(push)).toMatchObject({ estimatedEnd: null, counts: { sent: people } });
      }, 120_000);
  });
});
