import type { Feedback } from '../../../src/feedback/feedback.ts';
import { rewardOf, rewardWindowMs } from '../../../src/tuning/reward.ts';

const sentAt = 1_000_000;
const said = (kind: Feedback['kind'], more: Partial<Pick<Feedback, 'rating' | 'at' | 'machine'>> = {}) => ({
  kind,
  rating: null,
  at: sentAt + 60_000,
  machine: null,
  ...more,
});

describe('the reward of a message', () => {
  const cases: [string, ReturnType<typeof said>[], 0 | 1, boolean][] = [
    ['useful', [said('useful')], 1, false],
    ['a click of a person', [said('click')], 1, false],
    ['four stars', [said('rating', { rating: 4 })], 1, false],
    ['five stars', [said('rating', { rating: 5 })], 1, false],
    ['three stars', [said('rating', { rating: 3 })], 0, false],
    ['silence', [], 0, false],
    ['not for me', [said('not-for-me')], 0, true],
    ['a stop', [said('stop')], 0, true],
    ['a complaint', [said('complaint')], 0, true],
    ['too many, which is about the pace', [said('too-many')], 0, false],
    ['shown and dismissed', [said('shown'), said('dismissed')], 0, false],
    ['a click, then not for me', [said('click'), said('not-for-me')], 0, true],
    ['a click of a scanner', [said('click', { machine: 'too-soon' })], 0, false],
    ['a stop pressed by a scanner', [said('stop', { machine: 'every-link' })], 0, false],
    ['a click in the last millisecond', [said('click', { at: sentAt + rewardWindowMs - 1 })], 1, false],
    ['a click after 72 hours', [said('click', { at: sentAt + rewardWindowMs })], 0, false],
    ['a stop after 72 hours', [said('stop', { at: sentAt + rewardWindowMs })], 0, false],
  ];
  it.each(cases)('of %s', (_name, feedback, reward, unwanted) => {
    expect(rewardOf(feedback, sentAt)).toEqual({ reward, unwanted });
  });
});
