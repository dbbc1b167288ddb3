import { z } from 'zod';
import {
  type SuppressionService,
  type SuppressionView,
  suppressionReasons,
} from '../../feedback/suppression-service.ts';
import { channelNames } from '../../subscriptions/follow.ts';
import { keyed, pageOf, pageQuery, type Route, route } from '../contract/route.ts';
import { instant, next, orNull } from './shapes.ts';

const suppressionShape = z
  .object({
    id: z.string(),
    reason: z.string(),
    at: orNull(instant),
    channel: orNull(z.enum(channelNames)),
    masked: orNull(z.string()).describe('null: nobody has the address any more.'),
    returns: z.array(z.object({ kind: z.string(), reason: z.string(), status: orNull(z.string()), at: instant })),
  })
  .meta({ id: 'Suppression' });

const time = (at: number): string => new Date(at).toISOString();

const present = ({ at, returns, ...view }: SuppressionView): z.output<typeof suppressionShape> => ({
  ...view,
  at: at === 0 ? null : time(at),
  returns: returns.map((one) => ({ ...one, at: time(one.at) })),
});

const findBody = z
  .strictObject({ email: z.string().max(320).optional(), phone: z.string().max(50).optional() })
  .refine(({ email, phone }) => (email === undefined) !== (phone === undefined), 'must hold either email or phone');

type Deps = { suppressions: SuppressionService };
const tag = 'Suppressions';
const scope = 'admin';

/** Addresses that nothing is sent to any more. */
export const suppressionRoutes = ({ suppressions }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/suppressions',
    operationId: 'listSuppressions',
    tag,
    scope,
    summary:
      'Addresses that nothing is sent to any more, masked, newest first, with what came back in the last 30 days.',
    query: z.strictObject({ reason: z.enum(suppressionReasons).optional(), ...pageQuery }),
    responses: { 200: z.object({ suppressions: z.array(suppressionShape), next }) },
    audited: true,
    handler: async ({ query }) => {
      const found = await suppressions.list(query.reason ?? null, pageOf(query));
      return { status: 200, body: { suppressions: found.rows.map(present), next: found.next } };
    },
  }),
  route({
    method: 'post',
    path: '/suppressions/find',
    operationId: 'findSuppression',
    tag,
    scope,
    summary: 'The suppression of an address, if there is one. A POST, so that no log holds the address.',
    body: findBody,
    example: { email: 'li@example.org' },
    responses: { 200: z.object({ suppressions: z.array(suppressionShape) }) },
    handler: async ({ body }) => {
      const { email, phone } = body;
      const found = await suppressions.find({ email, phone });
      return { status: 200, body: { suppressions: found ? [present(found)] : [] }, subject: found?.id ?? '' };
    },
  }),
  route({
    method: 'post',
    path: '/suppressions/{id}/lift',
    operationId: 'liftSuppression',
    tag,
    scope,
    summary:
      'Lifts a suppression, with a note that is audited; of what was erased only its owner can, by signing up again.',
    body: z.strictObject({ note: z.string().min(1).max(1_000) }),
    example: { note: 'The citizen called: the mailbox works again.' },
    responses: { 204: null },
    // the service writes it to the audit log, with the note
    audited: false,
    handler: async ({ params, body, ...call }) => {
      await suppressions.lift(params.id, { staff: keyed(call).actor.staff, note: body.note });
      return { status: 204 };
    },
  }),
];
