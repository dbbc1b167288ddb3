import type { Feedback } from './feedback.ts';
import type { LinkVisit } from './machine-clicks.ts';

/** A question to ask of a person: what it is asked for (a push) names it. Times in ms. */
export type SurveyAsk = { ordinal: number; of: string; at: number };

/** A click (the id of its feedback) of which a profile has not heard yet. `at` in ms. */
export type ClickToJudge = { id: string; message: string; at: number };

/** What came back, by message. */
export type FeedbackStore = {
  /** Keeps one feedback; of a known id the newer rating, comment, time and sign of a machine replace the older. False if it was known. */
  record(feedback: Feedback): Promise<boolean>;
  /** Feedback of from <= at < to, machines' left out, by (at, id), after `cursor`. */
  between(
    from: number,
    to: number,
    page: { cursor: string | null; limit: number },
  ): Promise<{ feedback: Feedback[]; next: string | null }>;
  /** What people wrote in words, and every complaint, newest first, machines' left out. Throws `invalid` for a cursor it did not make. */
  said(page: { cursor: string | null; limit: number }): Promise<{ feedback: Feedback[]; next: string | null }>;
  /** What came back about one message, newest first. */
  ofMessage(message: string): Promise<Feedback[]>;
  /** What one person gave, newest first. A merge moves what `from` gave to `to`; an erasure takes the comments away. */
  ofPerson(ordinal: number, limit: number): Promise<Feedback[]>;

  /** What came back from the people `first` to `last` (both in) of a push, machines' left out, in no order. */
  ofPush(push: string, first: number, last: number): Promise<Feedback[]>;

  /** Keeps that a link of a message was followed, unless so many visits of it are kept; answers all that are, oldest first. */
  visited(visit: LinkVisit, most: number): Promise<LinkVisit[]>;
  /** Keeps that a click is to be looked at again, once it is clear whose it was; of a known id the time is set anew. */
  rememberClick(click: ClickToJudge): Promise<void>;
  /** Up to `limit` of those of before then, oldest first. */
  clicksBefore(before: number, limit: number): Promise<ClickToJudge[]>;
  /** Lets go of those whose time is the same still. */
  forgetClicks(clicks: ClickToJudge[]): Promise<void>;
  /** Keeps when a message was first seen opened; at most one time a message. */
  opened(message: string, at: number): Promise<void>;
  /** How many messages were first seen opened in from <= at < to: at most so many were read, and proxies open everything. */
  opens(from: number, to: number): Promise<number>;
  /** Deletes up to `limit` visits and opens of before then; answers how many. */
  forgetVisits(before: number, limit: number): Promise<number>;

  /**
   * Takes each person's turn to be asked unless they were asked less than `pauseMs` before; answers in the order asked whether
   * it is theirs, also when it was before for the same thing. A merge passes the later turn of the two on.
   */
  takeSurveys(asks: SurveyAsk[], pauseMs: number): Promise<boolean[]>;
};
