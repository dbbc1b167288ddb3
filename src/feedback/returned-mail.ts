import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import type { Message } from '../fanout/ledger-store.ts';
import type { Keyring, Signer } from '../keyring.ts';
import type { Log } from '../log.ts';
import { makeReturnPaths, type ReturnPath, returnPathKey } from '../return-path.ts';
import { signLink } from '../signed-link.ts';
import type { Storage } from '../storage/storage.ts';
import { openContact } from '../subscriptions/address.ts';
import type { Address } from '../subscriptions/subscriber.ts';
import { type AddressCare, hashOf, sentAt } from './address-care.ts';
import { classifyBounce, type FailedRecipient, type ReturnedMail } from './bounces/classify-bounce.ts';
import type { FeedbackService } from './feedback-service.ts';

const proofMost = 300;
/** What comes back about one message again and again adds nothing to its proof. */
const attemptsMost = 50;

type Stores = Pick<Storage, 'ledger' | 'addresses' | 'returns'>;
export type MailTools = {
  fanout: Pick<FanoutService, 'unsubscribe'>;
  feedback: Pick<FeedbackService, 'give'>;
  keyring: Signer & Pick<Keyring, 'open' | 'lookup'>;
  edges: Pick<Edges, 'now'>;
  config: { email: Pick<Config['email'], 'bounces'> };
  log: Log;
};

/**
 * What followed from a returned mail. `known`: it is about a message of ours; `suppressed`: nothing is sent to an address any
 * more because of it; `stopped`: what the message was sent for has stopped.
 */
export type Followed = { known: boolean; suppressed: boolean; stopped: boolean };

/** What a returned mail is about: one of our messages, the address that it went to, if that is still that person's, and what becomes of the row. */
type Subject = { message: Message; address: Address | null; to: 'bounced' | null };

/** Local parts of other people's addresses do not belong into the ledger. */
const withoutNames = (words: string): string =>
  words.replace(/[^\s<>@:;,"'()]+@(?=[^\s<>@]+)/g, '…@').slice(0, proofMost);

/** Mail that came back: what it is, whom and what it is about, and what follows. */
export const makeReturnedMail = (stores: Stores, tools: MailTools, care: AddressCare) => {
  const { ledger, addresses, returns } = stores;
  const { fanout, keyring, edges, config, log } = tools;
  const { lookupFor, heldBy, stateAfter, suppress, isLiftedSince, failed, tellOf } = care;
  const paths = config.email.bounces ? makeReturnPaths(config.email.bounces, returnPathKey(keyring)) : null;

  /** The look-ups of those named; '' for one that is no address. */
  const emailLookups = (recipients: { address: string }[]): string[] =>
    recipients.flatMap(({ address }) =>
      address === '' ? [] : (lookupFor({ channel: 'email', email: address }) ?? ''),
    );

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

  const bounced = async (
    { message, address, to }: Subject,
    { kind, reason, status, words, isDelayed }: FailedRecipient,
  ): Promise<boolean> => {
    // late is not lost: it may still arrive
    if (isDelayed || kind === 'complaint') return false;
    const response = withoutNames([kind, status, words || reason].filter(Boolean).join(' '));
    const attempt = { at: edges.now(), provider: 'bounce', ok: false, response, reference: null };
    if (message.attempts.length < attemptsMost) await ledger.receipt(message.id, to, attempt);
    const id = hashOf(message.id, address?.lookup ?? '');
    const suppressed =
      address !== null && (await failed(address, { id, kind, reason, status, message: message.id }, sentAt(message)));
    await tellOf(message, `${kind}-bounce`, reason, status);
    return suppressed;
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
  ): Promise<boolean> => {
    let suppressed = false;
    for (const { address: named, kind, reason, status, isDelayed } of recipients) {
      if (!isBelieved(named)) continue;
      const lookup = lookupFor({ channel: 'email', email: named });
      const address = lookup === null ? null : await addresses.find(lookup);
      if (!address || isDelayed) continue;
      // a Date field counts whole seconds
      const sent = original.date === null ? edges.now() : original.date + 999;
      const complains = kind === 'complaint' && !(await isLiftedSince(address, sent));
      if (complains && (await suppress(address, 'complaint', sent))) suppressed = true;
      const id = hashOf(notice, address.lookup);
      if (await failed(address, { id, kind, reason, status, message: null }, sent)) suppressed = true;
    }
    return suppressed;
  };

  const follow = async (mail: ReturnedMail, subject: Subject): Promise<Followed> => {
    const nothing = { known: true, suppressed: false, stopped: false };
    if (mail.kind === 'complaint') {
      await complained(subject);
      return { ...nothing, stopped: true };
    }
    const own = subject.address?.lookup;
    const { kind } = mail;
    const about =
      mail.recipients.find((one) => own !== undefined && emailLookups([one]).includes(own)) ??
      mail.recipients.find((one) => one.kind === kind);
    if (about) return { ...nothing, suppressed: await bounced(subject, about) };
    if (kind !== 'hard' && kind !== 'soft' && kind !== 'blocked') return nothing;
    const unsaid: FailedRecipient = {
      address: '',
      kind,
      reason: 'other',
      status: null,
      words: '',
      isDelayed: kind === 'soft',
    };
    return { ...nothing, suppressed: await bounced(subject, unsaid) };
  };

  return {
    addressOf,
    take: async (
      raw: Uint8Array,
      { rcpts, isVouched }: { rcpts: string[]; isVouched: boolean },
    ): Promise<ReturnedMail & { followed: Followed }> => {
      const mail = classifyBounce(raw);
      const path = [...rcpts, ...mail.paths].flatMap((one) => paths?.read(one) ?? [])[0] ?? null;
      const isReport = mail.kind !== 'none' && mail.kind !== 'auto-reply';
      const subject = isReport ? await subjectOf(mail, path, isVouched) : null;
      const isMeant = (address: string): boolean => path !== null && paths?.isTagOf(path.tag, address) === true;
      const followed: Followed = { known: false, suppressed: false, stopped: false };
      if (subject) Object.assign(followed, await follow(mail, subject));
      else if (isReport)
        followed.suppressed = await unnamed(mail, path?.message ?? mail.id ?? raw, isVouched ? () => true : isMeant);
      log.info({ kind: mail.kind, recipients: mail.recipients.length, known: subject !== null }, 'mail came back');
      return { ...mail, followed };
    },
  };
};
