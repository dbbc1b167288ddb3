import type { Feedback } from '../feedback/feedback.ts';

/** How long a message can earn its reward, from when it was sent. */
export const rewardWindowMs = 72 * 60 * 60 * 1000;
const goodRating = 4;

/** **reward** of a message: 1 where a person said or showed that it was of use, else 0; `unwanted` where they said so. */
export type Reward = { reward: 0 | 1; unwanted: boolean };

type Said = Pick<Feedback, 'kind' | 'rating' | 'at' | 'machine'>;

/** What one feedback says: for, against, or nothing. Opens are no feedback; what was merely shown or dismissed says nothing. */
const voteOf = ({ kind, rating }: Said): 'for' | 'against' | null => {
  switch (kind) {
    case 'useful':
    case 'click':
      return 'for';
    case 'rating':
      return (rating ?? 0) >= goodRating ? 'for' : null;
    case 'not-for-me':
    case 'stop':
    case 'complaint':
      return 'against';
    default:
      return null;
  }
};

/**
 * The one definition of what a message earned (design D14). What machines did counts nothing; whoever says against it after a
 * click meant the "against"; silence for 72 hours is a zero. Times in ms.
 */
export const rewardOf = (feedback: readonly Said[], sentAt: number): Reward => {
  const votes = feedback
    .filter(({ machine, at }) => machine === null && at >= sentAt && at < sentAt + rewardWindowMs)
    .map(voteOf);
  const unwanted = votes.includes('against');
  return { reward: !unwanted && votes.includes('for') ? 1 : 0, unwanted };
};
