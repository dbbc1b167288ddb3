import type { Locale } from '../catalogue/topic.ts';

/** Where consent was given: on a page of ours, told by the office over the API, or with an import. */
export type ConsentWay = 'page' | 'api' | 'import';

/**
 * **consents**: what a person allows. `given` proves how it came to be: when (ms), where, and in which wording they read it
 * (null where we showed none); it stays after `withdrawnAt`, the time it was taken back. Both are absent where nothing was said.
 */
export type Consents = {
  personalisation: boolean;
  given?: { at: number; how: ConsentWay; wording: string | null };
  withdrawnAt?: number;
};

/** The version of the words that ask for consent (locales: consent). Whoever changes what they promise changes this. */
const wordingVersion = 2;

/** Names the words that a page showed in that language. */
export const consentWording = (locale: Locale): string => `personalisation-${wordingVersion}/${locale}`;

/** Consents once given at `at`: `before` itself if they were and no new words were read; new words make a new proof. */
export const giveConsent = (
  before: Consents,
  { how, wording }: { how: ConsentWay; wording: string | null },
  at: number,
): Consents => {
  const sameWords = wording === null || wording === before.given?.wording;
  if (before.personalisation && before.given && sameWords) return before;
  return { personalisation: true, given: { at, how, wording } };
};

/** Consents once taken back at `at`; `before` itself where there was nothing to take back. */
export const withdrawConsent = (before: Consents, at: number): Consents =>
  before.personalisation ? { ...before, personalisation: false, withdrawnAt: at } : before;
