import { z } from 'zod';
import type { FanoutService } from '../../fanout/fanout-service.ts';
import type { Item } from '../../publishing/item.ts';
import type { PublishingService } from '../../publishing/publishing-service.ts';
import { keyed, type Reply, type Route, route } from '../contract/route.ts';
import { presentItem } from '../present.ts';
import { correctBody, sentFields } from './item-input.ts';
import { itemShape, pushRef } from './shapes.ts';

type Deps = { publishing: PublishingService; fanout: FanoutService; publicUrl: string };

const note = z.string().trim().min(1).max(2_000);
const maybePush = z.union([pushRef, z.null()]);
const withPush = z.object({ item: itemShape, push: maybePush });

/** The largest correction; as a new item's. */
const bodyLimit = 4 * 1024 * 1024;

const refOf = (push: { id: string } | null): z.output<typeof maybePush> => push && { id: push.id };

type Shown = (item: Item) => z.output<typeof itemShape>;

const reviewRoutes = ({ publishing, fanout }: Deps, shown: Shown): Route[] => [
  route({
    method: 'post',
    path: '/items/{id}/submit',
    operationId: 'submitItem',
    tag: 'Items',
    scope: 'publish',
    summary: 'Sends a draft for review.',
    responses: { 200: itemShape },
    idempotent: true,
    handler: async (call) => ({
      status: 200,
      body: shown(await publishing.submit(call.params.id, keyed(call).actor)),
    }),
  }),
  route({
    method: 'post',
    path: '/items/{id}/approve',
    operationId: 'approveItem',
    tag: 'Items',
    scope: 'publish',
    summary: 'Countersigns for a department, or approves where no department is concerned; never for the writer.',
    body: z.strictObject({ as: z.string().trim().min(1).max(200).optional() }),
    responses: { 200: itemShape.extend({ push: maybePush }).meta({ id: 'ApprovedItem' }) },
    idempotent: true,
    handler: async (call): Promise<Reply> => {
      const { actor } = keyed(call);
      const { published, push } = await fanout.approve(call.params.id, call.body.as ?? null, actor);
      return { status: 200, body: { ...shown(published.item), push: refOf(push) } };
    },
  }),
  route({
    method: 'post',
    path: '/items/{id}/reject',
    operationId: 'rejectItem',
    tag: 'Items',
    scope: 'publish',
    summary: 'Sends an item back to draft, with the reason.',
    body: z.strictObject({ reason: note }),
    responses: { 200: itemShape },
    idempotent: true,
    handler: async (call) => ({
      status: 200,
      body: shown(await publishing.reject(call.params.id, call.body.reason, keyed(call).actor)),
    }),
  }),
  route({
    method: 'post',
    path: '/items/{id}/schedule',
    operationId: 'scheduleItem',
    tag: 'Items',
    scope: 'publish',
    summary: 'Sets the time at which an approved item is published.',
    body: z.strictObject({ at: z.iso.datetime({ offset: true }) }),
    responses: { 200: itemShape },
    idempotent: true,
    handler: async (call) => ({
      status: 200,
      body: shown(await publishing.schedule(call.params.id, Date.parse(call.body.at), keyed(call).actor)),
    }),
  }),
];

const publicRoutes = ({ publishing, fanout }: Deps, shown: Shown): Route[] => [
  route({
    method: 'post',
    path: '/items/{id}/publish',
    operationId: 'publishItem',
    tag: 'Items',
    scope: 'publish',
    summary: 'Publishes and tells everybody whom it concerns; publishing again answers with the same push.',
    responses: { 202: z.object({ item: itemShape, push: pushRef }) },
    idempotent: true,
    handler: async (call) => {
      const { published, push } = await fanout.publish(call.params.id, keyed(call).actor);
      return { status: 202, body: { item: shown(published.item), push: refOf(push) } };
    },
  }),
  route({
    method: 'post',
    path: '/items/{id}/correct',
    operationId: 'correctItem',
    tag: 'Items',
    scope: 'publish',
    summary:
      'Corrects a published item; a major change tells everybody who was told before. Under review, `push` is null.',
    body: correctBody,
    bodyLimit,
    example: { change: 'major', note: 'The date was wrong.', summary: 'From Tuesday.' },
    responses: { 202: withPush },
    idempotent: true,
    check: (content) => publishing.faultsIn(content),
    handler: async (call) => {
      const { change, note: why, ...body } = call.body;
      const wanted = { change, note: why, fields: sentFields(body) };
      const { published, push } = await fanout.correct(call.params.id, wanted, keyed(call).actor);
      return { status: 202, body: { item: shown(published.item), push: refOf(push) } };
    },
  }),
  route({
    method: 'post',
    path: '/items/{id}/withdraw',
    operationId: 'withdrawItem',
    tag: 'Items',
    scope: 'publish',
    summary: 'Withdraws a published item and tells those who were told; `notify: false` only if nobody was.',
    body: z.strictObject({ note, notify: z.boolean() }),
    responses: { 202: withPush },
    idempotent: true,
    handler: async (call) => {
      const { note: why, notify } = call.body;
      const { published, push } = await fanout.withdraw(call.params.id, why, notify, keyed(call).actor);
      return { status: 202, body: { item: shown(published.item), push: refOf(push) } };
    },
  }),
];

/** An item's way from draft through review to the public, its corrections, its withdrawal. */
export const itemWorkflowRoutes = (deps: Deps): Route[] => {
  const shown: Shown = (item) => presentItem(item, { publicUrl: deps.publicUrl, inside: true });
  return [...reviewRoutes(deps, shown), ...publicRoutes(deps, shown)];
};
