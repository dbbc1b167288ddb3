import { AppError } from '../errors.ts';
import type { Actor } from '../publishing/item.ts';
import type { Role } from './access-store.ts';

/**
 * What an account may do because of who it is: every check of a role, of a department, and of the separation of duties is one of
 * these. What a key may be used for, its scopes, is said by each call of the API and checked by its router.
 */
type Held = { roles: readonly string[] };

const holdsOne = ({ roles }: Held, wanted: readonly Role[]): boolean => wanted.some((role) => roles.includes(role));

/** Throws `no-role` unless the account holds one of the roles that a page is for; a page for no role is for all staff. */
export const demandRole = (account: Held, wanted: readonly Role[]): void => {
  if (wanted.length > 0 && !holdsOne(account, wanted))
    throw new AppError('no-role', `This page is for staff with the role ${wanted.join(' or ')}.`);
};

/** Throws `no-scope` unless the actor may write: publishers and admins. */
export const demandWriter = (actor: Actor): void => {
  if (!holdsOne(actor, ['publisher', 'admin'])) throw new AppError('no-scope', 'only a publisher may do this');
};

/** Throws `no-scope` unless the actor may review: reviewers and admins. */
export const demandReviewer = (actor: Actor): void => {
  if (!holdsOne(actor, ['reviewer', 'admin'])) throw new AppError('no-scope', 'only a reviewer may do this');
};

/** Throws `own-work` when the actor is the writer of what they are to approve: no role stands above this. */
export const demandOther = (writer: string, actor: Actor): void => {
  if (writer === actor.staff) throw new AppError('own-work', 'whoever writes may not approve their own');
};

/** Throws `no-scope` unless the actor is the writer: a draft has one, whom `demandOther` can name. */
export const demandSame = (writer: string, actor: Actor): void => {
  if (writer !== actor.staff) throw new AppError('no-scope', 'only its writer may change a draft');
};

/** Throws `no-scope` unless the actor belongs to the department for which they countersign: no role stands above this either. */
export const demandMember = (actor: Actor, department: string): void => {
  if (!actor.departments.includes(department))
    throw new AppError('no-scope', `only a member of ${department} may approve as ${department}`);
};
