import { roles } from '../../../src/access/access-store.ts';
import {
  demandMember,
  demandOther,
  demandReviewer,
  demandRole,
  demandSame,
  demandWriter,
} from '../../../src/access/rights.ts';

const codeOf = (act: () => void): string => {
  try {
    act();
    return 'may';
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
};
const actor = (role: string, departments: string[] = []) => ({ staff: 'li', roles: [role], departments });

describe('what a role may do', () => {
  const table: [string, (role: string) => void, readonly string[]][] = [
    ['write', (role) => demandWriter(actor(role)), ['publisher', 'admin']],
    ['review', (role) => demandReviewer(actor(role)), ['reviewer', 'admin']],
    ['see a page of analysts', (role) => demandRole(actor(role), ['analyst']), ['analyst']],
    ['see a page of all staff', (role) => demandRole(actor(role), []), roles],
    ['approve the work of another one', (role) => demandOther('wang', actor(role)), roles],
    ['approve their own work', (role) => demandOther('li', actor(role)), []],
    ['change a draft of their own', (role) => demandSame('li', actor(role)), roles],
    ["change somebody else's draft", (role) => demandSame('wang', actor(role)), []],
    ['countersign for their department', (role) => demandMember(actor(role, ['water']), 'water'), roles],
    ['countersign for another department', (role) => demandMember(actor(role, ['roads']), 'water'), []],
  ];
  it.each(table)('%s', (_what, act, may) => {
    expect(roles.filter((role) => codeOf(() => act(role)) === 'may')).toEqual(
      roles.filter((role) => may.includes(role)),
    );
  });

  it('is refused by the code that says why', () => {
    expect(codeOf(() => demandOther('li', actor('admin')))).toBe('own-work');
    expect(codeOf(() => demandRole(actor('publisher'), ['admin']))).toBe('no-role');
    expect(codeOf(() => demandWriter(actor('reviewer')))).toBe('no-scope');
  });
});
