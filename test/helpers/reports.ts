import type { Delivery } from '../../src/fanout/ledger-store.ts';
import type { Feedback } from '../../src/feedback/feedback.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import type { RuleContent } from '../../src/rules/rule.ts';
import { publisher, type Town } from './town.ts';

/** What one person said of the row that told them. */
export const feedbackOn = (row: Delivery, item: string, at: number, fields: Partial<Feedback> = {}): Feedback => ({
  id: `${row.message}-${fields.kind ?? 'useful'}`,
  kind: 'useful',
  rating: null,
  comment: null,
  push: row.push,
  item,
  version: 1,
  ordinal: row.ordinal,
  channel: row.channel ?? 'email',
  message: row.message ?? '',
  at,
  machine: null,
  ...fields,
});

/** Lets the counter do all that is due now. */
export const count = async (town: Town): Promise<void> => {
  town.pass(5_000);
  await town.reportCounter.run(new AbortController().signal);
};

/** Publishes an item, sends it, counts it; answers the rows by person. */
export const publishAndCount = async (town: Town, content: Partial<ItemContent> = {}) => {
  const item = await town.publishing.create(
    {
      title: 'Rent subsidy',
      summary: 'Apply by the end of June.',
      language: 'en',
      topics: ['services'],
      urgency: 'routine',
      visibility: 'public',
      ...content,
    },
    null,
    publisher,
  );
  const { push } = await town.fanout.publish(item.id, publisher);
  await town.drain();
  await count(town);
  const { rows } = await town.stores.ledger.page(push.id, null, { cursor: null, limit: 1_000 });
  return { item: item.id, push: push.id, rows };
};

/** A rule over everybody in Beijing, active. */
export const activeRule = async (town: Town, overrides: Partial<RuleContent> = {}): Promise<string> => {
  const content: RuleContent = {
    name: 'Beijing',
    explanation: { en: 'You live in Beijing.', 'zh-CN': '您住在北京。' },
    when: { item: 'topics', has: ['services'] },
    who: { person: 'region', within: ['110000'] },
    deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
    holdout: 0,
    tune: {},
    ...overrides,
  };
  const { rule } = await town.rules.create(content, publisher);
  await town.rules.activate(rule.id, null, publisher);
  return rule.id;
};

/** Imports so many people in a region who consented; those who `follow` services asked for its items. */
export const residents = (town: Town, many: number, fields: object = {}, prefix = 'p') =>
  town.people(
    Array.from({ length: many }, (_, n) => ({
      externalId: `${prefix}${n}`,
      email: `${prefix}${n}@example.org`,
      verified: true,
      locale: 'en',
      region: '110000',
      consents: { personalisation: true },
      follow: [{ topic: 'budgets' }],
      ...fields,
    })),
  );
