import { newId } from '../../src/edges.ts';
import { makePlanner } from '../../src/fanout/worker/planner.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { countsOf, makeItemContent, makeResidents, publishIn, rowsOf } from '../helpers/published.ts';
import { makeBrowser, type PushAnswers, type PushSink, startPushSink } from '../helpers/push-sink.ts';
import { startSmtpSink } from '../helpers/smtp-sink.ts';
import { rounds } from '../helpers/soak.ts';
import { makeTown, type Town } from '../helpers/town.ts';
import { startWeb } from '../helpers/web.ts';

onEachEngine('storms', (engine) => {
  const hour = 3_600_000;

  let closing: (() => Promise<unknown> | unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
    closing = [];
  });
  const town = async (options: Parameters<typeof makeTown>[0] = {}): Promise<Town> => {
    const made = await makeTown({ ...engine.town, ...options });
    closing.push(made.close);
    return made;
  };

  describe('publishing fifty times at once', () => {
    const people = engine.some(30, 8);
    it.each([[null], ['one-key']])(
      'with the Idempotency-Key %s makes one push, which tells each person once',
      async (key) => {
        const sink = await startSmtpSink();
        closing.push(sink.close);
        const web = await startWeb({ ...engine.town, env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}` } });
        closing.push(web.close);
        await web.town.people(makeResidents(people));
        const { id } = (await web.api('POST', '/items', makeItemContent())).body;
        const headers: Record<string, string> = key === null ? {} : { 'idempotency-key': key };
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => web.api('POST', `/items/${id}/publish`, undefined, undefined, headers)),
        );
        const taken = answers.filter((answer) => answer.status === 202);
        expect(answers.filter(({ status }) => status !== 202 && !(key !== null && status === 409))).toEqual([]);
        const [push, ...others] = new Set(taken.map((answer) => (answer.body.push as { id: string }).id));
        expect(others).toEqual([]);
        await web.town.drain();
        expect(await countsOf(web.town, push ?? '')).toEqual({ sent: people });
        expect([
          sink.count(),
          (await rowsOf(web.town, push ?? '')).length,
          (await web.town.fanout.list({ cursor: null, limit: 10 })).rows.length,
        ]).toEqual([people, people, 1]);
      },
    );
  });

  describe('two planners of one push at once', () => {
    const people = engine.some(1_500, 16);
    const batches = people > 1_000 ? [1_000, people - 1_000] : [people];
    it.each(rounds(engine.some(3, 1)))('freeze one plan and lay each batch once (round %i)', async () => {
      const made = await town();
      await made.people(makeResidents(people));
      const { push: id } = await publishIn(made);
      const push = await made.stores.pushes.get(id);
      if (!push) throw new Error('there is no push');
      const planners = [1, 2].map(() =>
        makePlanner(made.stores, { edges: made.edges, audience: made.audienceMatcher }),
      );
      await Promise.all(planners.map((planner) => planner.plan(push, newId(made.edges))));
      expect((await made.stores.pushes.batchesOf(id)).map((batch) => batch.people)).toEqual(batches);
      await made.drain();
      expect([await countsOf(made, id), (await rowsOf(made, id)).length]).toEqual([{ sent: people }, people]);
    });
  });

  describe('a clock that jumps back an hour in the middle of a push', () => {
    const half = engine.some(20, 5);
    it('neither stops it nor doubles it, and what waits still goes', async () => {
      let busy = true;
      const sink = await startSmtpSink({
        onRcpt: (address) => {
          if (busy && /[02468]@/.test(address)) throw Object.assign(new Error('4.3.0 later'), { responseCode: 451 });
        },
      });
      closing.push(sink.close);
      const made = await town({ env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}?pool=3` } });
      await made.people(makeResidents(2 * half));
      const { push } = await publishIn(made);
      await made.parts.duties.tick();
      made.pass(-hour);
      await made.drain();
      expect(await countsOf(made, push)).toEqual({ sent: half, deferred: half });
      busy = false;
      made.pass(-hour);
      await made.drain();
      expect(sink.count()).toBe(half);
      made.pass(2 * hour);
      await made.drain();
      expect([await countsOf(made, push), sink.count(), (await rowsOf(made, push)).length]).toEqual([
        { sent: 2 * half },
        2 * half,
        2 * half,
      ]);
    }, 60_000);
  });

  describe('an SMTP server that hangs up in the middle of DATA', () => {
    const people = engine.some(50, 10);
    it('gets those mails again, whole, and everybody one', async () => {
      let hangUps = engine.some(12, 3);
      const sink = await startSmtpSink({ hangUpInData: () => hangUps-- > 0 });
      closing.push(sink.close);
      const made = await town({ env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}?pool=4` } });
      await made.people(makeResidents(people));
      const { push } = await publishIn(made);
      for (let wait = 0; wait < 30 && (await countsOf(made, push)).sent !== people; wait += 1) {
        await made.drain();
        made.pass(5 * 60_000);
      }
      expect([await countsOf(made, push), (await rowsOf(made, push)).length]).toEqual([{ sent: people }, people]);
      expect(sink.mails.map((mail) => mail.to[0]).sort()).toEqual(
        makeResidents(people)
          .map((one) => (one as { email: string }).email)
          .sort(),
      );
    }, 60_000);
  });

  describe('push services that misbehave, one person each', () => {
    const pushTown = async (answer: PushAnswers) => {
      const paths = ['429', '500', '404', '413', 'never', '201'];
      // each its own service: what one of them suffers is not the others' fault
      const sinks: PushSink[] = await Promise.all(paths.map(() => startPushSink({ answer })));
      closing.push(...sinks.map((sink) => sink.close));
      const made = await town({ limitMs: 1_000, env: { WEB_PUSH: 'send', ALLOW_PRIVATE_ENDPOINTS: 'on' } });
      await made.people(
        paths.map((path, at) => {
          const { endpoint, keys } = makeBrowser().subscription(sinks[at]?.origin ?? '', `/${path}`);
          return { externalId: path, webPush: { endpoint, keys }, verified: true, follow: [{ topic: 'services' }] };
        }),
      );
      return { made, sinks };
    };

    it('settle everybody: later, not before they said; or for good, the dead endpoint forgotten', async () => {
      let well = false;
      const { made, sinks } = await pushTown((path) => {
        if (path === '/never') return well ? { status: 201 } : 'silence';
        const status = Number(path.slice(1));
        if (well && (status === 429 || status === 500)) return { status: 201 };
        return status === 429 ? { status, headers: { 'retry-after': '900' } } : { status };
      });
      const { push } = await publishIn(made);
      await made.drain();
      expect(await countsOf(made, push)).toEqual({ sent: 1, deferred: 3, failed: 2 });
      const failed = (await rowsOf(made, push)).filter((row) => row.state === 'failed');
      expect(failed.map((row) => row.code).sort()).toEqual(['endpoint-gone', 'too-large']);
      expect(await made.stores.addresses.ofSubscribers([1, 2, 3, 4, 5, 6])).toHaveLength(5);
      well = true;
      made.pass(14 * 60_000);
      await made.drain();
      expect([sinks[0]?.count(), await countsOf(made, push)]).toEqual([1, { sent: 3, deferred: 1, failed: 2 }]);
      made.pass(2 * 60_000);
      await made.drain();
      expect(await countsOf(made, push)).toEqual({ sent: 4, failed: 2 });
      expect(sinks.map((sink) => sink.count())).toEqual([2, 2, 1, 1, 2, 1]);
    }, 60_000);
  });
});
