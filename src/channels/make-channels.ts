import { type Config, ConfigError, type Faults, type Settings } from '../config.ts';
import type { Edges } from '../edges.ts';
import type { Log } from '../log.ts';
import type { ChannelName } from '../subscriptions/follow.ts';
import type { Channel } from './channel.ts';
import { readDkimKey } from './email/dkim.ts';
import { makeEmailChannel, readSender } from './email/email-channel.ts';
import { makeThreadedEmailChannel } from './email/email-thread.ts';
import { readSmtpUrl } from './email/smtp-url.ts';
import { metered, type OnSent } from './metered.ts';
import { makeOutboxChannel } from './outbox.ts';
import { type Provider, withFailover } from './resilience/failover.ts';
import { urlForOneOf } from './resilience/traffic.ts';
import { makeSmppProvider } from './sms/smpp-channel.ts';
import type { SmsInbound } from './sms/smpp-receipt.ts';
import { readSmsUrl } from './sms/sms-url.ts';
import { makeTwilioProvider } from './sms/twilio-channel.ts';
import { checkVapid, type VapidKeys } from './web-push/vapid.ts';
import { makeWebPushChannel } from './web-push/web-push-channel.ts';
import { readTemplate } from './wechat/template-fields.ts';
import { makeNoWechatChannel, makeWechatChannel, type WechatChannelTools } from './wechat/wechat-channel.ts';

export { loadVapidKeys } from './web-push/vapid.ts';

export type ChannelTools = {
  vapid: VapidKeys;
  edges: Edges;
  log: Log;
  /** The absolute URL where the service worker reports on a message. */
  reportUrl?: (messageId: string) => string;
  /** Email works on a thread of its own (compiled files only). */
  threads?: boolean | undefined;
  /** Signs the return paths of mails (return-path.ts). */
  returnPathKey?: Uint8Array;
  /** Told of every attempt. */
  sent?: OnSent;
  /** How long mail servers and push services are waited for, in ms; left out, each channel's own time. */
  limitMs?: number | undefined;
  /** What message centres send of their own accord over the connections that texts go out by. */
  inbound?: SmsInbound;
  /** What WeChat's channel leans on, where an official account is configured. */
  wechat?: Omit<WechatChannelTools, 'edges'> | undefined;
};

type ChannelConfig = Pick<Config, 'email' | 'sms' | 'webPush' | 'wechat' | 'dataDir' | 'publicUrl' | 'workers'>;

const isOutbox = (url: string): boolean => url.startsWith('outbox:');

/** The providers among these URLs, each with this process's share of what it takes. */
const sharedOut = (urls: string[], { workers }: ChannelConfig): string[] =>
  urls.filter((url) => !isOutbox(url)).map((url) => urlForOneOf(workers, url));

const makeEmail = (config: ChannelConfig, { edges, threads, returnPathKey, limitMs }: ChannelTools): Channel => {
  const servers = sharedOut(config.email.urls, config);
  if (servers.length === 0) return makeOutboxChannel('email', config.dataDir, { edges });
  const email = { ...config.email, urls: servers };
  return threads
    ? makeThreadedEmailChannel(email, returnPathKey)
    : makeEmailChannel(email, { edges, returnPathKey, limitMs });
};

/** Providers call back only where they can reach us. */
const receiptsUrl = (publicUrl: string): { statusCallback?: string } =>
  publicUrl.startsWith('https:') ? { statusCallback: `${publicUrl}/api/v1/hooks/sms` } : {};

const makeSms = (config: ChannelConfig, { edges, inbound }: ChannelTools): Channel => {
  const providers = sharedOut(config.sms.urls, config);
  if (providers.length === 0) return makeOutboxChannel('sms', config.dataDir, { edges });
  const made = providers.map((url) =>
    url.startsWith('twilio+')
      ? makeTwilioProvider(url, { edges, ...receiptsUrl(config.publicUrl) })
      : makeSmppProvider(url, { edges, ...(inbound ? { inbound } : {}) }),
  );
  return withFailover(made as [Provider, ...Provider[]], edges);
};

const makeWebPush = (config: ChannelConfig, { vapid, edges, reportUrl, limitMs }: ChannelTools): Channel => {
  if (config.webPush.outbox) return makeOutboxChannel('webPush', config.dataDir, { edges });
  return makeWebPushChannel(config.webPush, { vapidKeys: vapid, edges, limitMs, ...(reportUrl ? { reportUrl } : {}) });
};

const makeWechat = ({ wechat: account }: ChannelConfig, { wechat, edges }: ChannelTools): Channel =>
  account && wechat ? makeWechatChannel(account, { ...wechat, edges }) : makeNoWechatChannel();

/**
 * The channels that the environment asks for, over their providers, or the outbox. Throws `ConfigError` for what
 * cannot work. Whoever makes them closes them.
 */
export const makeChannels = (config: ChannelConfig, tools: ChannelTools): ReadonlyMap<ChannelName, Channel> => {
  const { sent } = tools;
  const made = [
    makeEmail(config, tools),
    makeWebPush(config, tools),
    makeSms(config, tools),
    makeWechat(config, tools),
  ];
  const channels = new Map<ChannelName, Channel>(
    made.map((channel) => [channel.name, sent ? metered(channel, sent) : channel]),
  );
  for (const [name, { limits }] of channels) tools.log.debug({ name, ...limits }, 'channel ready');
  return channels;
};

const faultsOf = (name: string, read: () => unknown): Faults => {
  try {
    read();
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.faults : [{ name, message: (error as Error).message }];
  }
};

/**
 * What would keep the channels from being made, of all settings at once, so that the starting process can name it: where only
 * a worker saw it, that would die of it again and again. A key is looked at even while its channel is the outbox.
 */
export const channelFaults = (settings: Settings): Faults => {
  const { EMAIL_URL, EMAIL_FROM, DKIM_KEY, SMS_URL, VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, WEB_PUSH_SUBJECT } = settings;
  const providers = (urls: string[] | undefined): string[] => urls?.filter((url) => !isOutbox(url)) ?? [];
  const faults = [
    ...providers(EMAIL_URL).flatMap((url) => faultsOf('EMAIL_URL', () => readSmtpUrl(url))),
    ...providers(SMS_URL).flatMap((url) => faultsOf('SMS_URL', () => readSmsUrl(url))),
  ];
  if (EMAIL_FROM) faults.push(...faultsOf('EMAIL_FROM', () => readSender(EMAIL_FROM)));
  const { WECHAT_TEMPLATE } = settings;
  if (WECHAT_TEMPLATE) faults.push(...faultsOf('WECHAT_TEMPLATE', () => readTemplate(WECHAT_TEMPLATE)));
  if (DKIM_KEY) faults.push(...faultsOf('DKIM_KEY', () => readDkimKey(DKIM_KEY)));
  if (VAPID_PUBLIC_KEY && VAPID_PRIVATE_KEY && WEB_PUSH_SUBJECT) {
    const keys = { publicKey: VAPID_PUBLIC_KEY, privateKey: VAPID_PRIVATE_KEY };
    faults.push(...faultsOf('VAPID_PRIVATE_KEY', () => checkVapid(keys, WEB_PUSH_SUBJECT)));
  }
  return faults;
};
