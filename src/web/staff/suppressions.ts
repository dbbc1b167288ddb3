import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import { AppError } from '../../errors.ts';
import { type SuppressionView, suppressionReasons } from '../../feedback/suppression-service.ts';
import type { Pages } from '../pages/page.ts';
import { momentOf, type Voice } from '../pages/present.ts';
import { field, queryText } from '../pages/request.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

const place = '/staff/suppressions';
const perPage = 50;

const reasonWords = ({ t }: Voice, reason: string): string =>
  suppressionReasons.some((one) => one === reason) ? t(`staff.suppressions.reason.${reason}`) : reason;

const rowOf = (voice: Voice, view: SuppressionView) => ({
  id: view.id,
  title: view.masked ?? voice.t('staff.suppressions.nobody'),
  channel: view.channel,
  reason: reasonWords(voice, view.reason),
  at: view.at === 0 ? '' : momentOf(voice, view.at),
  came: view.returns.slice(0, 5).map((one) => ({
    words: [one.status, one.reason].filter(Boolean).join(' '),
    kind: voice.t(`staff.suppressions.kind.${one.kind}`),
    at: momentOf(voice, one.at),
  })),
  liftable: view.reason !== 'erased',
});

type Shown = { rows: SuppressionView[]; next: string | null };
type Extra = { who?: string; reason?: string; faults?: Record<string, string>; done?: boolean; found?: boolean };

const makeShow =
  (pages: Pages, own: StaffPages) =>
  async (req: Request, res: Response, me: Staff, { rows, next }: Shown, extra: Extra, status = 200) => {
    const voice = await pages.voice(req);
    const reason = extra.reason ?? '';
    const query = new URLSearchParams({
      ...(reason === '' ? {} : { reason }),
      ...(next === null ? {} : { cursor: next }),
    });
    const values = {
      who: '',
      faults: {},
      done: false,
      found: false,
      ...extra,
      reason,
      reasons: suppressionReasons,
      rows: rows.map((one) => rowOf(voice, one)),
      next: next === null ? null : `${place}?${query}`,
    };
    own.show(req, res, me, 'suppressions', values, status);
  };

/** The address as it was typed: with an @ an email address, else a phone number. */
const contactOf = (who: string) => (who.includes('@') ? { email: who } : { phone: who });

/** The list of addresses that nothing is sent to any more; finding one is a POST, so that no address stands in a log. */
export const suppressionsRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const { suppressions } = deps;
  const show = makeShow(pages, own);

  const list = async (req: Request, res: Response, me: Staff, extra: Extra = {}, status = 200) => {
    const reason = suppressionReasons.find((one) => one === queryText(req, 'reason')) ?? null;
    const cursor = queryText(req, 'cursor') || null;
    const page = await suppressions.list(reason, { cursor, limit: perPage });
    await deps.access.audit({ actor: me.id, action: 'listSuppressions', subject: null, details: { by: 'page' } });
    await show(
      req,
      res,
      me,
      page,
      { done: queryText(req, 'done') === 'lifted', ...extra, reason: reason ?? '' },
      status,
    );
  };

  const find = async (req: Request, res: Response, me: Staff) => {
    const who = field(req, 'who');
    const refuse = (fault: string, status: number) => list(req, res, me, { who, faults: { who: fault } }, status);
    if (who === '') return refuse('staff.fault.addressMissing', 400);
    try {
      const view = await suppressions.find(contactOf(who));
      await deps.access.audit({
        actor: me.id,
        action: 'findSuppression',
        subject: view?.id ?? '',
        details: { by: 'page' },
      });
      if (!view) return refuse('staff.fault.notSuppressed', 404);
      return show(req, res, me, { rows: [view], next: null }, { who, found: true });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
      return refuse('staff.fault.address', 400);
    }
  };

  const lift = async (req: Request, res: Response, me: Staff) => {
    const [id, note] = [field(req, 'id'), field(req, 'note')];
    if (note === '') return list(req, res, me, { faults: { note: 'staff.fault.note' } }, 400);
    await suppressions.lift(id, { staff: me.id, note });
    res.redirect(303, `${place}?done=lifted`);
  };

  return Router()
    .get(
      place,
      own.only((req, res, me) => list(req, res, me), 'admin'),
    )
    .post(`${place}/find`, own.only(find, 'admin'))
    .post(`${place}/lift`, own.only(lift, 'admin'));
};
