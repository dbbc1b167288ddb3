import type { SendResult } from './channel.ts';

/** A failed attempt. */
export type Failure = Extract<SendResult, { ok: false }>;

/**
 * Why attempts fail. The first group is the provider's fault, not the address's: enough of them open its breaker, and the
 * next provider is tried. The words for people are in locales/<locale>/reasons.json under `code`.
 */
const providerFaults = [
  'connection',
  'timeout',
  'tls',
  'auth',
  'sender-refused',
  'provider-error',
  'bad-answer',
  'storage',
] as const;
const otherReasons = [
  'aborted',
  'breaker-open',
  'throttled',
  'deferred',
  'greylisted',
  'mailbox-full',
  'no-such-address',
  'no-such-host',
  'mailbox-disabled',
  'bad-address',
  'too-large',
  'content-refused',
  'refused-by-policy',
  'refused',
  'endpoint-gone',
  'endpoint-forbidden',
  'not-authorised',
  'opted-out-at-provider',
  'not-following',
  'template-refused',
] as const;
export type FailureReason = (typeof providerFaults)[number] | (typeof otherReasons)[number];

/** What a failure is, before the provider's name and words are put to it. */
export type Verdict = Pick<Failure, 'kind' | 'retryAfterMs' | 'addressGone'> & { reason: FailureReason };

const ofProvider: ReadonlySet<string> = new Set(providerFaults);

/** Whether the provider, not the address or the content, is to blame. */
export const isProviderFault = (result: SendResult): boolean =>
  !result.ok && result.kind === 'transient' && ofProvider.has(result.reason);

/** Puts a verdict and the provider's words (cut to 500 characters) together. */
export const failure = (provider: string, verdict: Verdict, detail: string): Failure => ({
  ok: false,
  provider,
  detail: detail.slice(0, 500),
  ...verdict,
});
