import type { AccountHealth, AccountStore } from '../accounts/account-store.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import type { Keyring } from '../keyring.ts';
import type { Storage } from '../storage/storage.ts';
import { type AddressRules, lookupOf, normaliseContact, openContact } from '../subscriptions/address.ts';
import type { Contact } from '../subscriptions/subscriber.ts';
import { channelTestKey, type SharedContent, type Slots } from './channel.ts';
import type { Courier } from './courier.ts';
import { readSmtpUrl } from './email/smtp-url.ts';
import { readSmsUrl } from './sms/sms-url.ts';

/** The channels whose providers stand in the configuration. */
export const providedChannels = ['email', 'sms', 'webPush'] as const;
export type ProvidedChannel = (typeof providedChannels)[number];

/**
 * A channel as staff see it. `outbox`: nothing leaves, messages are files. `providers`: who takes its messages, without users and passwords,
 * and how many a second at most (null: as many as it takes); none for web push, whose services people's browsers choose.
 */
export type ChannelState = AccountHealth & {
  channel: ProvidedChannel;
  outbox: boolean;
  providers: { name: string; rate: number | null }[];
};

/** `no-address`: what was typed is none; `no-browser`: nobody with the tester's email address has web push switched on. */
type TestFault = 'no-address' | 'no-browser';

export type ChannelDesk = {
  states(): Promise<ChannelState[]>;
  /**
   * Sends a test message to an address, by the way of all transactional messages; of web push to the browsers of whoever is told at the
   * email address `to`. Answers why not, or null; what becomes of it is in the channel's state.
   */
  test(channel: ProvidedChannel, to: string, locale: Locale): Promise<TestFault | null>;
};

export type DeskTools = {
  config: Pick<Config, 'email' | 'sms' | 'webPush'>;
  rules: AddressRules;
  keyring: Pick<Keyring, 'lookup' | 'open'>;
  courier: Courier;
  /** The letter that says that it is a test; `at` in ms. */
  templates: {
    channelTest(input: { locale: Locale; at: number }): { content: SharedContent; slots: Partial<Slots> };
  };
  edges: Pick<Edges, 'now'>;
};

/** A test that has not left by then is of no use. */
const testMs = 10 * 60_000;

const leaving = (urls: string[]): string[] => urls.filter((url) => !url.startsWith('outbox:'));

const providersOf = (channel: ProvidedChannel, { email, sms }: DeskTools['config']): ChannelState['providers'] => {
  const read = channel === 'email' ? leaving(email.urls).map(readSmtpUrl) : leaving(sms.urls).map(readSmsUrl);
  return channel === 'webPush' ? [] : read.map(({ provider, rate }) => ({ name: provider, rate: rate ?? null }));
};

/** What administrators see and try of the channels that need no account of their own: email, SMS, web push. */
export const makeChannelDesk = (
  { accounts, addresses }: { accounts: Pick<AccountStore, 'health'> } & Pick<Storage, 'addresses'>,
  { config, rules, keyring, courier, templates, edges }: DeskTools,
): ChannelDesk => {
  const contactOf = (contact: Contact): Contact | null => {
    const normal = normaliseContact(contact, rules);
    return normal.ok ? normal.contact : null;
  };

  const browsersOf = async (email: Contact): Promise<Contact[]> => {
    const address = await addresses.find(lookupOf(keyring, email));
    const held = address ? await addresses.ofSubscribers([address.subscriber]) : [];
    return held.map((one) => openContact(keyring, one)).filter(({ channel }) => channel === 'webPush');
  };

  return {
    states: () =>
      Promise.all(
        providedChannels.map(async (channel) => {
          const providers = providersOf(channel, config);
          const outbox = channel === 'webPush' ? config.webPush.outbox : providers.length === 0;
          return { channel, outbox, providers, ...(await accounts.health(channel)) };
        }),
      ),
    test: async (channel, to, locale) => {
      const typed = contactOf(channel === 'sms' ? { channel, phone: to } : { channel: 'email', email: to });
      if (!typed) return 'no-address';
      const contacts = channel === 'webPush' ? await browsersOf(typed) : [typed];
      if (contacts.length === 0) return 'no-browser';
      const { content, slots } = templates.channelTest({ locale, at: edges.now() });
      const marked = { ...content, key: `${channelTestKey} ${content.key}` };
      for (const contact of contacts) await courier.post(contact, marked, slots, edges.now() + testMs);
      return null;
    },
  };
};
