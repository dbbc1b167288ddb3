import type { ChannelName } from '../subscriptions/follow.ts';
import type { Contact } from '../subscriptions/subscriber.ts';

/**
 * What differs from person to person. Shared content marks each place with `slot(name)`; channels put the value in,
 * escaped as the place asks (HTML, header, JSON). `reason` is a sentence, `token` what the message's other links are made
 * with, the others are absolute URLs.
 */
export const slotNames = ['unsubscribe', 'manage', 'item', 'reason', 'token'] as const;
export type SlotName = (typeof slotNames)[number];
export type Slots = Record<SlotName, string>;

/** The mark of a slot: letters only, so that no encoding or folding rule of MIME or JSON changes it. */
export const slot = (name: SlotName): string => `QzSLOTzQ${name}QzENDzQ`;
export const slotPattern: RegExp = new RegExp(`QzSLOTzQ(${slotNames.join('|')})QzENDzQ`, 'g');

/** Keys of content that staff send to try a channel begin so. */
export const channelTestKey = 'channel-test';

/** What all recipients of a push, version revision and language share; rendered once. Texts may hold slot marks. */
export type SharedContent = {
  /** Equal keys, equal content: channels keep what they precompiled by it. */
  key: string;
  kind: 'notification' | 'transactional';
  locale: string;
  /** Subject of a mail, title of a push. One line. */
  title: string;
  /** Plain text of the mail. */
  text: string;
  /** HTML of the mail. */
  html: string;
  /** One or two sentences: the push's body. */
  short: string;
  /** Text of the SMS. */
  sms: string;
  urgency: 'routine' | 'important' | 'emergency';
  /** After this moment (ms) it is of no use: TTL of a push. */
  expiresAt: number | null;
  /** RFC 2919 List-Id's local label, for example the item's first topic; null for transactional mail. */
  listLabel: string | null;
  /** What a push lets people say with one press: names that the service worker reports, and their words. */
  actions?: { action: string; title: string }[];
  /** Extra data for the service worker (a confirmation token, say). */
  data?: Record<string, string>;
};

/** One message on its way to one address. The id is the message's: equal ids, equal Message-ID. */
export type OutgoingMessage = { id: string; to: Contact; content: SharedContent; slots: Slots };

/**
 * What became of one attempt. A failure is a value: `permanent` (this address, never again for this message),
 * `transient` (later), `throttled` (later, the provider said when). `addressGone`: the address itself is dead. `reference`: by
 * what the provider's receipts will name it, null where none come (a mail's Message-ID derives from its id).
 */
export type SendResult =
  | { ok: true; provider: string; reference: string | null; response: string }
  | {
      ok: false;
      provider: string;
      kind: 'permanent' | 'transient' | 'throttled';
      reason: string;
      detail: string;
      retryAfterMs?: number;
      addressGone?: boolean;
    };

/** A way to reach people. `send` never throws; it answers within its own time limit or when `signal` aborts. */
export type Channel = {
  name: ChannelName;
  /** `concurrency`: slots that may be taken at once (messages in flight; more than connections, to keep them busy). */
  limits: { concurrency: number };
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendResult>;
  close(): Promise<void>;
};
