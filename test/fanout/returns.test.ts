import { readMail } from '../../src/feedback/bounces/mime-tree.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import { lookupOf } from '../../src/subscriptions/address.ts';
import { makeContent } from '../helpers/content.ts';
import { type SmtpSink, type SunkMail, smtpError, startSmtpSink } from '../helpers/smtp-sink.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const content: ItemContent = {
  title: 'Water is off',
  summary: 'On Wednesday.',
  language: 'en',
  topics: ['services'],
  urgency: 'routine',
  visibility: 'public',
};
const day = 86_400_000;
const li = 'li@home.example.net';
const lookup = (email: string): string => lookupOf(town.keyring, { channel: 'email', email });

let sink: SmtpSink;
let refusal: string | null;
let town: Town;
beforeEach(async () => {
  refusal = null;
  sink = await startSmtpSink({
    onRcpt: () => {
      if (refusal) throw smtpError(Number(refusal.slice(0, 3)), refusal.slice(4));
    },
  });
  town = await makeTown({
    env: {
      EMAIL_URL: `smtp://127.0.0.1:${sink.port}`,
      EMAIL_FROM: 'Town <notices@town.example>',
      EMAIL_BOUNCES: 'bounces.town.example',
      ALLOW_PRIVATE_ENDPOINTS: 'on',
    },
  });
  await town.people([{ externalId: 'li', email: li, verified: true, follow: [{ topic: 'services' }] }]);
  town.pass(1_000);
});
afterEach(async () => {
  await town.close();
  await sink.close();
});

const publish = async (): Promise<{ push: string; mail: SunkMail }> => {
  const before = sink.mails.length;
  const item = await town.publishing.create(content, null, publisher);
  const push = (await town.fanout.publish(item.id, publisher)).push.id;
  await town.drain();
  return { push, mail: sink.mails[before] as SunkMail };
};

const header = (mail: SunkMail): string => mail.raw.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';

type Report = { to?: string; action?: string; status?: string; words?: string; address?: string; id?: string };
const dsn = (mail: SunkMail, { to = mail.from, action = 'failed', status = '5.1.1', ...report }: Report = {}): Buffer =>
  Buffer.from(`From: MAILER-DAEMON@mx.example
To: ${to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <${report.id ?? 'dsn-1'}@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ${report.address ?? li}
Action: ${action}
Status: ${status}
Diagnostic-Code: smtp; ${report.words ?? '550 5.1.1 <li@home.example.net>: user unknown'}

--b
Content-Type: text/rfc822-headers

${header(mail)}

--b--
`);
const full = { status: '5.2.2', words: '552 5.2.2 mailbox full' };
const complaint = (mail: SunkMail): Buffer =>
  Buffer.from(`From: fbl@isp.example
To: abuse@bounces.town.example
Subject: complaint
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
User-Agent: x

--b
Content-Type: message/rfc822

${header(mail)}

user unknown 550 5.1.1

--b--
`);

const take = (raw: Buffer, rcpts: string[] = [], isVouched = false) => town.returns.take(raw, { rcpts, isVouched });
const why = (email = li): Promise<string | null> => town.stores.addresses.suppression(lookup(email));
const rowsOf = async (push: string) =>
  (await town.fanout.deliveries(push, null, { cursor: null, limit: 10 })).rows.map(({ state }) => state);

describe('the return path of a mail', () => {
  it('names the message', async () => {
    const { mail } = await publish();
    expect(mail.from).toMatch(/^b-m[a-z2-7]{50}@bounces\.town\.example$/);
    expect(readMail(mail.raw).fields.get('message-id')?.[0]).toMatch(/^<[\w-]{22}@town\.example>$/);
  });
});

describe('a hard bounce', () => {
  it('suppresses the address at once, moves the row, and is kept as proof without the address', async () => {
    const { push, mail } = await publish();
    const suppressed = { known: true, suppressed: true, stopped: false };
    expect(await take(dsn(mail), [mail.from])).toMatchObject({ kind: 'hard', followed: suppressed });
    expect([await why(), await rowsOf(push)]).toEqual(['hard-bounce', ['bounced']]);
    const [row] = await town.stores.ledger.ofPerson(1, 1);
    const message = await town.stores.ledger.message(row?.message ?? '');
    expect(message?.attempts.at(-1)).toMatchObject({ provider: 'bounce', ok: false });
    expect(message?.attempts.at(-1)?.response).toMatch(/^hard 5\.1\.1 .*user unknown/);
    expect(JSON.stringify(message)).not.toContain('li@home');
  });

  it('is known by its To field, or, from whom we trust, by the Message-ID of what came back', async () => {
    const { push, mail } = await publish();
    await take(dsn(mail, { to: 'postmaster@bounces.town.example' }));
    expect([await why(), await rowsOf(push)]).toEqual([null, ['sent']]);
    await take(dsn(mail, { to: 'postmaster@bounces.town.example' }), [], true);
    expect([await why(), await rowsOf(push)]).toEqual(['hard-bounce', ['bounced']]);
    await town.stores.addresses.lift(lookup(li), 'hard-bounce');
    await take(dsn(mail));
    expect(await why()).toBe('hard-bounce');
  });

  it('of an address that they had before says nothing of the one they have now', async () => {
    const now = 'new@home.example.net';
    await town.people([{ externalId: 'li', email: now, verified: true, follow: [{ topic: 'services' }] }]);
    town.pass(1_000);
    const { push, mail } = await publish();
    await town.stores.addresses.remove(lookup(li), 1);
    await take(dsn(mail, { to: 'x@elsewhere.example' }), [], true);
    expect([await why(now), await rowsOf(push)]).toEqual([null, ['sent']]);
  });

  it('of one address of several is kept, and the message came back when the last one did', async () => {
    const other = 'li@work.example.net';
    await town.people([{ externalId: 'li', email: other, verified: true, follow: [{ topic: 'services' }] }]);
    town.pass(1_000);
    const { push } = await publish();
    const mailTo = (address: string) => sink.mails.find(({ to }) => to.includes(address)) as SunkMail;
    await take(dsn(mailTo(li)), [mailTo(li).from]);
    expect([await why(), await why(other), await rowsOf(push)]).toEqual(['hard-bounce', null, ['sent']]);
    const [row] = await town.stores.ledger.ofPerson(1, 1);
    const message = await town.stores.ledger.message(row?.message ?? '');
    expect(message?.attempts.at(-1)).toMatchObject({ provider: 'bounce', ok: false });
    await take(dsn(mailTo(other), { address: other }), [mailTo(other).from]);
    expect([await why(other), await rowsOf(push)]).toEqual(['hard-bounce', ['bounced']]);
  });

  it('counts of an address that was imported again since', async () => {
    const { mail } = await publish();
    town.pass(day);
    await town.people([{ externalId: 'li', email: li, verified: true, follow: [{ topic: 'services' }] }]);
    await take(dsn(mail), [mail.from]);
    expect(await why()).toBe('hard-bounce');
  });

  const postLetter = async (): Promise<void> => {
    const content = makeContent({ kind: 'transactional' });
    await town.courier.post({ channel: 'email', email: li }, content, {}, town.now() + day);
    await town.drain();
  };

  it('of a letter counts for the address that it was sent to, and for no other', async () => {
    await town.people([{ externalId: 'wang', email: 'wang@home.example.net', verified: true, follow: [] }]);
    town.pass(1_000);
    await postLetter();
    const mail = sink.mails.at(-1) as SunkMail;
    await take(dsn(mail, { address: 'wang@home.example.net' }), [mail.from]);
    expect([await why(), await why('wang@home.example.net')]).toEqual([null, null]);
    await take(dsn(mail), [mail.from]);
    expect(await why()).toBe('hard-bounce');
  });

  it('of a letter on the line suppresses, too', async () => {
    refusal = '550 5.1.1 no such user';
    await postLetter();
    expect(await why()).toBe('hard-bounce');
  });

  it('speaks of the address that the message went to, whatever address the report names', async () => {
    const { mail } = await publish();
    await take(dsn(mail, { address: 'forwarded@elsewhere.example' }), [mail.from]);
    expect(await why()).toBe('hard-bounce');
    expect(await why('forwarded@elsewhere.example')).toBeNull();
  });

  it('never touches an address that has taken the place of the one it was sent to', async () => {
    const { mail } = await publish();
    const [old] = await town.stores.addresses.ofSubscribers([1]);
    await town.people([{ externalId: 'li', email: 'new@home.example.net', verified: true, follow: [] }]);
    await town.stores.addresses.remove(old?.lookup ?? '', 1);
    await take(dsn(mail), [mail.from]);
    expect([await why(), await why('new@home.example.net')]).toEqual([null, null]);
  });

  it('never touches an address that was verified anew since', async () => {
    const { mail, push } = await publish();
    town.pass(day);
    const [address] = await town.stores.addresses.ofSubscribers([1]);
    if (address) await town.stores.addresses.claim({ ...address, verifiedAt: town.now() });
    await take(dsn(mail), [mail.from]);
    expect([await why(), await rowsOf(push)]).toEqual([null, ['bounced']]);
  });

  it('is not undone by a success that comes late', async () => {
    const { push, mail } = await publish();
    await take(dsn(mail), [mail.from]);
    await take(dsn(mail, { action: 'delivered', status: '2.0.0', words: '250 ok' }), [mail.from]);
    const [row] = await town.stores.ledger.ofPerson(1, 1);
    const attempt = { at: town.now(), provider: 'x', ok: true, response: 'x', reference: null };
    expect(await town.stores.ledger.receipt(row?.message ?? '', 'delivered', attempt)).toBe(false);
    expect([await why(), await rowsOf(push)]).toEqual(['hard-bounce', ['bounced']]);
  });

  it('outlives the person', async () => {
    const { mail } = await publish();
    await take(dsn(mail), [mail.from]);
    const person = await town.stores.subscriptions.subscriber({ externalId: 'li' });
    await town.subscriptions.erase(person?.id ?? '');
    expect(await why()).toBe('erased');
    await take(dsn(mail), [mail.from]);
  });

  it('of what was sent before an operator lifted the suppression counts no more', async () => {
    const { mail } = await publish();
    await take(dsn(mail), [mail.from]);
    town.pass(1_000);
    await town.suppressions.lift(lookup(li), { staff: 'op', note: 'the host is back' });
    await take(dsn(mail), [mail.from]);
    await take(
      dsn({ ...mail, raw: Buffer.from('Date: Wed, 10 Jun 2026 04:00:00 GMT\r\n\r\nx') }, { to: 'x@y.example' }),
      [],
      true,
    );
    expect(await why()).toBeNull();
    town.pass(1_000);
    const later = (await publish()).mail;
    await take(dsn(later), [later.from]);
    expect(await why()).toBe('hard-bounce');
  });

  it('on the line suppresses, too: a server that refuses the recipient says the same sooner', async () => {
    refusal = '550 5.1.1 no such user';
    const { push } = await publish();
    expect([await why(), await rowsOf(push)]).toEqual(['hard-bounce', ['failed']]);
  });

  it('on the line that speaks of a policy does not', async () => {
    refusal = '550 5.7.1 blocked by policy';
    await publish();
    expect(await why()).toBeNull();
  });

  it('of no message of ours counts only from whom we trust', async () => {
    const { mail } = await publish();
    const stray = { ...mail, raw: Buffer.from('Subject: other\r\n\r\nx') };
    await take(dsn(stray, { to: 'x@bounces.town.example' }), ['x@bounces.town.example']);
    expect(await why()).toBeNull();
    await take(dsn(stray, { to: 'x@bounces.town.example' }), [], true);
    expect(await why()).toBe('hard-bounce');
  });
});

describe('soft bounces', () => {
  it('suppress after five in thirty days, each message once', async () => {
    for (let count = 1; count <= 5; count += 1) {
      expect(await why()).toBeNull();
      const { mail } = await publish();
      await take(dsn(mail, full), [mail.from]);
      await take(dsn(mail, { ...full, id: 'dsn-2' }), [mail.from]);
      town.pass(day);
    }
    expect(await why()).toBe('soft-bounces');
  });

  it('that are further apart do not', async () => {
    for (let count = 1; count <= 6; count += 1) {
      const { mail } = await publish();
      await take(dsn(mail, full), [mail.from]);
      town.pass(8 * day);
    }
    expect(await why()).toBeNull();
    await town.returns.forgetOld();
    expect((await town.stores.returns.ofLookup(lookup(li))).length).toBe(3);
  });

  it('move the row, but a mere delay does not', async () => {
    const { push, mail } = await publish();
    await take(dsn(mail, { action: 'delayed', status: '4.4.1', words: 'connection timed out' }), [mail.from]);
    expect(await rowsOf(push)).toEqual(['sent']);
    await take(dsn(mail, full), [mail.from]);
    expect([await rowsOf(push), await why()]).toEqual([['bounced'], null]);
  });
});

describe('what is no failure', () => {
  it('changes nothing: a policy, an answer, a receipt', async () => {
    const { push, mail } = await publish();
    await take(Buffer.from(`From: ${li}\nTo: ${mail.from}\nAuto-Submitted: auto-replied\n\nuser unknown`), [mail.from]);
    expect([await rowsOf(push), await why()]).toEqual([['sent'], null]);
    await take(dsn(mail, { status: '5.7.1', words: '554 5.7.1 spam' }), [mail.from]);
    expect([await rowsOf(push), await why()]).toEqual([['bounced'], null]);
  });
});

describe('a complaint', () => {
  it('stops what the message was sent for, and is told', async () => {
    const { push, mail } = await publish();
    await town.webhooks.add('https://127.0.0.1:9/hook', ['feedback.received']);
    expect((await take(complaint(mail), ['abuse@bounces.town.example'], true)).followed).toEqual({
      ...{ known: true, suppressed: false, stopped: true },
    });
    const [subscription] = await town.stores.subscriptions.subscriptionsOf(1);
    expect(subscription?.stoppedAt).toBe(town.now());
    expect([await why(), await rowsOf(push)]).toEqual([null, ['sent']]);
    const [webhook] = await town.webhooks.list();
    const { rows } = await town.webhooks.deliveries(webhook?.id ?? '', null, { cursor: null, limit: 10 });
    expect(rows.map(({ body }) => JSON.parse(body).data)).toEqual([
      expect.objectContaining({ kind: 'complaint', push, channel: 'email' }),
    ]);
    const [row] = await town.stores.ledger.ofPerson(1, 1);
    const kept = await town.stores.feedback.ofMessage(row?.message ?? '');
    expect(kept.map(({ kind, machine }) => [kind, machine])).toEqual([['complaint', null]]);
    expect(await town.stores.returns.ofLookup(lookup(li))).toEqual([expect.objectContaining({ kind: 'complaint' })]);
  });
});

describe('texts', () => {
  const phone = '+8613800138000';
  const tel = () => lookupOf(town.keyring, { channel: 'sms', phone });
  const sendText = async () => {
    await town.people([
      { externalId: 'wang', phone, verified: true, follow: [{ topic: 'services', channels: ['sms'] }] },
    ]);
    town.pass(1_000);
    const item = await town.publishing.create(content, null, publisher);
    await town.fanout.publish(item.id, publisher);
    await town.drain();
    const [row] = await town.stores.ledger.ofPerson(2, 1);
    return { of: { provider: 'sms', reference: 'unknown', message: row?.message ?? '' } };
  };

  it('to a number that nobody has suppress it; others are counted', async () => {
    const { of } = await sendText();
    expect(await town.returns.receipt({ of, to: 'bounced', failure: 'soft', words: 'undelivered 30003' })).toBe(true);
    expect(await town.stores.addresses.suppression(tel())).toBeNull();
    expect(await town.stores.returns.ofLookup(tel())).toHaveLength(1);
    await town.returns.receipt({ of, to: 'bounced', failure: 'hard', words: 'failed 30005', phone });
    expect(await town.stores.addresses.suppression(tel())).toBe('hard-bounce');
    expect((await town.stores.ledger.ofPerson(2, 1))[0]?.state).toBe('bounced');
  });

  it('that arrive, and receipts of what we do not know, suppress nothing', async () => {
    const { of } = await sendText();
    await town.returns.receipt({ of, to: 'delivered', failure: 'soft', words: 'delivered' });
    const stray = { provider: 'sms', reference: 'x', message: null };
    expect(await town.returns.receipt({ of: stray, to: 'bounced', failure: 'hard', words: 'x' })).toBe(false);
    expect(await town.stores.addresses.suppression(tel())).toBeNull();
    expect((await town.stores.ledger.ofPerson(2, 1))[0]?.state).toBe('delivered');
  });

  it.each(['STOP', '退订', 't'])('that say %s stop everything, and are kept', async (word) => {
    await sendText();
    expect(await town.returns.text('13800138000', word)).toBe(true);
    expect(await town.returns.text('13800138000', 'thanks')).toBe(false);
    const [subscription] = await town.stores.subscriptions.subscriptionsOf(2);
    expect(subscription?.stoppedAt).toBe(town.now());
    expect(await town.stores.returns.ofLookup(tel())).toEqual([expect.objectContaining({ kind: 'stop' })]);
  });
});
