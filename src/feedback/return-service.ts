import type { Edges } from '../edges.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import type { Storage } from '../storage/storage.ts';
import { asksToStop } from '../subscriptions/stop-words.ts';
import type { Address, Contact } from '../subscriptions/subscriber.ts';
import type { SubscriptionService } from '../subscriptions/subscription-service.ts';
import { notFollowing } from '../subscriptions/subscription-store.ts';
import { type CareTools, hashOf, makeAddressCare, returnsKeptMs, sentAt } from './address-care.ts';
import type { ReturnedMail } from './bounces/classify-bounce.ts';
import { diagnose, type FailureKind } from './bounces/diagnosis.ts';
import { type Followed, type MailTools, makeReturnedMail } from './returned-mail.ts';

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
  take(raw: Uint8Array, from: { rcpts: string[]; isVouched: boolean }): Promise<ReturnedMail & { followed: Followed }>;
  /** A provider's receipt for a text or a message in WeChat; answers whether it is known. */
  receipt(receipt: TextReceipt): Promise<boolean>;
  /** A text from a phone: a stop word stops everything, and is kept. Answers whether it was one. */
  text(phone: string, body: string): Promise<boolean>;
  /** A recipient that was refused for good while it was sent: what holds of a bounce holds of it. */
  refused(refusal: Refusal): Promise<void>;
  /** Forgets what counts no more. */
  forgetOld(): Promise<void>;
};

type Stores = Pick<Storage, 'ledger' | 'addresses' | 'subscriptions' | 'returns'>;
type Tools = Omit<CareTools, 'config'> &
  Omit<MailTools, 'fanout' | 'config'> & {
    fanout: Pick<FanoutService, 'receipt' | 'unsubscribe'>;
    subscriptions: Pick<SubscriptionService, 'stopByContact'>;
    edges: Pick<Edges, 'now'>;
    config: CareTools['config'] & MailTools['config'];
  };

/** What comes back by mail, as receipts, texts and refusals, and what follows from it for addresses. */
export const makeReturnService = (stores: Stores, tools: Tools): ReturnService => {
  const { ledger, addresses, returns } = stores;
  const { fanout, edges } = tools;
  const care = makeAddressCare(stores, tools);
  const { lookupFor, heldBy, stateAfter, failed, tellOf } = care;
  const mail = makeReturnedMail(stores, tools, care);

  /** Whoever does not follow the account any more cannot be told there until they do. */
  const refusedInWechat = async (lookup: string, detail: string): Promise<void> => {
    if (/^(40003|43004|43019|43101) /.test(detail)) await addresses.suppress(lookup, notFollowing, edges.now());
  };

  return {
    take: mail.take,
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
      const address = mail.addressOf(held, null, named === undefined ? [] : [lookupFor(named) ?? '']);
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
    forgetOld: () => returns.forgetBefore(edges.now() - returnsKeptMs),
  };
};
