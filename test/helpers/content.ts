import { type OutgoingMessage, type SharedContent, type Slots, slot } from '../../src/channels/channel.ts';
import { type Edges, realEdges } from '../../src/edges.ts';
import type { Contact } from '../../src/subscriptions/subscriber.ts';

export const makeSlots = (overrides: Partial<Slots> = {}): Slots => ({
  unsubscribe: 'https://bellman.test/u/AAAA..BBBB',
  manage: 'https://bellman.test/manage',
  item: 'https://office.test/notices/1?a=1&b="2"',
  reason: 'You follow “Housing”.',
  token: 'AAAA.tz0000.BBBB',
  ...overrides,
});

let made = 0;

/** Shared content whose text, HTML and SMS hold the slots; each call has a key of its own. */
export const makeContent = (overrides: Partial<SharedContent> = {}): SharedContent => {
  made += 1;
  return {
    key: `content-${made}`,
    kind: 'notification',
    locale: 'en',
    title: 'Water will be off on Monday',
    text: `Water will be off on Monday.\n\n${slot('item')}\n\n${slot('reason')}\nStop: ${slot('unsubscribe')}\n`,
    html: `<p>Water will be off on Monday.</p><a href="${slot('item')}">Read</a><p>${slot('reason')}</p><a href="${slot('unsubscribe')}">Stop</a>`,
    short: 'Water will be off.',
    sms: `Water off on Monday ${slot('item')}`,
    urgency: 'routine',
    expiresAt: null,
    listLabel: 'services',
    ...overrides,
  };
};

/** A message to one address, email unless told otherwise. */
export const makeMessage = (overrides: Partial<OutgoingMessage> = {}): OutgoingMessage => {
  made += 1;
  const to: Contact = { channel: 'email', email: `person-${made}@example.org` };
  return { id: `message-${made}`, to, content: makeContent(), slots: makeSlots(), ...overrides };
};

/** Edges with a clock in the test's hand. */
export const clockEdges = (start = Date.parse('2026-03-02T08:00:00Z')): Edges & { advance(ms: number): void } => {
  let offset = 0;
  return {
    ...realEdges,
    now: () => start + offset,
    monotonic: () => 1_000 + offset,
    random: () => 0.5,
    advance: (ms) => {
      offset += ms;
    },
  };
};

/** A signal that never aborts. */
export const noAbort: AbortSignal = new AbortController().signal;
