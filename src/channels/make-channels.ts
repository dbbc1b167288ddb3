import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import type { Log } from '../log.ts';
import type { ChannelName } from '../subscriptions/follow.ts';
import type { Channel } from './channel.ts';
import { makeEmailChannel } from './email/email-channel.ts';
import { makeOutboxChannel } from './outbox.ts';
import { withFailover } from './resilience/failover.ts';
import { makeSmppChannel } from './sms/smpp-channel.ts';
import { makeTwilioChannel } from './sms/twilio-channel.ts';
import type { VapidKeys } from './web-push/vapid.ts';
import { makeWebPushChannel } from './web-push/web-push-channel.ts';

export { loadVapidKeys } from './web-push/vapid.ts';

export type ChannelTools = {
  vapid: VapidKeys;
  edges: Edges;
  log: Log;
  /** The absolute URL where the service worker reports on a message. */
  reportUrl?: (messageId: string) => string;
};

type ChannelConfig = Pick<Config, 'email' | 'sms' | 'webPush' | 'dataDir' | 'publicUrl'>;

const isOutbox = (url: string): boolean => url.startsWith('outbox:');

const makeEmail = (config: ChannelConfig, { edges }: ChannelTools): Channel => {
  const servers = config.email.urls.filter((url) => !isOutbox(url));
  if (servers.length === 0) return makeOutboxChannel('email', config.dataDir, { edges });
  return makeEmailChannel({ ...config.email, urls: servers }, { edges });
};

/** Providers call back only where they can reach us. */
const receiptsUrl = (publicUrl: string): { statusCallback?: string } =>
  publicUrl.startsWith('https:') ? { statusCallback: `${publicUrl}/api/v1/hooks/sms` } : {};

const makeSms = (config: ChannelConfig, { edges }: ChannelTools): Channel => {
  const providers = config.sms.urls.filter((url) => !isOutbox(url));
  if (providers.length === 0) return makeOutboxChannel('sms', config.dataDir, { edges });
  const made = providers.map((url) =>
    url.startsWith('twilio+')
      ? makeTwilioChannel(url, { edges, ...receiptsUrl(config.publicUrl) })
      : makeSmppChannel(url, { edges }),
  );
  return withFailover(made as [Channel, ...Channel[]]);
};

const makeWebPush = (config: ChannelConfig, { vapid, edges, reportUrl }: ChannelTools): Channel => {
  if (config.webPush.outbox) return makeOutboxChannel('webPush', config.dataDir, { edges });
  return makeWebPushChannel(config.webPush, { vapidKeys: vapid, edges, ...(reportUrl ? { reportUrl } : {}) });
};

/**
 * The channels that the environment asks for, over their providers in order, or the outbox. Throws `ConfigError` for what
 * cannot work. Whoever makes them closes them.
 */
export const makeChannels = (config: ChannelConfig, tools: ChannelTools): ReadonlyMap<ChannelName, Channel> => {
  const channels = new Map<ChannelName, Channel>([
    ['email', makeEmail(config, tools)],
    ['webPush', makeWebPush(config, tools)],
    ['sms', makeSms(config, tools)],
  ]);
  for (const [name, { limits }] of channels) tools.log.debug({ name, ...limits }, 'channel ready');
  return channels;
};
