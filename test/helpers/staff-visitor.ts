import type { Role } from '../../src/access/access-store.ts';
import { type PlainVisitor, plainVisitor } from './visitor.ts';
import type { Web } from './web.ts';

const password = 'four words are enough';

type Wanted = { name: string; roles: Role[]; departments?: string[]; language?: string };

/** A browser without scripts in which a new member of staff is signed in, and their id. */
export const staffVisitor = async (
  web: Web,
  { name, roles, departments = [], language = 'en' }: Wanted,
): Promise<PlainVisitor & { id: string; signOut(): void }> => {
  const email = `${name.toLowerCase()}@office.example`;
  const { id } = await web.town.access.addStaff({ email, name, roles, departments });
  await web.town.staff.setUp((await web.town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
  const visitor = plainVisitor(web.url, language);
  await visitor.get('/staff/sign-in');
  visitor.setCookie('bellman-staff', (await web.town.staff.signIn(email, password)) ?? '');
  return { ...visitor, id, signOut: () => visitor.setCookie('bellman-staff', 'ended') };
};
