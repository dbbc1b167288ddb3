import type { BrowsingEvent } from '../../src/browsing/browsing-event.ts';
import { readOutbox } from '../../src/channels/outbox.ts';
import { foldUnder } from '../../src/profiles/profile-fold.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import type { RuleContent } from '../../src/rules/rule.ts';
import { signLink } from '../../src/signed-link.ts';
import { makeItemContent, makeResident, publishIn } from '../helpers/published.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const tenant = (name: string, overrides: object = {}): object =>
  makeResident(name, {
    consents: { personalisation: true },
    attributes: { household: ['tenant'] },
    follow: [{ topic: 'budgets' }],
    ...overrides,
  });
const ruleOf = (overrides: Partial<RuleContent> = {}): RuleContent => ({
  name: 'Tenants',
  explanation: { en: 'You rent a home.', 'zh-CN': '您租房居住。' },
  when: { item: 'topics', has: ['services'] },
  who: { person: 'attributes.household', in: ['tenant'] },
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
  holdout: 0,
  tune: {},
  ...overrides,
});

let town: Town;
beforeEach(async () => {
  town = await makeTown({ startAt: '2026-06-10T10:00:00Z' });
});
afterEach(() => town.close());

const activeRule = async (overrides: Partial<RuleContent> = {}): Promise<void> => {
  const { rule } = await town.rules.create(ruleOf(overrides), publisher);
  await town.rules.activate(rule.id, null, publisher);
};
const publish = async (overrides: Partial<ItemContent> = {}): Promise<string> => {
  const { push } = await publishIn(town, overrides);
  await town.drain();
  return push;
};
const codes = async (push: string): Promise<string[]> =>
  (await town.fanout.deliveries(push, null, { cursor: null, limit: 200 })).rows.map(({ channel, state, code }) =>
    [channel, state, code].filter(Boolean).join(' '),
  );
const told = async (): Promise<number> => (await readOutbox(town.dataDir, { limit: 1000 })).length;

describe('the cap', () => {
  it('lets three suggestions a day through; the fourth comes the next morning', async () => {
    await activeRule();
    await town.people([tenant('ana')]);
    const pushes = [];
    for (let n = 0; n < 4; n += 1) pushes.push(await publish());
    expect(await told()).toBe(3);
    expect(await codes(pushes[3] ?? '')).toEqual(['deferred cap-day']);
    town.pass('2026-06-11T07:00:00Z');
    await town.drain();
    expect(await codes(pushes[3] ?? '')).toEqual(['email sent']);
  });

  it('lets ten a week through; the next comes on Monday', async () => {
    await activeRule();
    await town.people([tenant('ana')]);
    let last = '';
    for (const day of ['08', '09', '10', '11']) {
      town.pass(`2026-06-${day}T10:00:00Z`);
      for (let n = 0; n < (day === '11' ? 2 : 3); n += 1) last = await publish();
    }
    expect(await told()).toBe(10);
    expect(await codes(last)).toEqual(['deferred cap-week']);
    town.pass('2026-06-15T07:00:00Z');
    await town.drain();
    expect(await codes(last)).toEqual(['email sent']);
  });

  it('counts neither what a person follows, nor emergencies', async () => {
    await activeRule();
    await town.people([tenant('ana', { follow: [{ topic: 'services' }] }), tenant('ben')]);
    for (let n = 0; n < 5; n += 1) await publish();
    for (let n = 0; n < 2; n += 1) await publish({ urgency: 'emergency' });
    const mails = (await readOutbox(town.dataDir, { limit: 1000 })).map((mail) => mail.to);
    expect(mails.filter((to) => to.startsWith('ana'))).toHaveLength(7);
    expect(mails.filter((to) => to.startsWith('ben'))).toHaveLength(5);
  });

  it('gives way to a deadline that it would pass, and withholds what runs out meanwhile', async () => {
    await activeRule();
    await town.people([tenant('ana')]);
    for (let n = 0; n < 3; n += 1) await publish();
    const urgent = await publish({ deadline: '2026-06-10T20:00:00Z' });
    expect(await codes(urgent)).toEqual(['email sent']);
    const short = await publish({ expiresAt: '2026-06-10T20:00:00Z' });
    town.pass('2026-06-10T20:00:00Z');
    await town.drain();
    expect(await codes(short)).toEqual(['withheld expired']);
  });

  it('obeys the condition of a publisher’s own push, too', async () => {
    await town.people([tenant('ana')]);
    const item = await town.publishing.create(makeItemContent({ topics: ['personnel'] }), null, publisher);
    await town.fanout.publish(item.id, publisher);
    const person = await town.stores.subscriptions.subscriber({ externalId: 'ana' });
    const full = ['a', 'b', 'c'].map((of) => ({
      ordinal: person?.ordinal ?? 0,
      of,
      day: '2026-06-10',
      week: '2026-W24',
    }));
    await town.stores.ledger.takeSlots(full, { day: 3, week: 10 });
    const audience = { kind: 'condition' as const, who: ruleOf().who };
    const push = await town.fanout.push({ item: item.id, audience, channels: null, note: 'x' }, publisher);
    await town.drain();
    expect(await codes(push.id)).toEqual(['deferred cap-day']);
  });
});

describe('the hour of a rule’s message', () => {
  it('is the one at which the person mostly reacts, where the rule lets it be chosen', async () => {
    await activeRule({ tune: { hour: true } });
    await town.people([tenant('ana'), tenant('ben')]);
    const ana = await town.stores.subscriptions.subscriber({ externalId: 'ana' });
    const click: BrowsingEvent = {
      ...{ ordinal: ana?.ordinal ?? 0, kind: 'click', at: town.now() - 86_400_000, topics: ['services'], hour: 19 },
      ...{ item: null, query: null, channel: 'email' },
    };
    await town.stores.profiles.absorb([click], foldUnder(new Map()));
    const push = await publish();
    expect((await codes(push)).sort()).toEqual(['deferred preferred-hour', 'email sent']);
    town.pass('2026-06-10T18:00:00Z');
    await town.drain();
    expect(await codes(push)).toEqual(['email sent', 'email sent']);
  });
});

describe('a text after a web push', () => {
  const webPush = {
    endpoint: 'https://updates.push.services.mozilla.com/wpush/v2/x',
    keys: {
      p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    },
  };
  const both = (name: string, channels: string[] | undefined) =>
    tenant(name, { email: undefined, phone: '+447400123456', webPush, follow: [{ topic: 'services', channels }] });
  const channelsTold = async () => (await readOutbox(town.dataDir, { limit: 10 })).map((one) => one.channel).reverse();

  it('goes out if the push was not seen in time, once', async () => {
    await town.people([both('ana', ['webPush', 'sms'])]);
    const push = await publish();
    expect(await codes(push)).toEqual(['webPush sent', 'sms deferred fallback']);
    expect((await town.fanout.get(push))?.counts.sent).toBe(1);
    town.pass(14 * 60_000);
    await town.drain();
    expect(await channelsTold()).toEqual(['webPush']);
    town.pass(60_000);
    await town.drain();
    expect(await channelsTold()).toEqual(['webPush', 'sms']);
    expect(await codes(push)).toEqual(['webPush sent', 'sms sent']);
    town.pass(3_600_000);
    await town.drain();
    expect(await channelsTold()).toHaveLength(2);
  });

  it('is not needed once the service worker has shown it', async () => {
    await town.people([both('ana', ['webPush', 'sms'])]);
    const push = await publish();
    const [first] = (await town.fanout.deliveries(push, null, { cursor: null, limit: 1 })).rows;
    await town.feedback.report(signLink(town.keyring, 'report', first?.id ?? ''), 'shown');
    town.pass(15 * 60_000);
    await town.drain();
    expect(await codes(push)).toEqual(['webPush delivered', 'sms withheld seen']);
    expect(await channelsTold()).toEqual(['webPush']);
  });

  it('follows only where the person named texts, and in an emergency', async () => {
    await town.people([both('ana', ['webPush'])]);
    expect(await codes(await publish())).toEqual(['webPush sent']);
    expect(await codes(await publish({ urgency: 'emergency' }))).toEqual(['webPush sent', 'sms deferred fallback']);
  });
});
