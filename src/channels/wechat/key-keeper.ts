import { setTimeout as pauseOf } from 'node:timers/promises';
import {
  type AccountName,
  type AccountStore,
  type AccountToken,
  accountContext,
} from '../../accounts/account-store.ts';
import { type Edges, newId } from '../../edges.ts';
import type { Keyring } from '../../keyring.ts';
import type { Failure } from '../result.ts';

/** An access token in the clear, and its number. */
export type Key = { token: string; serial: number };

/** What the provider answered to the wish for a token; `lastsMs` from now. */
export type FetchedKey = { ok: true; token: string; lastsMs: number } | { ok: false; failure: Failure };

export type KeyTools = {
  account: AccountName;
  store: Pick<AccountStore, 'token' | 'leaseToken' | 'putToken' | 'freeToken'>;
  keyring: Pick<Keyring, 'seal' | 'open'>;
  edges: Pick<Edges, 'now' | 'bytes'>;
  /** Asks the provider; `refused`: the token that it no longer takes, for which it must give another one. */
  fetchKey(refused: string | null): Promise<FetchedKey>;
  pause?: (ms: number) => Promise<unknown>;
};

/** A token is renewed this long before it ends; the platform keeps the old one good for as long. */
const earlyMs = 5 * 60_000;
/** Longer than any answer takes: who held the lease for so long has died. */
const leaseMs = 30_000;
const lookMs = 250;
const looks = 40;

/**
 * One access token for the whole cluster: whoever finds that it ends, or was refused, takes the lease in the store and fetches the next
 * one; everybody else waits for what that one puts there. It is fetched by nobody twice at once.
 */
export const makeKeyKeeper = (tools: KeyTools) => {
  const { account, store, keyring, edges, fetchKey, pause = pauseOf } = tools;
  let known: { key: Key; expiresAt: number } | null = null;
  let underWay: { refused: number; key: Promise<Key | Failure> } | null = null;

  const opened = ({ sealed, serial, expiresAt }: AccountToken): { key: Key; expiresAt: number } => ({
    key: { token: keyring.open(sealed, accountContext(account)), serial },
    expiresAt,
  });

  const isFresh = (expiresAt: number): boolean => edges.now() < expiresAt - earlyMs;

  const fetchNext = async (holder: string, there: AccountToken | null, refused: number): Promise<Key | Failure> => {
    const old = there?.serial === refused ? opened(there).key.token : null;
    const askedAt = edges.now();
    const fetched = await fetchKey(old);
    if (!fetched.ok) {
      await store.freeToken(account, holder);
      const before = there && there.serial !== refused && edges.now() < there.expiresAt ? opened(there) : null;
      return before ? before.key : fetched.failure;
    }
    const token = {
      sealed: keyring.seal(fetched.token, accountContext(account)),
      expiresAt: askedAt + fetched.lastsMs,
    };
    const serial = await store.putToken(account, holder, token);
    // the lease was lost meanwhile; this one is as good as the other's
    known = { key: { token: fetched.token, serial: serial ?? there?.serial ?? 0 }, expiresAt: token.expiresAt };
    return known.key;
  };

  const renew = async (refused: number): Promise<Key | Failure> => {
    const holder = newId(edges);
    for (let look = 0; look < looks; look++) {
      const there = await store.token(account);
      if (there && there.serial !== refused && isFresh(there.expiresAt)) {
        known = opened(there);
        return known.key;
      }
      if (await store.leaseToken(account, there?.serial ?? 0, holder, edges.now(), leaseMs))
        return fetchNext(holder, there, refused);
      await pause(lookMs);
    }
    return {
      ok: false,
      provider: account,
      kind: 'transient',
      reason: 'auth',
      detail: 'another process has been fetching the access token for too long',
    };
  };

  /** The present key, or why there is none. `refused`: the number of one that the provider would not take (−1: none). */
  return async (refused = -1): Promise<Key | Failure> => {
    if (known && known.key.serial !== refused && isFresh(known.expiresAt)) return known.key;
    if (underWay?.refused === refused) return underWay.key;
    const mine = { refused, key: renew(refused) };
    underWay = mine;
    try {
      return await mine.key;
    } finally {
      if (underWay === mine) underWay = null;
    }
  };
};
