import type { PushSource } from '../fanout/push-store.ts';

/** A fact as rows keep it: what it is as JSON, and whom it holds of. */
type FactRow = { leaf: string; ordinals: Uint8Array };

/** The leaves of a source, then what its arms cut: `armsOf` names their day, `atLeast` the threshold (none: the day alone). */
export const factRows = ({ facts, arms }: PushSource): FactRow[] => [
  ...facts.map(({ leaf, ordinals }) => ({ leaf: JSON.stringify(leaf), ordinals })),
  ...(arms ? [{ leaf: JSON.stringify({ armsOf: arms.day }), ordinals: new Uint8Array() }] : []),
  ...(arms?.cuts ?? []).map(({ threshold, ordinals }) => ({
    leaf: JSON.stringify({ armsOf: arms?.day, atLeast: threshold }),
    ordinals,
  })),
];

/** The way back; rows in the order in which they were kept. */
export const factsOfRows = (rows: FactRow[]): Pick<PushSource, 'facts' | 'arms'> => {
  const facts: PushSource['facts'] = [];
  let arms: NonNullable<PushSource['arms']> | null = null;
  for (const { leaf: json, ordinals } of rows) {
    const leaf = JSON.parse(json);
    if (typeof leaf.armsOf !== 'string') facts.push({ leaf, ordinals });
    else if (leaf.atLeast === undefined) arms = { day: leaf.armsOf, cuts: [] };
    else arms?.cuts.push({ threshold: leaf.atLeast, ordinals });
  }
  return arms ? { facts, arms } : { facts };
};
