import { lookupOf } from '../../src/subscriptions/address.ts';
import type { Contact } from '../../src/subscriptions/subscriber.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const password = 'four words are enough';
const email = (address: string): Contact => ({ channel: 'email', email: address });

let web: Web;
beforeEach(async () => {
  web = await startWeb();
  await web.town.people([
    { externalId: 'li', email: 'li@home.example', verified: true, follow: [{ topic: 'services' }] },
    { externalId: 'wang', phone: '+8613800138000', verified: true, follow: [{ topic: 'services' }] },
  ]);
  await suppress(email('li@home.example'), 'hard-bounce');
  web.town.pass(1_000);
  await suppress({ channel: 'sms', phone: '+8613800138000' }, 'soft-bounces');
  web.town.pass(1_000);
  await suppress(email('gone@home.example'), 'erased');
});
afterEach(() => web.close());

const lookup = (contact: Contact): string => lookupOf(web.town.keyring, contact);
const suppress = (contact: Contact, reason: string) =>
  web.town.stores.addresses.suppress(lookup(contact), reason, web.town.now());
type Entry = { id: string; reason: string; masked: string | null; channel: string | null; returns: unknown[] };
const entries = async (query = ''): Promise<Entry[]> =>
  (await web.api('GET', `/suppressions${query}`)).body.suppressions as Entry[];
const auditOf = async (action: string) =>
  (await web.town.stores.access.audit(1, 100)).filter((entry) => entry.action === action);

describe('the suppression list by API', () => {
  it('shows addresses masked, newest first, with what came back', async () => {
    const at = web.town.now();
    const id = lookup(email('li@home.example'));
    const came = {
      id: 'r',
      lookup: id,
      kind: 'hard' as const,
      reason: 'no-such-user',
      status: '5.1.1',
      message: null,
      at,
    };
    await web.town.stores.returns.record(came);
    const list = await entries();
    expect(list.map(({ reason, masked, channel }) => [reason, masked, channel])).toEqual([
      ['erased', null, null],
      ['soft-bounces', '+86 *** 8000', 'sms'],
      ['hard-bounce', 'l…@home.example', 'email'],
    ]);
    expect(list[2]?.returns).toEqual([
      { kind: 'hard', reason: 'no-such-user', status: '5.1.1', at: new Date(at).toISOString() },
    ]);
    expect((await entries('?reason=erased')).map(({ reason }) => reason)).toEqual(['erased']);
    const first = await web.api('GET', '/suppressions?limit=1');
    expect((await entries(`?limit=5&cursor=${first.body.next}`)).length).toBe(2);
    expect((await web.api('GET', '/suppressions?reason=x')).status).toBe(400);
  });

  it('finds an address without naming it in a log', async () => {
    const found = await web.api('POST', '/suppressions/find', { email: ' LI@home.example ' });
    expect(found.body).toEqual({ suppressions: [expect.objectContaining({ reason: 'hard-bounce' })] });
    expect((await web.api('POST', '/suppressions/find', { phone: '138 0013 8000' })).body.suppressions).toHaveLength(1);
    expect((await web.api('POST', '/suppressions/find', { email: 'x@home.example' })).body).toEqual({
      suppressions: [],
    });
    expect((await web.api('POST', '/suppressions/find', { email: 'x' })).status).toBe(400);
    expect((await web.api('POST', '/suppressions/find', {})).status).toBe(400);
    expect(JSON.stringify(await auditOf('findSuppression'))).not.toContain('home.example');
  });

  it('lets an operator lift one with a note, which is audited; the address is sent to again, and counted anew', async () => {
    const id = lookup(email('li@home.example'));
    await web.town.stores.returns.record({
      ...{ id: 'r', lookup: id, kind: 'soft', reason: 'x', status: null, message: null },
      at: web.town.now(),
    });
    expect((await web.api('POST', `/suppressions/${id}/lift`, {})).status).toBe(400);
    expect((await web.api('POST', `/suppressions/${id}/lift`, { note: ' ' })).status).toBe(400);
    expect((await web.api('POST', `/suppressions/${id}/lift`, { note: 'they called' })).status).toBe(204);
    expect((await web.api('POST', `/suppressions/${id}/lift`, { note: 'they called' })).status).toBe(404);
    expect((await web.api('POST', '/suppressions/unknown/lift', { note: 'x' })).status).toBe(404);
    const [entry, ...more] = await auditOf('liftSuppression');
    expect([entry?.actor, entry?.subject, JSON.parse(entry?.details ?? ''), more]).toEqual([
      'admin',
      id,
      { reason: 'hard-bounce', note: 'they called' },
      [],
    ]);
    expect((await web.town.stores.returns.ofLookup(id)).map(({ kind }) => kind)).toEqual(['lifted']);
    await suppress(email('li@home.example'), 'complaint');
    expect((await entries('?reason=complaint'))[0]?.returns).toEqual([]);
    await web.town.stores.addresses.lift(id, 'complaint');
    expect((await web.town.stores.addresses.find(id))?.suppressed).toBeNull();
  });

  it('leaves what its owner had erased to its owner', async () => {
    const id = lookup(email('gone@home.example'));
    expect((await web.api('POST', `/suppressions/${id}/lift`, { note: 'x' })).body.code).toBe('wrong-state');
  });

  it('is for administrators', async () => {
    const key = await web.keyFor(['publish', 'analyse', 'events']);
    expect((await web.api('GET', '/suppressions', undefined, key)).status).toBe(403);
    expect((await web.api('GET', '/suppressions', undefined, null)).status).toBe(401);
  });
});

describe('the suppression list of staff', () => {
  const signedIn = async (roles: string[]) => {
    const account = { email: `${roles.join('-')}@example.org`, name: 'Boss', roles, departments: [] };
    const { id } = (await web.api('POST', '/staff', account)).body as { id: string };
    const visitor = plainVisitor(web.url);
    const link = new URL(await web.town.staff.setUpLink(id)).pathname;
    await visitor.get(link);
    await visitor.send(link, { password });
    await visitor.send('/staff/sign-in', { email: account.email, password });
    return { visitor, id };
  };

  it('shows, finds and lifts', async () => {
    const { visitor, id } = await signedIn(['admin']);
    const page = await visitor.get('/staff/suppressions');
    for (const words of [
      'l…@home.example',
      'Cannot be reached',
      'Came back five times',
      'Only the owner can lift this',
    ])
      expect(page.html).toContain(words);
    expect(page.html).not.toContain('li@home.example');
    expect((await visitor.send('/staff/suppressions/find', { who: '' })).status).toBe(400);
    expect((await visitor.send('/staff/suppressions/find', { who: 'nobody' })).status).toBe(400);
    expect((await visitor.send('/staff/suppressions/find', { who: 'x@home.example' })).status).toBe(404);
    const found = await visitor.send('/staff/suppressions/find', { who: 'li@home.example' });
    expect(found.html).toContain('l…@home.example');
    expect(found.html).not.toContain('Came back five times');
    const lifted = lookup(email('li@home.example'));
    expect((await visitor.send('/staff/suppressions/lift', { id: lifted, note: '' })).status).toBe(400);
    const done = await visitor.send('/staff/suppressions/lift', { id: lifted, note: 'they called' });
    expect([done.path, done.html.includes('may be sent there again')]).toEqual([
      '/staff/suppressions?done=lifted',
      true,
    ]);
    expect(await web.town.stores.addresses.suppression(lifted)).toBeNull();
    expect((await auditOf('liftSuppression'))[0]?.actor).toBe(id);
    expect((await visitor.get('/staff/suppressions?reason=erased')).html).not.toContain('Came back five times</span>');
  });

  it('is for administrators', async () => {
    const { visitor } = await signedIn(['publisher']);
    expect((await visitor.get('/staff/suppressions')).status).toBe(403);
    expect((await plainVisitor(web.url).get('/staff/suppressions')).path).toBe('/staff/sign-in');
  });
});
