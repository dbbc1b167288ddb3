import type { ItemContent } from '../../src/publishing/item.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';
import { startWeibo, type WeiboStandIn } from '../helpers/weibo-stand-in.ts';

const content: ItemContent = {
  title: '公租房申请开始受理',
  summary: '请符合条件的家庭提交材料。',
  language: 'zh-CN',
  topics: ['services'],
  urgency: 'routine',
  visibility: 'public',
};
const app = { key: '1352222456', secret: 'a-secret-of-the-app', domain: 'localhost:3000' };
const back = 'http://localhost:3000/staff/channels/weibo';
const shared = '/2/statuses/share.json';

let weibo: WeiboStandIn;
let town: Town;
const connect = async (): Promise<void> => {
  const away = await fetch(town.broadcasts?.connectUrl(back, 'state') ?? '', { redirect: 'manual' });
  const code = new URL(away.headers.get('location') ?? '').searchParams.get('code') ?? '';
  expect(await town.broadcasts?.connect(code, back)).toBeNull();
};
beforeEach(async () => {
  weibo = await startWeibo(app);
  town = await makeTown({
    env: { WEIBO_APP_KEY: app.key, WEIBO_APP_SECRET: app.secret, WEIBO_IP: '203.0.113.7', WEIBO_API: weibo.url },
  });
  weibo.state.now = town.now;
  await connect();
});
afterEach(async () => {
  await town.close();
  await weibo.close();
});

const publish = async (fields: Partial<ItemContent> = {}): Promise<string> => {
  const item = await town.publishing.create({ ...content, ...fields }, null, publisher);
  await town.fanout.publish(item.id, publisher);
  await town.drain();
  return item.id;
};
const correct = (id: string, change: 'major' | 'minor', note: string, fields: Partial<ItemContent> = {}) =>
  town.fanout.correct(id, { change, note, fields }, publisher);
const statesOf = async (id: string) =>
  (await town.stores.posts.ofItem(id)).map(({ version, state }) => [version, state]);

describe('posts of what is published', () => {
  it('stand on the account once, however often it is published, and lead to our page', async () => {
    const id = await publish();
    await town.fanout.publish(id, publisher);
    await town.drain();
    expect(weibo.posts.map(({ text }) => text)).toEqual([
      `【公租房申请开始受理】请符合条件的家庭提交材料。 http://localhost:3000/items/${id}`,
    ]);
    expect(await statesOf(id)).toEqual([[1, 'sent']]);
  });

  it('are not made of what is for some people only, nor of a draft', async () => {
    const item = await town.publishing.create(content, null, publisher);
    await town.drain();
    const targeted = await publish({ visibility: 'targeted' });
    expect(weibo.count(shared)).toBe(0);
    expect([await statesOf(item.id), await statesOf(targeted)]).toEqual([[], []]);
  });

  it('are followed by a repost that names what changed, and one that it is withdrawn; a minor change says nothing', async () => {
    const id = await publish();
    await correct(id, 'minor', '错别字', { summary: '请符合条件的家庭尽快提交材料。' });
    await town.drain();
    await correct(id, 'major', '截止日期改为七月十五日');
    await town.drain();
    await town.fanout.withdraw(id, '政策已失效', true, publisher);
    await town.drain();
    const [first, second, third] = weibo.posts;
    expect(weibo.posts).toHaveLength(3);
    expect([second?.of, third?.of]).toEqual([first?.id, second?.id]);
    expect(second?.text).toMatch(/^【更正】截止日期改为七月十五日 /);
    expect(third?.text).toMatch(/^【撤回】政策已失效 /);
  });

  it('are posts of their own where the original was removed', async () => {
    const id = await publish();
    weibo.remove(weibo.posts[0]?.id ?? '');
    await correct(id, 'major', '截止日期改为七月十五日');
    await town.drain();
    expect(weibo.posts).toMatchObject([{ of: null, text: expect.stringMatching(/^【更正】【公租房申请开始受理】/) }]);
  });

  it('of a version that was overtaken before it was posted are not made', async () => {
    weibo.state.left = 0;
    const id = await publish();
    await correct(id, 'major', '截止日期改为七月十五日');
    weibo.state.left = 30;
    town.pass(3_600_000);
    await town.drain();
    expect(await statesOf(id)).toEqual([
      [1, 'superseded'],
      [2, 'sent'],
    ]);
    expect(weibo.posts).toHaveLength(1);
  });

  it('are not made of an item that is switched off, nor of one that has expired meanwhile', async () => {
    const item = await town.publishing.create(content, null, publisher);
    await town.broadcasts?.switchItem(item.id, false, publisher);
    await town.fanout.publish(item.id, publisher);
    weibo.state.left = 0;
    const other = await publish({ expiresAt: new Date(town.now() + 60_000).toISOString() });
    weibo.state.left = 30;
    town.pass(3_600_000);
    await town.drain();
    expect(weibo.posts).toEqual([]);
    expect([await statesOf(item.id), await statesOf(other)]).toEqual([[[1, 'off']], [[1, 'off']]]);
    await town.broadcasts?.switchItem(item.id, true, publisher);
    await town.broadcasts?.again(item.id, 1, publisher);
    await town.drain();
    expect(weibo.posts).toHaveLength(1);
  });

  it('of a withdrawal are not made where nothing was posted', async () => {
    const item = await town.publishing.create(content, null, publisher);
    await town.broadcasts?.switchItem(item.id, false, publisher);
    await town.fanout.publish(item.id, publisher);
    await town.drain();
    await town.broadcasts?.switchItem(item.id, true, publisher);
    await town.fanout.withdraw(item.id, 'x', true, publisher);
    await town.drain();
    expect(weibo.posts).toEqual([]);
  });
});

describe('faults of the platform', () => {
  /** The process dies when the platform has taken the post, before that is written down. */
  const dieWithOneUnderWay = async (fields: Partial<ItemContent> = {}): Promise<string> => {
    const item = await town.publishing.create({ ...content, ...fields }, null, publisher);
    await town.fanout.publish(item.id, publisher);
    const settle = town.stores.posts.settle;
    town.stores.posts.settle = () => Promise.reject(new Error('the process has died'));
    await expect(town.parts.deliverPosts?.(new AbortController().signal)).rejects.toThrow(/died/);
    town.stores.posts.settle = settle;
    await town.drain();
    expect(await statesOf(item.id)).toEqual([[1, 'pending']]);
    return item.id;
  };
  const timeline = '/2/statuses/user_timeline.json';
  const onAccount = (id: string) => weibo.posts.filter(({ text }) => text.includes(id)).length;

  it('leave a post that is there although its answer was lost, once', async () => {
    weibo.state.next.set(shared, ['drop']);
    const id = await publish();
    expect(await statesOf(id)).toEqual([[1, 'pending']]);
    town.pass(60_000);
    await town.drain();
    expect(weibo.count(shared)).toBe(1);
    expect(await town.stores.posts.ofItem(id)).toMatchObject([{ state: 'sent', reference: weibo.posts[0]?.id }]);
  });

  it('leave a post whose process died with it under way, once, whatever was posted since', async () => {
    const id = await dieWithOneUnderWay({ title: '停水 <通知> & "安排"' });
    const same = await publish({ title: '停水 <通知> & "安排"' });
    await publish({ title: '另一条通知' });
    town.pass(60_000);
    await town.drain();
    expect([onAccount(id), onAccount(same), weibo.posts.length]).toEqual([1, 1, 3]);
    const [post] = await town.stores.posts.ofItem(id);
    expect(post).toMatchObject({ state: 'sent', reference: weibo.posts[0]?.id, doubtSince: null });
    await correct(id, 'major', '更正内容');
    await town.drain();
    expect(weibo.posts.at(-1)).toMatchObject({ of: post?.reference });
  });

  it('are no reason to leave out a post that was never taken', async () => {
    weibo.state.next.set(shared, ['html']);
    const id = await publish();
    await publish({ title: '另一条通知' });
    town.pass(60_000);
    await town.drain();
    expect(onAccount(id)).toBe(1);
    expect(await statesOf(id)).toEqual([[1, 'sent']]);
  });

  it.each([
    ['does not answer', 'drop' as const],
    ['answers with a page', 'html' as const],
    ['says nothing that can be read', { status: 200, body: { statuses: [{ text: 'no date' }] } }],
    ['is over its limit', { status: 403, body: { error_code: 10023, error: 'User requests out of rate limit!' } }],
  ])('leave a post in doubt as long as the timeline %s, and never double it', async (_name, answer) => {
    const id = await dieWithOneUnderWay();
    weibo.state.next.set(timeline, Array(5).fill(answer));
    for (let n = 0; n < 5; n++) {
      await publish({ title: `其间的通知${n}` });
      town.pass(3_600_000);
      weibo.posts.splice(1);
      await town.drain();
      expect([onAccount(id), await statesOf(id)]).toEqual([1, [[1, 'pending']]]);
    }
    town.pass(3_600_000);
    await town.drain();
    expect([onAccount(id), await statesOf(id)]).toEqual([1, [[1, 'sent']]]);
  });

  it('fail a post of which the timeline shows too little to tell; whoever has looked posts it again', async () => {
    const id = await dieWithOneUnderWay();
    for (let n = 0; n < 5; n++) await publish({ title: `其间的通知${n}` });
    town.pass(60_000);
    await town.drain();
    expect(await town.stores.posts.ofItem(id)).toMatchObject([
      { state: 'failed', response: expect.stringMatching(/look before you post it again$/) },
    ]);
    expect(onAccount(id)).toBe(1);
    await town.broadcasts?.again(id, 1, publisher);
    await town.drain();
    expect(onAccount(id)).toBe(2);
  });

  it('tell of a withdrawal where what is withdrawn may stand there', async () => {
    const id = await dieWithOneUnderWay();
    await town.fanout.withdraw(id, '政策已失效', true, publisher);
    await town.drain();
    expect(weibo.posts).toHaveLength(1);
    town.pass(60_000);
    await town.drain();
    expect(weibo.posts.map(({ of }) => of)).toEqual([null, weibo.posts[0]?.id]);
    expect(await statesOf(id)).toEqual([
      [1, 'sent'],
      [2, 'sent'],
    ]);
  });

  it('by the hour are waited for until the hour is over, and count as no attempt', async () => {
    weibo.state.left = 0;
    const id = await publish();
    const [post] = await town.stores.posts.ofItem(id);
    expect(post).toMatchObject({ state: 'pending', attempts: 0, dueAt: Date.parse('2026-06-10T05:00:00Z') });
    expect((await town.broadcasts?.account())?.fault).toMatchObject({ code: '10023' });
    await town.drain();
    expect(weibo.count(shared)).toBe(1);
    weibo.state.left = 30;
    town.pass('2026-06-10T05:00:00Z');
    await town.drain();
    expect(await statesOf(id)).toEqual([[1, 'sent']]);
    expect((await town.broadcasts?.account())?.fault).toBeNull();
  });

  it.each([
    ['has expired', () => town.pass(weibo.state.lastsSeconds * 1000 + 1), '21327'],
    ['was taken back', () => weibo.revoke(), '21332'],
  ])('wait where the authorisation %s, until somebody connects the account again', async (_name, end, code) => {
    end();
    const id = await publish();
    expect(await statesOf(id)).toEqual([[1, 'pending']]);
    expect((await town.broadcasts?.account())?.fault).toMatchObject({ code });
    await connect();
    expect((await town.broadcasts?.account())?.fault).toBeNull();
    town.pass(5 * 60_000);
    await town.drain();
    expect(await statesOf(id)).toEqual([[1, 'sent']]);
  });

  it('end in a failure that can be tried again', async () => {
    weibo.state.next.set(shared, [{ status: 400, body: { error_code: 20021, error: 'content is illegal!' } }]);
    const id = await publish();
    expect(await town.stores.posts.ofItem(id)).toMatchObject([
      { state: 'failed', response: '20021 content is illegal!' },
    ]);
    await town.broadcasts?.again(id, 1, publisher);
    await expect(town.broadcasts?.again(id, 1, publisher)).rejects.toMatchObject({ code: 'wrong-state' });
    await town.drain();
    expect(await statesOf(id)).toEqual([[1, 'sent']]);
  });

  it.each([
    ['an error in a good answer', { status: 200, body: { error_code: 10009, error: 'Too many pending tasks' } }],
    ['an error page', 'html' as const],
  ])('are tried again after %s, for a week', async (_name, answer) => {
    weibo.state.next.set(shared, Array(200).fill(answer));
    const id = await publish();
    for (let day = 0; day < 8; day++) {
      town.pass(86_400_000);
      await town.drain();
    }
    expect(await statesOf(id)).toEqual([[1, 'failed']]);
    expect(weibo.posts).toEqual([]);
  });
});

describe('the account', () => {
  it('says until when it is connected and what may still be posted', async () => {
    await publish();
    expect(await town.broadcasts?.check()).toEqual({
      ok: true,
      endsAt: town.now() + weibo.state.lastsSeconds * 1000,
      left: 29,
      of: 30,
    });
    weibo.revoke();
    expect(await town.broadcasts?.check()).toMatchObject({ ok: false, fault: expect.stringMatching(/^21332 /) });
    await town.broadcasts?.disconnect();
    expect(await town.broadcasts?.account()).toMatchObject({ connectedUntil: null });
  });

  it('is connected by a code of its own only', async () => {
    expect(await town.broadcasts?.connect('made-up', back)).toMatch(/^21325 /);
  });

  it('shows what would be posted, as Weibo counts it', async () => {
    const item = await town.publishing.create(content, null, publisher);
    const preview = await town.broadcasts?.preview(item.id);
    expect(preview).toMatchObject({ most: 140, on: true, posts: [], text: expect.stringContaining('【公租房') });
    expect(preview?.length).toBe(weibo.lengthOf(preview?.text ?? ''));
  });
});
