import type { AccessStore } from '../access/access-store.ts';
import type { StaffSignInStore } from '../access/staff-sign-in-store.ts';
import type { ApplicationStore } from '../applications/application-store.ts';
import type { AudienceStore } from '../audience/audience-store.ts';
import type { CalendarStore } from '../calendar/calendar-store.ts';
import type { CatalogueStore } from '../catalogue/catalogue-store.ts';
import type { TransactionalStore } from '../channels/courier.ts';
import type { LedgerStore } from '../fanout/ledger-store.ts';
import type { PushStore } from '../fanout/push-store.ts';
import type { FeedbackStore } from '../feedback/feedback-store.ts';
import type { OpinionStore } from '../feedback/opinions/opinion-store.ts';
import type { ReturnStore } from '../feedback/return-store.ts';
import type { ProfileStore } from '../profiles/profile-store.ts';
import type { ItemStore } from '../publishing/item-store.ts';
import type { DeadlineStore } from '../reports/deadline-store.ts';
import type { ReportStore } from '../reports/report-store.ts';
import type { RuleStore } from '../rules/rule-store.ts';
import type { AddressStore, SignUpStore, SubscriptionStore } from '../subscriptions/subscription-store.ts';
import type { TuningStore } from '../tuning/tuning-store.ts';
import type { WebhookStore } from '../webhooks/webhook-store.ts';

/** Every port, over one database. A service names the few it needs: `Pick<Storage, 'items' | 'pushes'>`. */
export type Storage = {
  catalogue: CatalogueStore;
  subscriptions: SubscriptionStore;
  addresses: AddressStore;
  signUps: SignUpStore;
  profiles: ProfileStore;
  items: ItemStore;
  rules: RuleStore;
  pushes: PushStore;
  ledger: LedgerStore;
  feedback: FeedbackStore;
  reports: ReportStore;
  transactional: TransactionalStore;
  audience: AudienceStore;
  access: AccessStore;
  staffSignIns: StaffSignInStore;
  webhooks: WebhookStore;
  returns: ReturnStore;
  calendar: CalendarStore;
  applications: ApplicationStore;
  opinions: OpinionStore;
  deadlines: DeadlineStore;
  tuning: TuningStore;
  /** A cheap round trip; throws when the store does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
};
