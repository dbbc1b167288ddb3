import { randomBytes } from 'node:crypto';
import { makeCatalogueService, seedCatalogue } from '../../../src/catalogue/catalogue-service.ts';
import type { SharedContent, Slots } from '../../../src/channels/channel.ts';
import { makeKeyring, newWrappedLookupKey } from '../../../src/keyring.ts';
import { makeMessageTemplates } from '../../../src/message-templates.ts';
import type { Item } from '../../../src/publishing/item.ts';
import { sqliteStorage } from '../../../src/storage/sqlite/sqlite-storage.ts';
import { makeSignUpService } from '../../../src/subscriptions/sign-up-service.ts';
import type { Contact } from '../../../src/subscriptions/subscriber.ts';
import { makeSubscriptionService } from '../../../src/subscriptions/subscription-service.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';
import { makeContent } from './fixtures.ts';

const secret = 'a secret of a test';

type Posted = { to: Contact; content: SharedContent; slots: Partial<Slots>; expiresAt: number };

export const makeItem = (fields: Partial<Item> = {}): Item =>
  ({
    id: 'item-1',
    externalId: null,
    state: 'published',
    version: 1,
    revision: 0,
    content: makeContent({ title: 'A new bridge' }),
    writer: 'writer',
    approvals: [],
    rejection: null,
    scheduledFor: null,
    pending: null,
    changeNote: null,
    importMark: null,
    createdAt: 0,
    updatedAt: 0,
    publishedAt: 0,
    ...fields,
  }) as Item;

/** The services of people over a real store, with the clock in the test's hand; what leaves is kept in `posted`. */
export const openDesk = async () => {
  const db = await openMemory();
  const stores = sqliteStorage(db);
  await seedCatalogue(stores.catalogue);
  const catalogue = makeCatalogueService(stores);
  const title = { en: 'Housing', 'zh-CN': '住房' };
  await catalogue.addTopic({ slug: 'housing', title, parent: 'services' });
  const keyring = makeKeyring(secret, newWrappedLookupKey(secret));
  const posted: Posted[] = [];
  let now = Date.parse('2026-03-01T08:30:00Z');
  const tools = {
    keyring,
    edges: { now: () => now, bytes: randomBytes },
    catalogue,
    forgetSent: async () => undefined,
    courier: {
      pretend: async () => undefined,
      post: async (to: Contact, content: SharedContent, slots: Partial<Slots>, expiresAt: number) => {
        posted.push({ to, content, slots, expiresAt });
      },
    },
    templates: makeMessageTemplates({ publicUrl: 'https://bell.example.org' }),
    config: {
      publicUrl: 'https://bell.example.org',
      locale: 'zh-CN' as const,
      phoneCountry: 'CN',
      webPush: { allowPrivateEndpoints: false },
    },
  };
  return {
    db,
    stores,
    catalogue,
    keyring,
    tools,
    posted,
    signUps: makeSignUpService(stores, tools),
    subscriptions: makeSubscriptionService(stores, tools),
    pass: (ms: number) => {
      now += ms;
    },
    now: () => now,
    lastLink: (): string => posted.at(-1)?.slots.item ?? '',
    lastToken: (): string => (posted.at(-1)?.slots.item ?? '').split('/').at(-1) ?? '',
    lastCode: (): string => /\d{6}/.exec(posted.at(-1)?.content.sms ?? '')?.[0] ?? '',
    close: async () => db.close(),
  };
};
export type Desk = Awaited<ReturnType<typeof openDesk>>;

export const email = (text: string): Contact => ({ channel: 'email', email: text });
export const phone = (text: string): Contact => ({ channel: 'sms', phone: text });
export const webPush = (endpoint = 'https://push.example.org/1'): Contact => ({
  channel: 'webPush',
  endpoint,
  keys: {
    p256dh: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url'),
    auth: Buffer.alloc(16, 9).toString('base64url'),
  },
});
