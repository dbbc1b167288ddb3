import { type Request, type Response, Router } from 'express';
import type { OutboxEntry } from '../../channels/outbox.ts';
import { AppError } from '../../errors.ts';
import { isLoopback } from '../../public-address.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import { sendMail } from '../pages/mail-frame.ts';
import type { Pages } from '../pages/page.ts';
import { momentOf } from '../pages/present.ts';
import { queryText } from '../pages/request.ts';

const pageSize = 30;

const linksOf = (entry: OutboxEntry): string[] => [
  ...new Set([
    ...Object.values(entry.data ?? {}).filter((value) => /^https?:/.test(value)),
    ...(entry.text.match(/https?:\/\/[^\s<>"）)]+/g) ?? []),
    ...[entry.url, entry.unsubscribe, entry.manage].filter(Boolean),
  ]),
];

const list = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const { locale, t } = pages.visit(req);
  const after = queryText(req, 'after');
  const entries = await deps.readOutbox({ limit: pageSize, ...(after ? { after } : {}) });
  pages.show(req, res, 'outbox', {
    entries: entries.map((entry) => ({
      ...entry,
      when: momentOf({ locale, timeZone: deps.config.timeZone }, entry.at),
      channelName: t(`channel.${entry.channel}`),
      frame: entry.html === null ? null : `/dev/outbox/mail?id=${encodeURIComponent(entry.id)}`,
      links: linksOf(entry),
    })),
    next: entries.length === pageSize ? `/dev/outbox?after=${encodeURIComponent(entries.at(-1)?.id ?? '')}` : null,
  });
};

const mail = (deps: CitizenDeps) => async (req: Request, res: Response) => {
  const id = queryText(req, 'id') ?? '';
  // an entry is the first one older than whatever sorts right after it
  const [entry] = await deps.readOutbox({ limit: 1, after: `${id}~` });
  if (entry?.id !== id || entry.html === null) throw new AppError('not-found', 'there is no such message');
  sendMail(res, entry.html);
};

/** The outbox of an installation on this machine; anywhere else there is nothing here. */
export const outboxRouter = (deps: CitizenDeps, pages: Pages): Router =>
  isLoopback(deps.config.publicUrl)
    ? Router().get('/dev/outbox', list(deps, pages)).get('/dev/outbox/mail', mail(deps))
    : Router();
