import type { Staff } from './access-store.ts';

/**
 * A staff account with what it signs in by. `password`: argon2id in PHC form, null until it is set. `epoch` grows by one
 * whenever the password is set or all sessions are ended: sessions and links made under another epoch are worthless.
 * `totp`: the sealed secret of the second step (RFC 6238) and the last time step whose code was taken, null until it is set
 * up. `recovery`: what is kept of the recovery codes that are left.
 */
export type StaffAccount = {
  staff: Staff;
  password: string | null;
  epoch: number;
  totp: { sealed: string; step: number } | null;
  recovery: string[];
};

/**
 * One browser where somebody is signed in; `hash` of its token, never the token. Times in ms. `stage`: `in`, or what is still
 * asked of somebody whose password was right: a `code`, or to set the second step up (`enrol`).
 */
export type StaffSession = {
  hash: string;
  staff: string;
  epoch: number;
  createdAt: number;
  expiresAt: number;
  stage: 'in' | 'code' | 'enrol';
};

/** Passwords and sessions of staff, and the tries that are counted against guessing. */
export type StaffSignInStore = {
  /** The account by id or by email (trimmed, lower case); null if unknown. */
  account(by: { id: string } | { email: string }): Promise<StaffAccount | null>;
  /** Sets the password and moves the epoch on, if it still is `epoch`; answers whether it was. */
  setPassword(staff: string, password: string, epoch: number): Promise<boolean>;
  /** Sets the second step up, or takes it away with its codes (null), and moves the epoch on, if it still is `epoch`; answers whether it was. */
  setSecondStep(
    staff: string,
    second: { sealed: string; step: number; recovery: string[] } | null,
    epoch: number,
  ): Promise<boolean>;
  /** Records that the code of that time step was taken; false where it, or a later one, was taken before: no code counts twice. */
  takeStep(staff: string, step: number): Promise<boolean>;
  /** Takes one recovery code away; answers whether it was there. */
  takeRecovery(staff: string, kept: string): Promise<boolean>;
  /** Moves the epoch on; answers whether the account is there. */
  endSessions(staff: string): Promise<boolean>;

  insertSession(session: StaffSession): Promise<void>;
  /** The session of that hash, whatever its epoch and age; null if unknown or ended. */
  session(hash: string): Promise<StaffSession | null>;
  endSession(hash: string): Promise<void>;

  /** Counts one try against `who`, unless `most` were counted after `since`; answers whether it may be made. */
  takeTry(who: string, now: number, since: number, most: number): Promise<boolean>;
  clearTries(who: string): Promise<void>;

  /** Deletes sessions that expired and tries that were counted before then. */
  forgetBefore(before: number): Promise<void>;
};
