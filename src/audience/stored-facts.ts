import type { PersonFacts } from '../profiles/person-facts.ts';
import type { Storage } from '../storage/storage.ts';
import type { Followed } from '../subscriptions/subscription-store.ts';
import type { IndexedPerson } from './audience-store.ts';

export type StoredFactsStores = Pick<Storage, 'subscriptions' | 'audience'>;

/** What the store says of one person, in the evaluator's words, with their live follows. */
export type StoredFacts = { facts: PersonFacts; follows: Followed[] };

const interestsOf = ({ interests }: IndexedPerson, slugs: ReadonlyMap<number, string>): Record<string, number> => {
  const levels: Record<string, number> = {};
  for (let at = 0; at < interests.length; at += 2) {
    const slug = slugs.get(interests[at] ?? -1);
    if (slug !== undefined) levels[slug] = interests[at + 1] ?? 0;
  }
  return levels;
};

/** These people as the store has them, by ordinal, each read by itself; those unknown, merged or erased are left out. */
export const storedFacts = async (
  stores: StoredFactsStores,
  ordinals: readonly number[],
): Promise<Map<number, StoredFacts>> => {
  const slugs = new Map([...(await stores.audience.topicNumbers())].map(([slug, no]) => [no, slug]));
  const found = new Map<number, StoredFacts>();
  for (const person of await stores.audience.people([...ordinals])) {
    const { ordinal, region, locale, attributes, personalisation, channels, lastActiveDay } = person;
    const follows = (await stores.subscriptions.subscriptionsOf(ordinal)).filter(({ stoppedAt }) => stoppedAt === null);
    const topics = follows.flatMap(({ definition }) => ('topic' in definition.target ? [definition.target.topic] : []));
    const told = { ordinal, region, locale, attributes, personalisation, channels, lastActiveDay };
    const facts = { ...told, topics: [...new Set(topics)], interests: interestsOf(person, slugs) };
    found.set(ordinal, { facts, follows });
  }
  return found;
};
