import type { Locale } from '../catalogue/topic.ts';
import type { SharedContent, Slots } from '../channels/channel.ts';
import type { Courier } from '../channels/courier.ts';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import { readLink, signLink } from '../signed-link.ts';
import type { AccessService } from './access-service.ts';
import type { Staff } from './access-store.ts';
import { hashSecret } from './api-key.ts';
import { hashPassword, passwordFault, passwordFits } from './password.ts';
import type { StaffAccount, StaffSignInStore } from './staff-sign-in-store.ts';

/** How staff come to a password, sign in and out. A link or session made before the last password is worthless. */
export type StaffService = {
  /** A link by which the account's password is set, once, within 72 hours. Throws `not-found`. */
  setUpLink(staff: string): Promise<string>;
  /** Sends such a link to the account's address. Throws `not-found`. */
  mailSetUpLink(staff: string): Promise<void>;
  /** Whose link that is, without acting; throws `bad-link`, `link-expired` (used ones too). */
  readSetUp(token: string): Promise<Staff>;
  /** Sets the password and ends every session; throws `bad-link`, `link-expired`, `invalid` (a weak password). */
  setUp(token: string, password: string): Promise<void>;
  /**
   * The token of a new session, which lasts 12 hours; null alike, and after the same work, for a wrong password, an unknown
   * address and an account without a password. Throws `too-many` after 10 tries at an address within 15 minutes.
   */
  signIn(email: string, password: string): Promise<string | null>;
  /** Who a session belongs to; null for one that is unknown, ended or over. */
  signedIn(session: string): Promise<Staff | null>;
  signOut(session: string): Promise<void>;
  /** Ends all sessions of an account, and its open links. Throws `not-found`. */
  signOutEverywhere(staff: string): Promise<void>;
  /** The account of an address. Throws `not-found`. */
  byEmail(email: string): Promise<Staff>;
};

type Tools = {
  edges: Pick<Edges, 'now' | 'bytes'>;
  keyring: Pick<Keyring, 'mac'>;
  access: Pick<AccessService, 'audit'>;
  courier: Courier;
  templates: {
    staffLink(input: { locale: Locale; link: string }): { content: SharedContent; slots: Partial<Slots> };
  };
  config: Pick<Config, 'publicUrl' | 'locale'>;
};

export const sessionMs = 12 * 3_600_000;
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

  const start = async ({ staff, epoch }: StaffAccount): Promise<string> => {
    const token = edges.bytes(32).toString('base64url');
    const now = edges.now();
    const session = { hash: hashSecret(token), staff: staff.id, epoch, createdAt: now, expiresAt: now + sessionMs };
    await staffSignIns.insertSession(session);
    await access.audit({ actor: staff.id, action: 'signIn', subject: staff.id });
    return token;
  };

  return {
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
      return start(account);
    },
    signedIn: async (token) => {
      const session = await staffSignIns.session(hashSecret(token));
      if (!session || session.expiresAt <= edges.now()) return null;
      const account = await staffSignIns.account({ id: session.staff });
      return account && account.epoch === session.epoch ? account.staff : null;
    },
    signOut: (token) => staffSignIns.endSession(hashSecret(token)),
    signOutEverywhere: async (staff) => {
      if (!(await staffSignIns.endSessions(staff))) throw noAccount();
      await access.audit({ actor: staff, action: 'signOutEverywhere', subject: staff });
    },
    byEmail: async (email) => (await known({ email: normalEmail(email) })).staff,
  };
};
