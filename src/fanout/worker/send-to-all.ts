import type { Channel, OutgoingMessage, SendResult } from '../../channels/channel.ts';
import type { Log } from '../../log.ts';
import type { Storage } from '../../storage/storage.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';

/** One message to one address of a person (web push: an endpoint); `lookup` names the address in the store. */
export type AddressedMessage = { lookup: string; message: OutgoingMessage };

const unavailable: SendResult = {
  ok: false,
  provider: 'none',
  kind: 'permanent',
  reason: 'no-channel',
  detail: 'this channel is not configured',
};

/** The best result stands for all: sent, then what may still be sent later. */
const rank = (one: SendResult): number => (one.ok ? 0 : { throttled: 1, transient: 1, permanent: 2 }[one.kind]);

/** What to do about an address that refused a message for good; `detail` holds the refusing side's words. */
export type OnRefusal = (refusal: {
  lookup: string;
  message: string;
  channel: ChannelName;
  detail: string;
}) => Promise<void>;

type Tools = {
  channels: ReadonlyMap<ChannelName, Channel>;
  log: Log;
  signal: AbortSignal;
  refused?: OnRefusal | undefined;
};

/** Sends one message to all addresses of a person on a channel: it was sent if one of them took it. Forgets addresses that are gone. */
export const makeSendToAll = (stores: Pick<Storage, 'addresses'>, { channels, log, signal, refused }: Tools) => {
  const forget = async (lookup: string, ordinal: number): Promise<void> => {
    try {
      await stores.addresses.remove(lookup, ordinal);
    } catch (error) {
      log.warn({ error }, 'an address that is gone could not be removed; the next push finds it again');
    }
  };

  const report = async (lookup: string, channel: ChannelName, message: string, detail: string): Promise<void> => {
    try {
      await refused?.({ lookup, message, channel, detail });
    } catch (error) {
      log.warn({ error }, 'a refusal could not be kept; the next message meets it again');
    }
  };

  return async (name: ChannelName, messages: AddressedMessage[], ordinal: number): Promise<SendResult> => {
    const channel = channels.get(name);
    const results = await Promise.all(
      messages.map(async ({ lookup, message }) => {
        const result = channel ? await channel.send(message, signal) : unavailable;
        if (!result.ok && result.addressGone) await forget(lookup, ordinal);
        else if (!result.ok && result.kind === 'permanent') await report(lookup, name, message.id, result.detail);
        return result;
      }),
    );
    return results.sort((a, b) => rank(a) - rank(b))[0] ?? unavailable;
  };
};
