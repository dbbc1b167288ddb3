import { makeTown, type Town } from '../../helpers/town.ts';

const account = { email: 'li@example.org', name: 'Li', roles: ['admin' as const], departments: [] };
const password = 'four words are enough';
const hourMs = 3_600_000;

describe('staff sign-in', () => {
  let town: Town;
  let id: string;
  beforeEach(async () => {
    town = await makeTown({ env: { LOCALE: 'en' } });
    ({ id } = await town.access.addStaff(account));
  });
  afterEach(() => town.close());

  const tokenOf = (link: string): string => link.split('/').at(-1) ?? '';
  const setUp = async (text = password): Promise<void> =>
    town.staff.setUp(tokenOf(await town.staff.setUpLink(id)), text);
  const signIn = async (): Promise<string> => (await town.staff.signIn(account.email, password)) ?? '';

  it('keeps argon2id with the parameters of OWASP, and nothing of the password', async () => {
    await setUp();
    const kept = (await town.stores.staffSignIns.account({ id }))?.password;
    expect(kept).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(JSON.stringify(town.db.prepare('SELECT * FROM staff').all())).not.toContain(password);
  });

  it('signs in by a password in any normal form and an address in any case, and keeps no session token', async () => {
    await setUp('pässwörd von Björn ﬁnal');
    const session = await town.staff.signIn('  LI@example.org ', 'pässwörd von Björn final'.normalize('NFD'));
    expect(Buffer.from(session ?? '', 'base64url')).toHaveLength(32);
    expect(await town.staff.signedIn(session ?? '')).toMatchObject({ id, roles: ['admin'] });
    expect(JSON.stringify(town.db.prepare('SELECT * FROM staff_sessions').all())).not.toContain(session);
  });

  it('answers a wrong password, an unknown address and an account without a password alike', async () => {
    const { id: bare } = await town.access.addStaff({ ...account, email: 'new@example.org' });
    expect((await town.stores.staffSignIns.account({ id: bare }))?.password).toBeNull();
    await setUp();
    for (const email of [account.email, 'new@example.org', 'nobody@example.org', ''])
      for (const wrong of ['', 'wrong', `${password} `, 'x'.repeat(10_000)])
        expect(await town.staff.signIn(email, wrong)).toBeNull();
  });

  it('does the same work for an unknown address as for a wrong password', async () => {
    await setUp();
    await town.staff.signIn('warm-up@example.org', 'x');
    const times: [number[], number[]] = [[], []];
    // what this process computed, in µs: a clock on the wall would tell what else the machine does
    const computed = (): number => process.cpuUsage().user;
    for (let n = 0; n < 18; n += 1) {
      const before = computed();
      await town.staff.signIn(n % 2 === 0 ? account.email : 'nobody@example.org', 'a wrong password');
      times[n % 2 === 0 ? 0 : 1].push(computed() - before);
    }
    const [known = 1, unknown = 1] = times.map((list) => list.sort((a, b) => a - b)[4]);
    // without the hash of nobody an unknown address would cost a hundredth of it
    expect(unknown / known).toBeGreaterThan(0.4);
    expect(unknown / known).toBeLessThan(2.5);
  });

  it('stops guessing at an address after ten tries, known or not, for a quarter of an hour', async () => {
    await setUp();
    for (const email of [account.email, 'nobody@example.org']) {
      for (let n = 0; n < 10; n += 1) expect(await town.staff.signIn(email, 'wrong')).toBeNull();
      await expect(town.staff.signIn(email.toUpperCase(), password)).rejects.toMatchObject({
        code: 'too-many',
        retryAfterSeconds: 900,
      });
    }
    town.pass(15 * 60_000 + 1);
    expect(await signIn()).not.toBe('');
    // what came before a right password is forgiven
    for (let n = 0; n < 9; n += 1) await town.staff.signIn(account.email, 'wrong');
    expect(await signIn()).not.toBe('');
  });

  it('ends a session on sign-out, after twelve hours, and never another one', async () => {
    await setUp();
    const [one, two] = [await signIn(), await signIn()];
    await town.staff.signOut(one);
    expect(await town.staff.signedIn(one)).toBeNull();
    town.pass(12 * hourMs - 1);
    expect(await town.staff.signedIn(two)).toMatchObject({ id });
    town.pass(1);
    expect(await town.staff.signedIn(two)).toBeNull();
    for (const made of ['', 'x', `${two}x`]) expect(await town.staff.signedIn(made)).toBeNull();
  });

  it('ends every session and open link of an account, by itself or by a new password', async () => {
    await setUp();
    const [first, link] = [await signIn(), await town.staff.setUpLink(id)];
    await town.staff.signOutEverywhere(id);
    expect(await town.staff.signedIn(first)).toBeNull();
    await expect(town.staff.readSetUp(tokenOf(link))).rejects.toMatchObject({ code: 'link-expired' });
    const second = await signIn();
    await setUp(`${password} now`);
    expect(await town.staff.signedIn(second)).toBeNull();
    expect(await town.staff.signIn(account.email, password)).toBeNull();
  });

  it('takes a link once, within 72 hours, also when it is used twice at once', async () => {
    const token = tokenOf(await town.staff.setUpLink(id));
    expect(await town.staff.readSetUp(token)).toMatchObject({ id });
    const used = await Promise.allSettled([town.staff.setUp(token, password), town.staff.setUp(token, password)]);
    expect(used.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(town.staff.setUp(token, password)).rejects.toMatchObject({ code: 'link-expired' });
    const late = tokenOf(await town.staff.setUpLink(id));
    town.pass(72 * hourMs + 1_000);
    await expect(town.staff.setUp(late, password)).rejects.toMatchObject({ code: 'link-expired' });
    for (const bad of ['', 'x', late.replace(id, 'another'), `${late}x`])
      await expect(town.staff.readSetUp(bad)).rejects.toMatchObject({ code: 'bad-link' });
  });

  it.each(['', 'fourteen chars', 'ababababababababab', 'x'.repeat(201), '密码'.repeat(5)])(
    'refuses a weak password: %s',
    async (weak) => {
      await expect(setUp(weak)).rejects.toMatchObject({ code: 'invalid', faults: [{ path: 'password' }] });
      expect(await town.staff.signIn(account.email, weak)).toBeNull();
    },
  );

  it('refuses the address as a password, and links for nobody', async () => {
    const { id: other } = await town.access.addStaff({ ...account, email: 'a.long.name@example.org' });
    const token = tokenOf(await town.staff.setUpLink(other));
    await expect(town.staff.setUp(token, 'A.long.name@example.org')).rejects.toMatchObject({ code: 'invalid' });
    for (const act of [
      town.staff.setUpLink('nobody'),
      town.staff.mailSetUpLink('nobody'),
      town.staff.signOutEverywhere('nobody'),
      town.staff.byEmail('nobody@example.org'),
    ])
      await expect(act).rejects.toMatchObject({ code: 'not-found' });
  });

  it('writes who signed in into the audit log', async () => {
    await setUp();
    await signIn();
    const entries = await town.stores.access.audit(1, 10);
    expect(entries.map(({ actor, action }) => [actor, action])).toEqual([
      [id, 'setPassword'],
      [id, 'signIn'],
    ]);
  });
});
