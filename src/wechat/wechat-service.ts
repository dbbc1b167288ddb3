import { createHash } from 'node:crypto';
import type { AccountHealth, AccountStore } from '../accounts/account-store.ts';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { WechatConfig } from '../config.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { ReturnService } from '../feedback/return-service.ts';
import type { Keyring } from '../keyring.ts';
import type { Log } from '../log.ts';
import type { Storage } from '../storage/storage.ts';
import { lookupOf } from '../subscriptions/address.ts';
import type { Contact } from '../subscriptions/subscriber.ts';
import type { SubscriptionService } from '../subscriptions/subscription-service.ts';
import { notFollowing } from '../subscriptions/subscription-store.ts';
import { type Binding, makeBinding } from './binding.ts';
import {
  type CallbackMessage,
  type CallbackQuery,
  decrypted,
  encrypted,
  isSignedBy,
  readCallback,
  sealedReply,
  textReply,
  xmlFields,
} from './callback.ts';
import { makeReplies } from './replies.ts';

/** The calls of the platform that this feature makes (channels/wechat/wechat-client.ts). */
type WechatApi = {
  call(
    path: string,
    body: object,
  ): Promise<{ ok: true; body: Record<string, unknown> } | { ok: false; kind: string; detail: string }>;
  openidOf(
    code: string,
  ): Promise<{ ok: true; openid: string; isReal: boolean } | { ok: false; kind: string; detail: string }>;
};

export type WechatService = Binding & {
  /** Answers the platform's question whether an address is ours. Throws `bad-signature`. */
  verify(query: CallbackQuery): string;
  /**
   * Takes a call of the platform and answers what it is to be answered, within its five seconds. Doubled and replayed calls do nothing
   * twice. Throws `bad-signature` for what the platform did not send, `invalid` for what cannot be read.
   */
  take(query: CallbackQuery, xml: string): Promise<string>;
  /** How the account fares, and where the platform is to call. */
  account(): Promise<{ hook: string; encrypted: boolean } & AccountHealth>;
  /** What may still be sent today, as the platform counts. */
  quota(): Promise<{ limit: number; used: number; remain: number } | { fault: string }>;
  /** Forgets calls that can be replayed no more. */
  forgetOld(): Promise<void>;
};

export type WechatStores = Pick<Storage, 'addresses' | 'subscriptions' | 'signUps' | 'ledger' | 'items'> & {
  accounts: AccountStore;
};
export type WechatTools = {
  config: WechatConfig;
  publicUrl: string;
  api: WechatApi;
  keyring: Keyring;
  edges: Pick<Edges, 'now' | 'bytes'>;
  log: Log;
  catalogue: Pick<CatalogueService, 'trees'>;
  subscriptions: Pick<SubscriptionService, 'stopByContact'>;
  returns: Pick<ReturnService, 'receipt'>;
  /** Passes `ms` milliseconds. */
  pause?: (ms: number) => Promise<unknown>;
};

const nothingToSay = 'success';
/** The platform hangs up after five seconds; what takes longer is done all the same. */
const answerWithinMs = 4_500;
/** A call is believed for so long, so far may the clocks of both be apart. */
const believedMs = 3_600_000;
/** A receipt may come before the outcome is durable that names what it is for. */
const receiptLooks = 4;
const receiptLookMs = 700;

const waitFor = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms).unref());
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const unsigned = (words: string): AppError => new AppError('bad-signature', words);

/**
 * An official account as its followers and the platform see it: people are bound to it and unbound, its events are receipts and changes of
 * who follows, and a few words are understood (developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html).
 */
export const makeWechatService = (stores: WechatStores, tools: WechatTools): WechatService => {
  const { addresses, accounts } = stores;
  const { config, api, keyring, edges, log, returns, pause = waitFor } = tools;
  const binding = makeBinding(stores, tools);
  const replies = makeReplies(stores, { ...tools, answerBinding: binding.answer });
  const contactOf = (openid: string): Contact => ({ channel: 'wechat', openid });
  const lookupFor = (openid: string): string => lookupOf(keyring, contactOf(openid));
  const nameOf = (text: string): string => keyring.mac('wechat-call', text, 16).toString('base64url');

  const demandFresh = (query: CallbackQuery): void => {
    const apart = edges.now() - Number(query.timestamp) * 1000;
    if (Math.abs(apart) <= believedMs) return;
    log.warn({ apartSeconds: Math.round(apart / 1000) }, 'a call of WeChat is old, or one of the clocks is wrong');
    throw unsigned('The call is too old, or the clocks are too far apart.');
  };

  const verified = (query: CallbackQuery): void => {
    const { signature, timestamp = '', nonce = '' } = query;
    if (!/^\d{1,12}$/.test(timestamp) || !isSignedBy(config.token, signature, timestamp, nonce))
      throw unsigned('The signature does not fit the call.');
    demandFresh(query);
  };

  /** The XML of a call in the clear, once it is known to be the platform's. */
  const opened = async (query: CallbackQuery, xml: string): Promise<string> => {
    const { timestamp = '', nonce = '' } = query;
    if (config.aesKey === undefined) {
      verified(query);
      // the signature says nothing of the body: with the same one there is one body
      const known = await accounts.once(nameOf(`${timestamp} ${nonce}`), hashOf(xml), edges.now());
      if (known === 'other') throw unsigned('Another call had this signature.');
      return xml;
    }
    const sealed = xmlFields(xml)?.Encrypt;
    if (sealed === undefined || !isSignedBy(config.token, query.msg_signature, timestamp, nonce, sealed))
      throw unsigned('The call is not encrypted, or its signature does not fit.');
    demandFresh(query);
    const plain = decrypted(config.aesKey, config.appId, sealed);
    if (plain === null) throw unsigned('The call was not encrypted for this account.');
    return plain;
  };

  const followed = async ({ from, key }: CallbackMessage): Promise<string | null> => {
    await addresses.lift(lookupFor(from), notFollowing);
    const asked = key.startsWith('qrscene_') ? await binding.scanned(from, key.slice('qrscene_'.length)) : null;
    return asked ?? replies.welcome(from);
  };

  const unfollowed = async ({ from }: CallbackMessage): Promise<null> => {
    const lookup = lookupFor(from);
    if (await addresses.find(lookup)) await addresses.suppress(lookup, notFollowing, edges.now());
    return null;
  };

  const finished = async ({ from, messageId, status }: CallbackMessage): Promise<null> => {
    const of = { provider: 'wechat', reference: messageId, message: null };
    const to = status === 'success' ? 'delivered' : 'bounced';
    const failure = /user block/.test(status) ? 'blocked' : 'soft';
    const receipt = { of, to, failure, words: status, contact: contactOf(from) } as const;
    for (let look = 1; !(await returns.receipt(receipt)) && look < receiptLooks; look++) await pause(receiptLookMs);
    if (failure === 'blocked' && to === 'bounced') await unfollowed({ from } as CallbackMessage);
    return null;
  };

  const act = async (message: CallbackMessage): Promise<string | null> => {
    if (message.type === 'text') return replies.toText(message.from, message.text);
    if (message.type !== 'event') return replies.help(message.from);
    switch (message.event) {
      case 'subscribe':
        return followed(message);
      case 'unsubscribe':
        return unfollowed(message);
      case 'SCAN':
        await addresses.lift(lookupFor(message.from), notFollowing);
        return binding.scanned(message.from, message.key);
      case 'TEMPLATESENDJOBFINISH':
        return finished(message);
      default:
        return null;
    }
  };

  const replyTo = (message: CallbackMessage, text: string, query: CallbackQuery): string => {
    const reply = textReply(message.from, message.to, edges.now(), text);
    if (config.aesKey === undefined) return reply;
    const sealed = encrypted(config.aesKey, config.appId, reply, edges.bytes(16));
    return sealedReply(sealed, config.token, query.timestamp ?? '', query.nonce ?? '');
  };

  /** Once it is done it is known, so that a process that dies meanwhile leaves it to the platform's next try. */
  const actOnce = async (message: CallbackMessage): Promise<string | null> => {
    const { from, at, type, event, key, messageId } = message;
    const name = nameOf([type, event, from, at, key, messageId].join('\n'));
    if (await accounts.called(name)) return null;
    const text = await act(message);
    await accounts.once(name, 'done', edges.now());
    return text;
  };

  return {
    ...binding,
    verify: (query) => {
      verified(query);
      return query.echostr ?? '';
    },
    take: async (query, xml) => {
      const message = readCallback(await opened(query, xml));
      if (!message)
        throw new AppError('invalid', 'The call cannot be read.', {
          faults: [{ path: '', message: 'is no call of WeChat' }],
        });
      const acting = actOnce(message);
      const late = waitFor(answerWithinMs).then(() => null);
      acting.catch((error: unknown) => log.error({ error }, 'a call of WeChat could not be answered'));
      const text = await Promise.race([acting, late]);
      return text === null ? nothingToSay : replyTo(message, text, query);
    },
    account: async () => ({
      hook: `${tools.publicUrl}/api/v1/hooks/wechat`,
      encrypted: config.aesKey !== undefined,
      ...(await accounts.health('wechat')),
    }),
    quota: async () => {
      const asked = await api.call('/cgi-bin/openapi/quota/get', { cgi_path: '/cgi-bin/message/template/send' });
      if (!asked.ok) return { fault: asked.detail };
      const { daily_limit: limit, used, remain } = (asked.body.quota ?? {}) as Record<string, unknown>;
      return { limit: Number(limit), used: Number(used), remain: Number(remain) };
    },
    forgetOld: () => accounts.forgetCalls(edges.now() - 3 * believedMs),
  };
};
