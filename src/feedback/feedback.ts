import type { ChannelName } from '../subscriptions/follow.ts';

/** What a person can say or do about a message. `click`, `shown` and `dismissed` are seen, the others are said. */
export const feedbackKinds = [
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

/** Why feedback is taken for a machine's (a mail scanner, a link checker): such feedback is kept, and counted nowhere. */
export const machineSigns = ['too-soon', 'every-link', 'head', 'honeypot'] as const;
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
