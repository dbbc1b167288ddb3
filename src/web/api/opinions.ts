import { z } from 'zod';
import { answerMost, opinionKinds, opinionOutcomes, opinionStates } from '../../feedback/opinions/opinion.ts';
import type { OpinionService, OpinionView } from '../../feedback/opinions/opinion-service.ts';
import { keyed, pageOf, pageQuery, type Route, route } from '../contract/route.ts';
import { time } from '../present.ts';
import { instant, next, orNull } from './shapes.ts';

type Deps = { opinions: OpinionService };

const opinionShape = z
  .object({
    id: z.string(),
    state: z.enum(opinionStates),
    kind: z.enum(opinionKinds),
    item: z.string(),
    title: z.string(),
    text: orNull(z.string()).describe('Null once whoever wrote it was forgotten.'),
    at: instant,
    answer: orNull(z.object({ outcome: z.enum(opinionOutcomes), reason: z.string(), at: instant })),
    published: orNull(z.object({ text: z.string(), at: instant })),
  })
  .meta({ id: 'Opinion', description: 'Who wrote it is not shown.' });

const present = ({ id, state, kind, item, title, text, at, answer, published }: OpinionView) => ({
  ...{ id, state, kind, item, title, text },
  at: time(at),
  answer: answer && { outcome: answer.outcome, reason: answer.reason, at: time(answer.at) },
  published: published && { text: published.text, at: time(published.at) },
});

const words = z.string().trim().min(1).max(answerMost);

/** Questions and opinions about items: read, answered, published. */
export const opinionRoutes = ({ opinions }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/opinions',
    operationId: 'listOpinions',
    tag: 'Opinions',
    scope: 'admin',
    summary: 'Questions and opinions about items, newest first.',
    query: z.strictObject({
      state: z.enum(opinionStates).optional(),
      item: z.string().min(1).max(100).optional(),
      ...pageQuery,
    }),
    responses: { 200: z.object({ opinions: z.array(opinionShape), next }) },
    audited: true,
    handler: async ({ query }) => {
      const found = await opinions.list({ state: query.state ?? null, item: query.item ?? null }, pageOf(query));
      return { status: 200, body: { opinions: found.rows.map(present), next: found.next } };
    },
  }),
  route({
    method: 'post',
    path: '/opinions/{id}/answer',
    operationId: 'answerOpinion',
    tag: 'Opinions',
    scope: 'admin',
    summary: 'Answers: adopted, or not adopted, and why; the writer is told. `answered` is for questions alone.',
    body: z.strictObject({ outcome: z.enum(opinionOutcomes), reason: words }),
    responses: { 200: opinionShape },
    idempotent: true,
    handler: async (call) => ({
      status: 200,
      body: present(await opinions.answer(call.params.id, call.body, keyed(call).actor)),
    }),
  }),
  route({
    method: 'post',
    path: '/opinions/{id}/publish',
    operationId: 'publishOpinion',
    tag: 'Opinions',
    scope: 'admin',
    summary:
      'Shows an answered one on the page of its item, or no longer. `text` takes the place of what was written; leave personal data out.',
    body: z.strictObject({ published: z.boolean(), text: words.optional() }),
    responses: { 200: opinionShape },
    idempotent: true,
    handler: async (call) => {
      const { published, text } = call.body;
      const shown = published ? (text === undefined ? {} : { text }) : null;
      return { status: 200, body: present(await opinions.publish(call.params.id, shown, keyed(call).actor)) };
    },
  }),
];
