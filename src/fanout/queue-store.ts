import { lanes } from './push.ts';

/** What waits to be done: people in each lane of the fan-out, transactional messages, calls to webhooks. */
export const queueNames = [...lanes, 'transactional', 'webhooks'] as const;
export type QueueName = (typeof queueNames)[number];

/**
 * How many wait in a queue who could be served now, and since when (ms) the first does; null: nobody. In a lane a batch counts
 * whole until it is done, and a push that is not planned yet counts nobody, but since it was made.
 */
export type QueueDepth = { queue: QueueName; waiting: number; since: number | null };

/** Above this many rows that are due again are not counted any further: a look at the queues stays cheap. */
export const countedAtMost = 100_000;

/** What operators see of the queues. */
export type QueueStore = {
  /** The depth of every queue, in the order of `queueNames`. What is paused waits for nobody and is left out. */
  depths(now: number): Promise<QueueDepth[]>;
};

/** Adds up parts of queues, so that every queue has one depth. */
export const sumDepths = (parts: QueueDepth[]): QueueDepth[] =>
  queueNames.map((queue) => {
    const own = parts.filter((part) => part.queue === queue);
    const sinces = own.flatMap(({ since }) => since ?? []);
    return {
      queue,
      waiting: own.reduce((sum, part) => sum + part.waiting, 0),
      since: sinces.length > 0 ? Math.min(...sinces) : null,
    };
  });
