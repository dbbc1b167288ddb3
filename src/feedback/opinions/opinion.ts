import type { Fault } from '../../errors.ts';

/** What somebody wrote about an item: a question, or an opinion that asks to be adopted. */
export const opinionKinds = ['question', 'opinion'] as const;
export type OpinionKind = (typeof opinionKinds)[number];

/** How many characters a writer may write, and staff in their answer. */
export const opinionMost = 4_000;
export const answerMost = 5_000;

/** What the office says to it. `answered` is for questions alone. */
export const opinionOutcomes = ['adopted', 'not-adopted', 'answered'] as const;
export type OpinionOutcome = (typeof opinionOutcomes)[number];

export const opinionStates = ['open', 'answered'] as const;
export type OpinionState = (typeof opinionStates)[number];

/** An answer: what became of it, and the office's words, which the writer and later everybody may read. */
type OpinionAnswer = { outcome: OpinionOutcome; reason: string; at: number; by: string };

/**
 * **opinion**: one person's question or opinion about an item. open -> answered; an answered one may be published with the
 * item: `published` holds the words shown there, which staff keep free of personal data. `writer` is an ordinal, null once that
 * person was forgotten; `written` is their words, sealed, null then.
 */
export type Opinion = {
  id: string;
  /** Counts changes, for who reads before they write. */
  beat: number;
  state: OpinionState;
  kind: OpinionKind;
  item: string;
  writer: number | null;
  written: string | null;
  answer: OpinionAnswer | null;
  published: { text: string; at: number } | null;
  /** A letter to the writer that has not been posted yet. */
  owes: 'letter' | null;
  at: number;
};

/** What is wrong with an answer: its reason is always due, and `answered` says nothing of an opinion. */
export const answerFaults = (
  kind: OpinionKind,
  { outcome, reason }: { outcome: OpinionOutcome; reason: string },
): Fault[] => [
  ...(outcome === 'answered' && kind === 'opinion'
    ? [{ path: 'outcome', message: 'of an opinion must be adopted or not-adopted' }]
    : []),
  ...(reason.trim() === '' ? [{ path: 'reason', message: 'must say why, to the person who wrote' }] : []),
];

/** open -> answered; the writer has to be told. */
export const answered = (opinion: Opinion, answer: OpinionAnswer): Opinion => ({
  ...opinion,
  state: 'answered',
  answer,
  owes: opinion.writer === null ? null : 'letter',
});
