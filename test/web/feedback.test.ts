import { readOutbox } from '../../src/channels/outbox.ts';
import type { Feedback } from '../../src/feedback/feedback.ts';
import { signLink } from '../../src/signed-link.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

let web: Web;
const started = async (env: Record<string, string> = {}): Promise<void> => {
  web = await startWeb({ env: { SURVEY_SHARE: '0', ...env } });
};
afterEach(() => web.close());

const li = (overrides: object = {}): object => ({
  externalId: 'li',
  email: 'li@example.org',
  verified: true,
  locale: 'en',
  consents: { personalisation: true },
  follow: [{ topic: 'services' }],
  ...overrides,
});

const publish = async (fields: object = {}): Promise<string> => {
  const content = { title: 'Water is off', summary: 'From 8 to 16.', language: 'en', topics: ['services'], ...fields };
  const item = await web.api('POST', '/items', content);
  await web.api('POST', `/items/${item.body.id}/publish`);
  await web.town.drain();
  return String(item.body.id);
};

type Mail = { text: string; html: string; url: string };
const mails = async (): Promise<Mail[]> =>
  (await readOutbox(web.town.dataDir, { limit: 100 })).map(({ text, html, url }) => ({ text, html: html ?? '', url }));
const lastMail = async (): Promise<Mail> => (await mails())[0] ?? { text: '', html: '', url: '' };
const tokenOf = ({ text }: Mail): string => /\/f\/([\w.-]+)/.exec(text)?.[1] ?? '';
const linksOf = ({ text }: Mail): string[] =>
  [...text.matchAll(/http:\/\/localhost:3000(\/[cf]\/\S+)/g)].map((match) => match[1] ?? '');

const kept = (): Pick<Feedback, 'kind' | 'rating' | 'comment' | 'machine'>[] =>
  web.rows('SELECT kind, rating, comment, machine FROM feedback ORDER BY at, kind') as never;
const kinds = (): string[] => kept().map(({ kind, machine }) => (machine ? `${kind} ${machine}` : kind));
const person = async () => (await web.town.subscriptions.person({ externalId: 'li' }))?.person;
const interest = async (): Promise<number | undefined> =>
  (await web.town.stores.profiles.profile((await person())?.ordinal ?? 0))?.interests.services?.sum;
const minute = 60_000;

describe('what stands in a message', () => {
  it('links to say something, each of the message’s own; a link that nobody sees; no pixel', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    const mail = await lastMail();
    const token = tokenOf(mail);
    expect(linksOf(mail)).toEqual([
      `/c/${token}`,
      `/f/${token}/useful`,
      `/f/${token}/not-for-me`,
      `/f/${token}/too-many`,
      `/f/${token}/stop`,
    ]);
    expect(mail.html).toContain(`/f/${token}/not-for-me"`);
    expect(mail.html).toMatch(
      new RegExp(`aria-hidden="true"><a href="http://localhost:3000/c/${token}~0" tabindex="-1"`),
    );
    expect(mail.text).not.toContain('~0');
    expect(mail.html).not.toContain('<img');
  });

  it('in a digest links for each item', async () => {
    await started();
    await web.town.people([li({ follow: [{ topic: 'services', pace: 'daily' }] })]);
    const a = await publish();
    // a digest lists the older item first
    web.town.pass(minute);
    const b = await publish({ title: 'Gas is off' });
    web.town.pass(25 * 60 * minute);
    await web.town.drain();
    const mail = await lastMail();
    const token = tokenOf(mail);
    const own = (item: string) => [
      `/c/${token}~${item}`,
      `/f/${token}~${item}/useful`,
      `/f/${token}~${item}/not-for-me`,
    ];
    expect(linksOf(mail)).toEqual([...own(a), ...own(b), `/f/${token}/too-many`, `/f/${token}/stop`]);
    const answer = await web.call('GET', `/c/${token}~${b}`);
    expect(answer.headers.get('location')).toBe(`http://localhost:3000/items/${b}`);
    expect((await web.call('GET', `/c/${token}~nothing`)).status).toBe(404);
    await web.api('POST', '/feedback', { token: `${token}~${b}`, kind: 'useful' }, null);
    expect(web.rows('SELECT kind, item FROM feedback ORDER BY kind')).toEqual([
      { kind: 'click', item: b },
      { kind: 'useful', item: b },
    ]);
    const visitor = plainVisitor(web.url);
    expect((await visitor.get(`/f/${token}~${b}/useful`)).html).toContain('value="useful" checked');
    const whole = await visitor.get(`/f/${token}/useful`);
    expect(whole.html).toContain('value="too-many"');
    expect(whole.html).not.toMatch(/value="(?:useful|not-for-me)"/);
    expect((await web.api('POST', '/feedback', { token, kind: 'useful' }, null)).status).toBe(400);
  });
});

describe('the page of a link', () => {
  it('shows what is chosen and keeps nothing; the button keeps it, and lowers the interest at once', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    web.town.pass(5 * minute);
    const visitor = plainVisitor(web.url);
    const path = `/f/${tokenOf(await lastMail())}`;
    const page = await visitor.get(`${path}/not-for-me`);
    expect(page.html).toContain('Water is off');
    expect(page.html).toMatch(/value="not-for-me" checked/);
    expect([kept(), await interest()]).toEqual([[], undefined]);
    const done = await visitor.send(path, { kind: 'not-for-me', comment: 'I have a well' });
    expect(done.path).toBe(`${path}/not-for-me/thanks`);
    expect(kept()).toEqual([{ kind: 'not-for-me', rating: null, comment: 'I have a well', machine: null }]);
    const lowered = (await interest()) ?? 0;
    expect(lowered).toBeLessThan(0);
    await visitor.get(path);
    await visitor.send(path, { kind: 'not-for-me', comment: '' });
    expect([kept().map(({ comment }) => comment), await interest()]).toEqual([['I have a well'], lowered]);
  });

  it('is not there under a choice that nobody offers', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    const visitor = plainVisitor(web.url);
    const path = `/f/${tokenOf(await lastMail())}`;
    for (const choice of ['nonsense', 'rating-6', 'rating', 'nonsense/thanks'])
      expect([choice, (await visitor.get(`${path}/${choice}`)).status]).toEqual([choice, 404]);
    for (const choice of ['', '/rating-5', '/stop', '/useful/thanks'])
      expect([choice, (await visitor.get(`${path}${choice}`)).status]).toEqual([choice, 200]);
  });

  it('hands a question to the office, which answers; without words there is none', async () => {
    await started();
    await web.town.people([li()]);
    const item = await publish();
    const visitor = plainVisitor(web.url);
    const path = `/f/${tokenOf(await lastMail())}`;
    await visitor.get(`${path}/useful`);
    const asked = async () => (await web.api('GET', '/opinions')).body.opinions;
    const silent = await visitor.send(path, { kind: 'useful', comment: '', asks: 'question' });
    expect([silent.status, silent.html.includes('Enter what you want to say'), kept()]).toEqual([400, true, []]);
    expect(silent.html).toMatch(/value="question" checked/);
    await visitor.send(path, { kind: 'useful', comment: 'For how long?', asks: 'question' });
    expect(kept()).toHaveLength(1);
    expect(await asked()).toMatchObject([{ kind: 'question', state: 'open', item, text: 'For how long?' }]);
    await visitor.send(path, { kind: 'useful', comment: 'Thank you', asks: '' });
    expect(await asked()).toHaveLength(1);
  });

  it('is in Chinese for who reads Chinese', async () => {
    await started();
    await web.town.people([li({ locale: 'zh-CN' })]);
    await publish();
    const page = await plainVisitor(web.url, 'zh').get(`/f/${tokenOf(await lastMail())}/useful`);
    expect(page.html).toMatch(/<html lang="zh-CN"/);
    expect(page.html).toContain('您对这条消息的意见');
    expect((await lastMail()).text).toContain('与我无关：');
  });

  it('“too many” halves the suggestions, offers a digest, and can be taken back', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    const visitor = plainVisitor(web.url);
    const path = `/f/${tokenOf(await lastMail())}`;
    await visitor.get(`${path}/too-many`);
    expect((await person())?.fewer).toBeUndefined();
    const done = await visitor.send(path, { kind: 'too-many' });
    expect((await person())?.fewer).toBe(true);
    expect(done.html).toContain('Once a day is enough');
    const slower = await visitor.send(`${path}/daily`, {});
    expect(slower.html).not.toContain('Once a day is enough');
    const follows = (await web.town.subscriptions.person({ externalId: 'li' }))?.follows;
    expect(follows?.map(({ pace }) => pace)).toEqual(['daily']);
  });

  it('“stop” stops what the message was sent for, as the one-click does', async () => {
    await started();
    await web.town.people([li({ follow: [{ topic: 'services' }, { topic: 'budgets' }] })]);
    await publish();
    const visitor = plainVisitor(web.url);
    const path = `/f/${tokenOf(await lastMail())}`;
    await visitor.get(`${path}/stop`);
    await visitor.send(path, { kind: 'stop' });
    const follows = (await web.town.subscriptions.person({ externalId: 'li' }))?.follows ?? [];
    const live = follows.filter(({ stoppedAt }) => stoppedAt === null).map(({ definition }) => definition.source);
    expect([live, kinds()]).toEqual([['subscription:topic:budgets'], ['stop']]);
  });

  it('names what is wrong, and refuses forms that are not its own', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    const visitor = plainVisitor(web.url);
    const path = `/f/${tokenOf(await lastMail())}`;
    await visitor.get(path);
    expect((await visitor.send(path, {})).html).toContain('Choose what you want to say');
    expect((await visitor.send(path, { kind: 'useful', comment: 'a\u0007' })).status).toBe(400);
    expect((await visitor.send(path, { kind: 'useful', comment: 'x'.repeat(2_001) })).status).toBe(400);
    expect((await visitor.send(path, { kind: 'rating' })).html).toContain('Choose how satisfied you are');
    expect((await web.call('POST', path, { body: new URLSearchParams({ kind: 'useful' }) })).status).toBe(403);
    for (const bad of ['/f/x', '/f/x/useful', `${path}x/useful`, `${path}~~/useful`])
      expect([bad, (await visitor.get(bad)).status]).toEqual([bad, 403]);
    expect(kept()).toEqual([]);
  });

  it('of an old message only stops', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    const visitor = plainVisitor(web.url);
    const token = tokenOf(await lastMail());
    web.town.pass(200 * 24 * 60 * minute);
    const page = await visitor.get(`/f/${token}/useful`);
    expect(page.html).not.toContain('value="useful"');
    expect((await web.api('POST', '/feedback', { token, kind: 'useful' }, null)).status).toBe(410);
    expect((await web.call('GET', `/c/${token}`)).status).toBe(302);
    await visitor.send(`/f/${token}`, { kind: 'stop' });
    expect(kinds()).toEqual(['stop']);
  });
});

describe('POST /feedback', () => {
  it('takes what api.md says, once, and tells webhooks', async () => {
    await started({ ALLOW_PRIVATE_ENDPOINTS: 'on' });
    await web.town.people([li()]);
    const hook = { url: 'https://127.0.0.1:1/hook', events: ['feedback.received'] };
    const { id } = (await web.api('POST', '/webhooks', hook)).body;
    await publish();
    const token = tokenOf(await lastMail());
    const say = (body: object) => web.api('POST', '/feedback', { token, ...body }, null);
    expect((await say({ kind: 'rating', rating: 2 })).status).toBe(202);
    expect((await say({ kind: 'rating', rating: 5, comment: '很好' })).status).toBe(202);
    expect((await say({ kind: 'complaint', comment: 'Late' })).status).toBe(202);
    expect(kept()).toEqual([
      { kind: 'complaint', rating: null, comment: 'Late', machine: null },
      { kind: 'rating', rating: 5, comment: '很好', machine: null },
    ]);
    const told = (await web.api('GET', `/webhooks/${id}/deliveries`)).body.deliveries as { type: string }[];
    expect(told.map(({ type }) => type)).toContain('feedback.received');
  });

  it('refuses the rest by name', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    const token = tokenOf(await lastMail());
    const say = (body: object) => web.api('POST', '/feedback', { token, ...body }, null);
    const refused: object[] = [
      { kind: 'stop' },
      { kind: 'rating' },
      { kind: 'rating', rating: 6 },
      { kind: 'useful', rating: 3 },
      { kind: 'useful', comment: 'x'.repeat(2_001) },
      { kind: 'useful', comment: 'a\u0008' },
      { kind: 'useful', more: 1 },
    ];
    for (const body of refused) expect([body, (await say(body)).status]).toEqual([body, 400]);
    expect((await web.api('POST', '/feedback', { token: 'x..y', kind: 'useful' }, null)).status).toBe(403);
    const foreign = signLink(web.town.keyring, 'manage', token.split('.')[0] ?? '');
    expect((await web.api('POST', '/feedback', { token: foreign, kind: 'useful' }, null)).status).toBe(403);
    expect(kept()).toEqual([]);
  });
});

describe('counted links', () => {
  it('lead to the item’s own address, and count people, not machines', async () => {
    await started();
    await web.town.people([li()]);
    await publish({ url: 'https://office.example.org/water?a=1' });
    const path = `/c/${tokenOf(await lastMail())}`;
    const head = await web.call('HEAD', `${path}?to=https://evil.example`);
    expect([head.status, head.headers.get('location')]).toEqual([302, 'https://office.example.org/water?a=1']);
    expect(kinds()).toEqual(['click head']);
    web.town.pass(1_000);
    await web.call('GET', path);
    expect(kinds()).toEqual(['click head']);
    web.town.pass(5 * minute);
    await web.call('GET', path);
    expect(kinds()).toEqual(['click']);
    expect((await web.call('GET', `${path}x`)).status).toBe(404);
  });

  it('are a machine’s when every link is followed, also those that came before the others', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    const mail = await lastMail();
    web.town.pass(10 * minute);
    const [click = '', ...others] = linksOf(mail);
    await web.call('GET', click);
    expect(kinds()).toEqual(['click']);
    for (const link of others) await web.call('GET', link);
    expect(kinds()).toEqual(['click every-link']);
    expect(await web.town.stores.feedback.between(0, web.town.now() + 1, { cursor: null, limit: 9 })).toMatchObject({
      feedback: [],
    });
    web.town.pass(10 * minute);
    await web.call('GET', `${click}~0`);
    await web.call('GET', click);
    expect(kinds()).toEqual(['click every-link']);
    web.town.pass(10 * minute);
    await web.call('GET', click);
    expect(kinds()).toEqual(['click']);
  });

  it('are plain for who wants them so, and where the operator does', async () => {
    await started();
    await web.town.people([li()]);
    const item = await publish();
    const before = tokenOf(await lastMail());
    const { id = '' } = (await person()) ?? {};
    await web.town.feedback.wish(id, { plainLinks: true });
    const again = await publish({ title: 'Gas is off' });
    expect(linksOf(await lastMail())).toHaveLength(4);
    expect((await lastMail()).text).toContain(`http://localhost:3000/items/${again}`);
    web.town.pass(5 * minute);
    const answer = await web.call('GET', `/c/${before}`);
    expect([answer.headers.get('location'), kinds()]).toEqual([`http://localhost:3000/items/${item}`, []]);
    await web.close();
    await started({ CLICK_TRACKING: 'off', OPEN_TRACKING: 'on' });
    await web.town.people([li()]);
    await publish();
    const mail = await lastMail();
    expect(linksOf(mail)).toHaveLength(4);
    const pixel = /src="http:\/\/localhost:3000(\/o\/[^"]+)"/.exec(mail.html)?.[1] ?? '';
    expect((await web.call('GET', pixel)).headers.get('content-type')).toBe('image/gif');
    expect([await web.town.stores.feedback.opens(0, web.town.now() + 1), kept()]).toEqual([1, []]);
  });
});

describe('the survey', () => {
  it('asks at most once in 30 days, and each answer is one link', async () => {
    await started({ SURVEY_SHARE: '1' });
    await web.town.people([li()]);
    await publish();
    const first = await lastMail();
    const scale = linksOf(first).filter((link) => link.includes('/rating-'));
    expect(scale.map((link) => link.slice(-1))).toEqual(['1', '2', '3', '4', '5']);
    await publish();
    expect(linksOf(await lastMail()).filter((link) => link.includes('/rating-'))).toEqual([]);
    const visitor = plainVisitor(web.url);
    const page = await visitor.get(scale[3] ?? '');
    expect(page.html).toMatch(/value="4" checked/);
    expect(kept()).toEqual([]);
    await visitor.send(`/f/${tokenOf(first)}`, { kind: 'rating', rating: '4' });
    expect(kept()).toEqual([{ kind: 'rating', rating: 4, comment: null, machine: null }]);
    web.town.pass(30 * 24 * 60 * minute);
    await publish();
    expect(linksOf(await lastMail()).filter((link) => link.includes('/rating-'))).toHaveLength(5);
  });
});

describe('a push', () => {
  const push = { endpoint: 'https://push.example.org/x', keys: { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) } };

  it('reports shown, clicked, dismissed, useful and not for me', async () => {
    await started();
    await web.town.people([
      li({ email: undefined, webPush: push, follow: [{ topic: 'services', channels: ['webPush'] }] }),
    ]);
    const item = await publish();
    const row = web.rows("SELECT id FROM messages WHERE kind = 'delivery'")[0];
    const path = `/r/${signLink(web.town.keyring, 'report', String(row?.id))}`;
    for (const what of ['shown', 'clicked', 'dismissed', 'useful', 'not-for-me', 'too-many', 'stop'])
      expect((await web.call('POST', path, { body: JSON.stringify({ what }) })).status).toBe(204);
    expect(kinds().sort()).toEqual(['click', 'dismissed', 'not-for-me', 'shown', 'useful']);
    const deliveries = (await web.api('GET', '/pushes')).body.pushes as { id: string; item: string; counts: object }[];
    expect(deliveries.find((one) => one.item === item)?.counts).toBeDefined();
  });
});

describe('what a person gave', () => {
  it('is listed, goes into the export, and loses its words when they are erased', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    await web.api(
      'POST',
      '/feedback',
      { token: tokenOf(await lastMail()), kind: 'complaint', comment: 'My words' },
      null,
    );
    const { id = '' } = (await person()) ?? {};
    const visitor = plainVisitor(web.url);
    visitor.setCookie('bellman-session', signLink(web.town.keyring, 'session', id, web.town.now() + minute));
    const page = await visitor.get('/my/messages');
    expect(page.html).toContain('My words');
    const settings = await visitor.get('/my/settings');
    expect(settings.html).toContain('Count whether I follow links');
    await visitor.send('/my/settings/links', { links: 'plain' });
    expect((await person())?.plainLinks).toBe(true);
    await web.town.feedback.wish(id, { fewer: true });
    expect((await visitor.get('/my/settings')).html).toContain('Send me as many as before');
    await visitor.send('/my/settings/as-before', {});
    expect((await person())?.fewer).toBeUndefined();
    const file = JSON.parse((await visitor.get('/my/export')).html);
    expect(file.feedback).toMatchObject([{ kind: 'complaint', comment: 'My words', item: { title: 'Water is off' } }]);
    await web.town.subscriptions.erase(id);
    expect(kept()).toEqual([{ kind: 'complaint', rating: null, comment: null, machine: null }]);
  });
});

describe('clicks and what is concluded of them', () => {
  const learned = () => web.town.feedback.learnClicks(new AbortController().signal);
  const clicks = async () =>
    (await web.town.stores.profiles.profile((await person())?.ordinal ?? 0))?.interests.services?.counts.click ?? 0;
  const minutes = (count: number) => web.town.pass(count * minute);

  it('a person’s click speaks for the topic, once, when it is certain whose it was', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    const path = `/c/${tokenOf(await lastMail())}`;
    minutes(5);
    await web.call('GET', path);
    const clickedAt = web.town.now();
    expect([await learned(), await clicks()]).toEqual([0, 0]);
    minutes(3);
    expect([await learned(), await clicks()]).toEqual([1, 1]);
    expect(await interest()).toBeCloseTo(2 * 2 ** ((clickedAt - Date.UTC(2026, 0, 1)) / (30 * 86_400_000)));
    const { id = '' } = (await person()) ?? {};
    expect(await web.town.profiles.eventsOf(id)).toMatchObject([{ kind: 'click', at: clickedAt, channel: 'email' }]);
    await web.call('GET', path);
    minutes(3);
    expect([await learned(), await clicks()]).toEqual([0, 1]);
  });

  it('a machine’s never does, whenever that comes out; a person who clicks after it counts', async () => {
    await started();
    await web.town.people([li()]);
    await publish();
    const path = `/c/${tokenOf(await lastMail())}`;
    await web.call('GET', path);
    minutes(5);
    expect([await learned(), await clicks()]).toEqual([0, 0]);
    await web.call('GET', path);
    web.town.pass(30_000);
    await web.call('GET', `${path}~0`);
    minutes(5);
    expect([kinds(), await learned(), await clicks()]).toEqual([['click too-soon'], 0, 0]);
    await web.call('GET', path);
    minutes(5);
    expect([kinds(), await learned(), await clicks()]).toEqual([['click'], 1, 1]);
  });

  it('without consent nothing is concluded, also not later', async () => {
    await started();
    await web.town.people([li({ consents: { personalisation: false } })]);
    await publish();
    minutes(5);
    await web.call('GET', `/c/${tokenOf(await lastMail())}`);
    minutes(5);
    expect([kinds(), await learned()]).toEqual([['click'], 0]);
    const { id = '' } = (await person()) ?? {};
    await web.api('PATCH', `/subscribers/${id}`, { consents: { personalisation: true } });
    expect([await learned(), await clicks()]).toEqual([0, 0]);
  });
});
