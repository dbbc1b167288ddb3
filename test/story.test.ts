import { type ParsedMail, simpleParser } from 'mailparser';
import { describeWithMongo, openMongoTown } from './helpers/open-mongo.ts';
import { type Browser, makeBrowser, type PushSink, startPushSink } from './helpers/push-sink.ts';
import { type SmppSink, startSmppSink } from './helpers/smpp-sink.ts';
import { type SmtpSink, startSmtpSink } from './helpers/smtp-sink.ts';
import type { TownOptions } from './helpers/town.ts';
import { adminApiKey, startWeb } from './helpers/web.ts';

/**
 * The whole story over the API, on a real store, with the clock in the test's hand: sign up by email, SMS and web push,
 * publish, be told, correct, stop. The peers are independent: an SMTP server, a message centre, a push service.
 */
const describeStory = (name: string, storage?: TownOptions['storage']): unknown =>
  describe(`the story on ${name}`, () => {
    let smtp: SmtpSink;
    let smpp: SmppSink;
    let push: PushSink;
    let browser: Browser;
    let web: Awaited<ReturnType<typeof startWeb>>;

    beforeAll(async () => {
      smtp = await startSmtpSink();
      smpp = await startSmppSink();
      push = await startPushSink();
      browser = makeBrowser();
      web = await startWeb({
        ...(storage ? { storage } : {}),
        env: {
          EMAIL_URL: `smtp://127.0.0.1:${smtp.port}?pool=2`,
          EMAIL_FROM: 'Qingshi Town <notices@town.example>',
          SMS_URL: `smpp://user:pass@127.0.0.1:${smpp.port}?from=10690000`,
          WEB_PUSH: 'send',
          ALLOW_PRIVATE_ENDPOINTS: 'on',
          TIME_ZONE: 'Asia/Shanghai',
          LOCALE: 'zh-CN',
        },
      });
    });
    afterAll(async () => {
      await web.close();
      await Promise.all([smtp.close(), smpp.close(), push.close()]);
    });

    const lastMail = (): Promise<ParsedMail> => simpleParser(smtp.mails.at(-1)?.raw ?? '');
    const linkIn = (text: string | undefined, path: string): string => {
      const link = new RegExp(`http://localhost:3000(${path}[^\\s<>"]*)`).exec(text ?? '')?.[1];
      if (!link) throw new Error(`no link to ${path} in:\n${text}`);
      return link;
    };
    const pushed = () =>
      push.pushes.map(({ body }) => browser.read(body) as { title: string; url: string; data?: { confirm?: string } });
    const countsOf = async (id: string) => (await web.api('GET', `/pushes/${id}`)).body.counts;
    const publish = async (item: object): Promise<{ item: string; push: string }> => {
      const created = await web.api('POST', '/items', item);
      expect(created.status).toBe(201);
      const published = await web.api('POST', `/items/${created.body.id}/publish`);
      expect(published.status).toBe(202);
      await web.town.drain();
      return { item: String(created.body.id), push: (published.body as { push: { id: string } }).push.id };
    };
    const water = {
      title: '河东片区停水',
      summary: '周三上午八时至下午四时停水。',
      language: 'zh-CN',
      topics: ['services'],
      translations: { en: { title: 'No water in East Bank', summary: 'From eight to four on Wednesday.' } },
    };

    it('signs Ana up by email: the link shows, the button confirms', async () => {
      const asked = await web.api(
        'POST',
        '/subscriptions',
        { email: ' Ana@Example.org ', follow: [{ topic: 'services' }], locale: 'en' },
        null,
      );
      expect(asked).toMatchObject({ status: 202, body: { status: 'confirmation-sent' } });
      await web.town.drain();
      const mail = await lastMail();
      expect(smtp.mails.at(-1)?.to).toEqual(['ana@example.org']);
      expect(mail.headers.has('list-unsubscribe')).toBe(false);
      const link = linkIn(mail.text, '/confirm/');
      const page = await web.call('GET', link);
      expect(page.status).toBe(200);
      expect((await web.api('GET', '/topics')).body.topics).toContainEqual(
        expect.objectContaining({ slug: 'services', followers: 0 }),
      );
      const token = decodeURIComponent(link.split('/').at(-1) ?? '');
      expect((await web.api('POST', '/subscriptions/confirm', { token }, null)).status).toBe(200);
      expect((await web.api('POST', '/subscriptions/confirm', { token }, null)).status).toBe(200);
      expect((await web.api('GET', '/topics')).body.topics).toContainEqual(
        expect.objectContaining({ slug: 'services', followers: 1 }),
      );
    });

    it('signs Bo up by SMS: five tries, ten minutes', async () => {
      await web.api(
        'POST',
        '/subscriptions',
        { phone: '138 0013 8000', follow: [{ search: { any: { keywords: ['停水'] } } }] },
        null,
      );
      await web.town.drain();
      const code = /\d{6}/.exec(smpp.texts.at(-1)?.text ?? '')?.[0] ?? '';
      expect(smpp.texts.at(-1)?.to).toMatch(/8613800138000$/);
      const wrong = code === '000000' ? '000001' : '000000';
      expect(
        (await web.api('POST', '/subscriptions/confirm', { phone: '13800138000', code: wrong }, null)).status,
      ).toBe(400);
      expect((await web.api('POST', '/subscriptions/confirm', { phone: '+8613800138000', code }, null)).status).toBe(
        200,
      );
    });

    it('signs Cai up by web push: the first push holds the confirmation', async () => {
      const { endpoint, keys } = browser.subscription(push.origin);
      const asked = await web.api(
        'POST',
        '/subscriptions',
        { webPush: { endpoint, keys }, follow: [{ topic: 'services', regions: ['110000'] }], locale: 'zh-CN' },
        null,
      );
      expect(asked.status).toBe(202);
      await web.town.drain();
      const token = pushed().at(-1)?.data?.confirm;
      expect((await web.api('POST', '/subscriptions/confirm', { token }, null)).status).toBe(200);
    });

    it('tells each of them once, in their language, over their channel, and nobody else', async () => {
      await web.town.people([
        { externalId: 'dan', email: 'dan@example.org', verified: true, follow: [{ topic: 'budgets' }] },
      ]);
      const before = { mails: smtp.mails.length, texts: smpp.texts.length, pushes: push.pushes.length };
      const { item, push: id } = await publish({ ...water, keywords: ['停水'], regions: ['110000'] });
      expect(await countsOf(id)).toMatchObject({ matched: 3, sent: 3 });

      expect(smtp.mails.slice(before.mails).map((mail) => mail.to)).toEqual([['ana@example.org']]);
      const mail = await lastMail();
      expect(mail.subject).toBe('No water in East Bank');
      expect(mail.text).toContain('From eight to four on Wednesday.');
      expect(String(mail.html)).toContain('From eight to four on Wednesday.');
      expect(mail.text).toContain('You follow “Public services”.');
      expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
      const raw =
        smtp.mails
          .at(-1)
          ?.raw.toString('latin1')
          .replace(/\r\n[ \t]/g, ' ') ?? '';
      expect(raw).toMatch(/^List-Unsubscribe: <http:\/\/localhost:3000\/u\/[\w.-]+>\r$/im);
      expect(raw).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/im);
      expect(raw).toMatch(/^List-Id: .*<.+>\r$/im);

      expect(smpp.texts.slice(before.texts).map((text) => text.text)).toEqual([
        expect.stringContaining('河东片区停水'),
      ]);
      expect(pushed().slice(before.pushes)).toEqual([
        expect.objectContaining({ title: '河东片区停水', url: `http://localhost:3000/items/${item}` }),
      ]);
      await web.api('POST', `/items/${item}/publish`);
      await web.town.drain();
      expect(smtp.mails.length).toBe(before.mails + 1);
    });

    it('says why in the ledger', async () => {
      const [latest] = (await web.api('GET', '/pushes')).body.pushes as { id: string }[];
      const { deliveries } = (await web.api('GET', `/pushes/${latest?.id}/deliveries?state=sent`)).body as {
        deliveries: { channel: string; attempts: number; reasons: { source: string; text: string }[] }[];
      };
      expect(deliveries.map((row) => row.channel).sort()).toEqual(['email', 'sms', 'webPush']);
      expect(deliveries.flatMap((row) => row.reasons.map((reason) => reason.source.split(':')[1])).sort()).toEqual([
        'search',
        'topic',
        'topic',
      ]);
      for (const row of deliveries)
        expect(row).toMatchObject({ attempts: 1, reasons: [{ text: expect.stringMatching(/\S/) }] });
    });

    it('corrects for exactly those who were told, in other words', async () => {
      const [latest] = (await web.api('GET', '/pushes')).body.pushes as { item: string }[];
      const change = {
        change: 'major',
        note: 'Thursday, not Wednesday.',
        summary: '周四上午八时至下午四时停水。',
        translations: { en: { title: 'No water in East Bank', summary: 'From eight to four on Thursday.' } },
      };
      const corrected = await web.api('POST', `/items/${latest?.item}/correct`, change);
      expect(corrected.status).toBe(202);
      await web.town.drain();
      const mail = await lastMail();
      expect(mail.text).toContain('From eight to four on Thursday.');
      expect(mail.text).toContain('Thursday, not Wednesday.');
      expect(mail.subject).not.toBe('No water in East Bank');
      expect(await countsOf((corrected.body as { push: { id: string } }).push.id)).toMatchObject({
        matched: 3,
        sent: 3,
      });
    });

    it('stops with one click of a mail client, and by the text STOP', async () => {
      const link = linkIn(
        smtp.mails
          .at(-1)
          ?.raw.toString('latin1')
          .replace(/\r\n[ \t]/g, ' '),
        '/u/',
      ).replace(/>.*/, '');
      expect((await web.call('GET', link)).status).toBe(200);
      const click = await web.call('POST', link, {
        body: 'List-Unsubscribe=One-Click',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(click.status).toBe(200);
      expect(await web.town.subscriptions.stopByContact({ channel: 'sms', phone: '+8613800138000' })).toBe(1);
      const mails = smtp.mails.length;
      const texts = smpp.texts.length;
      const { push: id } = await publish({
        ...water,
        title: '再次停水',
        keywords: ['停水'],
        regions: ['110000'],
        translations: undefined,
      });
      expect(await countsOf(id)).toMatchObject({ matched: 1, sent: 1 });
      expect([smtp.mails.length, smpp.texts.length]).toEqual([mails, texts]);
    });

    it('forgets an endpoint that the push service calls gone', async () => {
      await push.close();
      push = await startPushSink({ answer: () => ({ status: 410 }), port: Number(new URL(push.origin).port) });
      const { push: id } = await publish({ ...water, title: '第三次停水', regions: ['110000'] });
      expect(await countsOf(id)).toMatchObject({ matched: 1, failed: 1 });
      const { push: next } = await publish({ ...water, title: '第四次停水', regions: ['110000'] });
      expect(await countsOf(next)).toMatchObject({ matched: 1, withheld: 1 });
      expect((await web.api('GET', `/pushes/${next}/deliveries`)).body.deliveries).toMatchObject([
        { state: 'withheld', code: 'no-address' },
      ]);
    });

    it('kept the admin key out of what it shows', async () => {
      const openapi = await web.call('GET', '/api/v1/openapi.json');
      expect(openapi.text).not.toContain(adminApiKey);
    });
  });

describeStory('SQLite');
describeWithMongo('the story on MongoDB', () => describeStory('MongoDB', openMongoTown));
