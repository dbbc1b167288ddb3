import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../../access/access-store.ts';
import { AppError } from '../../../errors.ts';
import type { PushView } from '../../../fanout/fanout-service.ts';
import { type DeliveryState, deliveryStates } from '../../../fanout/push.ts';
import { codeText } from '../../../fanout/reasons.ts';
import { streamState } from '../../event-stream.ts';
import type { Pages } from '../../pages/page.ts';
import { momentOf, type Voice } from '../../pages/present.ts';
import { pathPart, queryText } from '../../pages/request.ts';
import { actorOf, deskRoles } from '../../staff/applications.ts';
import { numberText } from '../../staff/report-tables.ts';
import type { StaffDeps, StaffPages } from '../../staff/staff-pages.ts';
import type { Faults } from '../items/item-form.ts';
import { titleFor } from '../items/item-words.ts';
import { ruleWriters } from '../rules/rule-edit.ts';
import { pushNewRouter } from './push-new.ts';

const pageSize = 25;
const ordersShown = 100;
const failuresRead = 200;
const notes = ['push-ordered', 'order-gone', 'push-started', 'push-paused', 'push-resumed', 'push-cancelled'];
const notSettled: readonly DeliveryState[] = ['planned', 'sending'];

const pushOf = async ({ fanout }: Pick<StaffDeps, 'fanout'>, id: string): Promise<PushView> => {
  const push = await fanout.get(id);
  if (!push) throw new AppError('not-found', 'There is no such push.');
  return push;
};

const titleOf = async ({ publishing }: StaffDeps, voice: Voice, push: Pick<PushView, 'item'>) => {
  const item = await publishing.get(push.item);
  return item ? titleFor(item.content, voice.locale) : { title: push.item, lang: voice.locale };
};

/** Why messages did not arrive: of the newest that failed or came back, how many for which reason. */
const failuresOf = async (deps: StaffDeps, voice: Voice, push: PushView) => {
  const counts = new Map<string, number>();
  for (const state of ['failed', 'bounced'] as const) {
    if (push.counts[state] === 0) continue;
    const { rows } = await deps.fanout.deliveries(push.id, state, { cursor: null, limit: failuresRead });
    for (const { code } of rows) {
      const words = codeText(code, voice.t) ?? voice.t(`state.${state}`);
      counts.set(words, (counts.get(words) ?? 0) + 1);
    }
  }
  return [...counts].map(([reason, count]) => ({ reason, count: numberText(voice, count) }));
};

/** How a push goes, as numbers in words: what is settled, how fast, until when. */
const progressOf = async (deps: StaffDeps, voice: Voice, push: PushView) => {
  const { t } = voice;
  const people = deliveryStates.reduce((sum, state) => sum + push.counts[state], 0);
  const left = notSettled.reduce((sum, state) => sum + push.counts[state], 0);
  const settled = people - left;
  const minutes = push.plannedAt === null ? 0 : ((push.finishedAt ?? deps.edges.now()) - push.plannedAt) / 60_000;
  const rate = settled > 0 && minutes > 0 ? Math.round(settled / minutes) : null;
  return {
    state: push.state,
    over: push.finishedAt !== null,
    people: numberText(voice, people),
    settled: numberText(voice, settled),
    share: people === 0 ? 0 : settled / people,
    rate: rate === null ? null : t('publisher:pushes.rate', { number: numberText(voice, rate) }),
    end:
      push.finishedAt === null
        ? push.estimatedEnd && t('publisher:pushes.estimatedEnd', { date: momentOf(voice, push.estimatedEnd) })
        : t('publisher:pushes.ended', { date: momentOf(voice, push.finishedAt) }),
    counts: deliveryStates
      .toReversed()
      .filter((state) => push.counts[state] > 0)
      .map((state) => ({
        name: t(`publisher:pushes.count.${state}`),
        people: numberText(voice, push.counts[state]),
        share: people === 0 ? 0 : push.counts[state] / people,
      })),
    failures: await failuresOf(deps, voice, push),
  };
};

/** Pushes that wait for their time, or could not start. */
const ordersOf = async (deps: StaffDeps, voice: Voice) =>
  Promise.all(
    (await deps.pushOrders.list(ordersShown)).map(async ({ id, item, audience, at, failed, note }) => ({
      ...{ id, note, kind: audience.kind },
      ...(await titleOf(deps, voice, { item })),
      at: momentOf(voice, at),
      failed: failed === null ? null : voice.t('publisher:pushes.notStarted'),
    })),
  );

/** Takes a push back that waits. One that is gone was taken back, or has started, which the list shows. */
const takeBack = (deps: StaffDeps) => async (req: Request, res: Response, me: Staff) => {
  const id = pathPart(req, 'id');
  try {
    await deps.pushOrders.cancel(id, actorOf(me));
    await deps.access.audit({ actor: me.id, action: 'cancelOrder', subject: id, details: { by: 'page' } });
  } catch (error) {
    if (!(error instanceof AppError) || !['not-found', 'wrong-state'].includes(error.code)) throw error;
    return res.redirect(303, '/staff/pushes');
  }
  res.redirect(303, '/staff/pushes?done=order-gone');
};

const list = (deps: StaffDeps, pages: Pages, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
  const voice = await pages.voice(req);
  const { rows, next } = await deps.fanout.list({ cursor: queryText(req, 'after'), limit: pageSize });
  own.show(req, res, me, 'pushes/list', {
    orders: queryText(req, 'after') ? [] : await ordersOf(deps, voice),
    done: notes.find((note) => note === queryText(req, 'done')) ?? null,
    rows: await Promise.all(
      rows.map(async (push) => ({
        href: `/staff/pushes/${push.id}`,
        ...(await titleOf(deps, voice, push)),
        ...{ state: push.state, lane: push.lane, kind: push.audience.kind },
        created: momentOf(voice, push.createdAt),
        people: numberText(voice, push.matched),
        sent: numberText(voice, push.counts.sent + push.counts.delivered),
      })),
    ),
    next: next && `/staff/pushes?after=${encodeURIComponent(next)}`,
  });
};

const waiting = ({ counts }: PushView): boolean => counts.deferred + counts.digested > 0;

const makeShow =
  (deps: StaffDeps, pages: Pages, own: StaffPages) =>
  async (req: Request, res: Response, me: Staff, faults: Faults = {}, status = 200) => {
    const voice = await pages.voice(req);
    const push = await pushOf(deps, pathPart(req, 'id'));
    const { state } = push;
    const controls = me.roles.some((role) => ruleWriters.some((one) => one === role));
    const stoppable = ['planning', 'running'].includes(state) || (state === 'done' && waiting(push));
    own.show(
      req,
      res,
      me,
      'pushes/push',
      {
        faults,
        push: {
          ...{ id: push.id, item: push.item, version: push.version, note: push.note, kind: push.audience.kind },
          ...(await titleOf(deps, voice, push)),
          created: momentOf(voice, push.createdAt),
        },
        progress: await progressOf(deps, voice, push),
        steps: {
          pause: controls && stoppable,
          resume: controls && state === 'paused',
          cancel: controls && (stoppable || state === 'paused'),
        },
        done: notes.find((note) => note === queryText(req, 'done')) ?? null,
      },
      status,
    );
  };

/** The progress as it changes, for the script of the page: the markup that the page itself would show. */
const events = (deps: StaffDeps, pages: Pages) => async (req: Request, res: Response) => {
  const voice = await pages.voice(req);
  const id = pathPart(req, 'id');
  await pushOf(deps, id);
  await streamState(req, res, {
    event: 'progress',
    read: async () => {
      const push = await deps.fanout.get(id);
      if (!push) return null;
      const progress = await progressOf(deps, voice, push);
      const html = pages.fragment(req, 'staff/pushes/progress', { progress });
      return { html, state: progress.state, over: progress.over };
    },
    isLast: ({ over }) => over,
    everyMs: deps.streamEveryMs,
    stopping: deps.stopping,
  });
};

const control = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = makeShow(deps, pages, own);
  const done = { pause: 'push-paused', resume: 'push-resumed', cancel: 'push-cancelled' } as const;
  return async (req: Request, res: Response, me: Staff) => {
    const step = (['pause', 'resume', 'cancel'] as const).find((one) => one === pathPart(req, 'step'));
    if (!step) throw new AppError('not-found', 'There is no such step.');
    const id = pathPart(req, 'id');
    try {
      await deps.fanout[step](id, actorOf(me));
    } catch (error) {
      if (!(error instanceof AppError) || !['wrong-state', 'no-scope'].includes(error.code)) throw error;
      const voice = await pages.voice(req);
      return show(req, res, me, { step: voice.t(`publisher:fault.step.${error.code}`) }, 409);
    }
    await deps.access.audit({ actor: me.id, action: `${step}Push`, subject: id, details: { by: 'page' } });
    res.redirect(303, `/staff/pushes/${id}?done=${done[step]}`);
  };
};

/** Pushes: the list, how one goes, and what holds it up. */
export const pushRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const show = makeShow(deps, pages, own);
  return Router()
    .get('/staff/pushes', own.only(list(deps, pages, own), ...deskRoles))
    .use(pushNewRouter(deps, pages, own))
    .get(
      '/staff/pushes/:id',
      own.only((req, res, me) => show(req, res, me), ...deskRoles),
    )
    .get('/staff/pushes/:id/events', own.only(events(deps, pages), ...deskRoles))
    .post('/staff/pushes/orders/:id', own.only(takeBack(deps), ...ruleWriters))
    .post('/staff/pushes/:id/:step', own.only(control(deps, pages, own), ...ruleWriters));
};
