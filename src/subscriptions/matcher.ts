import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { ItemContent } from '../publishing/item.ts';
import { anchorsOfItem, factsOfItem, followMatches } from './matching.ts';
import type { SubscriptionStore } from './subscription-store.ts';

/** One distinct follow that an item matches, and everybody whose subscription to it is live. */
type MatchedFollow = {
  /** Its name in reasons; follows of one topic within different regions share it. */
  source: string;
  /** The distinct follow's key. */
  follow: string;
  /** Ascending. */
  ordinals: number[];
};

export type Matcher = {
  /** Every distinct follow with followers that the item matches, ordered by source and key. A targeted item matches none. */
  matchItem(itemId: string, content: ItemContent): Promise<MatchedFollow[]>;
};

/** The one way from an item to the people who asked for it. */
export const makeMatcher = (
  { subscriptions }: { subscriptions: Pick<SubscriptionStore, 'followsByAnchors' | 'followers'> },
  { catalogue }: { catalogue: Pick<CatalogueService, 'trees'> },
): Matcher => ({
  matchItem: async (itemId, content) => {
    if (content.visibility === 'targeted') return [];
    const facts = factsOfItem(itemId, content, await catalogue.trees());
    const candidates = await subscriptions.followsByAnchors(anchorsOfItem(facts));
    const matched: MatchedFollow[] = [];
    for (const definition of candidates.filter((one) => followMatches(one, facts))) {
      const ordinals = await subscriptions.followers(definition.key);
      if (ordinals.length > 0) matched.push({ source: definition.source, follow: definition.key, ordinals });
    }
    const name = ({ source, follow }: MatchedFollow): string => `${source} ${follow}`;
    return matched.sort((a, b) => (name(a) < name(b) ? -1 : 1));
  },
});
