import type { Delivery } from '../fanout/ledger-store.ts';
import type { Feedback } from '../feedback/feedback.ts';
import type { Storage } from '../storage/storage.ts';
import { rewardOf, rewardWindowMs } from './reward.ts';
import { dayOf, makeTallies } from './tally.ts';
import type { Closing, Exposure } from './tuning.ts';

type Stores = Pick<Storage, 'tuning' | 'ledger' | 'feedback'>;

/** Feedback of the days of a page of exposures is read once, so that pages are large. */
const exposuresAtOnce = 20_000;
const feedbackAtOnce = 1_000;
const dayMs = 24 * 60 * 60 * 1000;
/** A message that has not left by then (a weekly digest, nights of quiet hours) is no exposure any more. */
const longestWaitMs = 12 * dayMs;

const nameOf = ({ push, ordinal }: { push: string; ordinal: number }): string => `${push} ${ordinal}`;

/** The row of a message that left, of each of these people in these pushes; the first if there were several. */
const rowsOf = async (ledger: Stores['ledger'], exposures: Exposure[]): Promise<Map<string, Delivery>> => {
  const byPush = new Map<string, number[]>();
  for (const { push, ordinal } of exposures) byPush.set(push, [...(byPush.get(push) ?? []), ordinal]);
  const found = new Map<string, Delivery>();
  for (const [push, ordinals] of byPush)
    for (const row of await ledger.deliveriesOf(push, ordinals)) {
      const known = found.get(nameOf(row));
      if (!known || (!hasLeft(known) && hasLeft(row)) || (isOpen(row) && !hasLeft(known))) found.set(nameOf(row), row);
    }
  return found;
};

const hasLeft = ({ state }: Delivery): boolean => state === 'sent' || state === 'delivered';
const isOpen = ({ state }: Delivery): boolean => ['planned', 'sending', 'deferred', 'digested'].includes(state);

/** What came back of these messages, by message and push (a digest is one message of several pushes). */
const feedbackOf = async (store: Stores['feedback'], rows: Delivery[]): Promise<Map<string, Feedback[]>> => {
  const wanted = new Map<string, Feedback[]>(rows.map(({ message, push }) => [`${message} ${push}`, []]));
  if (rows.length === 0) return wanted;
  const from = rows.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const to = rows.reduce((most, { at }) => Math.max(most, at), 0) + rewardWindowMs;
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Stores['feedback']['between']>> = await store.between(from, to, {
      cursor,
      limit: feedbackAtOnce,
    });
    for (const one of page.feedback) wanted.get(`${one.message} ${one.push}`)?.push(one);
    cursor = page.next;
  } while (cursor !== null);
  return wanted;
};

/** Closes one page of exposures: what came of those whose 72 hours are over; what never left is forgotten. */
const closePage = async (stores: Stores, exposures: Exposure[], now: number): Promise<void> => {
  const rows = await rowsOf(
    stores.ledger,
    exposures.filter(({ withheld }) => !withheld),
  );
  const ripe = [...rows.values()].filter((row) => hasLeft(row) && row.at + rewardWindowMs <= now);
  const said = await feedbackOf(stores.feedback, ripe);
  const closings: Closing[] = [];
  const gone: Exposure[] = [];
  for (const one of exposures) {
    const { push, ordinal } = one;
    const row = rows.get(nameOf(one));
    if (one.withheld) closings.push({ push, ordinal, channel: null, sentAt: null, reward: 0, unwanted: false });
    else if (row && hasLeft(row)) {
      if (row.at + rewardWindowMs > now) continue;
      const came = rewardOf(said.get(`${row.message} ${push}`) ?? [], row.at);
      closings.push({ push, ordinal, channel: row.channel, sentAt: row.at, ...came });
    } else if (!row || !isOpen(row) || one.at + longestWaitMs <= now) gone.push(one);
  }
  await stores.tuning.closeExposures(closings);
  await stores.tuning.dropExposures(gone);
};

/** Closes every exposure whose reward is decided (design D14). Repeating it changes nothing; `signal` ends it between pages. */
export const closeExposures = async (stores: Stores, now: number, signal: AbortSignal): Promise<void> => {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Stores['tuning']['openExposures']>> = await stores.tuning.openExposures(
      now - rewardWindowMs,
      { cursor, limit: exposuresAtOnce },
    );
    await closePage(stores, page.rows, now);
    cursor = page.next;
  } while (cursor !== null && !signal.aborted);
};

/**
 * Counts anew every day of which an exposure may have been closed since the last night. Days are put in the place of what
 * was counted for them before, so that a night that died half-way, or ran twice, counts nothing twice.
 */
export const tallyAgain = async (stores: Pick<Storage, 'tuning'>, now: number): Promise<void> => {
  const tallies = makeTallies();
  const first = dayOf(now - longestWaitMs - rewardWindowMs - dayMs);
  const last = dayOf(now - rewardWindowMs);
  const span = { rule: null, from: first * dayMs, to: (last + 1) * dayMs };
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Stores['tuning']['closedExposures']>> = await stores.tuning.closedExposures(span, {
      cursor,
      limit: 5_000,
    });
    tallies.add(page.rows);
    cursor = page.next;
  } while (cursor !== null);
  await stores.tuning.putTallies(first, last, tallies.list());
};
