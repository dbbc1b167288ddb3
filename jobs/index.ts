import { countReports } from './count-reports.ts';
import { foldLedger } from './fold-ledger.ts';
import { forgetExpired } from './forget-expired.ts';
import { forgetLeavers } from './forget-leavers.ts';
import { forgetOldCalls } from './forget-old-calls.ts';
import { forgetOldEvents } from './forget-old-events.ts';
import { forgetOldReturns } from './forget-old-returns.ts';
import { forgetOldVisits } from './forget-old-visits.ts';
import { forgetOldWebhooks } from './forget-old-webhooks.ts';
import type { Job } from './job.ts';
import { learnClicks } from './learn-clicks.ts';
import { pollSources } from './poll-sources.ts';
import { publishScheduled } from './publish-scheduled.ts';
import { settleOwed } from './settle-owed.ts';
import { startPushes } from './start-pushes.ts';
import { sweepChanges } from './sweep-changes.ts';
import { tuneRules } from './tune-rules.ts';
import { warnDeadlines } from './warn-deadlines.ts';

export const jobs: readonly Job[] = [
  publishScheduled,
  startPushes,
  pollSources,
  forgetExpired,
  forgetOldCalls,
  forgetLeavers,
  forgetOldEvents,
  forgetOldVisits,
  forgetOldReturns,
  learnClicks,
  settleOwed,
  warnDeadlines,
  forgetOldWebhooks,
  sweepChanges,
  foldLedger,
  tuneRules,
  countReports,
];
