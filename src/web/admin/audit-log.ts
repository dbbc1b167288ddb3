import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import { queryText } from '../pages/request.ts';
import { type AdminDeps, type AdminPages, adminHome } from './admin-pages.ts';

const place = `${adminHome}/audit`;
const perPage = 100;

/** Who did what, newest first, and whether the chain of entries is whole. */
export const auditPages = ({ access }: AdminDeps, own: AdminPages): Router => {
  const list = async (req: Request, res: Response, me: Staff, verdict: object | null = null) => {
    const asked = Number(queryText(req, 'before'));
    const before = Number.isSafeInteger(asked) && asked > 0 ? asked : null;
    const [entries, accounts, voice] = await Promise.all([
      access.auditLog(before, perPage),
      access.allStaff(),
      own.voice(req),
    ]);
    const names = new Map(accounts.map(({ id, name }) => [id, name]));
    const rows = entries.map(({ n, at, actor, action, subject, details }) => ({
      ...{ n, action, subject, details: details === '{}' ? '' : details },
      ...{ at: own.moment(voice, at), who: names.get(actor) ?? actor },
    }));
    const last = entries.at(-1)?.n ?? 1;
    // whose data were read, and by whom, are read here: after the list, which does not begin with itself
    await own.audit(me, 'listAudit', null);
    own.show(req, res, me, 'audit', { rows, verdict, next: last > 1 ? `${place}?before=${last}` : null });
  };

  const verify = async (req: Request, res: Response, me: Staff) => {
    const verdict = await access.verifyAudit();
    await own.audit(me, 'verifyAudit', null, { ok: verdict.ok });
    await list(req, res, me, verdict);
  };

  return Router()
    .get(
      place,
      own.only((req, res, me) => list(req, res, me)),
    )
    .post(place, own.only(verify));
};
