import type { AudienceMatcher, Matched } from '../../audience/audience-matcher.ts';
import type { Edges } from '../../edges.ts';
import type { ItemContent, ItemVersion } from '../../publishing/item.ts';
import { ruleOfSource } from '../../rules/rule.ts';
import type { Storage } from '../../storage/storage.ts';
import { packOrdinals, unionOf } from '../ordinals.ts';
import { type Batch, batchSize, type Lane, lateBatchId, type Push, planBatchId } from '../push.ts';
import type { PushSource } from '../push-store.ts';
import { namedSource, toldSource } from '../reasons.ts';

export type PlannerStores = Pick<Storage, 'pushes' | 'ledger' | 'items' | 'subscriptions' | 'rules'>;
export type PlannerTools = { edges: Pick<Edges, 'now'>; audience: AudienceMatcher };

/** Batches are inserted in groups, so that sending starts while the rest is written. */
const insertAtOnce = 50;

/** The lane of an item's push. */
export const laneOf = (content: Pick<ItemContent, 'urgency'>): Lane =>
  content.urgency === 'emergency' ? 'emergency' : 'at-once';

/**
 * Plans pushes (design D5): writes one bitmap a source under its own token, freezes the plan if nobody was first, and lays
 * the batches of the frozen union. Every step may be repeated by anybody.
 */
export const makePlanner = (stores: PlannerStores, tools: PlannerTools) => {
  const sourcesOf = async (push: Push, version: ItemVersion): Promise<PushSource[]> => {
    if (push.audience.kind === 'people')
      return [plainSource(namedSource(push.id), await named(push.audience.subscribers))];
    if (push.audience.kind === 'condition') {
      const { who } = push.audience;
      return [packed(await tools.audience.matchCondition(namedSource(push.id), who, push.item, version.content))];
    }
    const told = version.version > 1 ? await stores.ledger.toldOf(push.item, version.version - 1) : [];
    const toldOf = plainSource(
      toldSource(push.item),
      told.map((one) => one.ordinal),
    );
    const earlier = version.version > 1 ? [toldOf] : [];
    if (version.kind === 'withdrawal' || version.content.visibility === 'targeted') return earlier;
    return [...earlier, ...(await tools.audience.matchItem(push.item, version.content)).map(packed)];
  };

  const named = async (ids: string[]): Promise<number[]> => {
    const people = await Promise.all(ids.map((id) => stores.subscriptions.subscriber({ id })));
    return people.flatMap((person) => (person ? [person.ordinal] : []));
  };

  const layBatches = async (push: Push, union: Uint32Array): Promise<void> => {
    const total = Math.ceil(union.length / batchSize);
    for (let from = 0; from < total; from += insertAtOnce) {
      const batches = Array.from({ length: Math.min(insertAtOnce, total - from) }, (_, index): Batch => {
        const k = from + index;
        const ordinals = Array.from(union.subarray(k * batchSize, (k + 1) * batchSize));
        return { id: planBatchId(push.id, k), kind: 'plan', push: push.id, lane: push.lane, ordinals, rows: [] };
      });
      await stores.pushes.insertBatches(batches);
    }
  };

  /** Everybody who is in a planned or late batch of the push. */
  const inBatches = (frozen: PushSource[], late: number[]): Set<number> =>
    new Set([...unionOf(frozen.map((source) => source.ordinals)), ...late]);

  return {
    /** Plans one push whose version is published; answers false while it is not. */
    plan: async (push: Push, token: string): Promise<boolean> => {
      const version = await stores.items.version(push.item, push.version);
      if (!version) return false;
      if (push.plan === null) {
        const sources = await sourcesOf(push, version);
        await stores.rules.markUsed(
          sources.flatMap(({ source }) => ruleOfSource(source) ?? []),
          tools.edges.now(),
        );
        await stores.pushes.writeSources(push.id, token, sources);
        await stores.pushes.freeze(push.id, token, {
          matched: unionOf(sources.map((source) => source.ordinals)).length,
          bySource: peopleBySource(sources),
          plannedAt: tools.edges.now(),
        });
      }
      const frozen = await stores.pushes.sources(push.id);
      await stores.pushes.setState(push.id, ['planning'], 'running');
      await layBatches(push, unionOf(frozen.map((source) => source.ordinals)));
      return true;
    },

    /**
     * People who were told an older version after this one was planned join it in late batches; answers how many. To be
     * asked once nothing older can be sent any more.
     */
    planLate: async (push: Push): Promise<number> => {
      if (push.version < 2 || push.audience.kind !== 'match') return 0;
      const frozen = await stores.pushes.sources(push.id);
      const late = await stores.pushes.latePeople(push.id);
      const known = inBatches(frozen, late);
      const told = await stores.ledger.toldOf(push.item, push.version - 1);
      const missing = told.map((one) => one.ordinal).filter((ordinal) => !known.has(ordinal));
      const from = (await stores.pushes.batchesOf(push.id)).filter((batch) => batch.kind === 'late').length;
      const batches = Array.from(
        { length: Math.ceil(missing.length / batchSize) },
        (_, index): Batch => ({
          id: lateBatchId(push.id, from + index),
          kind: 'late',
          push: push.id,
          lane: push.lane,
          ordinals: missing.slice(index * batchSize, (index + 1) * batchSize),
          rows: [],
        }),
      );
      await stores.pushes.insertBatches(batches);
      return missing.length;
    },
  };
};

export type Planner = ReturnType<typeof makePlanner>;

const packed = ({ source, follow, people, facts }: Matched): PushSource => ({
  source,
  follow,
  facts: facts.map((fact) => ({ leaf: fact.leaf, ordinals: packOrdinals(fact.people) })),
  ordinals: packOrdinals(people),
});

const plainSource = (source: string, people: number[]): PushSource =>
  packed({ source, follow: null, people, facts: [] });

const peopleBySource = (sources: PushSource[]): Push['bySource'] => {
  const byLabel = new Map<string, Uint8Array[]>();
  for (const { source, ordinals } of sources) byLabel.set(source, [...(byLabel.get(source) ?? []), ordinals]);
  return [...byLabel]
    .map(([source, sets]) => ({ source, people: unionOf(sets).length }))
    .filter((entry) => entry.people > 0);
};
