import { readOutbox } from '../../src/channels/outbox.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import type { Condition } from '../../src/rules/condition.ts';
import type { RuleContent } from '../../src/rules/rule.ts';
import { makeResident, publishIn } from '../helpers/published.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

/** Somebody who consented and follows nothing that the items here are about. */
const resident = (name: string, overrides: object = {}): object =>
  makeResident(name, {
    region: '110000',
    consents: { personalisation: true },
    attributes: { household: ['tenant'] },
    follow: [{ topic: 'budgets' }],
    ...overrides,
  });

const tenants: Condition = { person: 'attributes.household', in: ['tenant'] };
const ruleOf = (overrides: Partial<RuleContent> = {}): RuleContent => ({
  name: 'Tenants in Beijing',
  explanation: { en: 'You rent a home in Beijing.', 'zh-CN': '您在北京租房居住。' },
  when: { item: 'topics', has: ['services'] },
  who: { all: [{ person: 'region', within: ['110000'] }, tenants] },
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
  holdout: 0,
  tune: {},
  ...overrides,
});

let town: Town;
beforeEach(async () => {
  town = await makeTown();
});
afterEach(() => town.close());

const activeRule = async (overrides: Partial<RuleContent> = {}): Promise<string> => {
  const { rule } = await town.rules.create(ruleOf(overrides), publisher);
  await town.rules.activate(rule.id, null, publisher);
  return rule.id;
};
const publish = async (overrides: Partial<ItemContent> = {}, drained = true) => {
  const published = await publishIn(town, overrides);
  if (drained) await town.drain();
  return published;
};
const told = async (): Promise<string[]> =>
  (await readOutbox(town.dataDir, { limit: 1000 })).map((message) => message.to.replace('@example.org', '')).sort();
const ledger = async (push: string) => (await town.fanout.deliveries(push, null, { cursor: null, limit: 200 })).rows;
const codes = async (push: string) => (await ledger(push)).map(({ state, code }) => `${state} ${code ?? ''}`.trim());
const idOf = async (externalId: string): Promise<string> =>
  (await town.stores.subscriptions.subscriber({ externalId }))?.id ?? '';

describe('an active rule', () => {
  it('adds those whom it selects and who consented, with its version, explanation and the facts used', async () => {
    const rule = await activeRule();
    await town.people([
      resident('ana'),
      resident('ben', { consents: { personalisation: false } }),
      resident('cem', { region: '310000' }),
      resident('dia', { attributes: {} }),
      resident('eve', { follow: [{ topic: 'services' }], attributes: {} }),
    ]);
    const { push } = await publish();
    expect(await told()).toEqual(['ana', 'eve']);
    const view = await town.fanout.get(push);
    expect(view?.bySource).toEqual([
      { source: 'subscription:topic:services', people: 1 },
      { source: `rule:${rule}@1`, people: 1 },
    ]);
    const ana = (await ledger(push)).find((row) => row.reasons[0]?.source.startsWith('rule:'));
    expect(ana?.reasons).toEqual([
      {
        source: `rule:${rule}@1`,
        explanation: ruleOf().explanation,
        facts: { region: 'within 110000', 'attributes.household': 'tenant' },
      },
    ]);
    const [letter] = (await readOutbox(town.dataDir, { limit: 10 })).filter((one) => one.to.startsWith('ana@'));
    expect(letter?.text).toContain('You rent a home in Beijing.');
    expect((await town.rules.get(rule, 1))?.version.usedAt).toBe(town.now());
  });

  it('tells nobody twice whom a subscription tells, and the subscription says the pace', async () => {
    const rule = await activeRule({ deliver: { channels: ['email'], pace: 'weekly', priority: 1 } });
    await town.people([resident('ana', { follow: [{ topic: 'services' }] })]);
    const { push } = await publish();
    expect(await told()).toEqual(['ana']);
    const [row] = await ledger(push);
    expect(row?.reasons.map(({ source }) => source)).toEqual(['subscription:topic:services', `rule:${rule}@1`]);
  });

  it('leaves out its holdout, by one draw, but nobody who asked for it', async () => {
    await activeRule({ holdout: 0.5 });
    const many = Array.from({ length: 200 }, (_, n) => resident(`p${n}`));
    await town.people([...many, resident('ana', { follow: [{ topic: 'services' }] })]);
    const { push } = await publish();
    const view = await town.fanout.get(push);
    expect(view?.counts.withheld).toBeGreaterThan(60);
    expect(view?.counts.withheld).toBeLessThan(140);
    expect(new Set(await codes(push))).toEqual(new Set(['sent', 'withheld holdout']));
    expect(await told()).toContain('ana');
  });

  it('is a draw for the item, the same for a second push of it; who was told already is not held out', async () => {
    await activeRule({ holdout: 0.5 });
    await town.people(Array.from({ length: 40 }, (_, n) => resident(`p${n}`)));
    const { item, push } = await publish();
    const all = await Promise.all(Array.from({ length: 40 }, (_, n) => idOf(`p${n}`)));
    const named = await town.fanout.push(
      { item, audience: { kind: 'people', subscribers: all }, channels: null, note: 'everybody' },
      publisher,
    );
    await town.drain();
    const first = (await town.fanout.get(push))?.counts;
    const second = (await town.fanout.get(named.id))?.counts;
    expect(second?.sent).toBe(first?.withheld);
    expect(second?.withheld).toBe(first?.sent);
    expect(new Set((await codes(named.id)).filter((code) => code !== 'sent'))).toEqual(
      new Set(['withheld already-told']),
    );
  });

  it('reaches nobody any more once consent is withdrawn, the rule paused or opted out of, though it was planned', async () => {
    const rule = await activeRule();
    await town.people([resident('ana'), resident('ben')]);
    const first = await publish({}, false);
    await town.parts.duties.tick();
    await town.subscriptions.change(await idOf('ana'), { consents: { personalisation: false } });
    await town.drain();
    expect(await told()).toEqual(['ben']);
    expect((await codes(first.push)).sort()).toEqual(['sent', 'withheld opted-out']);
    const second = await publish({ title: 'Another' }, false);
    await town.parts.duties.tick();
    await town.rules.pause(rule, publisher);
    await town.drain();
    expect(await codes(second.push)).toEqual(['withheld opted-out']);
  });

  it('is stopped by the link in its message, and selects that person no more', async () => {
    await activeRule();
    await town.people([resident('ana')]);
    await publish();
    const [letter] = await readOutbox(town.dataDir, { limit: 1 });
    const token = decodeURIComponent(/\/u\/([^\s"?]+)/.exec(letter?.text ?? '')?.[1] ?? '');
    expect((await town.fanout.unsubscribeView(token)).sources).toMatchObject([{ live: true }]);
    expect(await town.fanout.unsubscribe(token, false)).toBe(1);
    expect((await town.fanout.unsubscribeView(token)).sources).toMatchObject([{ live: false }]);
    const { push } = await publish({ title: 'Another' });
    expect((await town.fanout.get(push))?.matched).toBe(0);
  });

  it('reaches nobody who stopped everything, until they follow something again', async () => {
    await activeRule();
    await town.people([resident('ana')]);
    const ana = await idOf('ana');
    await town.subscriptions.stop(ana, 'all');
    const { push } = await publish();
    expect((await town.fanout.get(push))?.matched).toBe(0);
    await town.subscriptions.follow(ana, {
      target: { topic: 'licensing' },
      regions: null,
      pace: 'immediate',
      channels: null,
    });
    const again = await publish({ title: 'Another' });
    expect((await town.fanout.get(again.push))?.matched).toBe(1);
  });

  it('needs no consent for an emergency that asks for region, language and channel alone', async () => {
    await activeRule({ who: { person: 'region', within: ['110000'] }, holdout: 0.5 });
    await activeRule({ name: 'Tenants', who: tenants });
    await town.people([
      resident('ana', { consents: { personalisation: false }, quietHours: { from: '00:00', to: '23:59' } }),
      resident('ben', { consents: { personalisation: false }, region: '310000' }),
    ]);
    await publish({ urgency: 'emergency' });
    expect(await told()).toEqual(['ana']);
  });

  it('never selects for a targeted item', async () => {
    await activeRule();
    await town.people([resident('ana')]);
    const { push } = await publish({ visibility: 'targeted' });
    expect((await town.fanout.get(push))?.matched).toBe(0);
  });
});

describe('a push to a condition', () => {
  it('reaches whom it is true of and who consented, with no holdout, and says by which facts', async () => {
    await activeRule({ holdout: 0.5 });
    const { item } = await publish();
    await town.people([resident('ana'), resident('ben', { consents: { personalisation: false } })]);
    const push = await town.fanout.push(
      { item, audience: { kind: 'condition', who: tenants }, channels: null, note: 'for tenants' },
      publisher,
    );
    await town.drain();
    expect(await told()).toEqual(['ana']);
    expect((await town.fanout.get(push.id))?.bySource).toEqual([{ source: `push:${push.id}`, people: 1 }]);
    expect((await ledger(push.id))[0]?.reasons).toEqual([
      { source: `push:${push.id}`, explanation: null, facts: { 'attributes.household': 'tenant' } },
    ]);
  });
});
