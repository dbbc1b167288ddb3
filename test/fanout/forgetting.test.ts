import { jobs } from '../../jobs/index.ts';
import { hashSecret } from '../../src/access/api-key.ts';
import { lookupOf } from '../../src/subscriptions/address.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { makeTown, type Town } from '../helpers/town.ts';

const hour = 3_600_000;
const day = 24 * hour;
const signal = new AbortController().signal;
const email = 'li@example.org';
const password = 'four words are enough';

/** Puts something there, and answers a question: is it there still? */
type Plant = (town: Town) => Promise<() => Promise<boolean>>;

const signUp: Plant = async (town) => {
  const follow = [{ target: { topic: 'services' }, pace: 'immediate' as const, channels: null, regions: [] }];
  const contact = { channel: 'email' as const, email };
  await town.signUps.request({ contact, follow: follow as never, locale: 'en', region: null, timeZone: null });
  const lookup = lookupOf(town.keyring, contact);
  const [waits] = await town.stores.signUps.waiting(lookup, town.now());
  return async () => (await town.stores.signUps.get(waits?.id ?? '')) !== null;
};

const session: Plant = async (town) => {
  const { id } = await town.access.addStaff({ email, name: 'Li', roles: ['publisher'], departments: [] });
  await town.staff.setUp((await town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
  const token = (await town.staff.signIn(email, password)) ?? '';
  return async () => (await town.stores.staffSignIns.session(hashSecret(token))) !== null;
};

const answer: Plant = async (town) => {
  await town.access.openCall('call', 'body');
  await town.access.closeCall('call', 200, '{}');
  return async () => !(await town.access.openCall('call', 'body')).run;
};

const browsing: Plant = async (town) => {
  await town.people([{ externalId: 'li', email, verified: true, consents: { personalisation: true }, follow: [] }]);
  await town.browsing.record([{ subscriber: { externalId: 'li' }, kind: 'view', topic: 'services' }] as never);
  const person = await town.subscriptions.person({ externalId: 'li' });
  return async () => (await town.stores.profiles.eventsOf(person?.person.ordinal ?? 0, 9)).length > 0;
};

const visit: Plant = async (town) => {
  const one = { message: 'a-message', link: 'click', head: false, at: town.now() };
  await town.stores.feedback.visited(one, 10);
  const at = town.now();
  // asking puts one there: it is the second where the first is kept
  return async () => (await town.stores.feedback.visited({ ...one, link: 'asked', at: at + 1 }, 10)).length > 1;
};

const returned: Plant = async (town) => {
  const lookup = 'a-lookup';
  const reason = { kind: 'soft' as const, reason: 'full', status: null, message: null };
  await town.stores.returns.record({ id: 'r', lookup, ...reason, at: town.now() });
  return async () => (await town.stores.returns.ofLookup(lookup)).length > 0;
};

const told: Plant = async (town) => {
  const at = town.now();
  const call = { webhook: 'hook', event: 'e', type: 'push.done' as const, body: '{}', attempts: 1, response: null };
  await town.stores.webhooks.enqueue([{ ...call, at, dueAt: at, giveUpAt: at, state: 'failed' }]);
  return async () => (await town.stores.webhooks.page('hook', null, { cursor: null, limit: 1 })).rows.length > 0;
};

onEachEngine('what is no longer needed', (engine) => {
  let town: Town;
  beforeEach(async () => {
    town = await makeTown(engine.town);
  });
  afterEach(() => town.close());

  const forget = async (): Promise<void> => {
    for (const job of jobs.filter(({ name }) => name.startsWith('forget-'))) await job.run(town as never, signal);
  };

  const table: [what: string, kept: number, plant: Plant][] = [
    ['a sign-up that nobody confirmed, a day after its week', 8 * day, signUp],
    ['a session of staff, a day after its twelve hours', 1.5 * day, session],
    ['an answer under an Idempotency-Key, a day after', day, answer],
    ['what somebody looked at, after 90 days', 90 * day, browsing],
    ['a visit of a link, two days after its link is counted no more', 182 * day, visit],
    ['what came back of an address, after 30 days', 30 * day, returned],
    ['what a webhook was told, after 30 days', 30 * day, told],
  ];
  it.each(table)('goes by itself, and not before: %s', async (_, kept, plant) => {
    const isThere = await plant(town);
    town.pass(kept - hour);
    await forget();
    const before = await isThere();
    town.pass(2 * hour);
    await forget();
    expect([before, await isThere()]).toEqual([true, false]);
  });
});
