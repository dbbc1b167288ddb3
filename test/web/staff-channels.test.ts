import type { Role } from '../../src/access/access-store.ts';
import type { OutboxMessage } from '../helpers/outbox.ts';
import { publisher } from '../helpers/town.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';
import { startWebWithWechat, type WebWithWechat } from '../helpers/wechat-web.ts';
import { startWeibo, type WeiboStandIn } from '../helpers/weibo-stand-in.ts';

const password = 'four words are enough';
const place = '/staff/channels';
const app = { key: '1352222456', secret: 'a-secret-of-the-app', domain: 'localhost:3000' };
const content = {
  title: '公租房申请开始受理',
  summary: '请提交材料。',
  language: 'zh-CN',
  topics: ['services'],
  urgency: 'routine' as const,
  visibility: 'public' as const,
};

let weibo: WeiboStandIn;
let web: WebWithWechat;
beforeEach(async () => {
  weibo = await startWeibo(app);
  const env = { WEIBO_APP_KEY: app.key, WEIBO_APP_SECRET: app.secret, WEIBO_IP: '203.0.113.7', WEIBO_API: weibo.url };
  web = await startWebWithWechat({}, { env });
  weibo.state.now = web.town.now;
});
afterEach(async () => {
  await web.close();
  await weibo.close();
});

const signedIn = async (role: Role, of: Pick<Web, 'town' | 'url'> = web) => {
  const email = `${role}@office.example`;
  const { id } = await of.town.access.addStaff({ email, name: 'Chen', roles: [role], departments: [] });
  await of.town.staff.setUp((await of.town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
  const visitor = plainVisitor(of.url);
  await visitor.get('/staff/sign-in');
  visitor.setCookie('bellman-staff', (await of.town.staff.signIn(email, password)) ?? '');
  return visitor;
};
const auditOf = async (action: string) =>
  (await web.town.stores.access.audit(1, 100)).filter((entry) => entry.action === action);
const hidden = (html: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';

const connected = async () => {
  const visitor = await signedIn('admin');
  const away = await visitor.get(`${place}/weibo/connect`);
  const back = await fetch(away.headers.get('location') ?? '', { redirect: 'manual' });
  const { pathname, search, searchParams } = new URL(back.headers.get('location') ?? '');
  const page = await visitor.get(`${pathname}${search}`);
  const done = await visitor.send(`${place}/weibo`, {
    code: hidden(page.html, 'code'),
    state: hidden(page.html, 'state'),
  });
  return { visitor, page, done, state: searchParams.get('state') ?? '' };
};
const publish = async (): Promise<string> => {
  const item = await web.town.publishing.create(content, null, publisher);
  await web.town.fanout.publish(item.id, publisher);
  await web.town.drain();
  return item.id;
};

describe('email, SMS and web push', () => {
  const settled = () => new Promise((resolve) => setTimeout(resolve, 50));
  const outboxOf = (of: Web) => of.town.drain().then(settled);

  it('are shown with their providers, how much these take, and no password; without one, as the outbox', async () => {
    const own = await startWeb({
      env: {
        EMAIL_URL: 'smtp://office:geheim@mail.example.org:587?rate=50,smtp://127.0.0.1:9',
        SMS_URL: 'smpp://office:geheim@sms.example.org:2775?from=10690&rate=5',
        WEB_PUSH: '',
      },
    });
    const { html } = await (await signedIn('admin', own)).get(place);
    expect(html).toContain('smtp:mail.example.org:587, up to 50 a second, smtp:127.0.0.1:9');
    expect(html).toContain('smpp:sms.example.org:2775, up to 5 a second');
    expect(html).not.toContain('geheim');
    expect(html).not.toContain('Goes to the outbox');
    await own.close();
    const { html: outbox } = await (await signedIn('publisher')).get(place);
    expect(outbox.match(/Goes to the outbox/g)).toHaveLength(3);
    expect(outbox).not.toContain('/try"');
  });

  it('are tried by a message to an address, which is written down without it', async () => {
    const visitor = await signedIn('admin');
    const first = await visitor.get(place);
    expect(first.html).toContain('value="admin@office.example"');
    const done = await visitor.send(`${place}/email/try`, { email: 'chen@example.org' });
    expect(done.html).toContain('The test is on its way');
    await visitor.send(`${place}/sms/try`, { sms: '138 0013 8000' });
    await outboxOf(web);
    const { messages } = (await web.call('GET', '/dev/outbox?limit=9', { headers: { accept: 'application/json' } }))
      .body as {
      messages: OutboxMessage[];
    };
    expect(messages.map(({ channel, to }) => [channel, to]).sort()).toEqual([
      ['email', 'chen@example.org'],
      ['sms', '+8613800138000'],
    ]);
    expect((await web.town.channelDesk.states()).map(({ channel, workedAt }) => [channel, workedAt])).toEqual([
      ['email', web.town.now()],
      ['sms', web.town.now()],
      ['webPush', null],
    ]);
    expect((await auditOf('testChannel')).map(({ subject }) => subject)).toEqual(['email', 'sms']);
    expect(JSON.stringify(await auditOf('testChannel'))).not.toContain('chen@');
  });

  it('say what is wrong with an address, and keep it; and that no browser is known', async () => {
    const visitor = await signedIn('admin');
    await visitor.get(place);
    const refused = await visitor.send(`${place}/sms/try`, { sms: '12 34' });
    expect([refused.status, refused.html.includes('value="12 34"')]).toEqual([400, true]);
    expect(refused.html).toMatch(/href="#sms"[^>]*>Enter an email address/);
    const browser = await visitor.send(`${place}/webPush/try`, {});
    expect([browser.status, browser.html.includes('No browser of yours is known')]).toEqual([400, true]);
    expect((await visitor.send(`${place}/fax/try`, {})).status).toBe(404);
    const publisherOnly = await signedIn('publisher');
    await publisherOnly.get(place);
    expect((await publisherOnly.send(`${place}/sms/try`, { sms: '138 0013 8000' })).status).toBe(403);
  });

  it('show what a provider failed at, until it takes something again, and nothing of who was to be told', async () => {
    const closed = await startWeb({ env: { EMAIL_URL: 'smtp://127.0.0.1:9' } });
    const visitor = await signedIn('admin', closed);
    await visitor.get(place);
    await visitor.send(`${place}/email/try`, { email: 'chen@example.org' });
    await outboxOf(closed);
    const { html } = await visitor.get(place);
    expect(html).toMatch(/Needs attention[\s\S]*The provider cannot be reached\. \(smtp:127\.0\.0\.1:9\)/);
    expect(html).not.toContain('chen@');
    await closed.town.stores.accounts.worked('email', closed.town.now());
    expect((await visitor.get(place)).html).not.toContain('Needs attention');
    await closed.close();
  });
});

describe('the official account', () => {
  it('is tested, and says what is left of today', async () => {
    const visitor = await signedIn('admin');
    const first = await visitor.get(place);
    expect(first.html).toContain('Not used yet');
    expect(first.html).toContain('http://localhost:3000/api/v1/hooks/wechat');
    web.wechat.state.used = 40;
    const tested = await visitor.send(`${place}/wechat/test`, {});
    expect(tested.html).toContain('Template messages today: 40 of 100000 sent, 99960 left.');
    expect((await visitor.get(place)).html).toContain('Works');
  });

  it('shows its fault until it works again', async () => {
    const visitor = await signedIn('admin');
    await visitor.get(place);
    web.wechat.state.next.set('/cgi-bin/stable_token', [{ errcode: 40164, errmsg: 'invalid ip, not in whitelist' }]);
    expect((await visitor.send(`${place}/wechat/test`, {})).html).toContain('40164 invalid ip, not in whitelist');
    expect((await visitor.get(place)).html).toContain('Needs attention');
    await visitor.send(`${place}/wechat/test`, {});
    expect((await visitor.get(place)).html).not.toContain('Needs attention');
  });
});

describe('the Weibo account', () => {
  it('is connected by its administrator, tested, and disconnected; each is written down', async () => {
    const { visitor, page, done } = await connected();
    expect(page.html).toContain('Connect this Weibo account?');
    expect([done.path, done.html.includes('Connected until')]).toEqual([`${place}?done=connected`, true]);
    expect((await visitor.send(`${place}/weibo/test`, {})).html).toContain('30 of 30 calls are left this hour');
    weibo.revoke();
    await visitor.get(place);
    expect((await visitor.send(`${place}/weibo/test`, {})).html).toContain('The test failed: 21332');
    expect((await visitor.get(place)).html).toContain('Needs attention');
    expect((await visitor.send(`${place}/weibo/disconnect`, {})).html).toContain('Not connected');
    expect([await auditOf('connectWeibo'), await auditOf('disconnectWeibo')].map((list) => list.length)).toEqual([
      1, 1,
    ]);
  });

  it('is connected by nobody who was sent there', async () => {
    const { visitor, state } = await connected();
    expect((await visitor.get(`${place}/weibo?code=x&state=${'0'.repeat(32)}`)).status).toBe(403);
    await visitor.get(place);
    const refused = await visitor.send(`${place}/weibo`, { code: 'made-up', state });
    expect([refused.status, refused.html.includes('Weibo did not accept it')]).toEqual([400, true]);
  });

  it('shows what was posted, posts again, and switches an item off', async () => {
    const { visitor } = await connected();
    weibo.state.next.set('/2/statuses/share.json', [
      { status: 400, body: { error_code: 20021, error: 'content is illegal!' } },
    ]);
    const id = await publish();
    const list = await visitor.get(place);
    expect(list.html).toMatch(/Failed[\s\S]*20021 content is illegal!/);
    expect((await visitor.send(`${place}/items/${id}/1/again`, {})).path).toBe(`${place}?done=again`);
    await web.town.drain();
    expect((await visitor.get(place)).html).toContain('Posted');
    const item = await visitor.get(`${place}/items/${id}`);
    expect(item.html).toContain('【公租房申请开始受理】请提交材料。');
    expect((await visitor.send(`${place}/items/${id}`, { on: 'no' })).path).toBe(`${place}?done=off`);
    expect((await visitor.get(`${place}/items/${id}`)).html).toContain('Nothing of this item is posted');
    expect((await auditOf('putBroadcast')).length).toBe(1);
  });

  it('is shown to a publisher, who cannot touch it; to an analyst it is not', async () => {
    const visitor = await signedIn('publisher');
    const page = await visitor.get(place);
    expect([page.status, page.html.includes('weibo/connect')]).toEqual([200, false]);
    expect((await visitor.get(`${place}/weibo/connect`)).status).toBe(403);
    expect((await visitor.send(`${place}/wechat/test`, {})).status).toBe(403);
    const analyst = await signedIn('analyst');
    expect((await analyst.get('/staff')).html).not.toContain(place);
    expect((await analyst.get(place)).status).toBe(403);
  });
});

describe('by API', () => {
  it('a publisher sees what would be posted, and switches it off', async () => {
    await connected();
    const item = await web.town.publishing.create(content, null, publisher);
    const seen = await web.api('GET', `/items/${item.id}/broadcast`);
    expect(seen.body).toMatchObject({ weibo: true, posts: [], text: expect.stringContaining('公租房') });
    const off = await web.api('PUT', `/items/${item.id}/broadcast`, { weibo: false });
    expect([off.status, off.body.weibo]).toEqual([200, false]);
    await web.town.fanout.publish(item.id, publisher);
    await web.town.drain();
    expect((await web.api('GET', `/items/${item.id}/broadcast`)).body.posts).toMatchObject([
      { version: 1, state: 'off' },
    ]);
    expect((await web.api('PUT', '/items/unknown/broadcast', { weibo: true })).status).toBe(404);
    expect((await web.api('PUT', `/items/${item.id}/broadcast`, { weibo: 'yes' })).status).toBe(400);
    expect((await web.api('GET', `/items/${item.id}/broadcast`, undefined, null)).status).toBe(401);
    const document = (await web.api('GET', '/openapi.json', undefined, null)).body as { paths: object };
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/items/{id}/broadcast', '/hooks/wechat']));
  });
});

describe('without any account', () => {
  it('none is shown, and there is no call and no way there', async () => {
    const plain = await startWeb();
    const visitor = await signedIn('admin', plain);
    const { html } = await visitor.get(place);
    expect(html).not.toMatch(/WeChat official account|Weibo account/);
    expect((await visitor.get(`${place}/weibo/connect`)).status).toBe(404);
    expect((await plain.api('GET', '/items/x/broadcast')).body.detail).not.toMatch(/There is no item/);
    await plain.close();
  });
});
