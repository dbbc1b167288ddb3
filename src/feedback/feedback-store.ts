import type { Feedback } from './feedback.ts';

/** What came back, by message. */
export type FeedbackStore = {
  /** Keeps one feedback; of a known id the newer rating, comment and time replace the older. False if it was known. */
  record(feedback: Feedback): Promise<boolean>;
  /** Feedback of from <= at < to, machines' left out, by (at, id), after `cursor`. */
  between(
    from: number,
    to: number,
    page: { cursor: string | null; limit: number },
  ): Promise<{ feedback: Feedback[]; next: string | null }>;
  /** What came back about one message, newest first. */
  ofMessage(message: string): Promise<Feedback[]>;
  /** What one person gave, newest first. */
  ofPerson(ordinal: number, limit: number): Promise<Feedback[]>;
};
