import { forgetExpired } from './forget-expired.ts';
import { forgetOldEvents } from './forget-old-events.ts';
import { forgetOldVisits } from './forget-old-visits.ts';
import { forgetOldWebhooks } from './forget-old-webhooks.ts';
import type { Job } from './job.ts';
import { publishScheduled } from './publish-scheduled.ts';
import { tuneRules } from './tune-rules.ts';

export const jobs: readonly Job[] = [
  publishScheduled,
  forgetExpired,
  forgetOldEvents,
  forgetOldVisits,
  forgetOldWebhooks,
  tuneRules,
];
