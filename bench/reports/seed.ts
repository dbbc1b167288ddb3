import { seedCatalogue } from '../../src/catalogue/catalogue-service.ts';
import { defaultRegions } from '../../src/catalogue/default-regions.ts';
import { defaultTopics } from '../../src/catalogue/default-topics.ts';
import type { Delivery } from '../../src/fanout/ledger-store.ts';
import { packOrdinals } from '../../src/fanout/ordinals.ts';
import { batchSize, planBatchId, pushIdOf } from '../../src/fanout/push.ts';
import type { Feedback } from '../../src/feedback/feedback.ts';
import { type ItemContent, newItem } from '../../src/publishing/item.ts';
import { ruleSource } from '../../src/rules/rule.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { ChannelName } from '../../src/subscriptions/follow.ts';

export type Scale = { people: number; pushes: number; peopleAPush: number; days: number; now: number; seed: number };

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const rules = ['Tenants', 'Commuters', 'Parents of school children', 'Small businesses', 'Pensioners'];

/** mulberry32: the same numbers in every run; uniform in [0, 1). */
const makeRandom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
type Random = ReturnType<typeof makeRandom>;

/** The 34 provinces, and ten districts in each. */
const regionCodes = defaultRegions.flatMap(({ code }) => [
  code,
  ...Array.from({ length: 10 }, (_, n) => `${code.slice(0, 2)}${String(n + 1).padStart(2, '0')}00`),
]);

/** Four of five tell when they were born. */
const attributesOf = (random: Random): Record<string, number> =>
  random() < 0.8 ? { birthYear: 1935 + Math.floor(random() * 75) } : {};

const seedPeople = async ({ subscriptions }: Storage, { people, now }: Scale, random: Random): Promise<void> => {
  for (let from = 0; from < people; from += 1_000)
    await subscriptions.importPeople(
      Array.from({ length: Math.min(1_000, people - from) }, (_, n) => ({
        id: `person-${from + n}`,
        externalId: `citizen-${from + n}`,
        defaultLocale: 'zh-CN' as const,
        fields: {
          region: regionCodes[Math.floor(random() ** 2 * regionCodes.length)] ?? '110000',
          locale: random() < 0.1 ? ('en' as const) : ('zh-CN' as const),
          attributes: attributesOf(random),
          consents: { personalisation: true },
        },
        addresses: [],
        follows: [],
        createdAt: now - 100 * dayMs,
      })),
    );
};

const seedRules = async ({ rules: store }: Storage, now: number): Promise<void> => {
  for (const [n, name] of rules.entries()) {
    const content = {
      name,
      explanation: { en: name, 'zh-CN': name },
      when: { item: 'topics' as const, has: ['services'] },
      who: { person: 'region' as const, within: ['110000'] },
      deliver: { channels: ['email' as const], pace: 'immediate' as const, priority: 5 },
      holdout: 0.05,
      tune: {},
    };
    const version = { rule: `rule-${n}`, version: 1, content, writer: 'bench', approvedBy: null };
    await store.insert(
      {
        ...{ id: `rule-${n}`, departments: [], state: 'active', active: 1, latest: 1, inReview: null, rejection: null },
        ...{ createdAt: now, updatedAt: now },
      },
      { ...version, createdAt: now, usedAt: now },
    );
  }
};

const channels: ChannelName[] = ['email', 'email', 'email', 'webPush', 'sms'];

/** What one person of a push came to; one in twelve is not told. */
const rowOf = (push: string, ordinal: number, at: number, random: Random): Delivery => {
  const source = random() < 0.4 ? 1 : 0;
  const chance = random();
  const common = { push, ordinal, reasons: [source], revision: 0, dueAt: null, at, holder: null };
  const noticeClass = source === 1 ? ('suggestion' as const) : ('must' as const);
  if (chance < 0.08) {
    const code = source === 1 && chance < 0.02 ? 'holdout' : chance < 0.05 ? 'no-address' : 'opted-out';
    return { ...common, noticeClass, channel: null, state: 'withheld', code, attempts: 0, message: null };
  }
  const channel = channels[Math.floor(random() * channels.length)] ?? 'email';
  const state = channel === 'email' ? (chance < 0.1 ? 'bounced' : 'sent') : 'delivered';
  const message = `${push}-${ordinal}-${channel}`;
  return { ...common, noticeClass, channel, state, code: null, attempts: 1, message };
};

const kinds = ['click', 'click', 'click', 'useful', 'rating', 'not-for-me', 'stop', 'shown'] as const;

/** One in twenty says or does something. */
const feedbackOf = (row: Delivery, item: string, random: Random): Feedback[] => {
  if (row.message === null || random() > 0.05) return [];
  const kind = kinds[Math.floor(random() * kinds.length)] ?? 'click';
  return [
    {
      ...{ id: `${row.message}-${kind}`, kind, comment: null, push: row.push, item, version: 1 },
      rating: kind === 'rating' ? 1 + Math.floor(random() ** 0.5 * 5) : null,
      ...{ ordinal: row.ordinal, channel: row.channel ?? 'email', message: row.message, machine: null },
      at: row.at + Math.floor(random() * hourMs),
    },
  ];
};

const seedPush = async (stores: Storage, n: number, scale: Scale, random: Random): Promise<void> => {
  const { items, pushes, ledger, feedback } = stores;
  const at = scale.now - Math.floor(((n + 0.5) / scale.pushes) * scale.days * dayMs);
  const item = `item-${n}`;
  const topic = defaultTopics[Math.floor(random() * defaultTopics.length)]?.slug ?? 'services';
  const content: ItemContent = {
    ...{ title: `Notice ${n} of the office`, summary: 'What changes, and for whom.', language: 'en' },
    ...{ topics: [topic], urgency: 'routine', visibility: 'public' },
  };
  const made = newItem({ id: item, externalId: null, content, writer: 'bench' }, at);
  const version = { item, version: 1, revision: 0, kind: 'publication' as const, content, note: null, at };
  await items.bring([
    {
      was: null,
      item: { ...made, state: 'published', version: 1, publishedAt: at },
      versions: [{ ...version, announce: false }],
    },
  ]);
  const id = pushIdOf(item, 1);
  const first = Math.floor(random() * (scale.people - scale.peopleAPush)) + 1;
  const ordinals = Array.from({ length: scale.peopleAPush }, (_, k) => first + k);
  const sources = [`subscription:topic:${topic}`, ruleSource(`rule-${n % rules.length}`, 1)];
  const bySource = sources.map((source) => ({ source, people: scale.peopleAPush }));
  await pushes.insert({
    ...{ id, item, version: 1, lane: 'bulk', state: 'running', audience: { kind: 'match' } },
    ...{ channels: null, note: null, plan: null, matched: ordinals.length, bySource },
    ...{ createdAt: at, plannedAt: null, finishedAt: null },
  });
  const packed = packOrdinals(ordinals);
  await pushes.writeSources(
    id,
    'plan',
    sources.map((source) => ({ source, follow: null, facts: [], ordinals: packed })),
  );
  await pushes.freeze(id, 'plan', { lane: 'bulk', matched: ordinals.length, bySource, plannedAt: at });
  const sentAt = at + Math.floor(random() * 10 * hourMs);
  for (let k = 0; k * batchSize < ordinals.length; k += 1) {
    const part = ordinals.slice(k * batchSize, (k + 1) * batchSize);
    const batch = planBatchId(id, k);
    await pushes.insertBatches([{ id: batch, kind: 'plan', push: id, lane: 'bulk', ordinals: part, rows: [] }]);
    await pushes.claim(batch, ['bulk']);
    const rows = part.map((ordinal) => rowOf(id, ordinal, sentAt, random));
    await ledger.insertDeliveries({ batch, token: batch }, rows);
    await pushes.close(batch, batch);
    for (const row of rows) for (const one of feedbackOf(row, item, random)) await feedback.record(one);
  }
  await pushes.finish(id, 'running', sentAt);
};

/** A town and its ledger, made of one seed: people, rules, pushes over the last days, their rows, and what came back. */
export const seedLedger = async (stores: Storage, scale: Scale): Promise<void> => {
  const random = makeRandom(scale.seed);
  await seedCatalogue(stores.catalogue);
  await stores.catalogue.insertRegions(
    regionCodes
      .filter((code) => !defaultRegions.some((region) => region.code === code))
      .map((code) => ({
        code,
        name: { en: `District ${code}`, 'zh-CN': `${code}区` },
        parent: `${code.slice(0, 2)}0000`,
      })),
  );
  await seedPeople(stores, scale, random);
  await seedRules(stores, scale.now);
  for (let n = 0; n < scale.pushes; n += 1) await seedPush(stores, n, scale, random);
};
