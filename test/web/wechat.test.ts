import { signedInTo } from '../helpers/signed-in.ts';
import { publisher } from '../helpers/town.ts';
import { startWeb } from '../helpers/web.ts';
import { wechatCall, wechatXml } from '../helpers/wechat-stand-in.ts';
import { startWebWithWechat, type WebWithWechat, wechatAccount } from '../helpers/wechat-web.ts';

const content = {
  title: '公租房申请开始受理',
  summary: '请符合条件的家庭于六月三十日前提交材料。',
  language: 'zh-CN',
  topics: ['services'],
  urgency: 'routine' as const,
  visibility: 'public' as const,
};

let web: WebWithWechat;
let no = 0;
const open = async (account: { aesKey?: string | undefined } = {}) => {
  web = await startWebWithWechat(account);
};
const openEach = () => {
  beforeEach(() => open());
  afterEach(() => web.close());
};

/** Somebody signed in, with what they follow going to WeChat first. */
const somebody = async () => {
  const person = await signedInTo(web, `person-${no++}@example.org`, { locale: 'zh-CN' });
  const [followed] = (await web.town.subscriptions.person({ id: person.id }))?.follows ?? [];
  await web.town.subscriptions.changeFollow(person.id, followed?.id ?? '', { channels: ['wechat', 'email'] });
  return person;
};

/** Binds a person by a web authorisation in their browser. */
const bound = async (openid: string) => {
  const person = await somebody();
  web.wechat.state.visitor = openid;
  const away = await person.visitor.get('/my/wechat/authorise');
  const back = await fetch(away.headers.get('location') ?? '', { redirect: 'manual' });
  const { pathname, search } = new URL(back.headers.get('location') ?? '');
  const page = await person.visitor.get(`${pathname}${search}`);
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.html)?.[1] ?? '';
  const done = await person.visitor.send('/my/wechat/bind', { code: hidden('code'), state: hidden('state') });
  return { ...person, page, done, code: hidden('code'), state: hidden('state') };
};

const suppressedOf = async (id: string): Promise<(string | null)[]> =>
  (await web.town.subscriptions.addressesOf(id))
    .filter(({ channel }) => channel === 'wechat')
    .map((one) => one.suppressed);

const publish = async (): Promise<string> => {
  const item = await web.town.publishing.create(content, null, publisher);
  const { push } = await web.town.fanout.publish(item.id, publisher);
  await web.town.drain();
  return push.id;
};
const rowsOf = async (push: string) =>
  (await web.town.fanout.deliveries(push, null, { cursor: null, limit: 50 })).rows.map(({ channel, state }) => [
    channel,
    state,
  ]);

describe('binding by a web authorisation', () => {
  openEach();

  it('asks on a page, binds by its button, and then tells in WeChat', async () => {
    const { id, page, done } = await bound('oFollower');
    expect(page.html).toContain('绑定此微信？');
    expect(done.path).toBe('/my/wechat?done=bound');
    expect(done.html).toContain('… ower');
    web.wechat.followers.add('oFollower');
    expect(await rowsOf(await publish())).toEqual([['wechat', 'sent']]);
    expect(web.wechat.sent).toMatchObject([{ touser: 'oFollower', data: { thing1: { value: '公租房申请开始受理' } } }]);
    expect(web.wechat.sent[0]?.url).toMatch(/^http:\/\/localhost:3000\//);
    expect(await suppressedOf(id)).toEqual([null]);
  });

  it('takes nothing that another browser, or nobody, asked for', async () => {
    const { code, state } = await bound('oFollower');
    const other = await somebody();
    expect((await other.visitor.get(`/my/wechat/authorised?code=${code}&state=${state}`)).status).toBe(403);
    await other.visitor.get('/my/wechat');
    const forged = await other.visitor.send('/my/wechat/bind', { code: web.wechat.newCode('oOther'), state });
    expect(forged.status).toBe(403);
    expect(await suppressedOf(other.id)).toEqual([]);
  });

  it('says so where the answer is used up, or only a preview, or where WeChat is away', async () => {
    const { visitor, code, state } = await bound('oFollower');
    const send = async (of: string) => {
      await visitor.get('/my/wechat');
      return visitor.send('/my/wechat/bind', { code: of, state });
    };
    expect((await send(code)).html).toContain('微信的授权已过期，请重试');
    expect((await send(web.wechat.newCode('oMadeUp', true))).html).toContain('微信仅显示快照页');
    web.wechat.state.next.set('/sns/oauth2/access_token', [502]);
    expect((await send(web.wechat.newCode('oFollower'))).html).toContain('微信暂时没有应答');
  });

  it('makes one of two who prove the same WeChat', async () => {
    const first = await bound('oFollower');
    web.town.pass(60_000);
    const second = await bound('oFollower');
    expect(second.done.path).toBe('/my/wechat?done=bound');
    const masked = (await web.town.subscriptions.addressesOf(first.id)).map(({ channel }) => channel);
    expect(masked.sort()).toEqual(['email', 'email', 'wechat']);
  });

  it('unbinds, and binds again', async () => {
    const { visitor, id } = await bound('oFollower');
    const [address] = (await web.town.subscriptions.addressesOf(id)).filter(({ channel }) => channel === 'wechat');
    await visitor.get('/my/wechat');
    const page = await visitor.send(`/my/wechat/${address?.id}/unbind`, {});
    expect(page.path).toBe('/my/wechat?done=unbound');
    expect(await suppressedOf(id)).toEqual([]);
    expect(await rowsOf(await publish())).toEqual([['email', 'sent']]);
  });

  it('lets one message through to who does not follow, once they said so in this browser', async () => {
    const { visitor, id } = await bound('oStranger');
    await publish();
    expect(await suppressedOf(id)).toEqual(['not-following']);
    const asked = new URL((await visitor.get('/my/wechat/leave')).headers.get('location') ?? '');
    const [scene, reserved] = [asked.searchParams.get('scene') ?? '', asked.searchParams.get('reserved') ?? ''];
    web.wechat.leaves.add(`oStranger ${scene}`);
    const query = (more: object) =>
      new URLSearchParams({ openid: 'oStranger', template_id: 't', action: 'confirm', scene, reserved, ...more });
    expect((await visitor.get(`/my/wechat/left?${query({ reserved: '0'.repeat(32) })}`)).status).toBe(403);
    expect((await visitor.get(`/my/wechat/left?${query({})}`)).path).toBe('/my/wechat?done=leave');
    expect(await rowsOf(await publish())).toEqual([['wechat', 'sent']]);
    expect(web.wechat.once).toMatchObject([{ touser: 'oStranger', title: content.title }]);
  });
});

describe('binding by a QR code', () => {
  openEach();

  const sceneOn = async (visitor: Awaited<ReturnType<typeof somebody>>['visitor']): Promise<string> => {
    await visitor.get('/my/wechat');
    const page = await visitor.send('/my/wechat/code', {});
    expect(page.html).toMatch(/<img src="data:image\/png;base64,/);
    return web.wechat.lastScene();
  };

  it('asks whoever scans in WeChat, and binds when they answer there', async () => {
    const { visitor, id } = await somebody();
    const scene = await sceneOn(visitor);
    const question = await web.event('oScanner', { Event: 'subscribe', EventKey: `qrscene_${scene}` });
    expect(question).toMatch(/使用 p…@example\.org 接收通知的用户/);
    expect(await suppressedOf(id)).toEqual([]);
    expect(await web.says('oScanner', ' 绑定。 ')).toContain('绑定成功');
    expect(await suppressedOf(id)).toEqual([null]);
    expect((await visitor.get('/my/wechat')).html).toContain('… nner');
  });

  it('binds nobody who was made to scan and says nothing, or something else', async () => {
    const { visitor, id } = await somebody();
    const scene = await sceneOn(visitor);
    await web.event('oVictim', { Event: 'SCAN', EventKey: scene });
    await web.says('oVictim', '你好');
    expect(await suppressedOf(id)).toEqual([]);
    web.town.pass(10 * 60_000 + 1_000);
    await web.says('oVictim', '绑定');
    expect(await suppressedOf(id)).toEqual([]);
  });

  it('binds nobody by a scene that is old or not ours', async () => {
    const { visitor, id } = await somebody();
    const scene = await sceneOn(visitor);
    expect(await web.event('oScanner', { Event: 'SCAN', EventKey: `${scene}x` })).toContain('已过期');
    web.town.pass(11 * 60_000);
    expect(await web.event('oScanner', { Event: 'SCAN', EventKey: scene })).toContain('已过期');
    await web.says('oScanner', '绑定');
    expect(await suppressedOf(id)).toEqual([]);
  });

  it('says so where WeChat makes no code', async () => {
    const { visitor } = await somebody();
    await visitor.get('/my/wechat');
    web.wechat.state.next.set('/cgi-bin/qrcode/create', [
      { errcode: 45009, errmsg: 'reach max api daily quota limit' },
    ]);
    const page = await visitor.send('/my/wechat/code', {});
    expect([page.status, page.html.includes('微信暂时没有应答')]).toEqual([400, true]);
  });
});

describe('words to the account', () => {
  openEach();

  it('list what is followed, stop it, and help', async () => {
    const { id } = await bound('oFollower');
    expect(await web.says('oFollower', '列表')).toMatch(/您订阅了 1 项：\n1\. .*公共服务/);
    expect(await web.says('oFollower', 'help')).toContain('回复“列表”查看您的订阅');
    expect(await web.says('oFollower', '退订')).toContain('已停止 1 项订阅');
    expect(await web.says('oFollower', 'LIST')).toContain('您目前没有订阅');
    const follows = (await web.town.subscriptions.person({ id }))?.follows ?? [];
    expect(follows.every(({ stoppedAt }) => stoppedAt !== null)).toBe(true);
  });

  it('say to a stranger how to be bound, and nothing of anybody', async () => {
    expect(await web.says('oStranger', '列表')).toContain('尚未绑定');
    for (const words of ['STOP', 'list', 'Help, please'])
      expect(await web.says('oStranger', words)).toContain('is not bound to anybody');
    for (const words of ['退订', '帮助 help', '？', '123'])
      expect(await web.says('oStranger', words)).toContain('尚未绑定');
    expect(await web.event('oStranger', { Event: 'subscribe', EventKey: '' })).toContain('尚未绑定');
  });

  it('list as much as a reply holds', async () => {
    const { id } = await bound('oFollower');
    const long = '很长的关键词'.repeat(16);
    for (let n = 0; n < 19; n++)
      await web.town.subscriptions.follow(id, {
        target: { search: { any: { keywords: [`${long}${n}`] } } },
        regions: null,
        pace: 'immediate',
        channels: null,
      });
    const reply = await web.says('oFollower', '列表');
    expect(Buffer.byteLength(reply)).toBeLessThanOrEqual(2_048);
    expect(reply).toContain('您订阅了 20 项');
  });
});

describe('events of the account', () => {
  openEach();

  it('are receipts: a message has arrived, once however often it is told', async () => {
    await bound('oFollower');
    web.wechat.followers.add('oFollower');
    const push = await publish();
    const finished = {
      MsgType: 'event',
      Event: 'TEMPLATESENDJOBFINISH',
      MsgID: web.wechat.lastMessageId(),
      Status: 'success',
    };
    const call = web.callOf('oFollower', finished);
    for (let n = 0; n < 3; n++) expect((await web.post(call)).text).toBe('success');
    await web.post(web.callOf('oFollower', finished));
    expect(await rowsOf(push)).toEqual([['wechat', 'delivered']]);
    const [row] = (await web.town.fanout.deliveries(push, null, { cursor: null, limit: 1 })).rows;
    expect((await web.town.stores.ledger.message(row?.id ?? ''))?.attempts).toHaveLength(2);
  });

  it('are receipts: who refuses messages is not sent any', async () => {
    const { id } = await bound('oFollower');
    web.wechat.followers.add('oFollower');
    const push = await publish();
    const MsgID = web.wechat.lastMessageId();
    await web.event('oFollower', { Event: 'TEMPLATESENDJOBFINISH', MsgID, Status: 'failed:user block' });
    expect(await rowsOf(push)).toEqual([['wechat', 'bounced']]);
    expect(await suppressedOf(id)).toEqual(['not-following']);
  });

  it('follow and unfollow: nothing is sent to who has left, and again to who came back', async () => {
    const { id } = await bound('oFollower');
    await web.event('oFollower', { Event: 'unsubscribe' });
    expect(await suppressedOf(id)).toEqual(['not-following']);
    expect(await rowsOf(await publish())).toEqual([['email', 'sent']]);
    await web.event('oFollower', { Event: 'subscribe', EventKey: '' });
    expect(await suppressedOf(id)).toEqual([null]);
  });

  it('leave a message that meets an unfollow on its way to the next channel, and the address suppressed', async () => {
    const { id } = await bound('oFollower');
    const push = await publish();
    expect(await rowsOf(push)).toEqual([
      ['email', 'sent'],
      ['wechat', 'failed'],
    ]);
    expect(await suppressedOf(id)).toEqual(['not-following']);
  });

  it('change nothing when they are replayed', async () => {
    const { id } = await bound('oFollower');
    const gone = web.callOf('oFollower', { MsgType: 'event', Event: 'unsubscribe' });
    await web.post(gone);
    web.town.pass(60_000);
    await web.event('oFollower', { Event: 'subscribe', EventKey: '' });
    expect((await web.post(gone)).text).toBe('success');
    expect(await suppressedOf(id)).toEqual([null]);
    web.town.pass(2 * 3_600_000);
    expect((await web.post(gone)).status).toBe(403);
    expect(await suppressedOf(id)).toEqual([null]);
  });
});

describe.each([
  ['encrypted', wechatAccount.aesKey],
  ['in the clear', undefined],
])('a call that is %s', (_name, aesKey) => {
  beforeAll(() => open({ aesKey }));
  afterAll(() => web.close());
  const leaves = { MsgType: 'event', Event: 'unsubscribe' };

  it('asks whether the address is ours', async () => {
    const { query } = web.callOf('oAnybody', leaves);
    query.set('echostr', '5029384571');
    expect((await web.verify(query)).text).toBe('5029384571');
    query.set('signature', '0'.repeat(40));
    expect((await web.verify(query)).status).toBe(403);
  });

  it('is refused when somebody else signed or changed it', async () => {
    const call = web.callOf('oFollower', leaves);
    const forged = wechatCall(
      { ...web.wechat.account, token: 'another' },
      wechatXml('oFollower', leaves, 0),
      web.town.now(),
    );
    expect((await web.post(forged)).status).toBe(403);
    await web.post(call);
    expect((await web.post({ ...call, body: call.body.replace(/^(.*).{9}\]\]>/s, '$1AAAABBBBB]]>') })).status).toBe(
      403,
    );
    expect((await web.post({ ...call, query: new URLSearchParams() })).status).toBe(403);
  });

  it.each([-3_700_000, 3_700_000])('is refused %d ms from now, and believed for an hour before', async (apart) => {
    const at = web.town.now() + apart;
    expect((await web.post(web.callOf('oFollower', leaves, at))).status).toBe(403);
    expect((await web.post(web.callOf('oFollower', leaves, at - Math.sign(apart) * 200_000))).status).toBe(200);
  });

  it.each([
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>',
    '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    '<!-- <!ENTITY a "b"> -->',
  ])('is refused with %s', async (head) => {
    const at = web.town.now();
    const xml = `${head}${wechatXml('oFollower', { ...leaves, Content: '&b;' }, at)}`;
    expect((await web.post(wechatCall(web.wechat.account, xml, at))).status).toBe(400);
  });

  it.each(['', 'not xml', '<xml></xml>', '<xml><FromUserName>o</FromUserName></xml>', '<xml>'.repeat(2_000)])(
    'is refused where it names nothing (%#)',
    async (xml) => {
      expect((await web.post(wechatCall(web.wechat.account, xml, web.town.now()))).status).toBe(400);
    },
  );

  it('is refused where it is too large', async () => {
    const xml = wechatXml('oFollower', { ...leaves, Content: 'x'.repeat(70_000) }, web.town.now());
    expect((await web.post(wechatCall(web.wechat.account, xml, web.town.now()))).status).toBe(413);
  });
});

describe('an account whose calls are encrypted', () => {
  it('takes no call in the clear, and none that was encrypted for another', async () => {
    await open();
    const at = web.town.now();
    const xml = wechatXml('oFollower', { MsgType: 'event', Event: 'unsubscribe' }, at);
    const clear = wechatCall({ ...web.wechat.account, aesKey: undefined }, xml, at);
    expect((await web.post(clear)).status).toBe(403);
    const other = wechatCall({ ...web.wechat.account, appId: 'wxanother00000000' }, xml, at);
    expect((await web.post(other)).status).toBe(403);
    await web.close();
  });
});

describe('without an official account', () => {
  it('nothing of WeChat shows', async () => {
    const plain = await startWeb();
    const { visitor } = await signedInTo(plain, 'nobody@example.org');
    expect((await visitor.get('/my/settings')).html).not.toMatch(/WeChat/);
    expect((await visitor.get('/my/wechat')).status).toBe(404);
    expect((await plain.call('GET', '/api/v1/hooks/wechat')).status).toBe(404);
    await plain.close();
  });
});
