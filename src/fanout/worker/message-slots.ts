import type { OutgoingMessage, Slots } from '../../channels/channel.ts';
import type { Keyring, Signer } from '../../keyring.ts';
import type { ItemVersion } from '../../publishing/item.ts';
import { signLink } from '../../signed-link.ts';
import { openContact } from '../../subscriptions/address.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import type { Address, Recipient } from '../../subscriptions/subscriber.ts';
import { messageToken } from '../message-token.ts';
import type { PushContext } from './push-context.ts';
import type { Plan } from './rows.ts';
import type { AddressedMessage } from './send-to-all.ts';

/** People whose messages of a push lie together in the store. */
const neighbours = 256;

/** A neighbourhood serves hundreds of people in a row, so the last one of each keyring is kept. */
const lastNeighbourhood = new WeakMap<Signer, { name: string; bytes: Buffer }>();

const neighbourhoodOf = (keyring: Signer, name: string): Buffer => {
  const last = lastNeighbourhood.get(keyring);
  if (last?.name === name) return last.bytes;
  const bytes = keyring.mac('message-neighbours', name, 4);
  lastNeighbourhood.set(keyring, { name, bytes });
  return bytes;
};

/**
 * A message's id, 128 bits: an HMAC of its delivery, so that it is the same after every crash and tells nothing. Its first 32
 * bits are shared by neighbouring people of the push: rows that are written together lie together, which spares an index
 * that grows at random places; the other 96 bits are nobody's to guess.
 */
export const messageIdOf = (keyring: Signer, push: string, ordinal: number, channel: ChannelName): string => {
  const neighbourhood = neighbourhoodOf(keyring, `${push}:${Math.floor(ordinal / neighbours)}`);
  return Buffer.concat([neighbourhood, keyring.mac('message', `${push}:${ordinal}:${channel}`, 12)]).toString(
    'base64url',
  );
};

/** Where an item is read: at its own address, or on its page here; a targeted one through a link of the message's own. */
export const itemLink = (
  { keyring, publicUrl }: { keyring: Signer; publicUrl: string },
  { item, content }: Pick<ItemVersion, 'item' | 'content'>,
  locale: string,
  message: string,
): string => {
  const key = content.visibility === 'targeted' ? `?key=${signLink(keyring, 'item', message)}` : '';
  return content.translations?.[locale]?.url ?? content.url ?? `${publicUrl}/items/${item}${key}`;
};

/**
 * Whether a person's link to an item is counted, where the operator counts at all: not if they do not want it, and not that to
 * an item which was sent to them alone.
 */
export const isTracked = (
  { plainLinks }: Pick<Recipient, 'plainLinks'>,
  { content }: Pick<ItemVersion, 'content'>,
): boolean => plainLinks !== true && content.visibility !== 'targeted';

type Signing = { keyring: Keyring; publicUrl: string; now: number };

/** What every message to a person carries: the link out of what it came by, the one to all they follow, what its other links are made with. */
export const ownLinks = (
  { keyring, publicUrl, now }: Signing,
  message: string,
): Pick<Slots, 'unsubscribe' | 'manage' | 'token'> => ({
  unsubscribe: `${publicUrl}/u/${signLink(keyring, 'unsubscribe', message)}`,
  manage: `${publicUrl}/manage`,
  token: messageToken(keyring, message, now),
});

/** One outgoing message for each address. */
export const addressed = (
  keyring: Keyring,
  addresses: Address[],
  message: Omit<OutgoingMessage, 'to'>,
): AddressedMessage[] =>
  addresses.map((address) => ({
    lookup: address.lookup,
    message: { ...message, to: openContact(keyring, address) },
  }));

/** One person's part of a message: the links signed for it, and why they get it. */
export const slotsOf = (signing: Signing, context: PushContext, plan: Plan, message: string): Slots => {
  const locale = plan.person?.locale ?? 'en';
  return {
    ...ownLinks(signing, message),
    item: itemLink(signing, context.version, locale, message),
    reason: context.reasonLine(
      locale,
      plan.reasons.map((reason) => reason.source),
    ),
  };
};
