import type { Condition } from '../rules/condition.ts';
import type { RuleContext } from '../rules/evaluate.ts';
import type { RuleContent } from '../rules/rule.ts';
import { itemHolds, needsNoConsent } from '../rules/selection.ts';
import type { ItemFacts } from '../subscriptions/matching.ts';
import type { IndexedPerson, NumberedFollow } from './audience-store.ts';
import { allOf, compile, setPlan } from './index/compile.ts';
import { consented, makeDictionary, reachable, type StoredDictionary } from './index/dictionary.ts';
import { type MatchedFollow, makeFollowTable } from './index/follow-table.ts';
import { makePeopleIndex } from './index/people-index.ts';
import type { Block } from './packed/block.ts';
import { plainCode, sameCode } from './packed/inspect.ts';
import { nobody, type PeopleSet } from './people-set.ts';

/** What counts are broken down by. People who told no region are in none. */
type Breakdown = 'region' | 'language' | 'channel';

/** What the index says; all of it at once, from memory, as of `sequence`. */
export type AudienceIndex = {
  /** The change number up to which everything is in. */
  sequence(): number;
  people(): number;
  /** Whom a condition is true of, consent and reach not asked. For a condition over the person alone any item will do. */
  select(condition: Condition, item: ItemFacts, context: RuleContext): PeopleSet;
  /** Whom a rule selects: `when` and `who` true, consent where it is needed, and an address that can be used. */
  selectRule(rule: Pick<RuleContent, 'when' | 'who'>, item: ItemFacts, context: RuleContext): PeopleSet;
  /** Everybody whom rules can select: those who consented and have an address that can be used. */
  everybodyReached(): PeopleSet;
  /** The distinct follows that an item matches with everybody who has them, by number; those that nobody has are left out. */
  matchItem(item: ItemFacts): (MatchedFollow & { people: PeopleSet })[];
  /** How many of the set by region, language or channel; keys that have nobody are left out. */
  countBy(breakdown: Breakdown, set: PeopleSet): Map<string, number>;
  /** How many have an address that can be used. */
  reachable(set: PeopleSet): number;
  /** Bytes by what they are for. */
  memory(): { people: number; follows: number; total: number };
};

/** What stays of an index for the next start. */
export type AudienceSnapshot = { sequence: number; dictionary: StoredDictionary; blocks: readonly Block[] };

/** The index and what fills it. */
export type AudienceIndexTools = {
  index: AudienceIndex;
  addFollows(follows: readonly NumberedFollow[]): void;
  lastFollow(): number;
  hasFollow(no: number): boolean;
  setTopics(topics: ReadonlyMap<string, number>): void;
  /** Adds a person while the index is first made, ascending; then `loaded`, then it may be asked. */
  load(person: IndexedPerson): void;
  loaded(): void;
  put(person: IndexedPerson): void;
  remove(ordinal: number): void;
  /** How many were removed since it was made: those are in a snapshot from before, with all that was known of them. */
  removed(): number;
  /** No ordinal is above it. */
  highest(): number;
  /** Those of the ordinals of whom the index says anything else than `people` do (or nothing, of those left out). */
  differing(ordinals: readonly number[], people: readonly IndexedPerson[]): number[];
  setSequence(sequence: number): void;
  /** The distinct follows that an item matches, whoever has them; and everybody who has one. */
  matching(item: ItemFacts): MatchedFollow[];
  followers(no: number): PeopleSet;
  /** Puts changed people into their blocks, one block in each call; answers whether more are to come. */
  settle(): boolean;
  snapshot(): AudienceSnapshot;
};

/** `from`: a snapshot to go on from; the follows must be added before the first person all the same. */
export const makeAudienceIndex = (from?: AudienceSnapshot): AudienceIndexTools => {
  const follows = makeFollowTable();
  const dictionary = makeDictionary(follows.isTopic, from?.dictionary);
  const people = makePeopleIndex(dictionary, from?.blocks);
  let topics: ReadonlyMap<string, number> = new Map();
  let sequence = from?.sequence ?? 0;
  let removed = 0;
  if (from) people.recount();

  const plan = (condition: Condition, item: ItemFacts, context: RuleContext) =>
    compile(condition, item, context, { dictionary, follows, topics });
  const followers = (no: number): PeopleSet => {
    if (!follows.isTopic(no)) return people.followers(no);
    const set = dictionary.follow(no);
    return set === undefined ? nobody : people.select(setPlan(set));
  };

  const index: AudienceIndex = {
    sequence: () => sequence,
    people: people.size,
    select: (condition, item, context) => people.select(plan(condition, item, context)),
    selectRule: ({ when, who }, item, context) => {
      if (!itemHolds(when, item)) return nobody;
      const allowed = needsNoConsent(who, item) ? [] : [setPlan(consented)];
      return people.select(allOf([plan(who, item, context), setPlan(reachable), ...allowed]));
    },
    everybodyReached: () => people.select(allOf([setPlan(reachable), setPlan(consented)])),
    matchItem: (item) =>
      follows
        .match(item)
        .map((follow) => ({ ...follow, people: followers(follow.no) }))
        .filter((follow) => follow.people.size > 0),
    countBy: (breakdown, set) => {
      const { regions, languages, channels } = dictionary;
      return people.count(set, { region: regions, language: languages, channel: channels }[breakdown]);
    },
    reachable: (set) => people.count(set, new Map([['reachable', reachable]])).get('reachable') ?? 0,
    memory: () => {
      const [inPeople, inFollows] = [people.bytes(), follows.bytes()];
      return { people: inPeople, follows: inFollows, total: inPeople + inFollows };
    },
  };

  return {
    index,
    addFollows: follows.add,
    lastFollow: follows.last,
    hasFollow: follows.has,
    setTopics: (numbers) => {
      topics = numbers;
    },
    load: people.load,
    loaded: people.loaded,
    put: people.put,
    remove: (ordinal) => {
      if (people.remove(ordinal)) removed += 1;
    },
    removed: () => removed,
    highest: people.highest,
    differing: (ordinals, told) => {
      const known = people.codes(ordinals);
      const right = new Map(told.map((person) => [person.ordinal, person]));
      return ordinals.filter((ordinal) => {
        const [code, person] = [known.get(ordinal), right.get(ordinal)];
        if (!code || !person) return code !== undefined || person !== undefined;
        return !sameCode(code, plainCode(dictionary.encode(person)));
      });
    },
    setSequence: (reached) => {
      sequence = reached;
    },
    matching: follows.match,
    followers,
    settle: people.settle,
    snapshot: () => ({ sequence, dictionary: dictionary.store(), blocks: people.blocks() }),
  };
};
