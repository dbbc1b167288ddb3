import type { RuleContent } from '../../src/rules/rule.ts';
import { ruleContext, selects } from '../../src/rules/selection.ts';
import { factsOfItem } from '../../src/subscriptions/matching.ts';
import type { Recipient } from '../../src/subscriptions/subscriber.ts';
import type { World } from './world.ts';

const parents = (world: World) => new Map<string, string | null>(world.topics.map(({ slug }) => [slug, null]));

/**
 * Holds the loop's short cut (a level against a threshold's level) against the rule language itself. Throws where somebody
 * whose highest threshold is said to be `band` is not selected at it, or is selected at the next one.
 */
export const checkAgainstOracle = (
  content: RuleContent,
  world: World,
  topic: number,
  level: number | null,
  [band, next]: [number, number | undefined],
  now: number,
): void => {
  const slug = world.topics[topic]?.slug ?? '';
  const topicParents = parents(world);
  const item = factsOfItem(
    'item',
    { title: slug, summary: slug, language: 'en', topics: [slug], urgency: 'routine', visibility: 'public' },
    { topics: [], topicParents, regions: [], regionParents: new Map() } as never,
  );
  const person = {
    ordinal: 1,
    region: null,
    locale: 'en',
    attributes: {},
    personalisation: true,
    channels: ['email' as const],
    topics: [],
    interests: level === null ? {} : { [slug]: level },
    lastActiveDay: null,
  };
  const context = ruleContext(now, 'UTC', topicParents);
  const selectedAt = (atLeast: number): boolean =>
    selects({ when: content.when, who: { person: 'interest', topic: slug, atLeast } }, item, person, context).selected;
  if (!selectedAt(band) || (next !== undefined && selectedAt(next)))
    throw new Error(`the rule language does not agree that level ${level} is from ${band} to ${next}`);
};

/** A person who can be reached by mail and web push. */
export const recipientOf = (ordinal: number): Recipient =>
  ({
    id: String(ordinal),
    ordinal,
    locale: 'en',
    region: null,
    timeZone: null,
    quietHours: null,
    consents: { personalisation: true },
    mergedInto: null,
    erasedAt: null,
    stoppedAll: false,
    addresses: [{ channel: 'email', lookup: String(ordinal), suppressed: null }],
  }) as never;
