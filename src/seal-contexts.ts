import { callContext } from './access/access-service.ts';
import { totpContext } from './access/second-step.ts';
import { type AccountName, accountContext } from './accounts/account-store.ts';
import { applicationContext } from './applications/applicant.ts';
import { sealContextOf } from './channels/courier.ts';
import { opinionContext } from './feedback/opinions/opinion-service.ts';
import type { SealedPlace } from './key-rotation.ts';
import { settingContext } from './keyring.ts';
import { addressContext } from './subscriptions/address.ts';
import { secretContextOf } from './webhooks/webhook-service.ts';

/** What each sealed value is bound to, so that a rotation of keys can seal it anew. */
export const sealContexts: Record<SealedPlace, (bound: string) => string> = {
  addresses: addressContext,
  signUps: addressContext,
  transactional: sealContextOf,
  calls: callContext,
  webhooks: secretContextOf,
  applications: applicationContext,
  opinions: opinionContext,
  staff: totpContext,
  settings: settingContext,
  accounts: (name) => accountContext(name as AccountName),
};
