import { type ParsedMail, simpleParser } from 'mailparser';
import type { Channel } from '../../../src/channels/channel.ts';
import { slot } from '../../../src/channels/channel.ts';
import { makeEmailChannel } from '../../../src/channels/email/email-channel.ts';
import { makeReturnPaths } from '../../../src/return-path.ts';
import { clockEdges, makeContent, makeMessage, makeSlots, noAbort } from '../../helpers/content.ts';
import { type SmtpSink, startSmtpSink } from '../../helpers/smtp-sink.ts';

const from = 'Town Office <office@town.test>';

let sink: SmtpSink;
let channel: Channel;

beforeEach(async () => {
  sink = await startSmtpSink();
  const config = { urls: [`smtp://127.0.0.1:${sink.port}`], from, bounces: undefined, dkim: undefined };
  channel = makeEmailChannel(config, { edges: clockEdges() });
});
afterEach(async () => {
  await channel.close();
  await sink.close();
});

const received = async (at = 0): Promise<{ mail: ParsedMail; raw: string }> => {
  const sunk = sink.mails[at];
  if (!sunk) throw new Error('no mail came');
  return { mail: await simpleParser(sunk.raw), raw: sunk.raw.toString('utf8') };
};

describe('a notification by mail', () => {
  it('carries the headers of a list that can be left with one click', async () => {
    const result = await channel.send(
      makeMessage({ id: 'm1', to: { channel: 'email', email: 'ada@example.org' } }),
      noAbort,
    );
    expect(result).toMatchObject({ ok: true, reference: null });
    const { mail, raw } = await received();
    expect(mail.from?.text).toBe('"Town Office" <office@town.test>');
    expect(raw).toContain('\r\nTo: ada@example.org\r\n');
    expect(mail.subject).toBe('Water will be off on Monday');
    expect(mail.messageId).toBe('<m1@town.test>');
    expect(mail.date).toEqual(new Date('2026-03-02T08:00:00Z'));
    expect(raw).toContain('\r\nList-Unsubscribe: <https://bellman.test/u/AAAA..BBBB>\r\n');
    expect(raw).toContain('\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n');
    expect(raw).toMatch(/^List-ID: <services\.town\.test>\r\n/im);
    expect(raw).toMatch(/^Auto-Submitted: auto-generated\r\n/m);
    expect(raw).toContain('\r\nContent-Language: en\r\n');
    expect(raw.match(/^message-id:/gim)).toHaveLength(1);
    expect(raw.match(/^date:/gim)).toHaveLength(1);
  });

  it('lets nobody write a header of their own: line ends in a title stay in the subject', async () => {
    const title = 'Water\r\nBcc: all@example.org\r\n\r\nAnother body';
    const to = { channel: 'email' as const, email: 'ada@example.org' };
    await channel.send(makeMessage({ to, content: makeContent({ title }) }), noAbort);
    const { mail, raw } = await received();
    expect(raw).not.toMatch(/^bcc:/im);
    expect(sink.mails.flatMap((sunk) => sunk.to)).toEqual(['ada@example.org']);
    expect([mail.bcc, mail.subject?.includes('Bcc: all@example.org')]).toEqual([undefined, true]);
  });

  it.each([
    ['no line that begins with a dot', 'Plain.'],
    ['lines that begin with dots', '.\n..\n.NET for beginners\n.'],
    ['line ends of every kind', 'one\r\ntwo\nthree\rfour'],
  ])('arrives byte for byte, with %s', async (_, words) => {
    const text = `Today\n${words}\n${slot('reason')}\nend`;
    await channel.send(makeMessage({ content: makeContent({ text }), slots: makeSlots({ reason: words }) }), noAbort);
    const { mail, raw } = await received();
    const lines = (all: string): string[] => all.split(/\r\n|\n|\r/);
    expect(lines(mail.text ?? '').filter(Boolean)).toEqual(lines(text.replace(slot('reason'), words)).filter(Boolean));
    expect(raw.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  it('has both bodies, with the person’s values escaped as each asks', async () => {
    await channel.send(makeMessage({ slots: makeSlots({ reason: `Tom & "Ann's" <team> = 100%` }) }), noAbort);
    const { mail } = await received();
    expect(mail.text).toContain(`Tom & "Ann's" <team> = 100%`);
    expect(mail.text).toContain('https://office.test/notices/1?a=1&b="2"');
    expect(mail.html).toContain('Tom &amp; &quot;Ann&#39;s&quot; &lt;team&gt; = 100%');
    expect(mail.html).toContain('href="https://office.test/notices/1?a=1&amp;b=&quot;2&quot;"');
    expect(`${mail.text}${mail.html}`).not.toMatch(/QzSLOTzQ/);
  });

  it('keeps each person’s values apart though the content is composed once', async () => {
    const content = makeContent();
    const people = Array.from({ length: 30 }, (_, n) => ({
      to: { channel: 'email' as const, email: `p${n}@example.org` },
      slots: makeSlots({ reason: `reason ${n}.`, unsubscribe: `https://bellman.test/u/${'t'.repeat(n * 7)}${n}` }),
    }));
    await Promise.all(people.map((person) => channel.send(makeMessage({ content, ...person }), noAbort)));
    expect(sink.mails).toHaveLength(30);
    for (const sunk of sink.mails) {
      const n = Number(/p(\d+)@/.exec(sunk.to[0] ?? '')?.[1]);
      const mail = await simpleParser(sunk.raw);
      expect(mail.text).toContain(`reason ${n}.`);
      expect(mail.html).toContain(`/u/${'t'.repeat(n * 7)}${n}"`);
      expect(sunk.raw.toString()).toContain(`List-Unsubscribe: <https://bellman.test/u/${'t'.repeat(n * 7)}${n}>`);
    }
  });

  it('writes Chinese, long lines and dots at their beginning, no line over 76 characters', async () => {
    const long = '住房保障政策调整，'.repeat(60);
    const text = `.dot\n${long}\n${slot('reason')}\n..two ${slot('item')} after\n${'x'.repeat(500)}${slot('manage')}`;
    const content = makeContent({
      locale: 'zh-CN',
      title: `关于${'调整住房公积金缴存基数'.repeat(6)}的通知`,
      text,
      html: `<p>${long}</p><p>${slot('reason')}</p><p>${'y'.repeat(300)}${slot('manage')}</p>`,
    });
    const reason = `您关注了“${'住房'.repeat(40)}”。`;
    await channel.send(makeMessage({ content, slots: makeSlots({ reason }) }), noAbort);
    const { mail, raw } = await received();
    expect(mail.subject).toBe(content.title);
    expect(mail.text?.trimEnd()).toBe(
      text
        .replace(slot('reason'), reason)
        .replace(slot('item'), makeSlots().item)
        .replace(slot('manage'), makeSlots().manage),
    );
    expect(mail.html).toContain(reason);
    for (const line of raw.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
    expect(raw).not.toMatch(/[^\r]\n|\r[^\n]/);
  });

  it('finds a slot wherever a line breaks before it or in it', async () => {
    for (let n = 0; n < 90; n += 1) {
      const item = `https://x.test/${'=é'.repeat(n % 3)}${'y'.repeat(n)}`;
      const content = makeContent({
        text: `${'a'.repeat(n)}${slot('item')}b`,
        html: `<i>${'c'.repeat(n)}${slot('manage')}</i>`,
      });
      await channel.send(makeMessage({ content, slots: makeSlots({ item }) }), noAbort);
      const { mail, raw } = await received(n);
      expect(mail.text?.trimEnd()).toBe(`${'a'.repeat(n)}${item}b`);
      expect(mail.html).toContain(`<i>${'c'.repeat(n)}https://bellman.test/manage</i>`);
      for (const line of raw.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
    }
  });

  it('puts one token into many places, whatever stands around it', async () => {
    const links = ['c', 'f'].map((path) => `https://x.test/${path}/${slot('token')}~item/useful`);
    const content = makeContent({
      text: links.join('\n'),
      html: links.map((link) => `<a href="${link}">x</a>`).join(''),
    });
    for (const token of ['AAAA.tz0000.BBBB', `-${'t'.repeat(80)}`, 'a<b']) {
      const before = sink.mails.length;
      await channel.send(makeMessage({ content, slots: makeSlots({ token }) }), noAbort);
      const { mail, raw } = await received(before);
      expect(mail.text?.trimEnd()).toBe(links.join('\n').replaceAll(slot('token'), token));
      expect(mail.html).toContain(`/f/${token.replace('<', '&lt;')}~item/useful"`);
      for (const line of raw.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
    }
  });

  it('lets nobody add a header', async () => {
    const hostile = 'Notice\r\nBcc: everybody@example.org\r\n\r\n<script>';
    const content = makeContent({ title: `${hostile} ${slot('reason')}`, listLabel: 'x>\r\nBcc: a@b' });
    const slots = makeSlots({ reason: 'a\r\nX-Evil: 1', unsubscribe: 'https://bellman.test/u/1>\r\nX-Evil: 2' });
    await channel.send(makeMessage({ content, slots }), noAbort);
    const { mail, raw } = await received();
    expect(mail.headers.has('bcc')).toBe(false);
    expect(mail.headers.has('x-evil')).toBe(false);
    expect(mail.subject).toContain('Notice Bcc: everybody@example.org <script>');
    expect(raw.split('\r\n\r\n')[0]).not.toMatch(/^(bcc|x-evil)/im);
  });

  it.each(['a@b\r\nRCPT TO:<c@d>', 'a b@c.test', '<a@b.test>', 'a,b@c.test', 'nobody', ''])(
    'refuses the address %j for good, without a connection',
    async (email) => {
      const result = await channel.send(makeMessage({ to: { channel: 'email', email } }), noAbort);
      expect(result).toMatchObject({ ok: false, kind: 'permanent', reason: 'bad-address' });
      expect(sink.connections()).toBe(0);
    },
  );

  it('reaches an address outside ASCII over SMTPUTF8', async () => {
    await channel.send(makeMessage({ to: { channel: 'email', email: '测试@example.org' } }), noAbort);
    expect(sink.mails[0]?.to).toEqual(['测试@example.org']);
    expect((await received()).raw).toContain('\r\nTo: 测试@example.org\r\n');
  });
});

describe('transactional mail', () => {
  it('is no list', async () => {
    await channel.send(makeMessage({ content: makeContent({ kind: 'transactional', listLabel: null }) }), noAbort);
    const { raw } = await received();
    expect(raw.split('\r\n\r\n')[0]).not.toMatch(/^list-/im);
    expect(raw).toContain('Auto-Submitted: auto-generated');
  });
});

describe('the return path', () => {
  it('is the sender, or the bounces domain where there is one', async () => {
    await channel.send(makeMessage(), noAbort);
    const urls = [`smtp://127.0.0.1:${sink.port}`];
    const other = makeEmailChannel(
      { urls, from, bounces: 'bounce.town.test', dkim: undefined },
      { edges: clockEdges() },
    );
    await other.send(makeMessage(), noAbort);
    await other.close();
    expect(sink.mails.map((mail) => mail.from)).toEqual(['office@town.test', 'bounces@bounce.town.test']);
  });

  it('names the message where there is a key to sign it with', async () => {
    const returnPathKey = Buffer.alloc(32, 1);
    const urls = [`smtp://127.0.0.1:${sink.port}`];
    const config = { urls, from, bounces: 'bounce.town.test', dkim: undefined };
    const other = makeEmailChannel(config, { edges: clockEdges(), returnPathKey });
    const [id, email] = ['AbCdEfGhIjKlMnOpQrStUg', 'ada@example.org'];
    await other.send(makeMessage({ id, to: { channel: 'email', email } }), noAbort);
    await other.close();
    const paths = makeReturnPaths('bounce.town.test', returnPathKey);
    const path = paths.read(sink.mails[0]?.from ?? '');
    expect([path?.message, paths.isTagOf(path?.tag ?? '', email)]).toEqual([id, true]);
  });
});

describe('EMAIL_FROM', () => {
  it.each(['nobody', 'a@b.test, c@d.test', ''])('refuses %j at the start', (text) => {
    const config = { urls: ['smtp://127.0.0.1:1'], from: text, bounces: undefined, dkim: undefined };
    expect(() => makeEmailChannel(config, { edges: clockEdges() })).toThrow(/EMAIL_FROM/);
  });
});
