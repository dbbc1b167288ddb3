import { z } from 'zod';
import { commentMost, type Said, saidFaults } from '../../feedback/feedback.ts';
import type { FeedbackService } from '../../feedback/feedback-service.ts';
import { type Route, route } from '../contract/route.ts';

const kinds = ['useful', 'not-for-me', 'too-many', 'complaint', 'rating'] as const;

const feedbackBody = z.strictObject({
  token: z.string().min(1).max(300).describe('of any link in the message'),
  kind: z.enum(kinds),
  rating: z.number().int().min(1).max(5).optional().describe('with kind rating, and only then'),
  comment: z.string().trim().min(1).max(commentMost).optional(),
});

const saidOf = ({ kind, rating, comment }: Omit<z.output<typeof feedbackBody>, 'token'>): Said => ({
  kind,
  rating: rating ?? null,
  comment: comment ?? null,
});

/** What anybody may say who holds a message. */
export const feedbackRoutes = ({ feedback }: { feedback: Pick<FeedbackService, 'give'> }): Route[] => [
  route({
    method: 'post',
    path: '/feedback',
    operationId: 'giveFeedback',
    tag: 'Feedback',
    scope: 'public',
    summary: 'Says something about a message, by the token of one of its links; the same said twice counts once.',
    body: feedbackBody,
    example: { token: 'Yl9vVQ…', kind: 'rating', rating: 4, comment: 'Clear, but a day late.' },
    idempotent: true,
    responses: { 202: z.object({ status: z.literal('received') }) },
    limited: 'guess',
    check: async ({ kind, rating, comment }) => (kind ? saidFaults(saidOf({ kind, rating, comment })) : []),
    handler: async ({ body }) => {
      const { token, ...said } = body;
      await feedback.give(token, saidOf(said));
      return { status: 202, body: { status: 'received' } };
    },
  }),
];
