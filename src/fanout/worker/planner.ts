import type { AskedIndex, AudienceMatcher, Matched } from '../../audience/audience-matcher.ts';
import type { Edges } from '../../edges.ts';
import type { ItemContent, ItemVersion } from '../../publishing/item.ts';
import { ruleOfSource } from '../../rules/rule.ts';
import type { Storage } from '../../storage/storage.ts';
import { packOrdinals, restOf, unionOf, unpackOrdinals } from '../ordinals.ts';
import { namedIn, owedByName } from '../owed-by-name.ts';
import { type Batch, batchSize, type Lane, lateBatchId, type Push, planBatchId } from '../push.ts';
import type { PushSource } from '../push-store.ts';
import { namedSource, toldSource } from '../reasons.ts';

export type PlannerStores = Pick<Storage, 'pushes' | 'ledger' | 'items' | 'subscriptions' | 'rules'>;
export type PlannerTools = { edges: Pick<Edges, 'now'>; audience: AudienceMatcher };

/** Batches are inserted in groups, so that sending starts while the rest is written. */
const insertAtOnce = 50;

/** A routine push to more people than this lets smaller ones go first. */
const bulkAbove = 20_000;

/** The lane of an item's push, `matched` people strong (0 before it is planned). */
export const laneOf = ({ urgency }: Pick<ItemContent, 'urgency'>, matched = 0): Lane => {
  if (urgency === 'emergency') return 'emergency';
  return urgency === 'routine' && matched > bulkAbove ? 'bulk' : 'at-once';
};

/**
 * Plans pushes (design D5): writes one bitmap a source under its own token, freezes the plan if nobody was first, and lays
 * the batches of the frozen union. Every step may be repeated by anybody.
 */
export const makePlanner = (stores: PlannerStores, tools: PlannerTools) => {
  /** Whom the index finds. */
  const matched = async (push: Push, version: ItemVersion, from: AskedIndex): Promise<Matched[]> => {
    const { audience } = tools;
    if (push.audience.kind === 'condition') {
      const { who } = push.audience;
      return [await audience.matchCondition(namedSource(push.id), who, push.item, version.content, from)];
    }
    const concerns = push.audience.kind === 'match' && version.kind !== 'withdrawal';
    return concerns ? audience.matchItem(push.item, version.content, from) : [];
  };

  const sourcesOf = async (push: Push, version: ItemVersion): Promise<PushSource[]> => {
    if (push.audience.kind === 'people' || push.audience.kind === 'applicant')
      return [plainSource(namedSource(push.id), await namedIn(stores, push.audience))];
    const found = await matched(push, version, push.lane === 'emergency' ? 'as-it-stands' : 'caught-up');
    if (push.audience.kind === 'condition' || version.version === 1) return found.map(packed);
    const told = (await toldBefore(push)).map((one) => one.ordinal);
    return [plainSource(toldSource(push.item), told), ...(await namedBefore(push)), ...found.map(packed)];
  };

  const toldBefore = (push: Push) => stores.ledger.toldOf(push.item, push.version - 1);

  /** Whom an older version owes what it said: they were named, and no index finds them. */
  const namedBefore = async (push: Push): Promise<PushSource[]> =>
    (await owedByName(stores, push.item, push.version - 1)).map((one) =>
      plainSource(namedSource(one.push), one.ordinals),
    );

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

  /** Lays late batches for people who are in none yet; their names go on where those that are there end. */
  const layLate = async (push: Push, missing: number[]): Promise<number> => {
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
  };

  const markUsed = (sources: { source: string }[]): Promise<void> =>
    stores.rules.markUsed(
      sources.flatMap(({ source }) => ruleOfSource(source) ?? []),
      tools.edges.now(),
    );

  /**
   * People of sources who are in no batch yet join in late ones. Their sources are kept first and batches laid of what is kept,
   * so that whoever goes on after a crash tells the same people the same.
   */
  const joinSources = async (push: Push, find: () => Promise<PushSource[]>): Promise<number> => {
    const known = packOrdinals(await stores.pushes.peopleOf(push.id));
    const unlaid = (sources: PushSource[]): number[] =>
      unpackOrdinals(restOf(packOrdinals(unionOf(sources.map(({ ordinals }) => ordinals))), known));
    const kept = await stores.pushes.sources(push.id);
    const waiting = unlaid(kept);
    if (waiting.length > 0) return layLate(push, waiting);
    const late = (await find())
      .map((one) => ({ ...one, ordinals: restOf(one.ordinals, known) }))
      .filter(({ ordinals }) => unionOf([ordinals]).length > 0);
    if (late.length === 0) return 0;
    await markUsed(late);
    await stores.pushes.addSources(push.id, kept.length, late, peopleBySource([...kept, ...late]));
    return layLate(push, unlaid(await stores.pushes.sources(push.id)));
  };

  /** Whom an emergency missed, because its plan did not wait for the index: found by an index that has caught up. */
  const joinLate = async (push: Push): Promise<number> => {
    const version = push.lane === 'emergency' ? await stores.items.version(push.item, push.version) : null;
    return version ? joinSources(push, async () => (await matched(push, version, 'caught-up')).map(packed)) : 0;
  };

  /** People who were told an older version, or named for one, after this one was planned. */
  const joinTold = async (push: Push): Promise<number> => {
    if (push.version < 2 || push.audience.kind !== 'match') return 0;
    const known = new Set(await stores.pushes.peopleOf(push.id));
    const told = await toldBefore(push);
    const laid = await layLate(
      push,
      told.map((one) => one.ordinal).filter((ordinal) => !known.has(ordinal)),
    );
    return laid + (await joinSources(push, () => namedBefore(push)));
  };

  return {
    /** Plans one push whose version is published; answers false while it is not. */
    plan: async (push: Push, token: string): Promise<boolean> => {
      const version = await stores.items.version(push.item, push.version);
      if (!version) return false;
      if (push.plan === null) {
        const sources = await sourcesOf(push, version);
        await markUsed(sources);
        await stores.pushes.writeSources(push.id, token, sources);
        const matched = unionOf(sources.map((source) => source.ordinals)).length;
        await stores.pushes.freeze(push.id, token, {
          lane: laneOf(version.content, matched),
          matched,
          bySource: peopleBySource(sources),
          plannedAt: tools.edges.now(),
        });
      }
      const frozen = await stores.pushes.sources(push.id);
      await stores.pushes.setState(push.id, ['planning'], 'running');
      // the lane that was frozen, whoever froze it
      const lane = (await stores.pushes.get(push.id))?.lane ?? push.lane;
      await layBatches({ ...push, lane }, unionOf(frozen.map((source) => source.ordinals)));
      return true;
    },

    /** Says that there will be something to plan. */
    prepare: tools.audience.prepare,

    /** People whom an emergency's plan could not know of join it in late batches; answers how many. */
    joinLate,

    /** Whoever else has to join a push in late batches. To be asked once nothing older can be sent any more. */
    planLate: async (push: Push): Promise<number> => (await joinTold(push)) + (await joinLate(push)),
  };
};

export type Planner = ReturnType<typeof makePlanner>;

const packed = ({ source, follow, people, facts, arms }: Matched): PushSource => ({
  source,
  follow,
  facts: facts.map((fact) => ({ leaf: fact.leaf, ordinals: packOrdinals(fact.people) })),
  ordinals: packOrdinals(people),
  ...(arms ? { arms: { day: arms.day, cuts: arms.cuts.map(packedCut) } } : {}),
});

const packedCut = ({ threshold, people }: { threshold: number; people: Iterable<number> }) => ({
  threshold,
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
