import type { FeedbackStore } from '../../feedback/feedback-store.ts';
import type { PushContext } from './push-context.ts';
import type { Plan } from './rows.ts';

/** Nobody is asked twice within so long. */
const pauseMs = 30 * 86_400_000;

/** Base64url letters of a message's id that decide, behind those that neighbours share. */
const decidingLetters = { from: 8, to: 12 };

/**
 * Whether a message is in the sample. Its id is an HMAC, so that a few of its letters are a draw that nobody can choose and
 * that comes out the same after every crash.
 */
export const isSampled = (message: string, share: number): boolean => {
  if (share <= 0) return false;
  const { from, to } = decidingLetters;
  return Buffer.from(message.slice(from, to), 'base64url').readUIntBE(0, 3) / 2 ** 24 < share;
};

/** The messages among those that leave which ask how satisfied their reader is: mails about an item, no emergency and no answer. */
export const takeSurveys = async (
  store: Pick<FeedbackStore, 'takeSurveys'>,
  { push, version, answers }: PushContext,
  plans: Plan[],
  { share, now }: { share: number; now: number },
): Promise<ReadonlySet<string>> => {
  if (version.kind === 'withdrawal' || version.content.urgency === 'emergency') return new Set();
  const asking = plans.flatMap(({ decision, message, person }) =>
    decision.kind === 'send' &&
    decision.channel === 'email' &&
    person &&
    message &&
    !answers.has(person.ordinal) &&
    isSampled(message, share)
      ? [{ message, ordinal: person.ordinal }]
      : [],
  );
  if (asking.length === 0) return new Set();
  const taken = await store.takeSurveys(
    asking.map(({ ordinal }) => ({ ordinal, of: push.id, at: now })),
    pauseMs,
  );
  return new Set(asking.filter((_, index) => taken[index]).map(({ message }) => message));
};
