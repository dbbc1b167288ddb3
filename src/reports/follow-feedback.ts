import type { Feedback } from '../feedback/feedback.ts';
import type { Storage } from '../storage/storage.ts';

const pageSize = 1_000;
/** What came back may be written a little after its moment: this long it is looked for again. */
const lateMs = 60_000;
/** A push is counted again at once while it is young, then ever more rarely: reactions come in one by one, for days. */
const youngMs = 100_000;
const latestMs = 15 * 60_000;
const ageShare = 20;

const dueFor = (push: { createdAt: number }, now: number): number =>
  now + Math.min(latestMs, Math.max(0, (now - push.createdAt - youngMs) / ageShare));

/** Groups in the order of their first member. */
export const grouped = <T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
};

/** What looks for what came back since it looked last, and has the batches counted that it is of. Times in ms. */
export const makeFollower = (
  stores: Pick<Storage, 'reports' | 'pushes' | 'feedback'>,
): ((followedTo: number, now: number) => Promise<void>) => {
  const { reports, pushes } = stores;
  /** What was followed of the last minute, so that nobody is counted for it twice: id and moment. */
  let recent = new Map<string, number>();

  const soilFor = async (feedback: Feedback[], now: number): Promise<void> => {
    for (const [id, list] of grouped(feedback, ({ push }) => push)) {
      const push = await pushes.get(id);
      const ordinals = [...new Set(list.map(({ ordinal }) => ordinal))];
      if (push) await reports.soilPeople(id, ordinals, dueFor(push, now));
    }
  };

  return async (followedTo, now) => {
    const from = Math.max(0, followedTo - lateMs);
    for (let cursor: string | null = null, more = true; more; ) {
      const page = await stores.feedback.between(from, now + 1, { cursor, limit: pageSize });
      const fresh = page.feedback.filter(({ id, at }) => recent.get(id) !== at);
      await soilFor(fresh, now);
      for (const { id, at } of fresh) if (at >= now - lateMs) recent.set(id, at);
      cursor = page.next;
      more = page.next !== null;
    }
    recent = new Map([...recent].filter(([, at]) => at >= now - lateMs));
  };
};
