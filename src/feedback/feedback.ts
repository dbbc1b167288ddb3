import type { Fault } from '../errors.ts';
import type { ChannelName } from '../subscriptions/follow.ts';

/** What a person can say or do about a message. `click`, `shown` and `dismissed` are seen, the others are said. */
const feedbackKinds = [
  'useful',
  'not-for-me',
  'too-many',
  'complaint',
  'rating',
  'stop',
  'click',
  'shown',
  'dismissed',
] as const;
export type FeedbackKind = (typeof feedbackKinds)[number];

/** What people say with a button or a link; the rest is seen. */
export const saidKinds = ['useful', 'not-for-me', 'too-many', 'stop', 'complaint', 'rating'] as const;
export type SaidKind = (typeof saidKinds)[number];

/** What somebody says: `rating` 1 to 5 where the kind is `rating`, else null. */
export type Said = { kind: SaidKind; rating: number | null; comment: string | null };

export const commentMost = 2_000;

/** Every fault of what somebody says: a rating has a number, nothing else has, and a comment is a text of bounded length. */
export const saidFaults = ({ kind, rating, comment }: Said): Fault[] => [
  ...(kind === 'rating' && rating === null ? [{ path: 'rating', message: 'is required for a rating' }] : []),
  ...(kind !== 'rating' && rating !== null ? [{ path: 'rating', message: `does not go with ${kind}` }] : []),
  ...((comment ?? '').length > commentMost
    ? [{ path: 'comment', message: `must not be longer than ${commentMost} characters` }]
    : []),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  ...(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(comment ?? '')
    ? [{ path: 'comment', message: 'must not hold control characters' }]
    : []),
];

/** Why feedback is taken for a machine's (a mail scanner, a link checker): such feedback is kept, and counted nowhere. */
const machineSigns = ['too-soon', 'every-link', 'head', 'honeypot'] as const;
export type MachineSign = (typeof machineSigns)[number];

/** **feedback**: anything that comes back about one message of one item version. */
export type Feedback = {
  /** Made of what it is about and its kind, so that the same button pressed twice is one feedback. */
  id: string;
  kind: FeedbackKind;
  /** 1 to 5 of a `rating`, else null. */
  rating: number | null;
  comment: string | null;
  push: string;
  item: string;
  version: number;
  ordinal: number;
  channel: ChannelName;
  message: string;
  at: number;
  machine: MachineSign | null;
};
