import type { CatalogueService } from '../../catalogue/catalogue-service.ts';
import type { OutboxEntry, OutboxPage } from '../../channels/outbox.ts';
import type { Config } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import type { FanoutService } from '../../fanout/fanout-service.ts';
import type { Keyring } from '../../keyring.ts';
import type { ItemContent } from '../../publishing/item.ts';
import type { Page } from '../../publishing/item-store.ts';
import type { SignUpService, SubscriptionService } from '../../subscriptions/subscription-service.ts';

export type PublicItem = {
  id: string;
  state: 'published' | 'withdrawn';
  version: number;
  revision: number;
  content: ItemContent;
  changeNote: string | null;
  publishedAt: number | null;
  updatedAt: number;
};

export type ItemReader = {
  search(query: {
    q: string | null;
    topic: string | null;
    cursor: string | null;
    limit: number;
  }): Promise<Page<PublicItem>>;
  read(id: string): Promise<PublicItem | null>;
};

/** What the citizen's pages need. */
export type CitizenDeps = {
  catalogue: CatalogueService;
  signUps: SignUpService;
  subscriptions: SubscriptionService;
  fanout: FanoutService;
  items: ItemReader;
  keyring: Keyring;
  edges: Edges;
  config: Pick<Config, 'publicUrl' | 'locale' | 'timeZone'>;
  vapidPublicKey: string;
  /** The outbox, newest first (src/channels/outbox.ts over this installation's DATA_DIR). */
  readOutbox(page: OutboxPage): Promise<OutboxEntry[]>;
};
