import { readOutbox } from '../../src/channels/outbox.ts';
import { newId } from '../../src/edges.ts';
import { lanes } from '../../src/fanout/push.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import { mergeSubscribers } from '../../src/subscriptions/merge.ts';
import { dieInFlight } from '../helpers/dying-worker.ts';
import { describeWithMongo, openMongoTown } from '../helpers/open-mongo.ts';
import { makeResident, publishIn } from '../helpers/published.ts';
import { smtpError, startSmtpSink } from '../helpers/smtp-sink.ts';
import { makeTown, publisher, type Town, type TownOptions } from '../helpers/town.ts';

const resident = (name: string, overrides: object = {}): object =>
  makeResident(name, { follow: [{ topic: 'services', pace: 'daily' }], ...overrides });
/** Eight in the morning in London on the day after the start, and on the Monday after it. */
const morning = '2026-06-11T07:00:00Z';
const monday = '2026-06-15T07:00:00Z';

/** `storage`: another than SQLite. */
const describeDigests = (name: string, storage?: TownOptions['storage']): unknown =>
  describe(`digests on ${name}`, () => {
    const on = storage ? { storage } : {};
    /** What is the same on every storage is looked at on the fast one. */
    const once = (what: string, suite: () => void): void => {
      if (!storage) describe(what, suite);
    };
    let town: Town;
    beforeEach(async () => {
      town = await makeTown({ ...on, startAt: '2026-06-10T10:00:00Z' });
    });
    afterEach(() => town.close());

    const publish = async (title: string, overrides: Partial<ItemContent> = {}) => {
      const published = await publishIn(town, { title, ...overrides });
      await town.drain();
      return published;
    };
    const at = async (moment: string): Promise<void> => {
      town.pass(moment);
      await town.drain();
    };
    const mails = async () => (await readOutbox(town.dataDir, { limit: 1000 })).reverse();
    /** Who was told what, item by item, in the order it left. */
    const told = async (): Promise<string[]> =>
      (await mails()).map(({ to, title }) => `${to.replace('@example.org', '')}: ${title}`);
    const rows = async (push: string): Promise<string[]> =>
      (await town.fanout.deliveries(push, null, { cursor: null, limit: 200 })).rows.map(({ channel, state, code }) =>
        [channel, state, code].filter(Boolean).join(' '),
      );
    const personOf = async (externalId: string) => {
      const person = await town.stores.subscriptions.subscriber({ externalId });
      if (!person) throw new Error(`there is no ${externalId}`);
      return person;
    };
    const setPace = (name: string, pace: string) =>
      town.people([resident(name, { follow: [{ topic: 'services', pace }] })]);

    describe('a digest', () => {
      it('is one message at the person’s hour with everything, by topic, and their own links', async () => {
        await town.people([
          resident('ana', {
            follow: [
              { topic: 'services', pace: 'daily' },
              { topic: 'budgets', pace: 'daily' },
            ],
          }),
        ]);
        const first = await publish('Water is off');
        town.pass(1);
        await publish('Budget 2027', { topics: ['budgets'], deadline: '2026-06-20T10:00:00Z' });
        town.pass(1);
        const third = await publish('Library opens');
        expect(await told()).toEqual([]);
        await at('2026-06-11T06:59:59Z');
        expect(await told()).toEqual([]);
        await at(morning);
        expect(await told()).toEqual(['ana: Your daily summary: 3 notices']);
        const [mail] = await mails();
        const order = ['Water is off', 'Library opens', 'Budget 2027'].map((title) => mail?.text?.indexOf(title) ?? -1);
        expect(order).toEqual([...order].sort((a, b) => a - b));
        expect(order[0]).toBeGreaterThan(0);
        expect(mail?.text).toContain('You follow “Public services”.');
        expect(mail?.text).toMatch(new RegExp(`/c/[\\w.-]+~${first.item}\n`));
        expect(await rows(first.push)).toEqual(['email sent']);
        expect((await town.fanout.get(third.push))?.counts.sent).toBe(1);
        await at('2026-06-12T07:00:00Z');
        expect(await told()).toHaveLength(1);
      });

      it('holds what came before its moment; what comes at that moment is in the next', async () => {
        await setPace('ana', 'daily');
        town.pass('2026-06-11T06:59:59.999Z');
        await publish('Before');
        town.pass(morning);
        await publish('At');
        expect(await told()).toEqual(['ana: Your daily summary: Before']);
        await at('2026-06-12T07:00:00Z');
        expect(await told()).toEqual(['ana: Your daily summary: Before', 'ana: Your daily summary: At']);
      });

      it('comes daily and weekly apart, each on its day, in the language of its reader', async () => {
        await town.people([
          resident('ana', {
            locale: 'zh-CN',
            follow: [
              { topic: 'services', pace: 'daily' },
              { topic: 'budgets', pace: 'weekly' },
            ],
          }),
        ]);
        await publish('Water', { translations: { 'zh-CN': { title: '停水', summary: '周三停水。' } } });
        await publish('Budget', { topics: ['budgets'] });
        await at(morning);
        await at(monday);
        expect(await told()).toEqual(['ana: 每日摘要：停水', 'ana: 每周摘要：Budget']);
      });

      it('waits for the end of quiet hours as a whole', async () => {
        await town.people([resident('ana', { quietHours: { from: '22:00', to: '09:00' } })]);
        const { push } = await publish('One');
        await publish('Two');
        await at(morning);
        expect(await told()).toEqual([]);
        expect(await rows(push)).toEqual(['digested quiet-hours']);
        await at('2026-06-11T08:00:00Z');
        expect(await told()).toEqual(['ana: Your daily summary: 2 notices']);
      });

      it('comes by web push and as a text, too', async () => {
        const phone = { email: undefined, phone: '+447400123456', follow: [{ topic: 'services', pace: 'daily' }] };
        await town.people([resident('ana', phone)]);
        await publish('One');
        await publish('Two');
        await at(morning);
        const [text] = await mails();
        expect(text?.text).toContain('Your daily summary: 2 notices');
        expect(text?.text).toContain('/my/messages');
      });
    });

    once('the moment of a digest', () => {
      it('is at eight where each person lives, over nights on which the clocks change', async () => {
        await town.close();
        town = await makeTown({ ...on, startAt: '2026-10-24T10:00:00Z' });
        await town.people([
          resident('london'),
          resident('kathmandu', { timeZone: 'Asia/Kathmandu' }),
          resident('kiritimati', { timeZone: 'Pacific/Kiritimati' }),
          resident('york', { timeZone: 'America/New_York' }),
        ]);
        await publish('News');
        const left: Record<string, string> = {};
        for (let hour = 0; hour < 40; hour += 1) {
          for (const minutes of [0, 15]) {
            town.pass(Date.parse('2026-10-24T10:00:00Z') + hour * 3_600_000 + minutes * 60_000 - town.now());
            await town.drain();
            for (const mail of await mails()) left[mail.to.split('@')[0] ?? ''] ??= new Date(town.now()).toISOString();
          }
        }
        expect(left).toEqual({
          kiritimati: '2026-10-24T18:00:00.000Z',
          kathmandu: '2026-10-25T02:15:00.000Z',
          // summer time has ended in the night: eight is an hour later
          london: '2026-10-25T08:00:00.000Z',
          york: '2026-10-24T12:00:00.000Z',
        });
      });
    });

    once('what a digest leaves out', () => {
      it('is what was told at once meanwhile', async () => {
        await setPace('ana', 'daily');
        const { item, push } = await publish('One');
        await publish('Two');
        const audience = { kind: 'people' as const, subscribers: [(await personOf('ana')).id] };
        await town.fanout.push({ item, audience, channels: null, note: 'x' }, publisher);
        await at('2026-06-10T11:00:00Z');
        await at(morning);
        expect(await told()).toEqual(['ana: One', 'ana: Your daily summary: Two']);
        expect(await rows(push)).toEqual(['withheld already-told']);
      });

      it('is the older version of what was corrected: the newest stands in it, once', async () => {
        await setPace('ana', 'daily');
        const { item, push } = await publish('Wednesday');
        const change = { change: 'major' as const, note: 'It is Thursday.', fields: { title: 'Thursday' } };
        await town.fanout.correct(item, change, publisher);
        await at('2026-06-10T12:00:00Z');
        await town.fanout.correct(item, { change: 'minor', note: 'x', fields: { title: 'Thursday!' } }, publisher);
        await at(morning);
        expect(await told()).toEqual(['ana: Your daily summary: Thursday!']);
        expect(await rows(push)).toEqual(['withheld superseded']);
      });

      it('is what was withdrawn; one with nothing left is not sent', async () => {
        await setPace('ana', 'daily');
        const { item, push } = await publish('Wrong');
        await town.fanout.withdraw(item, 'It was wrong.', false, publisher);
        await at(morning);
        expect(await told()).toEqual([]);
        expect(await rows(push)).toEqual(['withheld superseded']);
      });

      it('is what has run out, and what the person stopped', async () => {
        await town.people([resident('ana'), resident('ben')]);
        const short = await publish('Short', { expiresAt: '2026-06-11T06:00:00Z' });
        const long = await publish('Long');
        await town.subscriptions.stop((await personOf('ben')).id, 'all');
        await at(morning);
        expect(await told()).toEqual(['ana: Your daily summary: Long']);
        expect((await rows(short.push)).sort()).toEqual(['withheld expired', 'withheld opted-out']);
        expect((await rows(long.push)).sort()).toEqual(['email sent', 'withheld opted-out']);
      });

      it('is what its office paused: that comes with the next one after it goes on', async () => {
        await setPace('ana', 'daily');
        const paused = await publish('Paused');
        await publish('Other');
        await town.fanout.pause(paused.push, publisher);
        await at(morning);
        expect(await told()).toEqual(['ana: Your daily summary: Other']);
        expect(await rows(paused.push)).toEqual(['digested paused']);
        await town.fanout.resume(paused.push, publisher);
        await at('2026-06-11T09:00:00Z');
        expect(await told()).toHaveLength(1);
        await at('2026-06-12T07:00:00Z');
        expect(await told()).toEqual(['ana: Your daily summary: Other', 'ana: Your daily summary: Paused']);
      });

      it('is what its office cancelled', async () => {
        await setPace('ana', 'daily');
        const { push } = await publish('Cancelled');
        await town.fanout.cancel(push, publisher);
        await at(morning);
        expect(await told()).toEqual([]);
        expect(await rows(push)).toEqual(['cancelled cancelled']);
      });
    });

    once('a person who changes pace within the window', () => {
      it.each([
        ['daily', 'immediate', ['ana: Two', 'ana: Your daily summary: One']],
        ['weekly', 'immediate', ['ana: Two', 'ana: Your weekly summary: One']],
        ['immediate', 'daily', ['ana: One', 'ana: Your daily summary: Two']],
        ['daily', 'weekly', ['ana: Your weekly summary: 2 notices']],
        ['weekly', 'daily', ['ana: Your daily summary: Two', 'ana: Your daily summary: One']],
      ])('from %s to %s misses nothing and gets nothing twice', async (from, to, expected) => {
        await setPace('ana', from);
        await publish('One');
        town.pass('2026-06-10T12:00:00Z');
        await setPace('ana', to);
        await publish('Two');
        await at(morning);
        await at(monday);
        await at('2026-06-22T07:00:00Z');
        expect(await told()).toEqual(expected);
      });
    });

    once('a person’s own hour', () => {
      it('is when their digests come, daily and weekly, over nights on which the clocks change', async () => {
        await town.close();
        town = await makeTown({ ...on, startAt: '2026-03-27T10:00:00Z' });
        await town.people([
          resident('evening', { digestHour: 18 }),
          resident('kathmandu', { timeZone: 'Asia/Kathmandu', digestHour: 0 }),
          resident('kiritimati', { timeZone: 'Pacific/Kiritimati', digestHour: 23 }),
          // the first hour of that Sunday is left out in London
          resident('night', { digestHour: 1 }),
          resident('week', { digestHour: 23, follow: [{ topic: 'services', pace: 'weekly' }] }),
        ]);
        for (let hour = 0; hour < 85; hour += 1) {
          for (const minutes of [0, 15]) {
            town.pass(Date.parse('2026-03-27T10:00:00Z') + hour * 3_600_000 + minutes * 60_000 - town.now());
            if (hour % 24 === 0 && minutes === 0) await publish(`Day ${hour / 24}`);
            else await town.drain();
          }
        }
        const left: Record<string, string> = {};
        for (const { to, at } of await mails()) {
          const [name = ''] = to.split('@');
          left[name] = [left[name], new Date(at).toISOString().slice(8, 16)].filter(Boolean).join(' ');
        }
        expect(left).toEqual({
          evening: '27T18:00 28T18:00 29T17:00 30T17:00',
          kathmandu: '27T18:15 28T18:15 29T18:15 30T18:15',
          kiritimati: '28T09:00 29T09:00 30T09:00',
          night: '28T01:00 29T01:00 30T00:00',
          week: '30T22:00',
        });
      });

      it('in their quiet hours gives way to their end', async () => {
        await town.people([resident('ana', { digestHour: 3, quietHours: { from: '22:00', to: '06:30' } })]);
        const { push } = await publish('One');
        await at('2026-06-11T02:00:00Z');
        expect(await rows(push)).toEqual(['digested quiet-hours']);
        await at('2026-06-11T05:29:59Z');
        expect(await told()).toEqual([]);
        await at('2026-06-11T05:30:00Z');
        expect(await told()).toEqual(['ana: Your daily summary: One']);
      });
    });

    describe('a person who changes the hour within the window', () => {
      /** What is the same on every storage. */
      const alone = (what: string, test: () => Promise<void>): void => {
        if (!storage) it(what, test);
      };
      /** Everything with the moment it left, hour after hour. */
      const lived = async (until: string): Promise<string[]> => {
        const seen: string[] = [];
        for (; town.now() <= Date.parse(until); town.pass(3_600_000)) {
          await town.drain();
          const all = await told();
          for (const one of all.slice(seen.length))
            seen.push(`${new Date(town.now()).toISOString().slice(5, 13)} ${one}`);
        }
        return seen;
      };
      const daily = 'ana: Your daily summary:';
      const changes: [string, object, object, string[]][] = [
        ['to later today: it comes today', {}, { digestHour: 18 }, [`06-10T17 ${daily} 2 notices`]],
        ['to earlier than now: it comes tomorrow', {}, { digestHour: 9 }, [`06-11T08 ${daily} 2 notices`]],
        [
          'past what has come since: that comes at once, the rest tomorrow',
          {},
          { digestHour: 12 },
          [`06-10T12 ${daily} One`, `06-11T11 ${daily} Two`],
        ],
        ['back to the usual one', { digestHour: 23 }, { digestHour: null }, [`06-11T07 ${daily} 2 notices`]],
        ['by moving to another zone', {}, { timeZone: 'Asia/Kathmandu' }, [`06-11T03 ${daily} 2 notices`]],
      ];
      it.each(storage ? changes.slice(0, 1) : changes)('%s', async (_, before, after, expected) => {
        await town.people([resident('ana', before)]);
        await publish('One');
        town.pass('2026-06-10T12:00:00Z');
        await town.subscriptions.change((await personOf('ana')).id, after);
        await publish('Two');
        expect(await lived('2026-06-12T12:00:00Z')).toEqual(expected);
      });

      alone('of the week, gets what the new hour would have brought at once, not a week later', async () => {
        const weekly = { follow: [{ topic: 'services', pace: 'weekly' }] };
        await town.people([resident('ana', weekly)]);
        await publish('One');
        town.pass('2026-06-15T06:30:00Z');
        await town.people([resident('ana', { ...weekly, digestHour: 7 })]);
        expect(await lived('2026-06-16T12:00:00Z')).toEqual(['06-15T06 ana: Your weekly summary: One']);
      });

      it('there and back again, gets nothing twice', async () => {
        await setPace('ana', 'daily');
        const { id } = await personOf('ana');
        await publish('One');
        await at(morning);
        await town.subscriptions.change(id, { digestHour: 6 });
        await publish('Two');
        await town.subscriptions.change(id, { digestHour: 8 });
        await town.drain();
        expect(await lived('2026-06-12T12:00:00Z')).toEqual([`06-11T07 ${daily} One`, `06-12T07 ${daily} Two`]);
      });

      alone('misses nothing though the process died before what waits was looked at again', async () => {
        await setPace('ana', 'daily');
        const { ordinal } = await personOf('ana');
        await publish('One');
        town.pass('2026-06-10T12:00:00Z');
        await town.stores.subscriptions.updateSubscriber(ordinal, { digestHour: 18 });
        await publish('Two');
        expect((await lived('2026-06-12T12:00:00Z')).map((one) => one.slice(9)).sort()).toEqual([
          `${daily} One`,
          `${daily} Two`,
        ]);
      });

      it('by becoming one with somebody of another hour', async () => {
        await town.people([resident('ana', { digestHour: 18 }), resident('ben')]);
        await publish('Both');
        await mergeSubscribers(town.stores, await personOf('ben'), await personOf('ana'), town.now());
        expect((await lived('2026-06-12T12:00:00Z')).sort()).toEqual([
          '06-10T17 ana: Your daily summary: Both',
          '06-10T17 ben: Your daily summary: Both',
        ]);
      });
    });

    describe('exactly once', () => {
      it('though two workers start it in the same millisecond', async () => {
        const count = storage ? 6 : 40;
        await town.people(Array.from({ length: count }, (_, n) => resident(`p${n}`)));
        for (const title of ['One', 'Two', 'Three']) await publish(title);
        town.pass(morning);
        const other = await town.restarted();
        const work = async (parts: Town['parts']): Promise<void> => {
          await parts.duties.tick();
          const token = newId(town.edges);
          for (
            let claim = await town.stores.pushes.claim(token, [...lanes]);
            claim;
            claim = await town.stores.pushes.claim(token, [...lanes])
          )
            await parts.runner.run(claim, token, () => false);
        };
        await Promise.all([work(town.parts), work(other)]);
        await town.drain();
        const all = await told();
        expect(all).toHaveLength(count);
        expect(new Set(all).size).toBe(count);
        expect(all[0]).toContain('3 notices');
      });

      it('though a worker dies between the write and the send', async () => {
        await town.people([resident('ana'), resident('ben')]);
        const { push } = await publish('One');
        await publish('Two');
        town.pass(morning);
        await town.parts.duties.tick();
        await dieInFlight(town);
        expect(await rows(push)).toEqual(['email sending', 'email sending']);
        expect(await told()).toEqual([]);
        await town.drain();
        expect((await told()).sort()).toEqual([
          'ana: Your daily summary: 2 notices',
          'ben: Your daily summary: 2 notices',
        ]);
        expect(await rows(push)).toEqual(['email sent', 'email sent']);
        const sent = await mails();
        expect(new Set(sent.map((mail) => mail.messageId)).size).toBe(2);
      });

      it('under the id it had when it died, though it goes on a day later, apart from that day’s', async () => {
        await setPace('ana', 'daily');
        await publish('One');
        town.pass(morning);
        await town.parts.duties.tick();
        await dieInFlight(town);
        const [row] = await town.stores.ledger.ofPerson((await personOf('ana')).ordinal, 1);
        town.pass('2026-06-11T12:00:00Z');
        await publish('Two');
        await at('2026-06-12T07:00:00Z');
        expect(await told()).toEqual(['ana: Your daily summary: One', 'ana: Your daily summary: Two']);
        expect((await mails())[0]?.messageId).toBe(row?.message);
      });

      it('though the network refuses it at first, and over the next channel where one fails for good', async () => {
        await town.close();
        town = await makeTown({ ...on, startAt: '2026-06-10T10:00:00Z', env: { EMAIL_URL: 'smtp://127.0.0.1:1' } });
        await town.people([resident('ana', { phone: '+447400123456' })]);
        const { push } = await publish('One');
        await at(morning);
        expect(await rows(push)).toEqual(['email digested retry']);
        expect((await town.fanout.get(push))?.counts.digested).toBe(1);
        town.pass(3_600_000);
        await town.drain();
        expect(await rows(push)).toEqual(['email digested retry']);
      });
    });

    once('an address that fails for good', () => {
      it('gives way to the next channel: the whole digest goes there', async () => {
        const sink = await startSmtpSink({
          onRcpt: () => {
            throw smtpError(550, '5.1.1 no such user');
          },
        });
        await town.close();
        town = await makeTown({
          ...on,
          startAt: '2026-06-10T10:00:00Z',
          env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}?pool=1` },
        });
        await town.people([resident('ana', { phone: '+447400123456' })]);
        const { push } = await publish('One');
        await publish('Two');
        await at(morning);
        await sink.close();
        expect(await rows(push)).toEqual(['email failed no-such-address', 'sms sent']);
        expect((await mails()).map((one) => [one.channel, one.text.includes('2 notices')])).toEqual([['sms', true]]);
        expect((await town.fanout.get(push))?.counts.sent).toBe(1);
      });
    });

    describe('two people who become one within the window', () => {
      it('get one digest with everything once', async () => {
        await town.people([resident('ana'), resident('ben', { follow: [{ topic: 'services', pace: 'daily' }] })]);
        await publish('Both');
        await mergeSubscribers(town.stores, await personOf('ben'), await personOf('ana'), town.now());
        await publish('One');
        await at(morning);
        await at('2026-06-12T07:00:00Z');
        // one message to both of their addresses
        expect((await told()).sort()).toEqual([
          'ana: Your daily summary: 2 notices',
          'ben: Your daily summary: 2 notices',
        ]);
        expect(new Set((await mails()).map((mail) => mail.messageId)).size).toBe(1);
      });
    });

    once('a digest of suggestions', () => {
      it('takes one place under the cap, and waits for the next where there is none', async () => {
        const { rule } = await town.rules.create(
          {
            name: 'Tenants',
            explanation: { en: 'You rent a home.', 'zh-CN': '您租房居住。' },
            when: { item: 'topics', has: ['services'] },
            who: { person: 'attributes.household', in: ['tenant'] },
            deliver: { channels: ['email'], pace: 'daily', priority: 5 },
            holdout: 0,
            tune: {},
          },
          publisher,
        );
        await town.rules.activate(rule.id, null, publisher);
        const facts = { consents: { personalisation: true }, attributes: { household: ['tenant'] } };
        await town.people([resident('ana', { ...facts, follow: [{ topic: 'budgets' }] })]);
        const { push } = await publish('One');
        for (let n = 0; n < 5; n += 1) await publish(`Other ${n}`);
        const { ordinal } = await personOf('ana');
        const day = { ordinal, day: '2026-06-11', week: '2026-W24' };
        const slots = ['a', 'b', 'c'].map((of) => ({ ...day, of }));
        await town.stores.ledger.takeSlots(slots, { day: 3, week: 10 });
        await at(morning);
        expect(await told()).toEqual([]);
        expect(await rows(push)).toEqual(['digested cap-day']);
        await at('2026-06-12T07:00:00Z');
        expect(await told()).toEqual(['ana: Your daily summary: 6 notices']);
      });
    });

    describe('the links of a digest', () => {
      const unsubscribeToken = async () => /\/u\/([\w.-]+)/.exec((await mails())[0]?.text ?? '')?.[1] ?? '';

      it('stop that digest: all that it was sent for and the rest of its pace, and nothing else', async () => {
        await town.people([
          resident('ana', {
            follow: [
              { topic: 'services', pace: 'daily' },
              { topic: 'budgets', pace: 'daily' },
              { topic: 'licensing', pace: 'daily' },
              { topic: 'personnel', pace: 'weekly' },
              { topic: 'other' },
            ],
          }),
        ]);
        await publish('Water');
        await publish('Budget', { topics: ['budgets'] });
        await at(morning);
        const token = await unsubscribeToken();
        const view = await town.fanout.unsubscribeView(token);
        expect(view.sources.map((one) => one.source).sort()).toEqual([
          'subscription:topic:budgets',
          'subscription:topic:licensing',
          'subscription:topic:services',
        ]);
        expect(await town.fanout.unsubscribe(token, false)).toBe(3);
        const left = await town.stores.subscriptions.subscriptionsOf((await personOf('ana')).ordinal);
        const live = left.filter((one) => one.stoppedAt === null).map((one) => one.definition.source);
        expect(live.sort()).toEqual(['subscription:topic:other', 'subscription:topic:personnel']);
      });
    });

    once('My notifications', () => {
      it('say of each item that it was part of a digest', async () => {
        await setPace('ana', 'daily');
        const { item } = await publish('For you');
        const kept = await town.fanout.notificationsOf((await personOf('ana')).id, 10);
        expect(kept).toMatchObject([
          { state: 'digested', code: 'daily-digest', dueAt: Date.parse(morning), digest: null },
        ]);
        await at(morning);
        const [view] = await town.fanout.notificationsOf((await personOf('ana')).id, 10);
        expect(view).toMatchObject({ state: 'sent', digest: 'daily', item: { id: item } });
      });
    });
  });

describeDigests('SQLite');
describeWithMongo('digests on MongoDB', () => describeDigests('MongoDB', openMongoTown));
