import { type Request, type Response, Router } from 'express';
import { type Role, roles, type Staff } from '../../access/access-store.ts';
import { AppError } from '../../errors.ts';
import { staffBody } from '../api/access.ts';
import { field, fields, longField, pathPart } from '../pages/request.ts';
import { type AdminDeps, type AdminPages, adminHome, blank, type Form } from './admin-pages.ts';

const place = `${adminHome}/accounts`;
const faultKeys: Record<string, string> = {
  email: 'admin:fault.email',
  name: 'admin:fault.name',
  roles: 'admin:fault.roles',
  departments: 'admin:fault.departments',
};

/** Departments as they are typed: one a line, or with commas between. */
const departmentsOf = (text: string): string[] => [
  ...new Set(
    text
      .split(/[\n,，、;；]/)
      .map((one) => one.trim())
      .filter(Boolean),
  ),
];

const typedOf = (req: Request) => ({
  email: field(req, 'email'),
  name: field(req, 'name'),
  roles: fields(req, 'roles'),
  departments: longField(req, 'departments'),
});

type Wanted = { email: string; name: string; roles: Role[]; departments: string[] };

/** What was typed as an account, or its faults by field. */
const read = (typed: ReturnType<typeof typedOf>): { wanted: Wanted } | { faults: Form['faults'] } => {
  const parsed = staffBody.safeParse({ ...typed, departments: departmentsOf(typed.departments) });
  if (parsed.success) return { wanted: { ...parsed.data, roles: [...new Set(parsed.data.roles)] } };
  const names = parsed.error.issues.map(({ path }) => String(path[0]));
  return { faults: Object.fromEntries(names.map((name) => [name, faultKeys[name] ?? 'fault.unknown'])) };
};

/** Accounts of staff: who they are, what they may do, and which departments they belong to. */
export const accountPages = (deps: AdminDeps, own: AdminPages): Router => {
  const { access, staff: signIns } = deps;

  const list = async (req: Request, res: Response, me: Staff, form: Form = blank, status = 200) => {
    const accounts = await access.allStaff();
    own.show(req, res, me, 'accounts', { accounts, roles, ...form, done: own.done(req, 'added') }, status);
  };

  const add = async (req: Request, res: Response, me: Staff) => {
    const typed = typedOf(req);
    const found = read(typed);
    if ('faults' in found) return list(req, res, me, { typed, faults: found.faults }, 400);
    try {
      const { id } = await access.addStaff(found.wanted);
      await own.audit(me, 'addStaff', id);
      await signIns.mailSetUpLink(id);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error;
      return list(req, res, me, { typed, faults: { email: 'admin:fault.emailTaken' } }, 409);
    }
    res.redirect(303, `${place}?done=added`);
  };

  const known = async (req: Request): Promise<Staff> => {
    const found = (await access.allStaff()).find(({ id }) => id === pathPart(req, 'id'));
    if (!found) throw new AppError('not-found', 'There is no such staff account.');
    return found;
  };

  const one = async (req: Request, res: Response, me: Staff, form?: Form, status = 200) => {
    const account = await known(req);
    const typed = { name: account.name, roles: account.roles, departments: account.departments.join('\n') };
    const done = own.done(req, 'changed', 'link', 'signed-out');
    own.show(req, res, me, 'account', { account, roles, ...(form ?? { ...blank, typed }), done }, status);
  };

  const change = async (req: Request, res: Response, me: Staff) => {
    const account = await known(req);
    const typed = typedOf(req);
    const found = read({ ...typed, email: account.email });
    // without a role an account is locked: it may sign in, and do nothing
    const faults = 'faults' in found ? Object.entries(found.faults).filter(([name]) => name !== 'roles') : [];
    if (typed.roles.some((role) => !roles.some((known) => known === role))) faults.push(['roles', 'admin:fault.roles']);
    if (account.id === me.id && !typed.roles.includes('admin')) faults.push(['roles', 'admin:fault.ownRole']);
    if (faults.length > 0) return one(req, res, me, { typed, faults: Object.fromEntries(faults) }, 400);
    const held = roles.filter((role) => typed.roles.includes(role));
    const to = { name: typed.name, roles: held, departments: departmentsOf(typed.departments) };
    await access.changeStaff(account.id, to, me.id);
    await own.audit(me, 'changeStaff', account.id, { roles: to.roles, departments: to.departments });
    res.redirect(303, `${place}/${account.id}?done=changed`);
  };

  const link = async (req: Request, res: Response, me: Staff) => {
    const { id } = await known(req);
    await signIns.mailSetUpLink(id);
    await own.audit(me, 'mailSetUpLink', id);
    res.redirect(303, `${place}/${id}?done=link`);
  };

  const signOut = async (req: Request, res: Response, me: Staff) => {
    const { id } = await known(req);
    await own.audit(me, 'signOutStaff', id);
    await signIns.signOutEverywhere(id);
    res.redirect(303, `${place}/${id}?done=signed-out`);
  };

  return Router()
    .get(
      place,
      own.only((req, res, me) => list(req, res, me)),
    )
    .post(place, own.only(add))
    .get(
      `${place}/:id`,
      own.only((req, res, me) => one(req, res, me)),
    )
    .post(`${place}/:id`, own.only(change))
    .post(`${place}/:id/link`, own.only(link))
    .post(`${place}/:id/sign-out`, own.only(signOut));
};
