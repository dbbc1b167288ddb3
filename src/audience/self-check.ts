import type { Edges } from '../edges.ts';
import type { AudienceIndexTools } from './audience-index.ts';
import type { AudienceStore } from './audience-store.ts';
import type { IndexReader } from './index/index-reader.ts';
import type { OracleCheck } from './oracle-check.ts';

/** Neighbours whose facts are compared with the store in one check, and people whom the evaluator judges. */
const comparedAtOnce = 64;
const judgedAtOnce = 16;
/** People are written while they are compared: a difference counts if it is there each time. */
const rounds = 3;

type Differing = (tools: AudienceIndexTools, ordinals: readonly number[]) => Promise<number[]>;

export type SelfCheckTools = { reader: IndexReader; edges: Pick<Edges, 'random'>; oracle?: OracleCheck };

/** Checks an index by samples. Nobody else may change the index meanwhile. */
export const makeSelfCheck = (audience: AudienceStore, { reader, edges, oracle }: SelfCheckTools) => {
  /** Those who are found differing also when everything written meanwhile is in. */
  const lasting = async (
    tools: AudienceIndexTools,
    ordinals: readonly number[],
    differing: Differing,
  ): Promise<readonly number[]> => {
    let suspects = ordinals;
    for (let round = 0; round < rounds && suspects.length > 0; round++) {
      await reader.follow(tools, await audience.sequence());
      suspects = await differing(tools, suspects);
    }
    return suspects;
  };

  const randomPerson = (highest: number): number => 1 + Math.floor(edges.random() * Math.max(1, highest));

  const inFacts: Differing = async (tools, ordinals) => tools.differing(ordinals, await audience.people([...ordinals]));

  const facts = async (tools: AudienceIndexTools): Promise<readonly number[]> => {
    const from = randomPerson(tools.highest() - comparedAtOnce);
    const neighbours = Array.from({ length: comparedAtOnce }, (_, at) => from + at);
    return lasting(tools, neighbours, inFacts);
  };

  return {
    /** Of some neighbours, those of whom the index stores anything else than the store. */
    facts,
    /** Those found wrong in their facts, or judged otherwise than by the evaluator; `again` looks at the same of another index. */
    all: async (
      tools: AudienceIndexTools,
    ): Promise<{ people: readonly number[]; again: (anew: AudienceIndexTools) => Promise<readonly number[]> }> => {
      const people = await facts(tools);
      if (people.length > 0 || !oracle) return { people, again: (anew) => lasting(anew, people, inFacts) };
      const sample = Array.from({ length: judgedAtOnce }, () => randomPerson(tools.highest()));
      const questions = await oracle.draw(sample);
      const judged = await lasting(tools, [...new Set(sample)], questions);
      return { people: judged, again: (anew) => lasting(anew, judged, questions) };
    },
  };
};
