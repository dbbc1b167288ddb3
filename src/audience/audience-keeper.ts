import { setImmediate } from 'node:timers/promises';
import { type AudienceIndex, type AudienceIndexTools, makeAudienceIndex } from './audience-index.ts';
import type { AudienceSource } from './audience-matcher.ts';
import type { AudienceStore } from './audience-store.ts';

const peopleInOneRead = 2_000;
const changesInOneRead = 1_000;
const followsInOneRead = 5_000;

/** Keeps the index of one process: builds it from the store when it is first asked for, then follows the changes. */
export const makeAudienceKeeper = (audience: AudienceStore): AudienceSource => {
  let building: Promise<AudienceIndexTools> | null = null;
  let following: Promise<void> = Promise.resolve();

  const addFollows = async (tools: AudienceIndexTools): Promise<void> => {
    for (;;) {
      const found = await audience.follows(tools.lastFollow(), followsInOneRead);
      tools.addFollows(found);
      if (found.length < followsInOneRead) return;
    }
  };

  const build = async (): Promise<AudienceIndexTools> => {
    const tools = makeAudienceIndex();
    // read first: whoever changes while it is built is read again afterwards
    const sequence = await audience.sequence();
    await addFollows(tools);
    tools.setTopics(await audience.topicNumbers());
    for (let after: number | null = 0; after !== null; ) {
      const { people, last } = await audience.scan(after, peopleInOneRead);
      for (const person of people) tools.load(person);
      after = last;
      await setImmediate();
    }
    tools.loaded();
    tools.setSequence(sequence);
    await follow(tools, await audience.sequence());
    return tools;
  };

  /** Takes in every change up to a number; what is written meanwhile is the next call's. */
  const follow = async (tools: AudienceIndexTools, wanted: number): Promise<void> => {
    while (tools.index.sequence() < wanted) {
      const changes = await audience.changes(tools.index.sequence(), changesInOneRead);
      if (changes.length === 0) return;
      await addFollows(tools);
      tools.setTopics(await audience.topicNumbers());
      const people = new Map(
        (await audience.people(changes.map((one) => one.ordinal))).map((one) => [one.ordinal, one]),
      );
      for (const { ordinal } of changes) {
        const person = people.get(ordinal);
        if (person) tools.put(person);
        else tools.remove(ordinal);
      }
      tools.setSequence(changes.at(-1)?.seq ?? tools.index.sequence());
    }
  };

  const whole = (): Promise<AudienceIndexTools> => {
    building ??= build().catch((error: unknown) => {
      building = null;
      throw error;
    });
    return building;
  };

  const caughtUp = async (): Promise<AudienceIndex> => {
    const tools = await whole();
    const wanted = await audience.sequence();
    // one follower at a time: each starts where the one before has ended
    following = following.catch(() => undefined).then(() => follow(tools, wanted));
    await following;
    return tools.index;
  };

  return { caughtUp };
};
