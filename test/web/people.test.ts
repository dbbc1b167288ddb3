import { readOutbox } from '../../src/channels/outbox.ts';
import { startWeb, type Web } from '../helpers/web.ts';

type Person = Record<string, unknown> & { id: string };
type Message = { to: string; text: string };

const follow = [{ topic: 'services', pace: 'daily' }];

describe('people over the API', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb({ rateLimits: { send: 10_000, guess: 10_000 } });
  });
  afterEach(() => web.close());

  const subscribe = (body: object) => web.api('POST', '/subscriptions', { follow, ...body }, null);
  const confirm = (body: object) => web.api('POST', '/subscriptions/confirm', body, null);
  const outbox = async (): Promise<Message[]> => {
    await web.town.drain();
    return readOutbox(web.town.dataDir, { limit: 100 });
  };
  const tokenIn = (message: Message | undefined): string => /\/confirm\/([\w.-]+)/.exec(message?.text ?? '')?.[1] ?? '';
  const importLines = (lines: (object | string)[], type = 'application/x-ndjson') =>
    web.call('POST', '/api/v1/subscribers/import', {
      headers: { authorization: 'Bearer an-admin-key-for-the-web-tests', 'content-type': type },
      body: lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
    });
  const followers = async (slug: string): Promise<number | undefined> => {
    const { topics } = (await web.api('GET', '/topics', undefined, null)).body;
    return (topics as { slug: string; followers: number }[]).find((topic) => topic.slug === slug)?.followers;
  };

  it('signs up by email link: pending until confirmed, and confirming again says the same', async () => {
    const asked = await subscribe({ email: ' Li@Example.ORG ' });
    expect([asked.status, asked.body]).toEqual([202, { status: 'confirmation-sent' }]);
    expect(await followers('services')).toBe(0);
    const [mail] = await outbox();
    expect(mail?.to).toBe('li@example.org');
    const token = tokenIn(mail);
    const confirmed = await confirm({ token });
    expect([confirmed.status, confirmed.body.status]).toEqual([200, 'confirmed']);
    expect((await confirm({ token })).body).toEqual(confirmed.body);
    expect(await followers('services')).toBe(1);
    expect((await confirm({ token: `${token}x` })).body.code).toBe('bad-link');
    const { body } = await web.api('GET', `/subscribers/${confirmed.body.subscriber}`);
    expect(body).toMatchObject({
      follow: [{ topic: 'services', pace: 'daily', channels: null, regions: null, origin: 'person' }],
      interests: [],
      consents: { personalisation: false },
      addresses: [{ channel: 'email', masked: expect.not.stringContaining('li@'), suppressed: null }],
    });
  });

  it('signs up by SMS code, five tries', async () => {
    await subscribe({ phone: '138 0013 8000', locale: 'zh-CN' });
    const [sms] = await outbox();
    const code = /\d{6}/.exec(sms?.text ?? '')?.[0] ?? '';
    const wrong = code === '000000' ? '000001' : '000000';
    const phone = '+8613800138000';
    const refused = await confirm({ phone, code: wrong });
    expect([refused.status, refused.body.code]).toEqual([400, 'wrong-code']);
    expect(refused.body.errors).toEqual([{ path: 'code', message: 'is wrong or has expired' }]);
    expect((await confirm({ phone: '13800138000', code })).status).toBe(200);
  });

  it('says the same of a known address, an unknown one, a stopped one and a code for nobody', async () => {
    await subscribe({ email: 'known@example.org' });
    await confirm({ token: tokenIn((await outbox())[0]) });
    const known = await subscribe({ email: 'known@example.org' });
    const unknown = await subscribe({ email: 'unknown@example.org' });
    const flooded = await Promise.all(Array.from({ length: 20 }, () => subscribe({ email: 'known@example.org' })));
    const about = (answer: typeof known) => [
      answer.status,
      answer.text,
      [...answer.headers.keys()].filter((name) => name !== 'date').sort(),
    ];
    for (const answer of [unknown, ...flooded]) expect(about(answer)).toEqual(about(known));
    const [nobody, somebody] = [
      await confirm({ phone: '+8613900139000', code: '123456' }),
      (await subscribe({ phone: '+8613800138000' })) && (await confirm({ phone: '+8613800138000', code: 'x' })),
    ];
    expect([nobody.status, nobody.text]).toEqual([somebody.status, somebody.text]);
  });

  it('names unknown topics and regions of a sign-up where they stand', async () => {
    const { status, body } = await subscribe({
      email: 'a@example.org',
      follow: [{ topic: 'services' }, { topic: 'nonsense' }, { topic: 'services', regions: ['999999'] }],
      region: 'nowhere',
    });
    expect(status).toBe(400);
    const paths = (body.errors as { path: string }[]).map((fault) => fault.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^follow\.1/),
        expect.stringMatching(/^follow\.2\.regions/),
        'region',
      ]),
    );
    expect(await outbox()).toEqual([]);
  });

  it('imports line by line, names each fault, reads, changes and erases', async () => {
    const person = {
      externalId: 'e1',
      email: 'wang@example.org',
      verified: true,
      locale: 'zh-CN',
      region: '110000',
      follow,
    };
    const report = await importLines([
      person,
      '{"bad',
      { ...person, externalId: 'e2', phone: '13800138000', email: undefined },
    ]);
    expect([report.status, report.body]).toMatchObject([
      200,
      { imported: 2, updated: 0, failed: 1, errors: [{ line: 2 }] },
    ]);
    expect((await importLines([person])).body).toMatchObject({ imported: 0, updated: 1, failed: 0 });

    const found = await web.api('GET', '/subscribers?externalId=e1');
    const { id } = found.body as Person;
    expect(found.body).toMatchObject({
      externalId: 'e1',
      locale: 'zh-CN',
      region: '110000',
      follow: [{ origin: 'import' }],
    });
    expect((await web.api('GET', `/subscribers/${id}`)).body).toEqual(found.body);

    const change = {
      consents: { personalisation: true },
      quietHours: { from: '22:00', to: '07:00' },
      digestHour: 23,
      attributes: { birthYear: 1960 },
    };
    const changed = await web.api('PATCH', `/subscribers/${id}`, change);
    expect([changed.status, changed.body]).toMatchObject([200, { ...change, region: '110000' }]);
    const usual = await web.api('PATCH', `/subscribers/${id}`, { digestHour: null });
    expect([usual.status, usual.body.digestHour]).toEqual([200, null]);
    const bad = {
      quietHours: { from: '25:00', to: '07:00' },
      digestHour: 24,
      timeZone: 'Mars/Base',
      region: 7,
      attributes: { a: {} },
    };
    const refused = await web.api('PATCH', `/subscribers/${id}`, bad);
    expect((refused.body.errors as { path: string }[]).map((fault) => fault.path).sort()).toEqual([
      'attributes.a',
      'digestHour',
      'quietHours.from',
      'region',
      'timeZone',
    ]);
    expect((await web.api('PATCH', `/subscribers/${id}`, { region: 'nowhere' })).status).toBe(400);
    expect((await web.api('PATCH', '/subscribers/unknown', change)).status).toBe(404);

    expect((await web.api('DELETE', `/subscribers/${id}`)).status).toBe(204);
    expect((await web.api('GET', `/subscribers/${id}`)).status).toBe(404);
    expect((await web.api('GET', '/subscribers?externalId=e1')).status).toBe(404);
    expect((await web.api('DELETE', `/subscribers/${id}`)).status).toBe(404);
  });

  it('takes any language, and keeps the one spoken here that fits best', async () => {
    const spoken = async (locale: string): Promise<unknown[]> => {
      const email = `${locale}@example.org`.toLowerCase();
      await subscribe({ email, locale });
      const token = tokenIn((await outbox()).find((message) => message.to === email));
      const { subscriber } = (await confirm({ token })).body;
      const externalId = `import of ${locale}`;
      await importLines([{ externalId, verified: true, locale, follow: [] }]);
      const imported = (await web.api('GET', `/subscribers?externalId=${externalId}`)).body;
      const other = locale.startsWith('zh') ? 'en' : 'zh';
      await web.api('PATCH', `/subscribers/${imported.id}`, { locale: other });
      const changed = (await web.api('PATCH', `/subscribers/${imported.id}`, { locale })).body;
      return [(await web.api('GET', `/subscribers/${subscriber}`)).body.locale, imported.locale, changed.locale];
    };
    for (const [tag, kept] of [
      ['fr', 'en'],
      ['zh-Hant-TW', 'zh-CN'],
      ['EN-gb', 'en'],
      ['zha', 'en'],
    ] as const)
      expect([tag, await spoken(tag)]).toEqual([tag, [kept, kept, kept]]);
    for (const locale of ['', 'en_US', 'fr-', 'a language'])
      expect([locale, (await subscribe({ email: 'a@example.org', locale })).status]).toEqual([locale, 400]);
  });

  it('refuses a browser that is said to be on a private host', async () => {
    const keys = {
      p256dh: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url'),
      auth: 'A'.repeat(22),
    };
    for (const host of ['10.0.0.1', 'localhost', '[::1]']) {
      const { status, body } = await subscribe({ webPush: { endpoint: `https://${host}/x`, keys } });
      expect([status, body.errors]).toEqual([
        400,
        [{ path: 'webPush.endpoint', message: 'is not on the public internet' }],
      ]);
    }
    expect((await subscribe({ webPush: { endpoint: 'https://push.example.org/x', keys } })).status).toBe(202);
  });

  it('refuses an import of another media type, and a compressed one', async () => {
    expect((await importLines([], 'text/csv')).status).toBe(200);
    expect((await importLines([{}], 'text/csv')).status).toBe(415);
    const packed = await web.call('POST', '/api/v1/subscribers/import', {
      headers: {
        authorization: 'Bearer an-admin-key-for-the-web-tests',
        'content-type': 'application/x-ndjson',
        'content-encoding': 'gzip',
      },
      body: 'x',
    });
    expect(packed.status).toBe(415);
  });

  it('keeps a verifiable record of who read and changed whom, without names or addresses', async () => {
    await importLines([{ externalId: 'e1', email: 'wang@example.org', verified: true, follow }]);
    const { id } = (await web.api('GET', '/subscribers?externalId=e1')).body as Person;
    await web.api('PATCH', `/subscribers/${id}`, { locale: 'en' });
    await web.api('GET', '/topics');
    const entries = await web.town.stores.access.audit(1, 100);
    expect(entries.map(({ actor, action, subject }) => [actor, action, subject])).toEqual([
      ['admin', 'importPeople', null],
      ['admin', 'findPerson', id],
      ['admin', 'changePerson', id],
    ]);
    expect(JSON.stringify(entries)).not.toMatch(/wang|e1"/);
    expect(await web.town.access.verifyAudit()).toMatchObject({ ok: true, entries: 3 });
  });

  it('stops by the link of a real message, in one click, whatever was followed', async () => {
    await importLines([
      { externalId: 'e1', email: 'wang@example.org', verified: true, follow: [{ topic: 'services' }] },
    ]);
    const draft = { title: 'Bus 12', summary: 'Diverted', language: 'en', topics: ['services'] };
    const { id } = (await web.api('POST', '/items', draft)).body;
    const { push } = (await web.api('POST', `/items/${id}/publish`)).body as { push: { id: string } };
    await outbox();
    const rows = (await web.api('GET', `/pushes/${push.id}/deliveries`)).body.deliveries as Record<string, unknown>[];
    expect(rows).toMatchObject([
      {
        state: 'sent',
        channel: 'email',
        provider: 'outbox',
        attempts: 1,
        reasons: [{ source: 'subscription:topic:services', text: expect.stringContaining('Public services') }],
      },
    ]);
    expect((await web.api('GET', `/pushes/${push.id}`)).body).toMatchObject({
      state: 'done',
      counts: { matched: 1, sent: 1 },
    });
    const [mail] = await readOutbox(web.town.dataDir, { limit: 1 });
    const path = new URL(mail?.unsubscribe ?? '').pathname;
    const stopped = await web.call('POST', path, { body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) });
    expect(stopped.status).toBe(200);
    expect(await followers('services')).toBe(0);
    expect((await web.call('POST', path)).status).toBe(200);
  });
});
