import { newId } from '../edges.ts';
import { readLink, signLink } from '../signed-link.ts';
import { lookupOf, maskContact, openContact, sealContact } from '../subscriptions/address.ts';
import { type KeptRequest, makeConfirmation } from '../subscriptions/confirmation.ts';
import { presentPerson } from '../subscriptions/people.ts';
import { mayBeAsked } from '../subscriptions/sign-up-service.ts';
import { notFollowing, type SignUp } from '../subscriptions/subscription-store.ts';
import { textIn } from '../text.ts';
import type { WechatStores, WechatTools } from './wechat-service.ts';

/** Why somebody was not bound: the code is old or used, WeChat only shows a preview, or it does not answer. */
export type BindingFault = 'code' | 'preview' | 'provider';

export type Binding = {
  /** Where a person allows us to know their openid; comes back to `back` with `code` and `state` (letters and digits). */
  authoriseUrl(back: string, state: string): string;
  /** Binds who allowed it to a person; if they are somebody else already, the two become one (product: semantic 12). */
  bind(person: string, code: string): Promise<{ ok: true } | { ok: false; fault: BindingFault }>;
  /** What a QR code is to hold by which a person binds themselves, for ten minutes; null where WeChat does not answer. */
  qrFor(person: string): Promise<string | null>;
  /** Where a person allows one message more without following; null where that is not set up. */
  leaveUrl(back: string, scene: number, reserved: string): string | null;
  /** Keeps that one of a person's own addresses may be sent one message more. */
  leave(person: string, openid: string, scene: number): Promise<void>;
};

const scanMs = 10 * 60_000;
/** An openid that scanned has this long to say that it wants to be bound. */
const answerMs = 10 * 60_000;

/**
 * Binds people to their openid, proved on both sides: by web authorisation, where the browser is signed in and WeChat says who it is; or
 * by a QR code that only a signed-in page shows, whose scanner is asked in WeChat and answers there (somebody else may have made them scan it).
 */
export const makeBinding = (stores: WechatStores, tools: WechatTools) => {
  const { signUps, addresses, subscriptions, accounts } = stores;
  const { config, api, keyring, edges } = tools;
  const settle = makeConfirmation(stores, { keyring, edges });

  const signUpFor = async (person: string, openid: string): Promise<SignUp> => {
    const { lookup, channel, sealed } = sealContact(keyring, { channel: 'wechat', openid });
    const now = edges.now();
    const kept: KeptRequest = { for: person, follow: [], region: null, timeZone: null, locale: 'zh-CN' };
    const signUp = { id: newId(edges), lookup, channel, sealed, request: JSON.stringify(kept), codeMac: null };
    const times = { triesLeft: 1, createdAt: now, expiresAt: now + answerMs, confirmedAt: null };
    await signUps.insert({ ...signUp, ...times });
    return { ...signUp, ...times };
  };

  /** The addresses of a person, masked: by them they know themselves, or a stranger. */
  const maskedOf = async (person: string): Promise<{ masked: string[]; locale: 'en' | 'zh-CN' } | null> => {
    const found = await presentPerson(subscriptions, { id: person });
    if (!found) return null;
    const held = await addresses.ofSubscribers([found.ordinal]);
    return { masked: held.map((one) => maskContact(openContact(keyring, one))), locale: found.locale };
  };

  return {
    authoriseUrl: (back: string, state: string): string => {
      const query = new URLSearchParams({
        appid: config.appId,
        redirect_uri: back,
        response_type: 'code',
        scope: 'snsapi_base',
        state,
      });
      return `${config.open}/connect/oauth2/authorize?${query}#wechat_redirect`;
    },
    bind: async (person: string, code: string): Promise<{ ok: true } | { ok: false; fault: BindingFault }> => {
      const found = await api.openidOf(code);
      if (!found.ok)
        return { ok: false, fault: /^(40029|40163|42003|41008) /.test(found.detail) ? 'code' : 'provider' };
      if (!found.isReal) return { ok: false, fault: 'preview' };
      await settle(await signUpFor(person, found.openid));
      return { ok: true };
    },
    qrFor: async (person: string): Promise<string | null> => {
      const scene = signLink(keyring, 'wechat-bind', person, edges.now() + scanMs);
      const asked = await api.call('/cgi-bin/qrcode/create', {
        expire_seconds: scanMs / 1000,
        action_name: 'QR_STR_SCENE',
        action_info: { scene: { scene_str: scene } },
      });
      return asked.ok && typeof asked.body.url === 'string' ? asked.body.url : null;
    },
    /** Somebody scanned a code; answers the question that they are asked, or null where it is not one of ours, or an old one. */
    scanned: async (openid: string, scene: string): Promise<string | null> => {
      const reading = readLink(keyring, 'wechat-bind', scene, edges.now());
      const asker = reading.ok ? await maskedOf(reading.subject) : null;
      if (!reading.ok || !asker) return textIn('zh-CN')('accounts:wechat.scanOld');
      const now = edges.now();
      const lookup = lookupOf(keyring, { channel: 'wechat', openid });
      if (!(await mayBeAsked(signUps, lookup, now))) return null;
      await signUpFor(reading.subject, openid);
      return textIn(asker.locale)('accounts:wechat.scanned', { addresses: asker.masked.join('、') });
    },
    /** Somebody said in WeChat that they want to be bound; answers whether they were asked. */
    answer: async (openid: string): Promise<boolean> => {
      const lookup = lookupOf(keyring, { channel: 'wechat', openid });
      const [asked] = await signUps.waiting(lookup, edges.now());
      if (asked) await settle(asked);
      return asked !== undefined;
    },
    leaveUrl: (back: string, scene: number, reserved: string): string | null => {
      if (config.once === undefined) return null;
      const query = new URLSearchParams({
        action: 'get_confirm',
        appid: config.appId,
        scene: String(scene),
        template_id: config.once,
        redirect_url: back,
        reserved,
      });
      return `https://mp.weixin.qq.com/mp/subscribemsg?${query}#wechat_redirect`;
    },
    leave: async (person: string, openid: string, scene: number): Promise<void> => {
      const lookup = lookupOf(keyring, { channel: 'wechat', openid });
      const found = await presentPerson(subscriptions, { id: person });
      const address = await addresses.find(lookup);
      if (!found || address?.subscriber !== found.ordinal) return;
      await accounts.allowOne(lookup, scene);
      await addresses.lift(lookup, notFollowing);
    },
  };
};
