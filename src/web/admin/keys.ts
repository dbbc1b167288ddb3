import { type Request, type Response, Router } from 'express';
import { type ApiKey, type Scope, type Staff, scopes } from '../../access/access-store.ts';
import { isOfWholeOffice } from '../../access/departments.ts';
import { field, fields } from '../pages/request.ts';
import { type AdminDeps, type AdminPages, adminHome, blank, type Form } from './admin-pages.ts';

const place = `${adminHome}/keys`;
const lives = ['30', '90', '365', 'ever'] as const;
const dayMs = 86_400_000;

const stateOf = ({ revokedAt, expiresAt }: Pick<ApiKey, 'revokedAt' | 'expiresAt'>, now: number): string => {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'valid';
};

/** API keys: whose they are, what they may do, until when. A new one is shown once. */
export const keyPages = (deps: AdminDeps & { now: () => number }, own: AdminPages): Router => {
  const { access, now } = deps;

  const list = async (
    req: Request,
    res: Response,
    me: Staff,
    { form = blank, made = null, status = 200 }: { form?: Form; made?: string | null; status?: number } = {},
  ) => {
    const [accounts, keys, voice] = await Promise.all([access.allStaff(), access.allKeys(), own.voice(req)]);
    const names = new Map(accounts.map((one) => [one.id, one.name]));
    const rows = keys.map((key) => ({
      ...key,
      whose: names.get(key.staff) ?? key.staff,
      made: own.moment(voice, key.createdAt),
      until: own.moment(voice, key.expiresAt),
      state: stateOf(key, now()),
    }));
    const values = {
      accounts,
      rows,
      scopes,
      lives,
      made,
      token: own.newOnce(),
      ...form,
      done: own.done(req, 'revoked'),
    };
    own.show(req, res, me, 'keys', values, status);
  };

  const add = async (req: Request, res: Response, me: Staff) => {
    const typed = { staff: field(req, 'staff'), scopes: fields(req, 'scopes'), life: field(req, 'life') };
    const wanted = scopes.filter((scope: Scope) => typed.scopes.includes(scope));
    const life = lives.find((one) => one === typed.life);
    const accounts = await access.allStaff();
    const account = accounts.find(({ id }) => id === typed.staff);
    const faults = {
      ...(account ? {} : { staff: 'admin:fault.staff' }),
      ...(wanted.length === 0 ? { scopes: 'admin:fault.scopes' } : {}),
      ...(account && wanted.includes('admin') && !isOfWholeOffice(account)
        ? { scopes: 'admin:fault.wholeOffice' }
        : {}),
      ...(life ? {} : { life: 'admin:fault.life' }),
    };
    if (Object.keys(faults).length > 0 || !life) return list(req, res, me, { form: { typed, faults }, status: 400 });
    const expiresAt = life === 'ever' ? null : now() + Number(life) * dayMs;
    // not by a redirect: the key is in no address, and shown this once
    const made = await own.makeOnce(req, me, async () => {
      const { id, key } = await access.addKey({ staff: typed.staff, scopes: wanted, expiresAt });
      await own.audit(me, 'addKey', id, { staff: typed.staff, scopes: wanted });
      return key;
    });
    await list(req, res, me, { made, status: 201 });
  };

  const revoke = async (req: Request, res: Response, me: Staff) => {
    const id = field(req, 'id');
    await access.revokeKey(id);
    await own.audit(me, 'revokeKey', id);
    res.redirect(303, `${place}?done=revoked`);
  };

  return Router()
    .get(
      place,
      own.only((req, res, me) => list(req, res, me)),
    )
    .post(place, own.only(add))
    .post(`${place}/revoke`, own.only(revoke));
};
