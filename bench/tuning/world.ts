/**
 * The world of the closed-loop simulation, fixed before the tuner ever ran in it: what people like, what they look at, and how
 * they react. The tuner sees none of this, only interest levels and what comes back. Nothing here may be fitted to its results.
 */
type Topic = {
  slug: string;
  /** How much more people who like the topic look at it than they would at an average one. */
  signal: number;
  /** Views in 30 days by people who do not care: pages that everybody has to look up now and then have many. */
  noise: number;
  /** Share of the published items. */
  items: number;
  /** Which channel the publisher of the topic's rule put first. */
  first: 'email' | 'webPush';
};

/** How people stand to a topic: their share, the items of it that they want, views in 30 days, how many follow the topic. */
type Liking = { share: number; wants: number; views: number; follows: number };

export type World = {
  people: number;
  days: number;
  itemsPerDay: number;
  /** Days of browsing before the first message. */
  warmUpDays: number;
  topics: Topic[];
  /** From keen to indifferent; shares add up to 1. Each person's liking of each topic is drawn by itself. */
  likings: Liking[];
  /** Tastes at random: nobody likes anything more than anybody else, everybody wants this share of whatever comes. */
  wantsAtRandom: number | null;
  /** What a publisher writes without tuning: at least this interest in one of the item's topics. */
  threshold: number;
  thresholdBounds: [number, number];
  caps: { day: number; week: number };
  /** Share of people who mostly look at their mail; the others at web pushes. */
  mailReaders: number;
  /** Share of messages that are seen over the channel that a person looks at, and over the other. */
  seen: { own: number; other: number };
  /** What is left of that when a message does not come at the hour that the person prefers. */
  wrongHour: number;
  /** What people do with a message that they saw: of those who want it, and of those who do not. */
  wanted: { useful: number; click: number; goodRating: number };
  unwanted: { click: number; notForMe: number; stop: number };
  /** Share of mailed messages that a scanner clicks, marked as a machine's. */
  scanners: number;
  /** Messages that must be delivered (named people, follows): share of the items, share of the people each is for. */
  must: { items: number; people: number };
};

const topic = (slug: string, signal: number, noise: number, items: number, first: Topic['first']): Topic => ({
  slug,
  signal,
  noise,
  items,
  first,
});

export const tastes: World = {
  people: 20_000,
  days: 60,
  itemsPerDay: 3,
  warmUpDays: 60,
  topics: [
    topic('schools', 1.5, 0.3, 0.1, 'email'),
    topic('recruitment', 1, 2.5, 0.12, 'webPush'),
    topic('housing', 1, 1, 0.1, 'email'),
    topic('roadworks', 0.7, 0.4, 0.1, 'webPush'),
    topic('licences', 0.5, 1.5, 0.08, 'email'),
    topic('penalties', 0.4, 2, 0.06, 'email'),
    topic('budgets', 0.6, 0.2, 0.06, 'email'),
    topic('food', 1.2, 0.8, 0.08, 'webPush'),
    topic('culture', 2, 0.5, 0.1, 'webPush'),
    topic('health', 1, 3, 0.08, 'email'),
    topic('pensions', 0.8, 0.1, 0.06, 'webPush'),
    topic('environment', 1, 0.6, 0.06, 'webPush'),
  ],
  likings: [
    { share: 0.12, wants: 0.75, views: 6, follows: 0.6 },
    { share: 0.18, wants: 0.3, views: 2, follows: 0.35 },
    { share: 0.7, wants: 0.03, views: 0, follows: 0.15 },
  ],
  wantsAtRandom: null,
  threshold: 0.4,
  thresholdBounds: [0.1, 0.85],
  caps: { day: 3, week: 10 },
  mailReaders: 0.65,
  seen: { own: 0.75, other: 0.4 },
  wrongHour: 0.9,
  wanted: { useful: 0.12, click: 0.35, goodRating: 0.03 },
  unwanted: { click: 0.03, notForMe: 0.06, stop: 0.01 },
  scanners: 0.05,
  must: { items: 0.1, people: 0.05 },
};

/**
 * The null world: the same people look at the same pages, but what they look at says nothing of what they want, and channel and
 * hour change nothing either, so that there is nothing to be learned.
 */
export const noTastes: World = { ...tastes, wantsAtRandom: 0.3, seen: { own: 0.6, other: 0.6 }, wrongHour: 1 };
