import { onEachEngine } from '../helpers/engines.ts';
import { countsOf, makeResident, makeResidents, publishIn, rowsOf } from '../helpers/published.ts';
import { makeBrowser, startPushSink } from '../helpers/push-sink.ts';
import { smtpError, startSmtpSink } from '../helpers/smtp-sink.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

onEachEngine('faults of providers', (engine) => {
  const minutes = (count: number): number => count * 60_000;

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

  describe('an SMTP server', () => {
    const people = engine.some(60, 12);
    /** A tenth is refused for good, four tenths for now. */
    const tenth = engine.some(4, 1);
    it('that is dead defers everybody; once it is back everybody is told, once', async () => {
      const probe = await startSmtpSink();
      await probe.close();
      const made = await town({ env: { EMAIL_URL: `smtp://127.0.0.1:${probe.port}?pool=5` } });
      await made.people(makeResidents(people));
      const { push } = await publishIn(made);
      await made.drain();
      expect(await countsOf(made, push)).toEqual({ deferred: people });

      const sink = await startSmtpSink({ port: probe.port });
      closing.push(sink.close);
      for (let wait = 0; wait < 40 && (await countsOf(made, push)).sent !== people; wait += 1) {
        made.pass(minutes(10));
        await made.drain();
      }
      expect(await countsOf(made, push)).toEqual({ sent: people });
      expect(new Set(sink.mails.map((mail) => mail.to[0])).size).toBe(people);
      expect(sink.mails).toHaveLength(people);
    }, 60_000);

    it('that refuses half for now and some for good tells the rest, then those it let wait', async () => {
      let busy = true;
      const sink = await startSmtpSink({
        onRcpt: (address) => {
          const n = Number(/\d+/.exec(address)?.[0]);
          if (n % 10 === 0) throw smtpError(550, '5.1.1 no such user');
          if (busy && n % 2 === 0) throw smtpError(451, '4.3.0 try later');
        },
      });
      closing.push(sink.close);
      const made = await town({ env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}?pool=5` } });
      await made.people(makeResidents(10 * tenth));
      const { push } = await publishIn(made);
      await made.drain();
      expect(await countsOf(made, push)).toEqual({ sent: 5 * tenth, deferred: 4 * tenth, failed: tenth });
      busy = false;
      for (let wait = 0; wait < 20 && (await countsOf(made, push)).deferred !== undefined; wait += 1) {
        made.pass(minutes(10));
        await made.drain();
      }
      expect(await countsOf(made, push)).toEqual({ sent: 9 * tenth, failed: tenth });
      expect(sink.mails).toHaveLength(9 * tenth);
      expect(await made.fanout.redrive({ push }, publisher)).toBe(tenth);
      await made.drain();
      // an address that does not exist is suppressed by now
      expect(await countsOf(made, push)).toEqual({ sent: 9 * tenth, withheld: tenth });
    }, 60_000);

    it('that hangs, having taken mails, is asked again: who hung is told at most twice, under one Message-ID', async () => {
      let hanging = engine.some(8, 2);
      const hung = hanging;
      const sink = await startSmtpSink({ silentAfterData: () => hanging-- > 0 });
      closing.push(sink.close);
      const made = await town({ limitMs: 1_000, env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}?pool=4` } });
      await made.people(makeResidents(10 * tenth));
      const { push } = await publishIn(made);
      for (let wait = 0; wait < 30 && (await countsOf(made, push)).sent !== 10 * tenth; wait += 1) {
        await made.drain();
        made.pass(minutes(10));
      }
      expect([await countsOf(made, push), (await rowsOf(made, push)).length]).toEqual([
        { sent: 10 * tenth },
        10 * tenth,
      ]);
      const ids = new Map<string, Set<string>>();
      for (const { to, raw } of sink.mails) {
        const [address = ''] = to;
        const id = /^Message-ID: (\S+)/im.exec(raw.toString('latin1'))?.[1] ?? '';
        ids.set(address, (ids.get(address) ?? new Set()).add(id));
      }
      expect([ids.size, [...ids.values()].every((own) => own.size === 1)]).toEqual([10 * tenth, true]);
      expect(sink.mails).toHaveLength(10 * tenth + hung);
    }, 60_000);
  });

  describe('a push service', () => {
    it('that answers 429, 500 and 503 is tried again, not before it said; a person’s email goes on meanwhile', async () => {
      let state = 429;
      const sink = await startPushSink({ answer: () => ({ status: state, headers: { 'retry-after': '600' } }) });
      closing.push(sink.close);
      const made = await town({ env: { WEB_PUSH: 'send', ALLOW_PRIVATE_ENDPOINTS: 'on' } });
      const { endpoint, keys } = makeBrowser().subscription(sink.origin);
      await made.people([
        { ...makeResident('person1'), email: undefined, webPush: { endpoint, keys } },
        makeResident('person2'),
      ]);
      const { push } = await publishIn(made);
      await made.drain();
      expect(await countsOf(made, push)).toEqual({ sent: 1, deferred: 1 });
      made.pass(minutes(9));
      await made.drain();
      expect(sink.count()).toBe(1);
      for (state of [500, 503, 201]) {
        made.pass(minutes(130));
        await made.drain();
      }
      expect(await countsOf(made, push)).toEqual({ sent: 2 });
    }, 60_000);
  });
});
