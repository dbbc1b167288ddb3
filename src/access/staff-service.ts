import type { Locale } from '../catalogue/topic.ts';
import type { SharedContent, Slots } from '../channels/channel.ts';
import type { Courier } from '../channels/courier.ts';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring, Signer } from '../keyring.ts';
import { readLink, signLink } from '../signed-link.ts';
import type { AccessService } from './access-service.ts';
import type { Staff } from './access-store.ts';
import { hashSecret } from './api-key.ts';
import { hashPassword, passwordFault, passwordFits } from './password.ts';
import { makeSecondStep, type SecondStep } from './second-step.ts';
import type { StaffAccount, StaffSession, StaffSignInStore } from './staff-sign-in-store.ts';

/** The first administrator, as they name themselves. */
type FirstAccount = { email: string; name: string; password: string };

/** How staff come to a password, sign in and out. A link or session made before the last password is worthless. */
export type StaffService = SecondStep & {
  /** A link by which the first administrator makes their account, within 72 hours; null once there is an account. */
  firstLink(): Promise<string | null>;
  /** Whether that link may still be used; throws `bad-link`, `link-expired`. */
  readFirst(token: string): Promise<void>;
  /** Makes the first account, once; throws `bad-link`, `link-expired`, `invalid` (a weak password). */
  addFirst(token: string, account: FirstAccount): Promise<void>;
  /** A link by which the account's password is set, once, within 72 hours. Throws `not-found`. */
  setUpLink(staff: string): Promise<string>;
  /** Sends such a link to the account's address. Throws `not-found`. */
  mailSetUpLink(staff: string): Promise<void>;
  /** Whose link that is, without acting; throws `bad-link`, `link-expired` (used ones too). */
  readSetUp(token: string): Promise<Staff>;
  /** Sets the password and ends every session; throws `bad-link`, `link-expired`, `invalid` (a weak password). */
  setUp(token: string, password: string): Promise<void>;
  /**
   * The token of a new session, which lasts 12 hours, or 10 minutes while it waits for the second step (`waiting`); null alike,
   * and after the same work, for a wrong password, an unknown address and an account without a password. Throws `too-many`
   * after 10 tries at an address within 15 minutes.
   */
  signIn(email: string, password: string): Promise<string | null>;
  /** Who a session belongs to; null for one that is unknown, ended or over, or still waits for the second step. */
  signedIn(session: string): Promise<Staff | null>;
  /** What is still asked of whoever holds this session: a code, or to set the second step up; null if nothing, or nobody does. */
  waiting(session: string): Promise<'code' | 'enrol' | null>;
  signOut(session: string): Promise<void>;
  /** Ends all sessions of an account, and its open links. Throws `not-found`. */
  signOutEverywhere(staff: string): Promise<void>;
  /** The account of an address. Throws `not-found`. */
  byEmail(email: string): Promise<Staff>;
};

type Tools = {
  edges: Pick<Edges, 'now' | 'bytes'>;
  keyring: Signer & Pick<Keyring, 'seal' | 'open'>;
  access: Pick<AccessService, 'audit' | 'addFirstStaff' | 'allStaff'>;
  courier: Courier;
  templates: {
    staffLink(input: { locale: Locale; link: string }): { content: SharedContent; slots: Partial<Slots> };
  };
  config: Pick<Config, 'publicUrl' | 'locale' | 'secondStepRequired'>;
};

export const sessionMs = 12 * 3_600_000;
const halfMs = 10 * 60_000;
const setUpMs = 72 * 3_600_000;
const tryWindowMs = 15 * 60_000;
const triesInWindow = 10;

/** Addresses as accounts keep them. */
export const normalEmail = (text: string): string => text.trim().normalize('NFC').toLowerCase();

const noAccount = (): AppError => new AppError('not-found', 'There is no such staff account.');

/** Reads and signs set-up links: their subject names the account and the epoch they belong to. */
const makeLinks = ({ staffSignIns }: { staffSignIns: StaffSignInStore }, { edges, keyring }: Tools) => ({
  sign: ({ staff, epoch }: StaffAccount): string =>
    signLink(keyring, 'staff-set-up', `${staff.id}~${epoch}`, edges.now() + setUpMs),
  read: async (token: string): Promise<StaffAccount> => {
    const reading = readLink(keyring, 'staff-set-up', token, edges.now());
    if (!reading.ok && reading.reason === 'bad') throw new AppError('bad-link', 'The link is not valid.');
    const [id = '', epoch] = reading.subject?.split('~') ?? [];
    const account = reading.ok ? await staffSignIns.account({ id }) : null;
    if (!account || String(account.epoch) !== epoch)
      throw new AppError('link-expired', 'The link has expired or was used; ask for a new one.');
    return account;
  },
});

/** The subject of the link that makes the first account: there is but one. */
const firstSubject = 'first';

/** The way in while nobody can sign in: a link that the machine itself prints. */
const makeFirst = (
  { staffSignIns }: { staffSignIns: StaffSignInStore },
  { edges, keyring, access, config }: Tools,
): Pick<StaffService, 'firstLink' | 'readFirst' | 'addFirst'> => {
  const nobody = async (): Promise<boolean> => (await access.allStaff()).length === 0;

  const readFirst = async (token: string): Promise<void> => {
    const reading = readLink(keyring, 'staff-first', token, edges.now());
    if (!reading.ok && reading.reason === 'bad') throw new AppError('bad-link', 'The link is not valid.');
    if (!reading.ok || !(await nobody()))
      throw new AppError('link-expired', 'The link has expired, or there is an account by now.');
  };

  return {
    firstLink: async () => {
      if (!(await nobody())) return null;
      const token = signLink(keyring, 'staff-first', firstSubject, edges.now() + setUpMs);
      return `${config.publicUrl}/staff/first/${token}`;
    },
    readFirst,
    addFirst: async (token, { email, name, password }) => {
      await readFirst(token);
      const fault = passwordFault(password, email);
      if (fault) throw new AppError('invalid', 'The password cannot be used.', { faults: [fault] });
      const kept = await hashPassword(password);
      const first = await access.addFirstStaff({ email, name, roles: ['admin'], departments: [] });
      if (!first) throw new AppError('link-expired', 'There is an account by now.');
      await staffSignIns.setPassword(first.id, kept, 0);
      await access.audit({ actor: first.id, action: 'addFirstStaff', subject: first.id });
    },
  };
};

export const makeStaffService = (stores: { staffSignIns: StaffSignInStore }, tools: Tools): StaffService => {
  const { staffSignIns } = stores;
  const { edges, keyring, access, courier, templates, config } = tools;
  const links = makeLinks(stores, tools);
  let decoy: Promise<string> | null = null;

  const known = async (by: { id: string } | { email: string }): Promise<StaffAccount> => {
    const account = await staffSignIns.account(by);
    if (!account) throw noAccount();
    return account;
  };
  const linkOf = (account: StaffAccount): string => `${config.publicUrl}/staff/set-up/${links.sign(account)}`;

  const takeTry = async (email: string): Promise<string> => {
    const who = keyring.mac('staff-try', email).toString('base64url');
    const now = edges.now();
    if (!(await staffSignIns.takeTry(who, now, now - tryWindowMs, triesInWindow)))
      throw new AppError('too-many', 'Too many tries at this address; try again later.', {
        retryAfterSeconds: tryWindowMs / 1000,
      });
    return who;
  };

  const start = async ({ staff, epoch }: StaffAccount, stage: StaffSession['stage'], by: string): Promise<string> => {
    const token = edges.bytes(32).toString('base64url');
    const now = edges.now();
    const expiresAt = now + (stage === 'in' ? sessionMs : halfMs);
    await staffSignIns.insertSession({
      hash: hashSecret(token),
      staff: staff.id,
      epoch,
      createdAt: now,
      expiresAt,
      stage,
    });
    if (stage === 'in') await access.audit({ actor: staff.id, action: 'signIn', subject: staff.id, details: { by } });
    return token;
  };

  const accountOf = async (token: string) => {
    const session = await staffSignIns.session(hashSecret(token));
    if (!session || session.expiresAt <= edges.now()) return null;
    const account = await staffSignIns.account({ id: session.staff });
    return account && account.epoch === session.epoch ? { account, session } : null;
  };

  const signOut = (token: string): Promise<void> => staffSignIns.endSession(hashSecret(token));

  return {
    ...makeSecondStep(stores, { edges, keyring, access, accountOf, start, endSession: signOut }),
    ...makeFirst(stores, tools),
    setUpLink: async (staff) => linkOf(await known({ id: staff })),
    mailSetUpLink: async (staff) => {
      const account = await known({ id: staff });
      const { content, slots } = templates.staffLink({ locale: config.locale, link: linkOf(account) });
      await courier.post({ channel: 'email', email: account.staff.email }, content, slots, edges.now() + setUpMs);
    },
    readSetUp: async (token) => (await links.read(token)).staff,
    setUp: async (token, password) => {
      const { staff, epoch } = await links.read(token);
      const fault = passwordFault(password, staff.email);
      if (fault) throw new AppError('invalid', 'The password cannot be used.', { faults: [fault] });
      if (!(await staffSignIns.setPassword(staff.id, await hashPassword(password), epoch)))
        throw new AppError('link-expired', 'The link was used meanwhile; ask for a new one.');
      await access.audit({ actor: staff.id, action: 'setPassword', subject: staff.id });
    },
    signIn: async (given, password) => {
      const email = normalEmail(given);
      const who = await takeTry(email);
      decoy ??= hashPassword(edges.bytes(32).toString('base64url'));
      const nobody = await decoy;
      const account = await staffSignIns.account({ email });
      // without an account or a password the same hash is computed, so that the time tells nothing
      const fits = await passwordFits(account?.password ?? nobody, password);
      if (!account?.password || !fits) return null;
      await staffSignIns.clearTries(who);
      const stage = account.totp ? 'code' : config.secondStepRequired ? 'enrol' : 'in';
      return start(account, stage, 'password');
    },
    signedIn: async (token) => {
      const found = await accountOf(token);
      return found?.session.stage === 'in' ? found.account.staff : null;
    },
    waiting: async (token) => {
      const stage = (await accountOf(token))?.session.stage ?? 'in';
      return stage === 'in' ? null : stage;
    },
    signOut,
    signOutEverywhere: async (staff) => {
      if (!(await staffSignIns.endSessions(staff))) throw noAccount();
      await access.audit({ actor: staff, action: 'signOutEverywhere', subject: staff });
    },
    byEmail: async (email) => (await known({ email: normalEmail(email) })).staff,
  };
};
