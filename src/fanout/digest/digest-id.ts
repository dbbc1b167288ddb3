import type { Keyring } from '../../keyring.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import type { Message } from '../ledger-store.ts';

/** The ids of digests begin so, and those of other messages never do: they are shorter than this with a hash behind it. */
const prefix = 'digest-';
/** The ids of all digests lie in this range, ends in text order: what an index or a filter may ask for. */
export const digestIds = { from: prefix, below: 'digest.' } as const;

/** The codes of rows that wait for the moment of their digest; with any other code one was put off after its moment had come. */
export const digestCodes: readonly string[] = ['daily-digest', 'weekly-digest'];

/** Whether a message is a digest. */
export const isDigest = (message: string | null): boolean =>
  message !== null && message >= digestIds.from && message < digestIds.below && message.length > 22;

/** The pace of a digest, which its content's key and so its message's template begin with; null for other messages. */
export const paceOfDigest = ({ kind, template }: Pick<Message, 'kind' | 'template'>): 'daily' | 'weekly' | null => {
  if (kind !== 'digest') return null;
  return template.startsWith('digest-weekly') ? 'weekly' : 'daily';
};

/** One digest: a person (public id), a pace, a channel, and the moment its window closed (ms). */
export type DigestKey = { subscriber: string; pace: 'daily' | 'weekly'; channel: ChannelName; slot: number };

/** A digest's id: an HMAC, so that whoever makes the digest anew after a crash makes the same message, and it tells nothing. */
export const digestIdOf = (keyring: Pick<Keyring, 'mac'>, { subscriber, pace, channel, slot }: DigestKey): string =>
  `${prefix}${keyring.mac('digest', `${subscriber}:${pace}:${channel}:${slot}`, 16).toString('base64url')}`;
