import type { Edges } from '../edges.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import type { Storage } from '../storage/storage.ts';
import { asksToStop } from '../subscriptions/stop-words.ts';
import type { Address } from '../subscriptions/subscriber.ts';
import type { SubscriptionService } from '../subscriptions/subscription-service.ts';
import { type CareTools, hashOf, makeAddressCare, returnsKeptMs, sentAt } from './address-care.ts';
import type { ReturnedMail } from './bounces/classify-bounce.ts';
import { diagnose, type FailureKind } from './bounces/diagnosis.ts';
import { type Followed, type MailTools, makeReturnedMail } from './returned-mail.ts';

/** A receipt of an SMS provider. `failure`: what a bounce means for the number; `phone`: whose, where the provider says it. */
type TextReceipt = {
  of: { provider: string; reference: string; message: string | null };
  to: 'delivered' | 'bounced';
  failure: FailureKind;
  words: string;
  phone?: string | undefined;
};

/** A refusal on the line: a server that would not take a message for an address, which `lookup` names. */
type Refusal = { lookup: string; message: string; channel: Address['channel']; detail: string };

export type ReturnService = {
  /**
   * Says what a mail that came back is (classify-bounce.ts) and does what follows. `rcpts`: where it was delivered to.
   * `isVouched`: it comes from whom we trust, so that it is believed of a message that it does not name, too.
   */
  take(raw: Uint8Array, from: { rcpts: string[]; isVouched: boolean }): Promise<ReturnedMail & { followed: Followed }>;
  /** A provider's receipt for a text; answers whether the text is known. */
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
    subscriptions: Pick<SubscriptionService, 'stopByPhone'>;
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

  return {
    take: mail.take,
    receipt: async ({ of, to, failure, words, phone }) => {
      const named = await ledger.messageByReference(of.provider, of.reference);
      const message = named ?? (of.message === null ? null : await ledger.message(of.message));
      if (message?.channel !== 'sms') return false;
      if (to === 'delivered') {
        await fanout.receipt(of, to, words);
        return true;
      }
      const held = await heldBy(message);
      const address = mail.addressOf(
        held,
        null,
        phone === undefined ? [] : [lookupFor({ channel: 'sms', phone }) ?? ''],
      );
      const moved = await fanout.receipt(of, stateAfter(held, address), words);
      const found = { id: hashOf(message.id, address?.lookup ?? ''), kind: failure, reason: words.slice(0, 50) };
      if (address) await failed(address, { ...found, status: null, message: message.id }, sentAt(message));
      if (moved) await tellOf(message, `${failure}-bounce`, words, null);
      return true;
    },
    text: async (phone, body) => {
      if (!asksToStop(body)) return false;
      await tools.subscriptions.stopByPhone(phone);
      const lookup = lookupFor({ channel: 'sms', phone });
      const at = edges.now();
      const kept = { kind: 'stop' as const, reason: 'stop', status: null, message: null, at };
      if (lookup !== null) await returns.record({ ...kept, id: hashOf(lookup, 'stop', String(at)), lookup });
      return true;
    },
    refused: async ({ lookup, message, channel, detail }) => {
      if (channel !== 'email' || !/^5\d\d/.test(detail)) return;
      const { kind, reason, status, isSure } = diagnose({ action: 'failed', status: null, words: detail });
      const address = isSure ? await addresses.find(lookup) : null;
      if (address) await failed(address, { id: hashOf(message, lookup), kind, reason, status, message }, edges.now());
    },
    forgetOld: () => returns.forgetBefore(edges.now() - returnsKeptMs),
  };
};
