import type { OutgoingMessage, SharedContent } from '../channel.ts';
import { fillSlots } from '../slots.ts';

/** What the service worker receives, as JSON. `tag` is the message's id; `report` is where it says what became of it. */
type PushPayload = {
  title: string;
  body: string;
  url: string;
  tag: string;
  lang: string;
  unsubscribe: string;
  manage: string;
  report: string | null;
  actions?: { action: string; title: string }[];
  data: Record<string, string>;
};

/** RFC 8291 section 4: one record of 4096 octets, less header (86), padding delimiter (1) and AEAD tag (16). */
export const mostPlaintext = 3993;

/** RFC 8030 section 5.2: a push service keeps a message no longer; four weeks are what the large ones allow. */
const longestTtl = 4 * 7 * 24 * 3600;

/** Seconds that the push service keeps the message for a device that is off. */
export const ttlOf = (content: SharedContent, now: number): number =>
  content.expiresAt === null
    ? longestTtl
    : Math.min(longestTtl, Math.max(0, Math.floor((content.expiresAt - now) / 1000)));

/**
 * RFC 8030 section 5.3: news of a topic is what `low` names (delivered once the device is on power or Wi-Fi), what is
 * important must not wait for that, and somebody is waiting for a code.
 */
export const urgencyOf = (content: SharedContent): 'low' | 'normal' | 'high' => {
  if (content.kind === 'transactional' || content.urgency === 'emergency') return 'high';
  return content.urgency === 'important' ? 'normal' : 'low';
};

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The payload as it is sent, or null if it does not fit. */
const encoded = (payload: PushPayload): string | null => {
  const json = JSON.stringify(payload);
  return Buffer.byteLength(json) <= mostPlaintext ? json : null;
};

/** What `encode` makes of the longest beginning of `text` (ended by …) that fits, or null if none does. */
const shortenedToFit = (text: string, encode: (shortened: string) => string | null): string | null => {
  const parts = Array.from(graphemes.segment(text), ({ segment }) => segment);
  const encodeFirst = (count: number): string | null => encode(`${parts.slice(0, count).join('')}…`);
  let least = 0;
  let most = parts.length;
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (encodeFirst(middle) !== null) least = middle;
    else most = middle - 1;
  }
  return encodeFirst(least);
};

const fitted = (payload: PushPayload): string | null => {
  const bare = { ...payload, body: '' };
  return (
    encoded(payload) ??
    shortenedToFit(payload.body, (body) => encoded({ ...payload, body })) ??
    shortenedToFit(payload.title, (title) => encoded({ ...bare, title }))
  );
};

/** The plaintext of a push; body, then title, are shortened at a character until it fits; null if even that is not enough. */
export const payloadOf = (message: OutgoingMessage, report: string | null): string | null => {
  const { content, slots } = message;
  return fitted({
    title: fillSlots(content.title, slots),
    body: fillSlots(content.short, slots),
    url: slots.item,
    tag: message.id,
    lang: content.locale,
    unsubscribe: slots.unsubscribe,
    manage: slots.manage,
    report,
    ...(content.actions ? { actions: content.actions } : {}),
    data: Object.fromEntries(Object.entries(content.data ?? {}).map(([key, value]) => [key, fillSlots(value, slots)])),
  });
};
