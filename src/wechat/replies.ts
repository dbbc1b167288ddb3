import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { Keyring } from '../keyring.ts';
import { lookupOf } from '../subscriptions/address.ts';
import type { Target } from '../subscriptions/follow.ts';
import { followWords } from '../subscriptions/follow-words.ts';
import { presentPerson } from '../subscriptions/people.ts';
import { asksToStop } from '../subscriptions/stop-words.ts';
import type { Subscriber } from '../subscriptions/subscriber.ts';
import type { SubscriptionService } from '../subscriptions/subscription-service.ts';
import { publicItems } from '../subscriptions/wishes.ts';
import { textIn } from '../text.ts';
import type { WechatStores } from './wechat-service.ts';

type Tools = {
  keyring: Pick<Keyring, 'lookup'>;
  catalogue: Pick<CatalogueService, 'trees'>;
  subscriptions: Pick<SubscriptionService, 'stopByContact'>;
  publicUrl: string;
  answerBinding(openid: string): Promise<boolean>;
};

/** A passive reply holds 2,048 bytes. */
const replyMost = 2_000;
const listMost = 20;

/** The same word whatever its case, width and punctuation. */
const plain = (text: string): string =>
  text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

const listWords = new Set(['LIST', '列表', '清单', '我的订阅', '订阅', '查询']);
const bindWords = new Set(['BIND', 'YES', '绑定', '是']);

/** Whole lines, as many as a reply holds. */
const fitting = (lines: string[]): string => {
  const kept: string[] = [];
  for (const line of lines) {
    if (Buffer.byteLength([...kept, line].join('\n')) > replyMost) break;
    kept.push(line);
  }
  return kept.join('\n');
};

/** What the account says to its followers: to stop words, `list`, `bind`, and to everything else what it understands. */
export const makeReplies = (stores: WechatStores, tools: Tools) => {
  const { keyring, catalogue, subscriptions, publicUrl } = tools;

  const personOf = async (openid: string): Promise<Subscriber | null> => {
    const address = await stores.addresses.find(lookupOf(keyring, { channel: 'wechat', openid }));
    return address && presentPerson(stores.subscriptions, { ordinal: address.subscriber });
  };
  const localeOf = (person: Subscriber | null): Locale => person?.locale ?? 'zh-CN';
  const say = (locale: Locale, key: string, values: object = {}): string =>
    textIn(locale)(`accounts:wechat.${key}`, { ...values, page: `${publicUrl}/my/wechat`, site: publicUrl });

  /** A stranger is answered in the language that they wrote in; who wrote nothing, in Chinese. */
  const stranger = (text = ''): string =>
    say(/\p{Script=Latin}/u.test(text) && !/\p{Script=Han}/u.test(text) ? 'en' : 'zh-CN', 'notBound');

  const help = async (openid: string, text?: string): Promise<string> => {
    const person = await personOf(openid);
    return person ? say(person.locale, 'help') : stranger(text);
  };

  const list = async (openid: string, text: string): Promise<string> => {
    const person = await personOf(openid);
    if (!person) return stranger(text);
    const followed = await stores.subscriptions.subscriptionsOf(person.ordinal);
    const targets = followed.filter(({ stoppedAt }) => stoppedAt === null).map(({ definition }) => definition.target);
    if (targets.length === 0) return say(person.locale, 'listEmpty');
    const shown = targets.slice(0, listMost);
    const ids = shown.flatMap((target: Target) => ('item' in target ? [target.item] : []));
    const items = await publicItems(stores, ids);
    const trees = await catalogue.trees();
    const words = { locale: person.locale, trees, items };
    const lines = shown.map((target, at) => `${at + 1}. ${followWords(target, words)}`);
    return fitting([say(person.locale, 'list', { count: targets.length }), ...lines, say(person.locale, 'listMore')]);
  };

  const stop = async (openid: string, text: string): Promise<string> => {
    const person = await personOf(openid);
    if (!person) return stranger(text);
    const count = await subscriptions.stopByContact({ channel: 'wechat', openid });
    return say(person.locale, 'stopped', { count });
  };

  return {
    help: (openid: string) => help(openid),
    welcome: (openid: string) => help(openid),
    toText: async (openid: string, text: string): Promise<string> => {
      if (asksToStop(text)) return stop(openid, text);
      const word = plain(text);
      if (listWords.has(word)) return list(openid, text);
      if (bindWords.has(word) && (await tools.answerBinding(openid)))
        return say(localeOf(await personOf(openid)), 'bound');
      return help(openid, text);
    },
  };
};
