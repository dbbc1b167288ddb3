import { type SharedContent, slot } from '../../src/channels/channel.ts';
import { fillSlots } from '../../src/channels/slots.ts';
import { splitSms } from '../../src/channels/sms/segments.ts';
import { makeMessageTemplates } from '../../src/message-templates.ts';
import type { NotificationInput } from '../../src/notification-words.ts';
import { type ItemContent, itemContentSchema } from '../../src/publishing/item.ts';
import { makeSlots } from '../helpers/content.ts';

const templates = makeMessageTemplates({ publicUrl: 'https://bellman.test' });
const topic = { slug: 'services', title: { en: 'Public services', 'zh-CN': '公共服务' }, parent: null };

const contentOf = (overrides: Partial<ItemContent> = {}): ItemContent =>
  itemContentSchema.parse({
    title: 'Water will be off on Monday',
    summary: 'Pipes are renewed in Mill Street.\n\nWater returns at noon.',
    language: 'en',
    topics: ['services'],
    departments: ['Water Office', 'Town Hall'],
    deadline: '2026-03-09T18:00:00+08:00',
    translations: { 'zh-CN': { title: '周一停水', summary: '磨坊街更换水管。' } },
    ...overrides,
  });

const inputOf = (
  overrides: Partial<NotificationInput> = {},
  content: Partial<ItemContent> = {},
): NotificationInput => ({
  item: 'item1',
  version: {
    item: 'item1',
    version: 2,
    revision: 0,
    kind: 'correction',
    content: contentOf(content),
    note: 'Monday, not Sunday',
    announce: true,
    at: 0,
  },
  wording: 'publication',
  locale: 'en',
  topic,
  ...overrides,
});

const everything = (content: SharedContent): string =>
  [content.title, content.text, content.html, content.short, content.sms].join('\n');

describe('a digest', () => {
  it('has buttons only where they can mean one item', () => {
    const entry = { ...inputOf(), link: 'https://bellman.test/items/item1' };
    const digest = (entries: (typeof entry)[]) => templates.digest({ pace: 'daily', locale: 'en', entries });
    expect(digest([entry]).actions).toHaveLength(2);
    expect(digest([entry, { ...entry, item: 'item2' }]).actions).toBeUndefined();
  });
});

describe('the answer to an application', () => {
  const answer = (overrides: Partial<NotificationInput> = {}) =>
    templates.notification({ ...inputOf(overrides), answers: '20260608-7KX2MQ' });

  it('names the application on every channel, and is no list, survey or push with buttons', () => {
    for (const locale of ['en', 'zh-CN'] as const) {
      const content = answer({ locale, survey: true, tracked: true });
      for (const text of [content.title, content.text, content.html, content.sms])
        expect(text).toContain('20260608-7KX2MQ');
      expect([content.kind, content.listLabel, content.actions]).toEqual(['transactional', null, undefined]);
      for (const name of ['unsubscribe', 'manage', 'reason', 'token'] as const)
        expect(everything(content)).not.toContain(slot(name));
      expect(splitSms(fillSlots(content.sms, makeSlots())).bodies.length).toBeLessThanOrEqual(2);
    }
    expect(new Set([answer(), templates.notification(inputOf())].map(({ key }) => key)).size).toBe(2);
  });

  it('has other words for a correction and for a withdrawal', () => {
    expect(answer({ wording: 'correction' }).title).toBe('Corrected: the answer to your application 20260608-7KX2MQ');
    expect(answer({ wording: 'correction' }).text).toContain('Monday, not Sunday');
    expect(answer({ wording: 'withdrawal' }).title).toBe('Withdrawn: the answer to your application 20260608-7KX2MQ');
  });
});

describe('a notification', () => {
  it('is in the reader’s language where the item exists so', () => {
    const en = templates.notification(inputOf());
    const zh = templates.notification(inputOf({ locale: 'zh-CN' }));
    expect(en).toMatchObject({
      title: 'Water will be off on Monday',
      locale: 'en',
      kind: 'notification',
      listLabel: 'services',
    });
    expect(zh).toMatchObject({ title: '周一停水', locale: 'zh-CN' });
    expect(zh.text).toContain('办理截止时间：2026年3月9日 18:00（UTC+8）');
    expect(zh.text).toContain('发布单位：Water Office、Town Hall');
    expect(zh.html).toContain('公共服务');
    expect(zh.sms).toBe(`【Bellman】周一停水 ${slot('item')} 回TD退订`);
    expect(en.sms).toBe(`Bellman: Water will be off on Monday ${slot('item')} Reply STOP to end.`);
    expect(en.text).toMatch(/Act by 9 March 2026 at 18:00 \(UTC\+8\)/);
    expect(en.text).toContain('From Water Office, Town Hall');
  });

  it('else in the language it was written in, marked so for screen readers', () => {
    const content = templates.notification(inputOf({ locale: 'zh-CN' }, { translations: undefined }));
    expect(content.title).toBe('Water will be off on Monday');
    expect(content.html).toContain('<html lang="zh-CN">');
    expect(content.html).toContain('<h1 class="ink" lang="en"');
    expect(content.text).toContain('退订此类信息');
  });

  it('holds every slot in both bodies, and nothing of a person', () => {
    const { text, html } = templates.notification(inputOf());
    for (const body of [text, html])
      for (const name of ['item', 'reason', 'manage', 'unsubscribe'] as const) expect(body).toContain(slot(name));
  });

  it('has other words for a correction and for a withdrawal', () => {
    const correction = templates.notification(inputOf({ wording: 'correction' }));
    expect(correction.title).toBe('Corrected: Water will be off on Monday');
    expect(correction.text).toContain('What has changed: Monday, not Sunday');
    expect(correction.short).toMatch(/^What has changed: Monday, not Sunday\nPipes/);
    const withdrawal = templates.notification(inputOf({ wording: 'withdrawal', locale: 'zh-CN' }));
    expect(withdrawal.title).toBe('撤回：周一停水');
    expect(withdrawal.html).toContain('发布单位说明：Monday, not Sunday');
    expect(withdrawal.text).not.toContain('办理截止时间');
  });

  it('calls an emergency one', () => {
    const content = templates.notification(inputOf({}, { urgency: 'emergency', expiresAt: '2026-03-02T10:00:00Z' }));
    expect(content).toMatchObject({
      title: 'Emergency: Water will be off on Monday',
      urgency: 'emergency',
      expiresAt: Date.parse('2026-03-02T10:00:00Z'),
    });
  });

  it('has one key for one content, another for another', () => {
    const key = (input: NotificationInput) => templates.notification(input).key;
    const revised = inputOf();
    const inputs = [
      inputOf(),
      inputOf({ locale: 'zh-CN' }),
      inputOf({ wording: 'correction' }),
      inputOf({ topic: null }),
      { ...revised, version: { ...revised.version, revision: 1 } },
    ];
    expect(new Set(inputs.map(key)).size).toBe(inputs.length);
    expect(key(inputOf())).toBe(key(inputOf()));
  });

  it('lets no publisher write markup, templates or lines into it', () => {
    const evil = `<img src=x onerror=alert(1)> {{ 7 | times: 7 }} {% raw %} $t(brand) {{title}} & "q"`;
    const content = templates.notification(
      inputOf({}, { title: `${evil}\r\nBcc: x`, summary: evil, departments: [evil] }),
    );
    expect(content.html).not.toContain('<img');
    expect(content.html).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(content.text).toContain(evil);
    expect(everything(content)).not.toContain('49');
    expect(content.title).not.toMatch(/[\r\n]/);
  });

  it('is a text of two parts at most, link included', () => {
    const long = {
      title: '关于进一步规范住房公积金提取业务有关问题的通知（含征求意见稿说明）'.repeat(3),
      language: 'zh-CN',
    };
    const { sms } = templates.notification(inputOf({ locale: 'zh-CN' }, long));
    const filled = fillSlots(sms, makeSlots({ item: `https://bellman.test/items/${'x'.repeat(22)}` }));
    expect(splitSms(filled).bodies.length).toBeLessThanOrEqual(2);
    expect(filled).toContain('…');
  });
});

describe('what can be said back', () => {
  const token = 'x'.repeat(52);
  const filled = (text: string) => fillSlots(text, makeSlots({ token, item: 'https://bellman.test/items/item1' }));

  it('stands in both bodies, and in the buttons of a push', () => {
    for (const locale of ['en', 'zh-CN'] as const) {
      const { text, html, actions } = templates.notification(inputOf({ locale }));
      for (const body of [filled(text), filled(html)])
        for (const kind of ['useful', 'not-for-me', 'too-many', 'stop'])
          expect(body).toContain(`https://bellman.test/f/${token}/${kind}`);
      expect(actions?.map(({ action }) => action)).toEqual(['useful', 'not-for-me']);
      expect(text).not.toContain('/rating-');
    }
  });

  it('a counted link and the question of a survey are forms of their own', () => {
    const forms = [{}, { tracked: true }, { survey: true }, { tracked: true, survey: true }];
    const contents = forms.map((form) => templates.notification(inputOf(form)));
    expect(new Set(contents.map(({ key }) => key)).size).toBe(4);
    expect(contents.map(({ text }) => text.includes(`https://bellman.test/c/${slot('token')}\n`))).toEqual([
      ...[false, true, false, true],
    ]);
    for (const { html, text } of contents.slice(2))
      for (const body of [html, text]) expect(body.match(/\/rating-[1-5]/g)).toHaveLength(5);
  });

  it('stands in a text message where it costs no further part', () => {
    const smsOf = (title: string, tracked = true) =>
      filled(templates.notification(inputOf({ tracked }, { title, translations: {} })).sms);
    const parts = (sms: string): number => splitSms(sms).bodies.length;
    expect(smsOf('Gas')).toContain(`Your opinion: https://bellman.test/f/${token}`);
    expect(smsOf('Gas')).not.toContain('/c/');
    expect(smsOf('Water will be off on Monday')).toContain(`/c/${token}`);
    expect(smsOf('Water will be off on Monday', false)).toContain('/items/item1 Reply');
    for (const length of [1, 20, 40, 60, 70])
      for (const tracked of [true, false]) {
        const title = 'x'.repeat(length);
        const plain = `Bellman: ${title} https://bellman.test/items/item1 Reply STOP to end.`;
        expect(parts(smsOf(title, tracked))).toBeLessThanOrEqual(parts(plain));
      }
  });
});

describe('letters', () => {
  it('a confirmation names what is followed, and carries the link on every channel', () => {
    const { content, slots } = templates.confirmation({
      locale: 'en',
      link: 'https://bellman.test/confirm/abc',
      follows: ['Housing & homes', 'a <search>'],
      token: 'abc',
    });
    expect(content).toMatchObject({ kind: 'transactional', listLabel: null, data: { confirm: 'abc' } });
    expect(slots).toEqual({ item: 'https://bellman.test/confirm/abc' });
    expect(content.text).toContain('- Housing & homes\n- a <search>\n');
    expect(content.html).toContain('a &lt;search&gt;');
    for (const text of [content.text, content.html, content.sms]) expect(text).toContain(slot('item'));
  });

  it('asked for by many at once, each has its own link, list and token', () => {
    const wanted = [
      { follows: ['Housing'], n: 1, token: 'one' },
      { follows: ['Housing'], n: 2 },
      { follows: ['Water'], n: 3, token: 'three' },
      { follows: ['Housing'], n: 4, token: 'four' },
    ];
    for (const { n, follows, token } of wanted)
      for (const locale of ['en', 'zh-CN'] as const) {
        const link = `https://bellman.test/confirm/${n}`;
        const { content, slots } = templates.confirmation({ locale, link, follows, ...(token ? { token } : {}) });
        expect([content.locale, content.data, slots]).toEqual([
          ...[locale, token && { confirm: token }],
          { item: link },
        ]);
        expect(content.text).toContain(`- ${follows[0]}\n`);
      }
  });

  it('a code is in the text, in one part', () => {
    for (const locale of ['en', 'zh-CN'] as const) {
      const { content, slots } = templates.code({ locale, code: '042137' });
      for (const text of [content.text, content.html, content.sms, content.title]) expect(text).toContain('042137');
      expect(splitSms(content.sms).bodies).toHaveLength(1);
      expect(slots).toEqual({});
    }
  });

  it('different codes are different contents', () => {
    const key = (code: string) => templates.code({ locale: 'en', code }).content.key;
    expect(key('111111')).not.toBe(key('222222'));
  });

  it('a link to My notifications says for how long', () => {
    const { content } = templates.manageLink({ locale: 'zh-CN', link: 'https://bellman.test/manage/x' });
    expect(content.text).toContain('一小时');
    expect(everything(content)).not.toMatch(/undefined|null|\{\{/);
  });
});
