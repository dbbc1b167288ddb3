import type { ApplicationService } from '../../applications/application-service.ts';
import type { AudienceService } from '../../audience/audience-service.ts';
import type { CatalogueService } from '../../catalogue/catalogue-service.ts';
import type { ItemReader } from '../../catalogue/item-reader.ts';
import type { OutboxEntry, OutboxPage } from '../../channels/outbox.ts';
import type { Config } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import type { FanoutService } from '../../fanout/fanout-service.ts';
import type { FeedbackService } from '../../feedback/feedback-service.ts';
import type { OpinionService } from '../../feedback/opinions/opinion-service.ts';
import type { Keyring } from '../../keyring.ts';
import type { ProfileService } from '../../profiles/profile-service.ts';
import type { RuleService } from '../../rules/rule-service.ts';
import type { SignUpService, SubscriptionService } from '../../subscriptions/subscription-service.ts';
import type { WechatService } from '../../wechat/wechat-service.ts';
import type { Limits } from '../contract/limits.ts';
import type { Visitors } from '../visitor.ts';

/** What the citizen's pages need. */
export type CitizenDeps = {
  catalogue: CatalogueService;
  signUps: SignUpService;
  subscriptions: SubscriptionService;
  profiles: ProfileService;
  visitors: Visitors;
  fanout: FanoutService;
  feedback: FeedbackService;
  applications: ApplicationService;
  opinions: OpinionService;
  items: ItemReader;
  /** Null where no official account is configured: then nothing of it shows. */
  wechat: WechatService | null;
  rules: Pick<RuleService, 'active'>;
  audience: Pick<AudienceService, 'reach'>;
  keyring: Keyring;
  /** The same for pages, API and links: whoever sends by all of them is counted once. */
  limits: Limits;
  edges: Edges;
  config: Pick<Config, 'publicUrl' | 'locale' | 'timeZone' | 'feedback'>;
  vapidPublicKey: string;
  /** The outbox, newest first (src/channels/outbox.ts over this installation's DATA_DIR). */
  readOutbox(page: OutboxPage): Promise<OutboxEntry[]>;
};
