import { ownTurn } from '../../turns.ts';
import type { AudienceIndexTools } from '../audience-index.ts';
import type { AudienceStore, IndexedPerson } from '../audience-store.ts';

const peopleAtOnce = 1_000;
/** Of people who changed meanwhile: the process is busy with what changed them. */
const changesAtOnce = 200;
const followsAtOnce = 2_000;

/** Reads the store into an index, in parts, between which the process serves. An abort ends it between two parts. */
export type IndexReader = {
  /** Everybody, as of a change number read before. */
  fill(tools: AudienceIndexTools): Promise<void>;
  readFollows(tools: AudienceIndexTools): Promise<void>;
  /** Takes in the changes up to `to` at least, with the newest topics; answers how many people they were. */
  follow(tools: AudienceIndexTools, to: number): Promise<number>;
  /** Lets the process do something else. */
  turn(): Promise<void>;
};

export const makeIndexReader = (audience: AudienceStore, signal: AbortSignal): IndexReader => {
  const turn = async (): Promise<void> => {
    await ownTurn();
    signal.throwIfAborted();
  };

  const readFollows = async (tools: AudienceIndexTools): Promise<void> => {
    for (;;) {
      const some = await audience.follows(tools.lastFollow(), followsAtOnce);
      tools.addFollows(some);
      if (some.length < followsAtOnce) return;
      await turn();
    }
  };

  /** Whether a follow is of a topic must be known before its people come in. */
  const knowFollows = async (tools: AudienceIndexTools, people: readonly IndexedPerson[]): Promise<void> => {
    if (people.some(({ follows }) => follows.some((no) => !tools.hasFollow(no)))) await readFollows(tools);
  };

  return {
    fill: async (tools) => {
      const sequence = await audience.sequence();
      await readFollows(tools);
      for (let after: number | null = 0; after !== null; ) {
        const part: Awaited<ReturnType<AudienceStore['scan']>> = await audience.scan(after, peopleAtOnce);
        await knowFollows(tools, part.people);
        for (const person of part.people) tools.load(person);
        after = part.last;
        await turn();
      }
      tools.loaded();
      tools.setSequence(sequence);
    },
    readFollows,
    follow: async (tools, to) => {
      let count = 0;
      while (tools.index.sequence() < to) {
        await turn();
        const changes = await audience.changes(tools.index.sequence(), changesAtOnce);
        const people = await audience.people(changes.map(({ ordinal }) => ordinal));
        await knowFollows(tools, people);
        const present = new Map(people.map((person) => [person.ordinal, person]));
        for (const { ordinal } of changes) {
          const person = present.get(ordinal);
          if (person) tools.put(person);
          else tools.remove(ordinal);
        }
        tools.setSequence(changes.at(-1)?.seq ?? tools.index.sequence());
        count += changes.length;
        if (changes.length < changesAtOnce) break;
      }
      tools.setTopics(await audience.topicNumbers());
      return count;
    },
    turn,
  };
};
