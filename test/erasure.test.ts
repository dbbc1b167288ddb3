import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openMongo } from '../src/storage/mongo/connection.ts';
import { openSqlite } from '../src/storage/sqlite/database.ts';
import { onEachEngine } from './helpers/engines.ts';
import { fromOutbox, linkIn, type OutboxMessage, publish } from './helpers/outbox.ts';
import { type Service, startService } from './helpers/start-service.ts';
import { plainVisitor } from './helpers/visitor.ts';

/** Nothing but this person has any of these. What the office itself declared (a region, the values of a fact) is its own. */
const mark = 'zqxmark';
const phone = '+8613899911177';
const marks = [mark, '13899911177', '03:17', '04:19', 'Antarctica/Troll', 'ZZ-QXREGION'];
const email = `${mark}.mail@example.org`;
const region = 'ZZ-QXREGION';
/** The office's own: what it declared, who of its staff did so, and how many people (none by name) a region had. */
const ofTheOffice = ['regions', 'audit', 'report_parts', 'report_sums'];

const line = {
  ...{
    externalId: `${mark}-external`,
    email,
    phone,
    verified: true,
    region,
    timeZone: 'Antarctica/Troll',
    locale: 'en',
  },
  webPush: {
    endpoint: `https://push.example.org/${mark}-endpoint`,
    keys: {
      p256dh: 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM',
      auth: 'tBHItJI5svbpez7KI4CCXg',
    },
  },
  attributes: { hobby: `${mark}-value` },
  consents: { personalisation: true },
  quietHours: { from: '03:17', to: '04:19' },
  follow: [{ topic: 'services' }, { search: { any: { keywords: [`${mark}-follow`, 'gates'] } } }],
};

/** A returned mail that names its recipient and quotes the server. */
const bounce = [
  'From: MAILER-DAEMON@mx.example.org',
  'To: bellman@localhost',
  'Subject: Undelivered Mail Returned to Sender',
  'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
  '',
  '--b',
  'Content-Type: text/plain',
  '',
  `<${email}>: host mx.example.org said: 452 4.2.2 mailbox of ${email} is full`,
  '',
  '--b',
  'Content-Type: message/delivery-status',
  '',
  'Reporting-MTA: dns; mx.example.org',
  '',
  `Final-Recipient: rfc822; ${email}`,
  'Action: delayed',
  'Status: 4.2.2',
  `Diagnostic-Code: smtp; 452 4.2.2 mailbox of ${email} is full`,
  '',
  '--b--',
  '',
].join('\r\n');

type Row = { place: string; text: string };

/** Every row of every table, as text. */
const sqliteRows = (file: string): Row[] => {
  const db = openSqlite(file);
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return tables.flatMap(({ name }) =>
      db
        .prepare(`SELECT * FROM "${name}"`)
        .all()
        .map((row) => ({ place: String(name), text: textOf(row) })),
    );
  } finally {
    db.close();
  }
};

const mongoRows = async (url: string): Promise<Row[]> => {
  const { db, close } = await openMongo(url);
  const rows: Row[] = [];
  for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray())
    for (const document of await db.collection(name).find().toArray())
      rows.push({ place: name, text: textOf(document) });
  await close();
  return rows;
};

const textOf = (row: object): string =>
  JSON.stringify(row, (_key, value: unknown) => {
    const bytes = value as { type?: string; data?: number[] } | null;
    return bytes?.type === 'Buffer' && bytes.data ? Buffer.from(bytes.data).toString('latin1') : value;
  });

/** Every file of a data folder but the database's own. */
const filesIn = (folder: string): Row[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('bellman.db'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { place: `file ${entry.name}`, text: readFileSync(path, 'latin1') };
    });

const isTheirs = (place: string, one: string): boolean =>
  place === 'attributes' ? one === mark : one === region && ofTheOffice.includes(place);

const foundIn = (rows: Row[]): string[] =>
  rows.flatMap(({ place, text }) => {
    const low = text.toLowerCase();
    return marks
      .filter((one) => !isTheirs(place, one) && low.includes(one.toLowerCase()))
      .map((one) => `${place}: ${one} in ${text.slice(0, 300)}`);
  });

onEachEngine('a person who was erased', ({ name, database }) => {
  let service: Service;
  let log = '';
  const engine = database();
  const rows = async (): Promise<Row[]> =>
    name === 'SQLite'
      ? sqliteRows(join(service.dataDir, 'bellman.db'))
      : mongoRows(String((engine.env as Record<string, string>).DATABASE_URL));

  const api = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await service.api(method, path, body);
    expect([path, answer.status < 300, answer.body]).toEqual([path, true, answer.body]);
    return (answer.body ?? {}) as Record<string, unknown>;
  };
  const letter = (fits: (message: OutboxMessage) => boolean) => fromOutbox(service, fits);

  /** Puts a mark into everything that is kept of a person. */
  const plant = async (): Promise<string> => {
    await api('POST', '/regions', { code: region, name: { en: 'Here', 'zh-CN': '此地' } });
    const title = { en: 'Hobby', 'zh-CN': '爱好' };
    await api('POST', '/attributes', { name: 'hobby', type: 'enum', values: [`${mark}-value`, 'other'], title });
    await api('POST', '/webhooks', { url: 'https://hooks.example.org/x', events: ['feedback.received'] });
    expect(await api('POST', '/subscribers/import', JSON.stringify(line))).toMatchObject({ imported: 1, errors: [] });
    const { id } = (await api('GET', `/subscribers?externalId=${line.externalId}`)) as { id: string };
    await api('POST', '/events', {
      events: [
        { subscriber: id, type: 'search', query: `${mark}-query` },
        { subscriber: id, type: 'view', topic: 'services' },
      ],
    });
    await api('POST', '/subscriptions', {
      email,
      follow: [{ search: { any: { keywords: [`${mark}-pending`] } } }],
    });
    const receivedAt = new Date().toISOString();
    await api('POST', '/applications', { applicant: id, text: `${mark}-application`, receivedAt });
    await api('POST', '/applications', { applicant: { email }, text: `${mark}-by-mail`, receivedAt });
    const item = await publish(service, { title: 'Flood gates', summary: 'Keep clear.', keywords: ['gates'] });
    const notice = await letter(({ to, title: of }) => to === email && of.includes('Flood'));
    const visitor = plainVisitor(service.url);
    const useful = `${linkIn(notice, 'f')}/not-for-me`;
    await visitor.get(useful);
    await visitor.send(linkIn(notice, 'f'), { kind: 'not-for-me', comment: `${mark}-comment` });
    await visitor.get('/manage');
    await visitor.send('/manage', { address: email });
    const manage = linkIn(
      await letter(({ to, text }) => to === email && text.includes('/manage/') && !text.includes('Flood')),
      'manage',
    );
    await visitor.get(manage);
    await visitor.send(manage, {});
    await visitor.get(`/items/${item}`);
    await visitor.send(`/items/${item}/opinions`, { kind: 'question', text: `${mark}-opinion` });
    await fetch(`${service.url}/api/v1/hooks/email`, {
      method: 'POST',
      headers: { authorization: 'Bearer an-admin-key-for-tests', 'content-type': 'message/rfc822' },
      body: bounce,
    });
    return id;
  };

  beforeAll(async () => {
    service = await startService({ env: { ...engine.env, LOG_LEVEL: 'trace', LOCALE: 'en', WEB_PUSH: 'outbox' } });
    service.process.stderr?.on('data', (text: string) => {
      log += text;
    });
  }, 60_000);
  afterAll(async () => {
    await service.stop();
    await engine.drop();
  });

  it('leaves nothing of themselves in the database, the outbox, any other file, or the log', async () => {
    const id = await plant();
    const before = foundIn([...(await rows()), ...filesIn(service.dataDir)]);
    // the test would be worth nothing if it did not find what is there; the phone number is nowhere in the clear even now
    for (const one of marks.filter((each) => !/^\d+$/.test(each)))
      expect(before.some((text) => text.includes(`: ${one} in`))).toBe(true);
    await api('DELETE', `/subscribers/${id}`);
    const gone = await service.api('GET', `/subscribers/${id}`);
    expect(gone.status).toBe(404);
    await service.stop({ keep: true });
    expect(foundIn([...(await rows()), ...filesIn(service.dataDir), { place: 'the log', text: log }])).toEqual([]);
    expect(log).not.toBe('');
  }, 120_000);
});
