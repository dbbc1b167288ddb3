import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import type { Message } from '../fanout/ledger-store.ts';
import type { Keyring } from '../keyring.ts';
import type { Log } from '../log.ts';
import { makeReturnPaths, type ReturnPath, returnPathKey } from '../return-path.ts';
import { signLink } from '../signed-link.ts';
import type { Storage } from '../storage/storage.ts';
import { lookupOf, normaliseContact, openContact } from '../subscriptions/address.ts';
import { presentPerson } from '../subscriptions/people.ts';
import { asksToStop } from '../subscriptions/stop-words.ts';
import type { Address, Contact } from '../subscriptions/subscriber.ts';
import type { SubscriptionService } from '../subscriptions/subscription-service.ts';
import { notFollowing } from '../subscriptions/subscription-store.ts';
import type { TellEvents } from '../webhooks/webhook.ts';
import { classifyBounce, type FailedRecipient, type ReturnedMail } from './bounces/classify-bounce.ts';
import { diagnose, type FailureKind } from './bounces/diagnosis.ts';
import type { FeedbackService } from './feedback-service.ts';
import type { Returned } from './return-store.ts';

/** A receipt of a provider (SMS, WeChat). `failure`: what a bounce means for the address; `phone` or `contact`: which, where it is said. */
type TextReceipt = {
  of: { provider: string; reference: string; message: string | null };
  to: 'delivered' | 'bounced';
  failure: FailureKind;
  words: string;
  phone?: string | undefined;
  contact?: Contact | undefined;
};

/** A refusal on the line: a server that would not take a message for an address, which `lookup` names. */
type Refusal = { lookup: string; message: string; channel: Address['channel']; detail: string };

export type ReturnService = {
  /**
   * Says what a mail that came back is (classify-bounce.ts) and does what follows. `rcpts`: where it was delivered to.
   * `isVouched`: it comes from whom we trust, so that it is believed of a message that it does not name, too.
   */
  take(raw: Uint8Array, from: { rcpts: string[]; isVouched: boolean }): Promise<ReturnedMail>;
  /** A provider's receipt for a text or a message in WeChat; answers whether it is known. */
  receipt(receipt: TextReceipt): Promise<boolean>;
  /** A text from a phone: a stop word stops everything, and is kept. Answers whether it was one. */
  text(phone: string, body: string): Promise<boolean>;
  /** A recipient that was refused for good while it was sent: what holds of a bounce holds of it. */
  refused(refusal: Refusal): Promise<void>;
  /** Forgets what counts no more. */
  forgetOld(): Promise<void>;
};

const dayMs = 86_400_000;
/** So many soft bounces in so many days are one hard bounce. */
const softMost = 5;
const softWithinMs = 30 * dayMs;
const proofMost = 300;
/** What comes back about one message again and again adds nothing to its proof. */
const attemptsMost = 50;

type Stores = Pick<Storage, 'ledger' | 'addresses' | 'subscriptions' | 'returns'>;
type Tools = {
  fanout: Pick<FanoutService, 'receipt' | 'unsubscribe'>;
  subscriptions: Pick<SubscriptionService, 'stopByContact'>;
  feedback: Pick<FeedbackService, 'give'>;
  keyring: Pick<Keyring, 'mac' | 'open' | 'lookup'>;
  edges: Pick<Edges, 'now'>;
  config: { email: Pick<Config['email'], 'bounces'>; phoneCountry: string };
  tell: TellEvents;
  log: Log;
};

/** What a returned mail is about: one of our messages, the address that it went to, if that is still that person's, and what becomes of the row. */
type Subject = { message: Message; address: Address | null; to: 'bounced' | null };

/** Local parts of other people's addresses do not belong into the ledger. */
const withoutNames = (words: string): string =>
  words.replace(/[^\s<>@:;,"'()]+@(?=[^\s<>@]+)/g, '…@').slice(0, proofMost);

/** When a server took the message last; while that is not known, when it was made. */
const sentAt = ({ attempts, createdAt }: Message): number =>
  attempts.reduce(
    (latest, { ok, at, provider }) => (ok && provider !== 'service-worker' ? Math.max(latest, at) : latest),
    createdAt,
  );

const hashOf = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\u0000');
  return hash.digest('base64url').slice(0, 22);
};

/** What comes back by mail, as receipts, texts and refusals, and what follows from it for addresses. */
export const makeReturnService = (stores: Stores, tools: Tools): ReturnService => {
  const { ledger, addresses, returns } = stores;
  const { fanout, keyring, edges, config, tell, log } = tools;
  const paths = config.email.bounces ? makeReturnPaths(config.email.bounces, returnPathKey(keyring)) : null;
  const rules = { phoneCountry: config.phoneCountry, insecureEndpoints: false };

  const lookupFor = (contact: Contact): string | null => {
    const normal = normaliseContact(contact, rules);
    return normal.ok ? lookupOf(keyring, normal.contact) : null;
  };
  /** The look-ups of those named; '' for one that is no address. */
  const emailLookups = (recipients: { address: string }[]): string[] =>
    recipients.flatMap(({ address }) =>
      address === '' ? [] : (lookupFor({ channel: 'email', email: address }) ?? ''),
    );

  const heldBy = async ({ ordinal, channel }: Message): Promise<Address[]> => {
    const person = await presentPerson(stores.subscriptions, { ordinal });
    const held = person ? await addresses.ofSubscribers([person.ordinal]) : [];
    return held.filter((address) => address.channel === channel);
  };

  /** The signed path decides which address it was; without one the recipient that is named; where nobody is, the only one they have. */
  const addressOf = (held: Address[], path: ReturnPath | null, named: string[]): Address | null => {
    if (path !== null)
      return (
        held.find((address) => {
          const contact = openContact(keyring, address);
          return contact.channel === 'email' && paths?.isTagOf(path.tag, contact.email);
        }) ?? null
      );
    if (named.length > 0) return held.find(({ lookup }) => named.includes(lookup)) ?? null;
    return held.length === 1 ? (held[0] ?? null) : null;
  };

  /**
   * Our message that a mail answers: by its return path, else, from whom we trust, by the Message-ID of what came back, which
   * is unsigned, and known to whoever has seen the mail.
   */
  const subjectOf = async (
    { original, recipients }: ReturnedMail,
    path: ReturnPath | null,
    isVouched: boolean,
  ): Promise<Subject | null> => {
    const said = isVouched ? /^([\w-]{22,40})@/.exec(original.messageId ?? '')?.[1] : undefined;
    const id = path?.message ?? said ?? null;
    const message = id === null ? null : await ledger.message(id);
    if (message?.channel !== 'email') return null;
    const held = await heldBy(message);
    const address = addressOf(held, path, emailLookups(recipients));
    return { message, address, to: stateAfter(held, address) };
  };

  /** A message went to all live addresses of its channel: that it came back from one is all only where there is no other. */
  const stateAfter = (held: Address[], failing: Address | null): Subject['to'] =>
    failing && held.every((one) => one.lookup === failing.lookup || one.suppressed !== null) ? 'bounced' : null;

  /** Nothing but what was sent after the address was verified says anything of it. */
  const suppress = async ({ lookup, verifiedAt }: Address, reason: string, sent: number): Promise<void> => {
    if (sent < verifiedAt) return;
    if (await addresses.suppress(lookup, reason, edges.now())) log.info({ reason }, 'an address is suppressed');
  };

  /** Bounces of what was sent before an operator lifted the suppression say what the operator knew. */
  const isLiftedSince = async ({ lookup }: Address, sent: number): Promise<boolean> =>
    (await returns.count(lookup, 'lifted', sent)) > 0;

  const failed = async (address: Address, found: Omit<Returned, 'lookup' | 'at'>, sent: number): Promise<void> => {
    if (await isLiftedSince(address, sent)) return;
    const at = edges.now();
    const isNew = await returns.record({ ...found, lookup: address.lookup, at });
    if (found.kind === 'hard') await suppress(address, 'hard-bounce', sent);
    if (found.kind !== 'soft' || !isNew) return;
    const since = Math.max(at - softWithinMs, address.verifiedAt);
    if ((await returns.count(address.lookup, 'soft', since)) >= softMost) await suppress(address, 'soft-bounces', sent);
  };

  const tellOf = (
    { id, push, channel }: Message,
    kind: string,
    reason: string,
    status: string | null,
  ): Promise<void> => {
    const at = edges.now();
    return tell([
      { type: 'feedback.received', key: [id, kind], at, data: { kind, message: id, push, channel, reason, status } },
    ]);
  };

  const bounced = async (
    { message, address, to }: Subject,
    { kind, reason, status, words, isDelayed }: FailedRecipient,
  ): Promise<void> => {
    // late is not lost: it may still arrive
    if (isDelayed || kind === 'complaint') return;
    const response = withoutNames([kind, status, words || reason].filter(Boolean).join(' '));
    const attempt = { at: edges.now(), provider: 'bounce', ok: false, response, reference: null };
    if (message.attempts.length < attemptsMost) await ledger.receipt(message.id, to, attempt);
    if (address) {
      const id = hashOf(message.id, address.lookup);
      await failed(address, { id, kind, reason, status, message: message.id }, sentAt(message));
    }
    await tellOf(message, `${kind}-bounce`, reason, status);
  };

  /** A complaint is feedback like any other: tuning and reports see it, and it is told. */
  const keepComplaint = async ({ id }: Message): Promise<void> => {
    const complaint = { kind: 'complaint' as const, rating: null, comment: null };
    try {
      await tools.feedback.give(signLink(keyring, 'unsubscribe', id), complaint);
    } catch (error) {
      // what the message was about is gone by now; what it was sent for has stopped all the same
      if (!(error instanceof AppError) || error.code !== 'bad-link') throw error;
    }
  };

  /** Who complains wants no more of that: what the message was sent for stops, as by its one-click link (RFC 8058). */
  const complained = async ({ message, address }: Subject): Promise<void> => {
    await fanout.unsubscribe(signLink(keyring, 'unsubscribe', message.id), false);
    const kept = {
      kind: 'complaint' as const,
      reason: 'complaint',
      status: null,
      message: message.id,
      at: edges.now(),
    };
    if (address)
      await returns.record({ ...kept, id: hashOf(message.id, address.lookup, 'complaint'), lookup: address.lookup });
    await keepComplaint(message);
  };

  /**
   * A report that names no message of the ledger: from whom we trust it is believed of the addresses that it names, else of
   * the one that its return path was made for (a letter, whose row is gone once it has left).
   */
  const unnamed = async (
    { recipients, original }: ReturnedMail,
    notice: string | Uint8Array,
    isBelieved: (address: string) => boolean,
  ): Promise<void> => {
    for (const { address: named, kind, reason, status, isDelayed } of recipients) {
      if (!isBelieved(named)) continue;
      const lookup = lookupFor({ channel: 'email', email: named });
      const address = lookup === null ? null : await addresses.find(lookup);
      if (!address || isDelayed) continue;
      // a Date field counts whole seconds
      const sent = original.date === null ? edges.now() : original.date + 999;
      if (kind === 'complaint' && !(await isLiftedSince(address, sent))) await suppress(address, 'complaint', sent);
      await failed(address, { id: hashOf(notice, address.lookup), kind, reason, status, message: null }, sent);
    }
  };

  /** Whoever does not follow the account any more cannot be told there until they do. */
  const refusedInWechat = async (lookup: string, detail: string): Promise<void> => {
    if (/^(40003|43004|43019|43101) /.test(detail)) await addresses.suppress(lookup, notFollowing, edges.now());
  };

  const follow = async (mail: ReturnedMail, subject: Subject): Promise<void> => {
    if (mail.kind === 'complaint') return complained(subject);
    const own = subject.address?.lookup;
    const about =
      mail.recipients.find((one) => own !== undefined && emailLookups([one]).includes(own)) ??
      mail.recipients.find((one) => one.kind === mail.kind);
    const { kind } = mail;
    if (about) await bounced(subject, about);
    else if (kind === 'hard' || kind === 'soft' || kind === 'blocked')
      await bounced(subject, {
        address: '',
        kind,
        reason: 'other',
        status: null,
        words: '',
        isDelayed: kind === 'soft',
      });
  };

  return {
    take: async (raw, { rcpts, isVouched }) => {
      const mail = classifyBounce(raw);
      const path = [...rcpts, ...mail.paths].flatMap((one) => paths?.read(one) ?? [])[0] ?? null;
      const isReport = mail.kind !== 'none' && mail.kind !== 'auto-reply';
      const subject = isReport ? await subjectOf(mail, path, isVouched) : null;
      const isMeant = (address: string): boolean => path !== null && paths?.isTagOf(path.tag, address) === true;
      if (subject) await follow(mail, subject);
      else if (isReport) await unnamed(mail, path?.message ?? mail.id ?? raw, isVouched ? () => true : isMeant);
      log.info({ kind: mail.kind, recipients: mail.recipients.length, known: subject !== null }, 'mail came back');
      return mail;
    },
    receipt: async ({ of, to, failure, words, phone, contact }) => {
      const known = await ledger.messageByReference(of.provider, of.reference);
      const message = known ?? (of.message === null ? null : await ledger.message(of.message));
      if (message?.channel !== 'sms' && message?.channel !== 'wechat') return false;
      if (to === 'delivered') {
        await fanout.receipt(of, to, words);
        return true;
      }
      const held = await heldBy(message);
      const named = contact ?? (phone === undefined ? undefined : { channel: 'sms' as const, phone });
      const address = addressOf(held, null, named === undefined ? [] : [lookupFor(named) ?? '']);
      const moved = await fanout.receipt(of, stateAfter(held, address), words);
      const found = { id: hashOf(message.id, address?.lookup ?? ''), kind: failure, reason: words.slice(0, 50) };
      if (address) await failed(address, { ...found, status: null, message: message.id }, sentAt(message));
      if (moved) await tellOf(message, `${failure}-bounce`, words, null);
      return true;
    },
    text: async (phone, body) => {
      if (!asksToStop(body)) return false;
      await tools.subscriptions.stopByContact({ channel: 'sms', phone });
      const lookup = lookupFor({ channel: 'sms', phone });
      const at = edges.now();
      const kept = { kind: 'stop' as const, reason: 'stop', status: null, message: null, at };
      if (lookup !== null) await returns.record({ ...kept, id: hashOf(lookup, 'stop', String(at)), lookup });
      return true;
    },
    refused: async ({ lookup, message, channel, detail }) => {
      if (channel === 'wechat') return refusedInWechat(lookup, detail);
      if (channel !== 'email' || !/^5\d\d/.test(detail)) return;
      const { kind, reason, status, isSure } = diagnose({ action: 'failed', status: null, words: detail });
      const address = isSure ? await addresses.find(lookup) : null;
      if (address) await failed(address, { id: hashOf(message, lookup), kind, reason, status, message }, edges.now());
    },
    forgetOld: () => returns.forgetBefore(edges.now() - softWithinMs),
  };
};
