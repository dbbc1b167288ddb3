import type { BrowsingService } from '../browsing/browsing-service.ts';
import type { Edges } from '../edges.ts';
import type { Storage } from '../storage/storage.ts';
import type { Feedback } from './feedback.ts';
import { finalMs } from './machine-clicks.ts';

const atOnce = 200;

/** Whatever happens on both sides of a minute's job is waited for once more. */
const slackMs = 60_000;

type Stores = Pick<Storage, 'feedback'>;
type Tools = { browsing: Pick<BrowsingService, 'record'>; edges: Pick<Edges, 'now'> };

/**
 * What clicks tell of interests: once no later visit can show any more that a click was a machine's, it is told to the profile
 * (which asks for consent) as of its moment, once. A process that dies between the two may tell it again. Answers how many
 * clicks were learned from.
 */
export const makeClickLearner =
  ({ feedback }: Stores, { browsing, edges }: Tools) =>
  async (signal: AbortSignal): Promise<number> => {
    const before = edges.now() - finalMs - slackMs;
    let learned = 0;
    for (let more = true; more && !signal.aborted; ) {
      const ripe = await feedback.clicksBefore(before, atOnce);
      const clicks: Feedback[] = [];
      for (const { id, message } of ripe) {
        const click = (await feedback.ofMessage(message)).find((one) => one.id === id);
        if (click && click.machine === null) clicks.push(click);
      }
      const { accepted } = await browsing.record(
        clicks.map(({ ordinal, item, at, channel }) => ({
          ...{ subscriber: { ordinal }, kind: 'click' as const, item: { id: item }, at, channel },
        })),
      );
      await feedback.forgetClicks(ripe);
      learned += accepted;
      more = ripe.length === atOnce;
    }
    return learned;
  };
