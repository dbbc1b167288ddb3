/** **account**: the office's own at a provider of social messages. */
export type AccountName = 'wechat' | 'weibo';

/**
 * The key with which an account is used, one for all processes. `sealed`: bound to the account's name. `serial` counts the keys that
 * there have been: a process that was refused says which one it held. `expiresAt` in ms.
 */
export type AccountToken = { sealed: string; serial: number; expiresAt: number };

/** Whose health is kept: the accounts, and the channels whose providers stand in the configuration. */
export type ProviderName = AccountName | 'email' | 'sms' | 'webPush';

/** What the seal of an account's key is bound to. */
export const accountContext = (account: AccountName): string => `account:${account}`;

/**
 * How an account fares. Times in ms; null: never. `fault`: the last one, `code` the provider's, `words` without names of people;
 * it stands until the account works again. `quietUntil`: nothing is sent before.
 */
export type AccountHealth = {
  workedAt: number | null;
  fault: { at: number; code: string; words: string } | null;
  quietUntil: number | null;
};

export type AccountStore = {
  /** The account's present key, or null. */
  token(account: AccountName): Promise<AccountToken | null>;
  /**
   * Gives one asker the right to fetch the key that follows number `seen` (0: the first), until `now + leaseMs`; false while
   * another holds it, or where a later key is there already.
   */
  leaseToken(account: AccountName, seen: number, holder: string, now: number, leaseMs: number): Promise<boolean>;
  /** Stores the next key and ends the lease, if `holder` still has it; answers the key's number, or null. */
  putToken(account: AccountName, holder: string, token: Omit<AccountToken, 'serial'>): Promise<number | null>;
  /** Ends the lease of `holder`, who got no key. */
  freeToken(account: AccountName, holder: string): Promise<void>;
  /** Stores the next key, whoever is fetching one: somebody connected the account anew. */
  connect(account: AccountName, token: Omit<AccountToken, 'serial'>): Promise<void>;
  /** Forgets the key: the account is not connected any more. */
  disconnect(account: AccountName): Promise<void>;

  health(account: ProviderName): Promise<AccountHealth>;
  /** The account works: its fault is over, unless it is one of `but`, of which this says nothing. */
  worked(account: ProviderName, at: number, but?: readonly string[]): Promise<void>;
  failed(account: ProviderName, fault: NonNullable<AccountHealth['fault']>, quietUntil: number | null): Promise<void>;

  /**
   * Keeps that a call with this key came; `what` tells calls of one key apart. `new`, `same` (it came before), or `other` (its key
   * came with something else).
   */
  once(key: string, what: string, at: number): Promise<'new' | 'same' | 'other'>;
  /** Whether a call with this key came. */
  called(key: string): Promise<boolean>;
  /** Forgets the calls before then. */
  forgetCalls(before: number): Promise<void>;

  /** Keeps that somebody allowed one more message, by the look-up of their address; repeating it changes nothing. */
  allowOne(lookup: string, scene: number): Promise<void>;
  /** Takes one such message; null where none was allowed. */
  takeOne(lookup: string): Promise<number | null>;
};
