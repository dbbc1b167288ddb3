import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import { AppError } from '../../errors.ts';
import { webhookEvents } from '../../webhooks/webhook.ts';
import { field, fields, pathPart, queryText } from '../pages/request.ts';
import { type AdminDeps, type AdminPages, adminHome, blank, type Form } from './admin-pages.ts';

const place = `${adminHome}/webhooks`;
const perPage = 50;
const states = ['pending', 'sent', 'failed'] as const;

/** Other systems that are told what happens, and what each was told. A new secret is shown once. */
export const webhookPages = ({ webhooks }: AdminDeps, own: AdminPages): Router => {
  const list = async (
    req: Request,
    res: Response,
    me: Staff,
    { form = blank, secret = null, status = 200 }: { form?: Form; secret?: string | null; status?: number } = {},
  ) => {
    const voice = await own.voice(req);
    const rows = (await webhooks.list()).map(({ id, url, events, createdAt }) => ({
      ...{ id, url, events, at: own.moment(voice, createdAt) },
    }));
    const values = {
      rows,
      events: webhookEvents,
      secret,
      token: own.newOnce(),
      ...form,
      done: own.done(req, 'removed'),
    };
    own.show(req, res, me, 'webhooks', values, status);
  };

  const add = async (req: Request, res: Response, me: Staff) => {
    const typed = { url: field(req, 'url'), events: fields(req, 'events') };
    const wanted = webhookEvents.filter((event) => typed.events.includes(event));
    const refuse = (faults: Form['faults'], status: number) => list(req, res, me, { form: { typed, faults }, status });
    if (!URL.canParse(typed.url)) return refuse({ url: 'admin:fault.url' }, 400);
    if (wanted.length === 0) return refuse({ events: 'admin:fault.events' }, 400);
    try {
      const secret = await own.makeOnce(req, me, async () => {
        const made = await webhooks.add(typed.url, wanted);
        await own.audit(me, 'addWebhook', made.webhook.id);
        return made.secret;
      });
      await list(req, res, me, { secret, status: 201 });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'invalid') return refuse({ url: 'admin:fault.url' }, 400);
      if (error.code === 'conflict') return refuse({ url: 'admin:fault.webhooks' }, 409);
      throw error;
    }
  };

  const one = async (req: Request, res: Response, me: Staff) => {
    const [voice, webhook] = [await own.voice(req), await webhooks.get(pathPart(req, 'id'))];
    const state = states.find((known) => known === queryText(req, 'state')) ?? null;
    const page = await webhooks.deliveries(webhook.id, state, { cursor: queryText(req, 'cursor'), limit: perPage });
    const rows = page.rows.map(({ event, type, at, state, attempts, response }) => ({
      ...{ event, type, state, attempts, response, at: own.moment(voice, at) },
    }));
    const query = new URLSearchParams({ ...(state ? { state } : {}), ...(page.next ? { cursor: page.next } : {}) });
    own.show(req, res, me, 'webhook', {
      ...{
        webhook: { id: webhook.id, url: webhook.url },
        rows,
        state,
        states,
        done: own.done(req, 'replayed', 'nothing'),
      },
      next: page.next && `${place}/${webhook.id}?${query}`,
    });
  };

  const replay = async (req: Request, res: Response, me: Staff) => {
    const id = pathPart(req, 'id');
    const event = field(req, 'event');
    const again = await webhooks.replay(id, { event });
    await own.audit(me, 'replayWebhook', id, { event });
    res.redirect(303, `${place}/${encodeURIComponent(id)}?done=${again > 0 ? 'replayed' : 'nothing'}`);
  };

  const remove = async (req: Request, res: Response, me: Staff) => {
    const id = pathPart(req, 'id');
    await webhooks.remove(id);
    await own.audit(me, 'removeWebhook', id);
    res.redirect(303, `${place}?done=removed`);
  };

  return Router()
    .get(
      place,
      own.only((req, res, me) => list(req, res, me)),
    )
    .post(place, own.only(add))
    .get(`${place}/:id`, own.only(one))
    .post(`${place}/:id/replay`, own.only(replay))
    .post(`${place}/:id/remove`, own.only(remove));
};
