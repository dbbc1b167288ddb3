import { AppError } from '../errors.ts';
import type { Actor } from '../publishing/item.ts';

/** An account without a department is of the whole office; so is an administrator's, and the service itself. */
export const isOfWholeOffice = ({ roles, departments }: Pick<Actor, 'roles' | 'departments'>): boolean =>
  departments.length === 0 || roles.includes('admin');

/**
 * Throws `no-scope` unless what belongs to these departments is the actor's to write: of the whole office's accounts everything
 * is, of a department's what names it. What names none is the whole office's.
 */
export const demandOwn = (actor: Actor, owners: readonly string[]): void => {
  if (isOfWholeOffice(actor) || owners.some((one) => actor.departments.includes(one))) return;
  const own = actor.departments.join(', ');
  throw new AppError('no-scope', `An account of ${own} writes what belongs to ${own}, and nothing else.`);
};

/** Throws `no-scope` unless the actor writes for the whole office: an import brings what its source's departments wrote. */
export const demandWholeOffice = (actor: Actor): void => {
  if (!isOfWholeOffice(actor))
    throw new AppError('no-scope', 'Only an account of the whole office, which has no department, may do this.');
};
