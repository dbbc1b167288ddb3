import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import { AppError } from '../../errors.ts';
import { codeText } from '../../fanout/reasons.ts';
import { field, pathPart, queryText } from '../pages/request.ts';
import { actorOf } from '../staff/applications.ts';
import { type AdminDeps, type AdminPages, adminHome } from './admin-pages.ts';

const place = `${adminHome}/dead-letters`;
const perPage = 50;

const nextOf = (base: string, next: string | null): string | null =>
  next === null ? null : `${base}?${new URLSearchParams({ cursor: next })}`;

/** Messages that failed for good, by push, to be sent once more when what was wrong is mended. */
export const deadLetterPages = ({ fanout, publishing }: AdminDeps, own: AdminPages): Router => {
  const titleOf = async (item: string): Promise<string> => (await publishing.get(item))?.content.title ?? item;

  const list = async (req: Request, res: Response, me: Staff) => {
    const voice = await own.voice(req);
    const page = await fanout.list({ cursor: queryText(req, 'cursor'), limit: perPage });
    const failed = page.rows.filter(({ counts }) => counts.failed > 0);
    const rows = await Promise.all(
      failed.map(async ({ id, item, counts, createdAt }) => ({
        ...{ id, failed: counts.failed, at: own.moment(voice, createdAt) },
        title: await titleOf(item),
      })),
    );
    own.show(req, res, me, 'dead-letters', { rows, looked: page.rows.length, next: nextOf(place, page.next) });
  };

  const one = async (req: Request, res: Response, me: Staff) => {
    const [voice, push] = [await own.voice(req), await fanout.get(pathPart(req, 'push'))];
    if (!push) throw new AppError('not-found', 'There is no such push.');
    const page = await fanout.deliveries(push.id, 'failed', { cursor: queryText(req, 'cursor'), limit: perPage });
    await own.audit(me, 'listDeadLetters', push.id);
    const rows = page.rows.map(({ id, subscriber, channel, code, attempts, at, provider }) => ({
      ...{ id, subscriber, channel, attempts, provider, at: own.moment(voice, at) },
      why: codeText(code, voice.t),
    }));
    own.show(req, res, me, 'dead-letter', {
      ...{ id: push.id, rows, title: await titleOf(push.item), done: own.done(req, 'redriven', 'nothing') },
      next: nextOf(`${place}/${push.id}`, page.next),
    });
  };

  const redrive = async (req: Request, res: Response, me: Staff) => {
    const [push, id] = [pathPart(req, 'push'), field(req, 'id')];
    const moved = await fanout.redrive(id === '' ? { push } : { push, messages: [id] }, actorOf(me));
    await own.audit(me, 'redrive', push, { deliveries: moved });
    res.redirect(303, `${place}/${encodeURIComponent(push)}?done=${moved > 0 ? 'redriven' : 'nothing'}`);
  };

  return Router()
    .get(place, own.only(list))
    .get(`${place}/:push`, own.only(one))
    .post(`${place}/:push`, own.only(redrive));
};
