import type { SqliteDatabase } from './database.ts';
import { accessSchema } from './schema/access.ts';
import { accountsSchema } from './schema/accounts.ts';
import { applicationsSchema } from './schema/applications.ts';
import { askedFeedsSchema } from './schema/asked-feeds.ts';
import { audienceSchema } from './schema/audience.ts';
import { batchSinceSchema } from './schema/batch-since.ts';
import { capsSchema } from './schema/caps.ts';
import { catalogueSchema } from './schema/catalogue.ts';
import { clicksToJudgeSchema } from './schema/clicks-to-judge.ts';
import { digestHourSchema } from './schema/digest-hour.ts';
import { digestsSchema } from './schema/digests.ts';
import { fanoutSchema } from './schema/fanout.ts';
import { feedbackSchema } from './schema/feedback.ts';
import { feedsSchema } from './schema/feeds.ts';
import { leavingSchema } from './schema/leaving.ts';
import { postDoubtsSchema } from './schema/post-doubts.ts';
import { profilesSchema } from './schema/profiles.ts';
import { publishingSchema } from './schema/publishing.ts';
import { pushFoldsSchema } from './schema/push-folds.ts';
import { pushOrdersSchema } from './schema/push-orders.ts';
import { replyAddressesSchema } from './schema/reply-addresses.ts';
import { reportsSchema } from './schema/reports.ts';
import { returnsSchema } from './schema/returns.ts';
import { ruleDepartmentsSchema } from './schema/rule-departments.ts';
import { rulesSchema } from './schema/rules.ts';
import { saidFeedbackSchema } from './schema/said-feedback.ts';
import { secondStepSchema } from './schema/second-step.ts';
import { sourcesSchema } from './schema/sources.ts';
import { subscriptionsSchema } from './schema/subscriptions.ts';
import { transactionalSchema } from './schema/transactional.ts';
import { tuningSchema } from './schema/tuning.ts';
import { webhooksSchema } from './schema/webhooks.ts';

/** Applied in order, each once, on start; numbered by their place. A released migration is never changed; a new one is appended. */
const migrations: string[] = [
  [
    catalogueSchema,
    subscriptionsSchema,
    publishingSchema,
    fanoutSchema,
    accessSchema,
    transactionalSchema,
    profilesSchema,
    rulesSchema,
    audienceSchema,
  ].join('\n'),
  webhooksSchema,
  [capsSchema, digestsSchema].join('\n'),
  digestHourSchema,
  feedbackSchema,
  returnsSchema,
  applicationsSchema,
  tuningSchema,
  reportsSchema,
  replyAddressesSchema,
  clicksToJudgeSchema,
  pushFoldsSchema,
  feedsSchema,
  batchSinceSchema,
  ruleDepartmentsSchema,
  accountsSchema,
  leavingSchema,
  saidFeedbackSchema,
  pushOrdersSchema,
  secondStepSchema,
  postDoubtsSchema,
  askedFeedsSchema,
  sourcesSchema,
];

/** The schema that this program makes: how many migrations there are. */
export const newestSchema = migrations.length;

/**
 * Brings the schema forward, to the newest or to an older one; safe to run twice and from two processes at once (each step is
 * one write transaction).
 */
export const migrate = async (db: SqliteDatabase, to: number = newestSchema): Promise<void> => {
  await db.write(() =>
    db.exec('CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT'),
  );
  for (const [at, sql] of migrations.slice(0, to).entries()) {
    const id = at + 1;
    await db.write(() => {
      if (db.prepare('SELECT id FROM migrations WHERE id = ?').get(id)) return;
      db.exec(sql);
      db.prepare('INSERT INTO migrations VALUES (?, ?)').run(id, Date.now());
    });
  }
};
