import type { Edges } from '../edges.ts';
import type { Log } from '../log.ts';
import type { AccountName, AccountStore } from './account-store.ts';

/** Told how the calls of an account went; never throws. */
export type AccountWatch = {
  /** `but`: codes of faults that this says nothing of. */
  worked(but?: readonly string[]): Promise<void>;
  /** `quietUntil`: the provider takes nothing before (ms). */
  failed(code: string, words: string, quietUntil?: number): Promise<void>;
};

/** What is the same as a moment ago is not written again. */
const writtenEveryMs = 60_000;
const wordsMost = 300;

/**
 * Keeps how an account fares where staff see it, and logs a fault once it arises. Whatever goes well a thousand times a second is
 * written once a minute.
 */
export const makeAccountWatch = (
  store: Pick<AccountStore, 'worked' | 'failed'>,
  account: AccountName,
  { edges, log }: { edges: Pick<Edges, 'now'>; log: Log },
): AccountWatch => {
  let last: { what: string; at: number } = { what: '', at: 0 };

  const isNews = (what: string): boolean => {
    const now = edges.now();
    const news = last.what !== what || now - last.at >= writtenEveryMs || now < last.at;
    if (news) last = { what, at: now };
    return news;
  };

  const kept = async (write: () => Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      last = { what: '', at: 0 };
      log.warn({ error, account }, 'how an account fares could not be kept');
    }
  };

  return {
    worked: async (but = []) => {
      if (isNews(`worked but ${but.join()}`)) await kept(() => store.worked(account, edges.now(), but));
    },
    failed: async (code, words, quietUntil) => {
      if (!isNews(`failed ${code}`)) return;
      const short = words.slice(0, wordsMost);
      log.error({ account, code, words: short }, 'an account at a provider needs its operator');
      await kept(() => store.failed(account, { at: edges.now(), code, words: short }, quietUntil ?? null));
    },
  };
};
