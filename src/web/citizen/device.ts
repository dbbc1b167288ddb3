import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { locales, textIn } from '../../text.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';

const subscription = z.object({
  endpoint: z.string().max(2_000),
  keys: z.object({ p256dh: z.string().max(200), auth: z.string().max(100) }),
});
const renewal = z.object({ from: subscription, to: subscription });

/** The service worker tells that its push service gave it another endpoint. */
const renew = (deps: CitizenDeps) => async (req: Request, res: Response) => {
  const read = renewal.safeParse(req.body);
  if (!read.success) throw new AppError('invalid', 'The two subscriptions are asked for.');
  const { from, to } = read.data;
  await deps.signUps.renewBrowser({ channel: 'webPush', ...from }, { channel: 'webPush', ...to });
  res.status(204).end();
};

/** What the service worker keeps and shows without a network: in both languages, for it outlives a change of language. */
const offline = (pages: Pages) => (req: Request, res: Response) =>
  pages.show(req, res, 'offline', {
    languages: locales
      .toSorted((a, b) => Number(b === pages.visit(req).locale) - Number(a === pages.visit(req).locale))
      .map((locale) => ({ locale, t: textIn(locale) })),
  });

/** What an installed site asks for behind its pages. */
export const deviceRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .post('/push/renew', pages.limited, express.json({ limit: '20kb' }), renew(deps))
    .get('/offline', offline(pages));
