import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import type { AccessService } from './access-service.ts';
import type { Staff } from './access-store.ts';
import type { StaffAccount, StaffSession, StaffSignInStore } from './staff-sign-in-store.ts';
import { isTotpCode, newRecoveryCodes, newTotpSecret, normalCode, totpStep, totpUri } from './totp.ts';

/** What is shown to somebody who sets the second step up; `sealed` comes back with the first code. */
type SecondStepOffer = { email: string; secret: string; uri: string; sealed: string };

/** The second step of signing in: how it is set up, asked for, and taken away. */
export type SecondStep = {
  /** A new secret for the account of this session, kept nowhere yet, or the one that `sealed` holds. Throws `no-session`. */
  offerSecondStep(session: string, sealed?: string): Promise<SecondStepOffer>;
  /**
   * Sets the second step up, if the code is one of the offered secret; ends every session of the account and answers a new one
   * with the recovery codes, shown this once. Throws `no-session`, `wrong-code`, `too-many`.
   */
  setSecondStep(session: string, sealed: string, code: string): Promise<{ session: string; recovery: string[] }>;
  /**
   * Takes a code of the app or a recovery code, each once, and answers the session that replaces the one that waited. Throws
   * `no-session`, `wrong-code`, and `too-many` after 10 tries within an hour.
   */
  enterCode(session: string, code: string): Promise<string>;
  /** What the account of a session has: whether the second step is set up, and how many recovery codes are left. */
  secondStep(staff: string): Promise<{ on: boolean; codesLeft: number }>;
  /** Takes the second step away: for somebody who lost the app and the codes. Ends every session. Throws `not-found`. */
  removeSecondStep(staff: string): Promise<void>;
};

type Tools = {
  edges: Pick<Edges, 'now' | 'bytes'>;
  keyring: Pick<Keyring, 'mac' | 'seal' | 'open'>;
  access: Pick<AccessService, 'audit'>;
  /** The session and its account, unless it is over. */
  accountOf(session: string): Promise<{ account: StaffAccount; session: StaffSession } | null>;
  start(account: StaffAccount, stage: StaffSession['stage'], by: string): Promise<string>;
  endSession(session: string): Promise<void>;
};

const tryWindowMs = 3_600_000;
const triesInWindow = 10;
const offerMs = 30 * 60_000;
const recentMs = 10 * 60_000;

/** Where the sealed secret of an account is bound to. */
export const totpContext = (staff: string): string => `staff-totp:${staff}`;
const offerContext = ({ staff, epoch }: StaffAccount): string => `staff-totp-offer:${staff.id}~${epoch}`;

const wrongCode = (): AppError =>
  new AppError('wrong-code', 'The code is wrong, was used, or has expired.', {
    faults: [{ path: 'code', message: 'is wrong, was used, or has expired' }],
  });

/** The secret of an offer that was made to this account within half an hour; null for anything else. */
const readOffer = (
  keyring: Pick<Keyring, 'open'>,
  account: StaffAccount,
  sealed: string,
  now: number,
): string | null => {
  try {
    const offer = JSON.parse(keyring.open(sealed, offerContext(account))) as { secret: string; until: number };
    return offer.until > now ? offer.secret : null;
  } catch {
    // made up, or for another account
    return null;
  }
};

export const makeSecondStep = (
  { staffSignIns }: { staffSignIns: StaffSignInStore },
  { edges, keyring, access, accountOf, start, endSession }: Tools,
): SecondStep => {
  const kept = ({ id }: Staff, code: string): string =>
    keyring.mac('staff-recovery', `${id}:${code}`).toString('base64url');

  const known = async (session: string) => {
    const found = await accountOf(session);
    if (!found) throw new AppError('no-session', 'Sign in again.');
    return found;
  };

  const takeTry = async ({ staff }: StaffAccount): Promise<string> => {
    const who = keyring.mac('staff-try', `code:${staff.id}`).toString('base64url');
    const now = edges.now();
    if (!(await staffSignIns.takeTry(who, now, now - tryWindowMs, triesInWindow)))
      throw new AppError('too-many', 'Too many codes for this account; try again later.', {
        retryAfterSeconds: tryWindowMs / 1000,
      });
    return who;
  };

  /** By what the code fits, having used it up; null if by nothing. */
  const take = async ({ staff, totp }: StaffAccount, code: string): Promise<'app' | 'recovery' | null> => {
    if (!totp) return null;
    if (!isTotpCode(code)) return (await staffSignIns.takeRecovery(staff.id, kept(staff, code))) ? 'recovery' : null;
    const step = totpStep(keyring.open(totp.sealed, totpContext(staff.id)), code, edges.now());
    return step !== null && (await staffSignIns.takeStep(staff.id, step)) ? 'app' : null;
  };

  const refuse = async ({ staff }: StaffAccount): Promise<never> => {
    await access.audit({ actor: staff.id, action: 'refuseCode', subject: staff.id });
    throw wrongCode();
  };

  return {
    offerSecondStep: async (session, before = '') => {
      const { account } = await known(session);
      const { email } = account.staff;
      const shown = readOffer(keyring, account, before, edges.now());
      const secret = shown ?? newTotpSecret(edges);
      const until = edges.now() + offerMs;
      const sealed = shown ? before : keyring.seal(JSON.stringify({ secret, until }), offerContext(account));
      return { email, secret, uri: totpUri(secret, email), sealed };
    },
    setSecondStep: async (session, sealed, typed) => {
      const { account, session: row } = await known(session);
      // who has a second step has just shown it when it is replaced
      const recent = row.stage === 'in' && row.createdAt > edges.now() - recentMs;
      if (account.totp && !recent) throw new AppError('no-session', 'Sign in again.');
      const { staff, epoch } = account;
      const who = await takeTry(account);
      const secret = readOffer(keyring, account, sealed, edges.now());
      const step = secret === null ? null : totpStep(secret, normalCode(typed), edges.now());
      if (secret === null || step === null) return refuse(account);
      const recovery = newRecoveryCodes(edges);
      const second = {
        sealed: keyring.seal(secret, totpContext(staff.id)),
        step,
        recovery: recovery.map((code) => kept(staff, normalCode(code))),
      };
      if (!(await staffSignIns.setSecondStep(staff.id, second, epoch)))
        throw new AppError('no-session', 'Sign in again.');
      await staffSignIns.clearTries(who);
      await access.audit({ actor: staff.id, action: 'setSecondStep', subject: staff.id });
      return { session: await start({ ...account, epoch: epoch + 1 }, 'in', 'app'), recovery };
    },
    enterCode: async (session, typed) => {
      const { account } = await known(session);
      const who = await takeTry(account);
      const by = await take(account, normalCode(typed));
      if (by === null) return refuse(account);
      await staffSignIns.clearTries(who);
      await endSession(session);
      return start(account, 'in', by);
    },
    secondStep: async (staff) => {
      const account = await staffSignIns.account({ id: staff });
      return { on: account?.totp != null, codesLeft: account?.recovery.length ?? 0 };
    },
    removeSecondStep: async (staff) => {
      const account = await staffSignIns.account({ id: staff });
      if (!account || !(await staffSignIns.setSecondStep(staff, null, account.epoch)))
        throw new AppError('not-found', 'There is no such staff account.');
      await access.audit({ actor: staff, action: 'removeSecondStep', subject: staff });
    },
  };
};
