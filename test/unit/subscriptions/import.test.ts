import { lookupOf } from '../../../src/subscriptions/address.ts';
import { readLines } from '../../../src/subscriptions/import/lines.ts';
import { type Desk, email, makeItem, openDesk } from './desk.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const stream = async function* (...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? bytesOf(part) : part;
};

const collect = async (source: AsyncIterable<Uint8Array>, most = 100) => {
  const lines: unknown[] = [];
  for await (const line of readLines(source, most)) lines.push(line);
  return lines;
};

describe('lines of a stream', () => {
  it('are cut at line feeds wherever the chunks end, blank ones counted and left out', async () => {
    const whole = bytesOf('{"a":"北京"}\r\n\n  \n第二行\nlast');
    const expected = [
      { line: 1, text: '{"a":"北京"}\r' },
      { line: 4, text: '第二行' },
      { line: 5, text: 'last' },
    ];
    for (const size of [1, 2, 3, 7, 1_000]) {
      const parts = Array.from({ length: Math.ceil(whole.length / size) }, (_, n) =>
        whole.subarray(n * size, (n + 1) * size),
      );
      expect(await collect(stream(...parts))).toEqual(expected);
    }
    expect(await collect(stream())).toEqual([]);
    expect(await collect(stream('\uFEFFa\n'))).toEqual([{ line: 1, text: 'a' }]);
  });

  it('that are too long or not UTF-8 are faults, and the next ones are read', async () => {
    const bad = new Uint8Array([0x7b, 0xff, 0xfe, 0x0a]);
    expect(await collect(stream('x'.repeat(60), 'x'.repeat(60), '\nfine\n', bad, 'also fine'))).toEqual([
      { line: 1, fault: 'is longer than 100 bytes' },
      { line: 2, text: 'fine' },
      { line: 3, fault: 'is not valid UTF-8' },
      { line: 4, text: 'also fine' },
    ]);
  });
});

describe('importing people', () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = await openDesk();
  });
  afterEach(() => desk.close());

  const line = (fields: object) => ({ verified: true, follow: [{ topic: 'housing' }], ...fields });
  const load = (...lines: (object | string | Uint8Array)[]) =>
    desk.subscriptions.importPeople(
      stream(
        ...lines.flatMap((one) => [
          typeof one === 'string' || one instanceof Uint8Array ? one : JSON.stringify(one),
          '\n',
        ]),
      ),
    );
  const byName = (externalId: string) => desk.subscriptions.person({ externalId });

  it('takes every field', async () => {
    const report = await load(
      line({
        externalId: '城-1',
        email: 'Li@example.org',
        phone: '138 0013 8000',
        webPush: {
          endpoint: 'https://push.example.org/1',
          keys: {
            p256dh: Buffer.concat([Buffer.from([4]), Buffer.alloc(64)]).toString('base64url'),
            auth: 'A'.repeat(22),
          },
        },
        locale: 'en',
        region: '110000',
        timeZone: 'Asia/Tokyo',
        attributes: { birthYear: 1980, occupation: 'teacher', household: ['couple', 'tenant'] },
        consents: { personalisation: true },
        quietHours: { from: '22:00', to: '07:00' },
        digestHour: 0,
        follow: [
          { topic: 'housing', pace: 'daily', channels: ['sms', 'email'], regions: ['110000'] },
          { search: { any: { keywords: ['Flat', 'Rent'] } } },
        ],
      }),
    );
    expect(report).toEqual({ imported: 1, updated: 0, failed: 0, errors: [] });
    const view = await byName('城-1');
    expect(view?.person).toMatchObject({
      locale: 'en',
      region: '110000',
      timeZone: 'Asia/Tokyo',
      attributes: { birthYear: 1980, occupation: ['teacher'], household: ['couple', 'tenant'] },
      consents: { personalisation: true },
      quietHours: { from: '22:00', to: '07:00' },
      digestHour: 0,
    });
    expect(view?.addresses.map(({ masked }) => masked).sort()).toEqual([
      '+86 *** 8000',
      'l…@example.org',
      'push.example.org',
    ]);
    expect(view?.follows.map(({ pace, channels, origin }) => ({ pace, channels, origin }))).toEqual(
      expect.arrayContaining([
        { pace: 'daily', channels: ['sms', 'email'], origin: 'import' },
        { pace: 'immediate', channels: null, origin: 'import' },
      ]),
    );
    expect(desk.posted).toEqual([]);
  });

  it('updates by externalId and by address, and replaces imported follows', async () => {
    expect((await load(line({ externalId: 'a', email: 'a@example.org' }))).imported).toBe(1);
    const report = await load(
      line({ externalId: 'a', region: '110000', follow: [{ topic: 'services' }] }),
      line({ email: 'A@EXAMPLE.org', timeZone: 'Asia/Tokyo', follow: [{ topic: 'policies' }] }),
      line({ externalId: 'b', phone: '13800138000' }),
    );
    expect(report).toMatchObject({ imported: 1, updated: 2, failed: 0 });
    const view = await byName('a');
    expect(view?.person).toMatchObject({ region: '110000', timeZone: 'Asia/Tokyo', locale: 'zh-CN' });
    expect(view?.follows.map(({ definition }) => definition.source)).toEqual(['subscription:topic:policies']);
  });

  it('names every fault by line and path, and the other lines go in', async () => {
    await desk.stores.items.insert(makeItem());
    const report = await load(
      line({ externalId: 'ok-1', email: 'ok1@example.org', follow: [{ item: 'item-1' }] }),
      '{"externalId": ',
      '[]',
      line({ externalId: 'x', email: 'nonsense', phone: '1', region: 'y', attributes: { shoe: 1 } }),
      line({ externalId: 'x', colour: 'red', quietHours: { from: '9', to: '07:00' }, digestHour: 24 }),
      { externalId: 'x', follow: [], verified: false },
      { externalId: 'x', verified: true },
      line({}),
      line({ externalId: 'x', follow: [{ topic: 'moon' }, { item: 'none' }, { topic: 'a', item: 'b' }] }),
      line({
        externalId: 'x',
        follow: [{ topic: 'moon' }, { search: { all: { regions: ['Oz'] } } }, { item: 'none' }],
      }),
      new Uint8Array([0x7b, 0xff]),
      `{"externalId":"${'x'.repeat(70_000)}"}`,
      line({ externalId: 'z', email: 'ok1@example.org' }),
      line({ externalId: 'ok-2', email: 'ok2@example.org' }),
    );
    expect(report.imported).toBe(2);
    expect(report.failed).toBe(12);
    const places = report.errors
      .map((error) => `${error.line} ${error.path}`)
      .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    expect(places).toEqual([
      '2 ',
      '3 ',
      '4 email',
      '4 phone',
      '4 region',
      '4 attributes.shoe',
      '5 digestHour',
      '5 colour',
      '5 quietHours.from',
      '6 verified',
      '7 follow',
      '8 ',
      '9 follow.2',
      '9 follow.0.topic',
      '9 follow.1.item',
      '9 follow.2.topic',
      '9 follow.2.item',
      '10 follow.0.topic',
      '10 follow.1.search.all.regions.0',
      '10 follow.2.item',
      '11 ',
      '12 ',
      '13 email',
    ]);
    expect(await byName('x')).toBeNull();
    expect(await byName('z')).toBeNull();
    expect(await byName('ok-2')).not.toBeNull();
  });

  it('names texts that no database keeps', async () => {
    const report = await load(
      line({ externalId: 'half \ud83d' }),
      line({ externalId: 'a\u0000b' }),
      line({ externalId: 'x', follow: [{ search: { any: { keywords: ['fine', '\udc00'] } } }] }),
      line({ externalId: 'whole \u{1f514} and \\ud83d in words' }),
    );
    expect(report.imported).toBe(1);
    expect(report.errors.map((error) => `${error.line} ${error.path}`)).toEqual([
      '1 externalId',
      '2 externalId',
      '3 follow.0.search.any.keywords.1',
    ]);
  });

  it('never revives what a person stopped, nor a suppressed or erased address', async () => {
    const lines = [
      line({ externalId: 'a', email: 'a@example.org' }),
      line({ externalId: 'b', email: 'b@example.org' }),
    ];
    await load(...lines);
    const a = (await byName('a'))?.person.id ?? '';
    await desk.subscriptions.stop(a, 'all');
    await desk.subscriptions.erase((await byName('b'))?.person.id ?? '');
    expect(await load(...lines)).toMatchObject({ updated: 1, imported: 1 });
    expect((await byName('a'))?.follows.every(({ stoppedAt }) => stoppedAt !== null)).toBe(true);
    expect((await byName('b'))?.addresses).toMatchObject([{ suppressed: 'erased' }]);
    expect(await desk.stores.addresses.suppression(lookupOf(desk.keyring, email('b@example.org')))).toBe('erased');
  });

  it('lists a thousand faults and says how many more there are', async () => {
    const report = await load(...Array.from({ length: 1_500 }, () => '{}'));
    expect(report.failed).toBe(1_500);
    expect(report.errors).toHaveLength(1_001);
    expect(report.errors.at(-1)).toMatchObject({ path: '', message: expect.stringMatching(/^3500 more faults/) });
  });

  it('takes 20,000 lines, and the event loop goes on turning', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 5);
    const source = async function* () {
      for (let n = 0; n < 20_000; n += 50)
        yield bytesOf(
          `${Array.from({ length: 50 }, (_, k) =>
            JSON.stringify(line({ externalId: `e-${n + k}`, email: `e${n + k}@example.org`, region: '110000' })),
          ).join('\n')}\n`,
        );
    };
    const report = await desk.subscriptions.importPeople(source());
    clearInterval(timer);
    expect(report).toEqual({ imported: 20_000, updated: 0, failed: 0, errors: [] });
    expect(turns).toBeGreaterThan(50);
    expect((await desk.subscriptions.topicFollowers(['housing'])).get('housing')).toBe(20_000);
  }, 60_000);
});
