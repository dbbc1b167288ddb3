import { fromOutbox, linkIn, type OutboxMessage, publish } from '../helpers/outbox.ts';
import { type Service, startService } from '../helpers/start-service.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb } from '../helpers/web.ts';

const importPeople = async (service: Service, people: Record<string, unknown>[]): Promise<void> => {
  const lines = people.map((person) => JSON.stringify({ verified: true, locale: 'en', follow: [], ...person }));
  const { status, body } = await service.api('POST', '/subscribers/import', lines.join('\n'));
  expect({ status, body }).toMatchObject({ status: 200, body: { imported: people.length, failed: 0 } });
};

const to =
  (address: string, path: string) =>
  (message: OutboxMessage): boolean =>
    message.to === address && message.text.includes(`/${path}/`);

describe('citizen pages', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  }, 60_000);
  afterAll(() => service?.stop());

  const signedIn = async (email: string, follow: unknown[] = [{ topic: 'services' }]) => {
    await importPeople(service, [{ email, follow }]);
    const visitor = plainVisitor(service.url);
    await visitor.get('/manage');
    await visitor.send('/manage', { address: email });
    const link = linkIn(await fromOutbox(service, to(email, 'manage')), 'manage');
    await visitor.get(link);
    expect((await visitor.send(link, {})).path).toBe('/my');
    return visitor;
  };

  it('a targeted notice opens through its own link and nowhere else', async () => {
    await importPeople(service, [
      { externalId: 'one', email: 'one@example.org' },
      { externalId: 'two', email: 'two@example.org' },
    ]);
    const targetedAt = async (externalId: string, title: string): Promise<{ item: string; link: URL }> => {
      const person = await service.api('GET', `/subscribers?externalId=${externalId}`);
      const { id } = person.body as { id: string };
      const item = await publish(service, { title, summary: 'Your answer.', topics: [], visibility: 'targeted' });
      const push = await service.api('POST', '/pushes', { item, audience: { subscribers: [id] }, note: 'An answer' });
      expect(push.status).toBe(202);
      const message = await fromOutbox(service, ({ text }) => text.includes(title));
      return { item, link: new URL(message.url) };
    };
    const first = await targetedAt('one', 'Answer number one');
    const second = await targetedAt('two', 'Answer number two');

    const visitor = plainVisitor(service.url);
    const opened = await visitor.get(first.link.pathname + first.link.search);
    expect(opened.status).toBe(200);
    expect(opened.html).toContain('Answer number one');
    expect((await visitor.get(first.link.pathname)).status).toBe(404);
    expect((await visitor.get(first.link.pathname + second.link.search)).status).toBe(404);
    expect((await visitor.get(`${first.link.pathname}?key=made.up.key`)).status).toBe(404);
    expect((await visitor.get('/search?q=Answer')).html).not.toContain('Answer number');
  });

  it('a notice that is followed is named in the language of the reader, on the pages and in the letter', async () => {
    const item = await publish(service, {
      title: '河东片区周三停水检修',
      summary: '请提前储水。',
      language: 'zh-CN',
      topics: ['services'],
      translations: { en: { title: 'No water on Wednesday', summary: 'Please store some.' } },
    });
    const visitor = plainVisitor(service.url);
    const form = await visitor.get(`/follow?item=${item}`);
    expect(form.html).toContain('No water on Wednesday');
    expect(form.html).not.toContain('周三停水');
    const email = 'reader@example.org';
    await visitor.send(`/follow?item=${item}`, { contact: 'email', email, pace: 'immediate' });
    const letter = await fromOutbox(service, to(email, 'confirm'));
    expect(letter.text).toContain('No water on Wednesday');
    await visitor.get(linkIn(letter, 'confirm'));
    const confirmed = await visitor.send(linkIn(letter, 'confirm'), {});
    expect(confirmed.html).toContain('No water on Wednesday');
  });

  it('a phone number is confirmed by its code, and a wrong code is refused with what was typed kept', async () => {
    const visitor = plainVisitor(service.url);
    await visitor.get('/follow?topic=services');
    const sent = await visitor.send('/follow?topic=services', {
      contact: 'sms',
      phone: '139 1234 5678',
      pace: 'daily',
    });
    expect(sent.path).toBe('/code');
    expect(sent.html).toContain('value="139 1234 5678"');
    const { text } = await fromOutbox(service, (message) => message.channel === 'sms' && /\d{6}/.test(message.text));
    const code = /\d{6}/.exec(text)?.[0] ?? '';
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
    const refused = await visitor.send('/code', { phone: '139 1234 5678', code: wrong });
    expect(refused.status).toBe(400);
    expect(refused.html).toContain('The code is wrong or has run out');
    expect(refused.html).toContain(`value="${wrong}"`);
    expect((await visitor.send('/code', { phone: '139 1234 5678', code })).path).toBe('/confirmed');
    expect((await visitor.get('/my')).html).toContain('value="daily" selected');
  });

  it('faults are named in the visitor’s language and nothing typed is lost', async () => {
    const visitor = plainVisitor(service.url, 'zh-CN');
    await visitor.get('/follow?q=停水');
    const refused = await visitor.send('/follow?q=停水', { contact: 'email', email: 'nobody@', pace: 'weekly' });
    expect(refused.status).toBe(400);
    expect(refused.html).toContain('请输入正确的邮箱地址');
    expect(refused.html).toContain('value="nobody@"');
    expect(refused.html).toMatch(/value="weekly" checked/);
  });

  it('whoever asks for a link cannot tell whether the address is known', async () => {
    await importPeople(service, [{ email: 'known@example.org' }]);
    const answers = await Promise.all(
      ['known@example.org', 'unknown@example.org'].map(async (address) => {
        const visitor = plainVisitor(service.url);
        await visitor.get('/manage');
        const { status, html } = await visitor.send('/manage', { address });
        return { status, html: html.replaceAll(address, 'ADDRESS') };
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
  });

  it('what is followed can be stopped, all of it too', async () => {
    const visitor = await signedIn('many@example.org', [{ topic: 'services' }, { topic: 'budgets', pace: 'weekly' }]);
    const before = await visitor.get('/my');
    expect(before.html).toContain('Budgets and public funds');
    const action = /formaction="([^"]+)"/.exec(before.html)?.[1] ?? '';
    const after = await visitor.send(action, {});
    expect(after.html.match(/class="bm-follow"/g)).toHaveLength(1);
    await visitor.get('/my/stop');
    expect((await visitor.send('/my/stop', {})).html).toContain('You follow nothing at the moment.');
  });

  it('another person’s follow cannot be touched', async () => {
    const owner = await signedIn('owner@example.org');
    const page = await owner.get('/my');
    const action = /formaction="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const other = await signedIn('other@example.org');
    await other.get('/my');
    await other.send(action, {});
    expect((await owner.get('/my')).html).toContain('Public services');
  });

  it('settings hold, and go into the file that a person can take along', async () => {
    const visitor = await signedIn('keeper@example.org');
    await visitor.get('/my/settings');
    const saved = await visitor.send('/my/settings', { locale: 'zh-CN', from: '22:00', to: '07:00' });
    expect(saved.html).toContain('设置已保存');
    const file = JSON.parse((await visitor.get('/my/export')).html);
    expect(file).toMatchObject({ person: { locale: 'zh-CN', quietHours: { from: '22:00', to: '07:00' } } });
    expect(file.person).not.toHaveProperty('ordinal');
  });

  it('a form without its token changes nothing', async () => {
    const visitor = await signedIn('careful@example.org');
    await visitor.get('/my/stop');
    const refused = await visitor.send('/my/stop', { _csrf: 'guessed' });
    expect(refused.status).toBe(403);
    expect(refused.html).toContain('This form has run out');
    expect((await visitor.get('/my')).html).toContain('Public services');
  });

  it.each([
    ['/language/en?back=https://evil.example/', '/'],
    ['/language/en?back=//evil.example/', '/'],
    ['/language/en?back=/\\evil.example/', '/'],
    ['/language/en?back=/topics', '/topics'],
  ])('%s leads to %s', async (path, target) => {
    expect((await plainVisitor(service.url).get(path)).path).toBe(target);
  });

  it.each([
    '/nothing',
    '/topics/nothing',
    '/items/nothing',
    '/follow',
    '/follow?topic=nothing',
    '/dev/outbox/mail?id=x',
  ])('%s is a page that says so', async (path) => {
    const { status, html, headers } = await plainVisitor(service.url).get(path);
    expect(status).toBe(404);
    expect(html).toContain('Page not found');
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe/);
  });

  it('markup in a notice is shown, not run', async () => {
    const title = '<script>alert(1)</script> & "quotes"';
    const id = await publish(service, { title, summary: '<img src=x onerror=alert(1)>', body: '<b>bold</b>\n\nnext' });
    const html = await (await fetch(`${service.url}/items/${id}`, { headers: { accept: 'text/html' } })).text();
    expect(html).not.toContain('<script>alert');
    expect(html).not.toContain('<img src=x');
    expect(html).toContain('&lt;b&gt;bold&lt;/b&gt;');
  });
});

describe('a public site', () => {
  it('has no outbox page and marks its cookies secure', async () => {
    const web = await startWeb({ env: { PUBLIC_URL: 'https://bellman.example' } });
    try {
      const visitor = plainVisitor(web.url);
      expect((await visitor.get('/dev/outbox')).status).toBe(404);
      expect((await visitor.get('/dev/outbox/mail?id=x')).status).toBe(404);
      const { headers } = await visitor.get('/manage');
      expect(headers.get('set-cookie')).toMatch(/__Host-bellman-csrf=.*HttpOnly; Secure; SameSite=Lax/i);
    } finally {
      await web.close();
    }
  });
});
