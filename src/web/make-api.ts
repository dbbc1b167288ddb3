import { Router } from 'express';
import type { AccessService } from '../access/access-service.ts';
import type { StaffService } from '../access/staff-service.ts';
import type { ApplicationService } from '../applications/application-service.ts';
import type { AudienceService } from '../audience/audience-service.ts';
import type { ExplainService } from '../audience/explain-service.ts';
import type { BroadcastService } from '../broadcasts/broadcast-service.ts';
import type { BrowsingService } from '../browsing/browsing-service.ts';
import type { CalendarService } from '../calendar/calendar-service.ts';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { EvidenceService } from '../evidence/evidence-service.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import type { FeedbackService } from '../feedback/feedback-service.ts';
import type { OpinionService } from '../feedback/opinions/opinion-service.ts';
import type { ReturnService } from '../feedback/return-service.ts';
import type { SuppressionService } from '../feedback/suppression-service.ts';
import type { Keyring } from '../keyring.ts';
import type { ProfileService } from '../profiles/profile-service.ts';
import type { PublishingService } from '../publishing/publishing-service.ts';
import type { DeadlineService } from '../reports/deadlines.ts';
import type { ReportService } from '../reports/report-service.ts';
import type { RuleService } from '../rules/rule-service.ts';
import type { SourceService } from '../sources/source-service.ts';
import type { SignUpService, SubscriptionService } from '../subscriptions/subscription-service.ts';
import type { TuningService } from '../tuning/tuning-service.ts';
import type { WebhookService } from '../webhooks/webhook-service.ts';
import type { WechatService } from '../wechat/wechat-service.ts';
import { accessRoutes } from './api/access.ts';
import { applicationRoutes } from './api/applications.ts';
import { audienceRoutes } from './api/audience.ts';
import { broadcastRoutes } from './api/broadcasts.ts';
import { calendarRoutes } from './api/calendar.ts';
import { catalogueRoutes } from './api/catalogue.ts';
import { engagementRoutes } from './api/engagement.ts';
import { eventRoutes } from './api/events.ts';
import { evidenceRoutes } from './api/evidence.ts';
import { feedbackRoutes } from './api/feedback.ts';
import { hookRoutes, type SmsSigner } from './api/hooks.ts';
import { itemRoutes } from './api/items.ts';
import { opinionRoutes } from './api/opinions.ts';
import { peopleRoutes } from './api/people.ts';
import { pushRoutes } from './api/pushes.ts';
import { reportRoutes } from './api/reports.ts';
import { ruleRoutes } from './api/rules.ts';
import { sourceRoutes } from './api/sources.ts';
import { subscriptionRoutes } from './api/subscriptions.ts';
import { suppressionRoutes } from './api/suppressions.ts';
import { tuningRoutes } from './api/tuning.ts';
import { webhookRoutes } from './api/webhooks.ts';
import { wechatRoutes } from './api/wechat.ts';
import type { Limits } from './contract/limits.ts';
import { openApiOf } from './contract/openapi.ts';
import { type Route, route } from './contract/route.ts';
import { makeApiRouter } from './contract/router.ts';
import type { Visitors } from './visitor.ts';

export type ApiDeps = {
  catalogue: CatalogueService;
  signUps: SignUpService;
  subscriptions: SubscriptionService;
  profiles: ProfileService;
  browsing: BrowsingService;
  visitors: Visitors;
  publishing: PublishingService;
  rules: RuleService;
  audience: AudienceService;
  explain: ExplainService;
  fanout: FanoutService;
  feedback: FeedbackService;
  returns: ReturnService;
  suppressions: SuppressionService;
  access: AccessService;
  staff: StaffService;
  webhooks: WebhookService;
  sources: SourceService;
  calendar: CalendarService;
  applications: ApplicationService;
  opinions: OpinionService;
  deadlines: DeadlineService;
  tuning: TuningService;
  reports: ReportService;
  wechat: WechatService | null;
  broadcasts: BroadcastService | null;
  evidence: EvidenceService;
  keyring: Pick<Keyring, 'mac'>;
  signers: SmsSigner[];
  publicUrl: string;
  timeZone: string;
  now: () => number;
  locale: Locale;
  limits: Limits;
  streamEveryMs: number;
  stopping: AbortSignal;
};

const apiBase = '/api/v1';
const apiVersion = '1.0.0';

const documentRoute = (document: () => unknown): Route =>
  route({
    method: 'get',
    path: '/openapi.json',
    operationId: 'getDocument',
    tag: 'Document',
    scope: 'public',
    summary: 'This document (OpenAPI 3.1).',
    responses: { 200: 'application/json' },
    handler: async () => ({ status: 200, body: document() }),
  });

/** Every call of the API, in the order of the story, the document of them included. */
const apiRoutes = (deps: ApiDeps): Route[] => {
  // made when it is first asked for: it takes longer than all else of a start
  let document: ReturnType<typeof openApiOf> | undefined;
  const routes: Route[] = [
    ...catalogueRoutes(deps),
    ...subscriptionRoutes(deps),
    ...peopleRoutes(deps),
    ...eventRoutes(deps),
    ...itemRoutes(deps),
    ...ruleRoutes(deps),
    ...audienceRoutes(deps),
    ...pushRoutes(deps),
    ...feedbackRoutes(deps),
    ...applicationRoutes(deps),
    ...opinionRoutes(deps),
    ...reportRoutes(deps),
    ...calendarRoutes(deps),
    ...engagementRoutes(deps),
    ...accessRoutes(deps),
    ...tuningRoutes(deps),
    ...webhookRoutes(deps),
    ...sourceRoutes(deps),
    ...evidenceRoutes(deps),
    ...suppressionRoutes(deps),
    ...hookRoutes(deps),
    ...(deps.broadcasts ? broadcastRoutes(deps.broadcasts) : []),
    ...(deps.wechat ? wechatRoutes(deps.wechat) : []),
    documentRoute(() => {
      document ??= openApiOf(routes, { version: apiVersion, server: `${deps.publicUrl}${apiBase}` });
      return document;
    }),
  ];
  return routes;
};

/** The API at its base. */
export const makeApi = (deps: ApiDeps): Router => Router().use(apiBase, makeApiRouter(apiRoutes(deps), deps));
