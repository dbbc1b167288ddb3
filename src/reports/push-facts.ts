import { DateTime } from 'luxon';
import { hourAt } from '../fanout/local-time.ts';
import type { Push } from '../fanout/push.ts';
import { ruleOfSource } from '../rules/rule.ts';
import type { Storage } from '../storage/storage.ts';
import type { CountedSource, PushFacts } from './fold-batch.ts';

/** A push with what is the same for all its batches; `others`: pushes that told people of the same version. */
export type KnownPush = { push: Push; day: string; facts: Omit<PushFacts, 'now'>; others: string[] };

type Stores = Pick<Storage, 'pushes' | 'items' | 'rules'>;

/** The day of a moment in the office's time zone: 2026-06-10. */
export const dayIn = (timeZone: string, at: number): string =>
  DateTime.fromMillis(at, { zone: timeZone }).toFormat('yyyy-MM-dd');

const quarterMs = 15 * 60_000;
/** Hours of moments; messages of a batch leave within a few minutes, and every zone changes its hour on a quarter. */
const hoursIn = (timeZone: string): ((at: number) => number) => {
  const known = new Map<number, number>();
  return (at) => {
    const quarter = Math.floor(at / quarterMs);
    const hour = known.get(quarter) ?? hourAt(timeZone, at);
    known.set(quarter, hour);
    return hour;
  };
};

const countedSources = async ({ pushes, rules }: Stores, push: string): Promise<CountedSource[]> => {
  const sources = await pushes.sources(push);
  const named = sources.flatMap(({ source }) => ruleOfSource(source) ?? []);
  const versions = named.length > 0 ? await rules.versions(named) : [];
  return sources.map(({ source }) => {
    const rule = ruleOfSource(source);
    const found = rule && versions.find((one) => one.rule === rule.rule && one.version === rule.version);
    return { source, holdout: found?.content.holdout ?? 0 };
  });
};

/** Reads a push; null for an unknown one, or one whose item version is not there. */
export const readPush = async (stores: Stores, id: string, timeZone: string): Promise<KnownPush | null> => {
  const push = await stores.pushes.get(id);
  const version = push && (await stores.items.version(push.item, push.version));
  if (!push || !version) return null;
  const sources = await countedSources(stores, id);
  const day = dayIn(timeZone, push.createdAt);
  const beside = sources.some(({ holdout }) => holdout > 0) ? await stores.pushes.ofItem(push.item) : [];
  return {
    push,
    day,
    facts: {
      item: push.item,
      topics: version.content.topics,
      sources,
      year: Number(day.slice(0, 4)),
      drawnAt: push.plannedAt ?? push.createdAt,
      hourOf: hoursIn(timeZone),
    },
    others: beside.filter((one) => one.id !== id && one.version === push.version).map((one) => one.id),
  };
};
