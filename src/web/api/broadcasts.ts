import { z } from 'zod';
import type { BroadcastService, PostPreview } from '../../broadcasts/broadcast-service.ts';
import { keyed, type Route, route } from '../contract/route.ts';
import { orNull } from './shapes.ts';

const postShape = z.object({
  version: z.int(),
  state: z.enum(['pending', 'sent', 'failed', 'superseded', 'off']),
  reference: orNull(z.string()).describe('Weibo’s id of the post.'),
  response: orNull(z.string()),
  at: z.iso.datetime({ offset: true }),
});
const broadcastShape = z
  .object({
    weibo: z.boolean().describe('Whether versions of this item are posted.'),
    text: z.string(),
    length: z.int().describe('As Weibo counts, of 140.'),
    posts: z.array(postShape),
  })
  .meta({ id: 'Broadcast' });

const shown = ({ on, text, length, posts }: PostPreview): z.output<typeof broadcastShape> => ({
  weibo: on,
  text,
  length,
  posts: posts.map(({ version, state, reference, response, at }) => ({
    ...{ version, state, reference, response },
    at: new Date(at).toISOString(),
  })),
});

/** What of an item is posted on the office's public account; where one is configured. */
export const broadcastRoutes = (broadcasts: Pick<BroadcastService, 'preview' | 'switchItem'>): Route[] => [
  route({
    method: 'get',
    path: '/items/{id}/broadcast',
    operationId: 'getBroadcast',
    tag: 'Items',
    scope: 'publish',
    summary: 'What would be, and was, posted of an item on the office’s Weibo account.',
    responses: { 200: broadcastShape },
    handler: async ({ params }) => ({ status: 200, body: shown(await broadcasts.preview(params.id)) }),
  }),
  route({
    method: 'put',
    path: '/items/{id}/broadcast',
    operationId: 'putBroadcast',
    tag: 'Items',
    scope: 'publish',
    summary: 'Switches posts of an item on the office’s Weibo account off or on; what waits is not posted then.',
    body: z.strictObject({ weibo: z.boolean() }),
    responses: { 200: broadcastShape },
    handler: async (call) => {
      const { params, body } = call;
      await broadcasts.switchItem(params.id, body.weibo, keyed(call).actor);
      return { status: 200, body: shown(await broadcasts.preview(params.id)) };
    },
  }),
];
