import { join } from 'node:path';
import { type AccessService, makeAccessService } from './access/access-service.ts';
import { makeStaffService, type StaffService } from './access/staff-service.ts';
import { type ApplicationService, makeApplicationService } from './applications/application-service.ts';
import { type AudienceMatcher, makeAudienceMatcher, makeSelection } from './audience/audience-matcher.ts';
import { type AudienceService, makeAudienceService } from './audience/audience-service.ts';
import { type ExplainService, makeExplainService } from './audience/explain-service.ts';
import { type IndexKeeper, makeIndexKeeper } from './audience/index-keeper.ts';
import { makeOracleCheck } from './audience/oracle-check.ts';
import { type BroadcastService, makeBroadcastService } from './broadcasts/broadcast-service.ts';
import type { Poster } from './broadcasts/deliver-posts.ts';
import { type BrowsingService, makeBrowsingService } from './browsing/browsing-service.ts';
import { type CalendarService, makeCalendarService } from './calendar/calendar-service.ts';
import { readOutlines } from './catalogue/areas/outlines.ts';
import { type CatalogueService, makeCatalogueService } from './catalogue/catalogue-service.ts';
import { type ItemReader, makeItemReader } from './catalogue/item-reader.ts';
import { type ChannelDesk, makeChannelDesk } from './channels/channel-desk.ts';
import { type Courier, makeCourier } from './channels/courier.ts';
import { forgetInOutbox } from './channels/outbox.ts';
import { makeWechatClient, type WechatClient } from './channels/wechat/wechat-client.ts';
import { makeWeiboClient } from './channels/weibo/weibo-client.ts';
import type { Config } from './config.ts';
import type { Edges } from './edges.ts';
import { type EvidenceService, makeEvidenceService } from './evidence/evidence-service.ts';
import type { FanoutService } from './fanout/fanout-service.ts';
import { makeLedgerFold } from './fanout/fold-ledger.ts';
import { makeFanoutService } from './fanout/make-fanout-service.ts';
import { makePushOrders, type PushOrderService } from './fanout/push-orders.ts';
import { type FeedbackService, makeFeedbackService } from './feedback/feedback-service.ts';
import { makeOpinionService, type OpinionService } from './feedback/opinions/opinion-service.ts';
import { makeReturnService, type ReturnService } from './feedback/return-service.ts';
import { makeSuppressionService, type SuppressionService } from './feedback/suppression-service.ts';
import { type AskedFeeds, makeAskedFeeds } from './feeds/asked-feeds.ts';
import { type FeedService, makeFeedService } from './feeds/feed-service.ts';
import { makeRecentItems, type RecentItems } from './feeds/recent.ts';
import type { Keyring } from './keyring.ts';
import type { Log } from './log.ts';
import { type MessageTemplates, makeMessageTemplates } from './message-templates.ts';
import { makeProfileService, type ProfileService } from './profiles/profile-service.ts';
import type { Actor } from './publishing/item.ts';
import { makePublishingService, type PublishingService } from './publishing/publishing-service.ts';
import { type DeadlineService, makeDeadlineService } from './reports/deadlines.ts';
import { makeReportCounter, type ReportCounter } from './reports/report-counter.ts';
import { makeReportService, type ReportService } from './reports/report-service.ts';
import { makeDeadlineWarnings } from './reports/warn-deadlines.ts';
import { makeRuleService, type RuleService } from './rules/rule-service.ts';
import { makeFeedFetcher, mayFetch } from './sources/fetch-feed.ts';
import { makeSourceService, type SourceService } from './sources/source-service.ts';
import type { Storage } from './storage/storage.ts';
import { makeSignUpService } from './subscriptions/sign-up-service.ts';
import type { Contact } from './subscriptions/subscriber.ts';
import {
  makeSubscriptionService,
  type SignUpService,
  type SubscriptionService,
} from './subscriptions/subscription-service.ts';
import { makeNight } from './tuning/nightly.ts';
import { makeOwnerTeller } from './tuning/tell-owner.ts';
import { makeTuningService, type TuningService } from './tuning/tuning-service.ts';
import { makeWebhookService, type WebhookService } from './webhooks/webhook-service.ts';
import { makeWechatService, type WechatService } from './wechat/wechat-service.ts';

/** Everything a router, a job or a worker may lean on. */
export type Services = {
  stores: Storage;
  edges: Edges;
  log: Log;
  keyring: Keyring;
  catalogue: CatalogueService;
  items: ItemReader;
  signUps: SignUpService;
  subscriptions: SubscriptionService;
  profiles: ProfileService;
  browsing: BrowsingService;
  publishing: PublishingService;
  feeds: FeedService;
  recent: RecentItems;
  askedFeeds: AskedFeeds;
  rules: RuleService;
  audienceIndex: IndexKeeper;
  audienceMatcher: AudienceMatcher;
  audience: AudienceService;
  explain: ExplainService;
  fanout: FanoutService;
  pushOrders: PushOrderService;
  feedback: FeedbackService;
  returns: ReturnService;
  suppressions: SuppressionService;
  channelDesk: ChannelDesk;
  access: AccessService;
  staff: StaffService;
  templates: MessageTemplates;
  courier: Courier;
  webhooks: WebhookService;
  calendar: CalendarService;
  applications: ApplicationService;
  opinions: OpinionService;
  deadlines: DeadlineService;
  /** Tells staff, once each, of time limits that end soon. */
  warnDeadlines: () => Promise<number>;
  tuning: TuningService;
  /** The night's run of tuning. */
  tuneAtNight(signal: AbortSignal): Promise<void>;
  /** The night's folding of old ledger rows; answers how many went. */
  foldLedger(signal: AbortSignal): Promise<number>;
  reportCounter: ReportCounter;
  reports: ReportService;
  /** The official account, or null where none is configured; `wechatApi` is what it and its channel call. */
  wechat: WechatService | null;
  wechatApi: WechatClient | null;
  /** The office's public account, or null where none is configured; `weibo` is who posts. */
  broadcasts: BroadcastService | null;
  weibo: Poster | null;
  evidence: EvidenceService;
  /** Feeds of other offices that are polled. */
  sources: SourceService;
};

/** Who acts when nobody asked: schedules and imports by configuration. */
export const systemActor: Actor = { staff: 'system', roles: ['publisher', 'admin'], departments: [] };

export type ServiceTools = {
  config: Config;
  edges: Edges;
  log: Log;
  keyring: Keyring;
  /** Tells the workers of this machine that there is work. */
  wake: () => void;
};

/** Builds the services in the order of the story: topics, what people ask for, what offices publish, whom it reaches. */
export const makeServices = (stores: Storage, tools: ServiceTools): Services => {
  const { config, edges, log, keyring, wake } = tools;
  const templates = makeMessageTemplates({ publicUrl: config.publicUrl, opens: config.feedback.opens });
  const courier = makeCourier(stores, { keyring, edges, wake });

  const catalogue = makeCatalogueService(stores);
  const calendar = makeCalendarService(stores, { edges, log, config });
  const items = makeItemReader(stores, { catalogue });

  const forgetSent = (contacts: Contact[]) => forgetInOutbox(config.dataDir, contacts);
  const people = { keyring, edges, catalogue, courier, forgetSent, templates, config };
  const signUps = makeSignUpService(stores, people);
  const subscriptions = makeSubscriptionService(stores, people);
  const profiles = makeProfileService(stores, { catalogue, edges, config });
  const browsing = makeBrowsingService(stores, { profiles, catalogue, keyring, edges, config });

  const publishing = makePublishingService(stores, {
    ...{ catalogue, edges, review: config.review },
    outlines: readOutlines(config.regionOutlines),
  });
  const recent = makeRecentItems(stores, { items, catalogue, edges });
  const askedFeeds = makeAskedFeeds(stores, { edges, log });
  const feeds = makeFeedService(stores, { items, recent, asked: askedFeeds, catalogue, edges, config });
  const rules = makeRuleService(stores, { catalogue, edges, review: config.review });
  const audienceIndex = makeIndexKeeper(stores, {
    edges,
    log,
    snapshotFile: join(config.dataDir, 'audience.snapshot'),
    oracle: makeOracleCheck(stores, { catalogue, edges, timeZone: config.timeZone }),
  });
  const selection = makeSelection(stores, { catalogue, edges, timeZone: config.timeZone });
  const audienceMatcher = makeAudienceMatcher(selection, audienceIndex);
  const audience = makeAudienceService(stores, { selection, source: audienceIndex, rules, keyring, edges });
  const explain = makeExplainService(stores, { catalogue, edges, timeZone: config.timeZone });
  const allowPrivate = config.webPush.allowPrivateEndpoints;
  const webhooks = makeWebhookService(stores, { keyring, edges, allowPrivate, wake });
  const weibo = config.weibo ? makeWeiboClient(config.weibo, { store: stores.accounts, keyring, edges, log }) : null;
  const broadcasts = weibo
    ? makeBroadcastService(stores, { edges, publicUrl: config.publicUrl, api: weibo, wake })
    : null;
  const broadcast = broadcasts ? { broadcast: broadcasts.tell } : {};
  const fanout = makeFanoutService(stores, { publishing, edges, keyring, wake, tell: webhooks.tell, ...broadcast });

  const sources = makeSourceService(stores, {
    ...{ publishing, edges, log },
    announce: fanout.announce,
    fetch: makeFeedFetcher({ allowLoopback: allowPrivate }, edges),
    mayCall: (url) => mayFetch(url, allowPrivate),
  });

  const pushOrders = makePushOrders(stores, { fanout, edges });

  const office = { keyring, edges, log, calendar, publishing, fanout, courier, templates, config };
  const applications = makeApplicationService(stores, office);
  const opinions = makeOpinionService(stores, office);
  const feedback = makeFeedbackService(stores, {
    ...{ fanout, browsing, opinions, keyring, edges, config },
    tell: webhooks.tell,
  });
  const returns = makeReturnService(stores, {
    fanout,
    subscriptions,
    feedback,
    keyring,
    edges,
    config,
    tell: webhooks.tell,
    log,
  });
  const deadlines = makeDeadlineService(stores, office);
  const warnDeadlines = makeDeadlineWarnings(stores, { ...office, deadlines });
  const reportCounter = makeReportCounter(stores, { edges, timeZone: config.timeZone });
  const foldLedger = makeLedgerFold(stores, { edges, log, ledgerDays: config.ledgerDays });

  const reports = makeReportService(stores, { edges });

  const access = makeAccessService(stores, {
    edges,
    keyring,
    ...(config.adminApiKey === undefined ? {} : { adminApiKey: config.adminApiKey }),
  });
  const rulesOfAddresses = { phoneCountry: config.phoneCountry, insecureEndpoints: allowPrivate };
  const suppressions = makeSuppressionService(stores, {
    ...{ keyring, rules: rulesOfAddresses, now: edges.now },
    audit: access.audit,
  });
  const tuning = makeTuningService(stores, { edges, rules });
  const tellOwner = makeOwnerTeller(stores, { templates, courier, edges, config });
  const { timeZone } = config;
  const tuneAtNight = makeNight(stores, { edges, log, timeZone, rules, tuning, audit: access.audit, tellOwner });
  const wechatApi = config.wechat
    ? makeWechatClient(config.wechat, { store: stores.accounts, keyring, edges, log })
    : null;
  const wechat =
    config.wechat && wechatApi
      ? makeWechatService(stores, {
          ...{ config: config.wechat, publicUrl: config.publicUrl, api: wechatApi, keyring, edges, log },
          ...{ catalogue, subscriptions, returns },
        })
      : null;
  const channelDesk = makeChannelDesk(stores, {
    ...{ config, keyring, courier, templates, edges },
    rules: rulesOfAddresses,
  });
  const evidence = makeEvidenceService(stores, { keyring, edges, fanout, config });
  const staff = makeStaffService(stores, { edges, keyring, access, courier, templates, config });

  return {
    stores,
    edges,
    log,
    keyring,
    catalogue,
    items,
    signUps,
    subscriptions,
    profiles,
    browsing,
    publishing,
    feeds,
    recent,
    askedFeeds,
    rules,
    audienceIndex,
    audienceMatcher,
    audience,
    explain,
    fanout,
    pushOrders,
    feedback,
    returns,
    suppressions,
    channelDesk,
    access,
    staff,
    templates,
    courier,
    webhooks,
    calendar,
    applications,
    opinions,
    deadlines,
    warnDeadlines,
    tuning,
    tuneAtNight,
    foldLedger,
    reportCounter,
    reports,
    wechat,
    wechatApi,
    broadcasts,
    weibo,
    evidence,
    sources,
  };
};
