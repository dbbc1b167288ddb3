import { createHash } from 'node:crypto';
import { type Edges, newId } from '../edges.ts';
import { AppError, type Fault } from '../errors.ts';
import { equalBytes, type Keyring } from '../keyring.ts';
import type { Actor } from '../publishing/item.ts';
import {
  type AccessStore,
  type ApiKey,
  type AuditEntry,
  type Role,
  roles,
  type Scope,
  type Staff,
  scopes,
} from './access-store.ts';
import { bearerOf, hashSecret, newKey, readKey, writeKey } from './api-key.ts';
import {
  type AuditHead,
  type AuditStep,
  type AuditVerdict,
  auditHash,
  auditStart,
  canonicalJson,
  followChain,
} from './audit.ts';
import { isOfWholeOffice } from './departments.ts';

/**
 * Who calls: the staff account that the key acts as, what the key may do, and the key's own id. Scope admin is of the whole office: it
 * is worth nothing while the key's account is a department's.
 */
export type Caller = { actor: Actor; scopes: readonly Scope[]; key: string };

/** What to do with a call made under an Idempotency-Key: run it, or answer what it answered. */
type CallOpened = { run: true } | { run: false; status: number; body: string };

export type AccessService = {
  /** Who a header speaks for; null without one. Throws `no-key` alike for unknown, wrong, expired and revoked keys. */
  authenticate(header: string | undefined): Promise<Caller | null>;
  /** Throws `conflict` for a taken email. */
  addStaff(account: { email: string; name: string; roles: Role[]; departments: string[] }): Promise<Staff>;
  /** Every account, by email. */
  allStaff(): Promise<Staff[]>;
  /** Throws `not-found`, and `conflict` where administrators would take their own role away: somebody must be left who can give it back. */
  changeStaff(id: string, to: Pick<Staff, 'name' | 'roles' | 'departments'>, by: string): Promise<void>;
  /** Every key, newest first, without what is secret. */
  allKeys(): Promise<Omit<ApiKey, 'hash'>[]>;
  /** The audit log from the newest entry, or from the one before `n`, backwards. */
  auditLog(n: number | null, limit: number): Promise<AuditEntry[]>;
  /** Adds the first account of all; null when there is, or was meant to be, another one. */
  addFirstStaff(account: { email: string; name: string; roles: Role[]; departments: string[] }): Promise<Staff | null>;
  /** What an account is called; null for an unknown one. */
  nameOf(staff: string): Promise<string | null>;
  /** What is wrong with the time (ms) at which a key is to expire. */
  expiryFaults(expiresAt: number): Fault[];
  /** Makes a key that acts as that account; `key` is shown this once. Throws `not-found` for an unknown account, `invalid`. */
  addKey(wanted: { staff: string; scopes: Scope[]; expiresAt: number | null }): Promise<{ id: string; key: string }>;
  /** Throws `not-found` for an unknown or already revoked key. */
  revokeKey(id: string): Promise<void>;
  /** Appends to the audit log. `actor` and `subject` are ids, never addresses or names. */
  audit(entry: { actor: string; action: string; subject: string | null; details?: unknown }): Promise<void>;
  /** Follows the whole hash chain; by a head that was `known` before it also sees an end that was cut off, or a log made anew. */
  verifyAudit(known?: AuditHead | null): Promise<AuditVerdict>;
  /**
   * Opens a call made under an Idempotency-Key; `id` names caller, route and key. Throws `key-reused` when it came with
   * another body, `still-running` while the first one runs (for a minute: after that its process is taken for dead).
   */
  openCall(id: string, bodyHash: string): Promise<CallOpened>;
  closeCall(id: string, status: number, body: string): Promise<void>;
  /** Forgets a call that failed, so that it can be made again. */
  dropCall(id: string): Promise<void>;
};

type Tools = { edges: Pick<Edges, 'now' | 'bytes'>; keyring: Pick<Keyring, 'seal' | 'open'>; adminApiKey?: string };

const runningMs = 60_000;
const auditPage = 1_000;

/** The staff account that ADMIN_API_KEY acts as. */
const admin: Omit<Staff, 'createdAt'> = { id: 'admin', email: '', name: 'admin', roles: [...roles], departments: [] };

const badKey = (): AppError => new AppError('no-key', 'The API key is not known, has expired or was revoked.');

export const makeAccessService = (
  { access }: { access: AccessStore },
  { edges, keyring, adminApiKey }: Tools,
): AccessService => {
  const adminHash = adminApiKey === undefined ? null : createHash('sha256').update(adminApiKey).digest();

  const isAdminKey = (text: string): boolean =>
    adminHash !== null && equalBytes(createHash('sha256').update(text).digest(), adminHash);

  const account = async (id: string): Promise<Omit<Staff, 'createdAt'> | null> =>
    id === admin.id ? admin : access.staff(id);

  const callerOf = async (text: string): Promise<Caller> => {
    if (isAdminKey(text)) return { actor: actorOf(admin), scopes, key: admin.id };
    const parts = readKey(text);
    const key = parts && (await access.key(parts.id));
    const right = equalBytes(Buffer.from(hashSecret(parts?.secret ?? '')), Buffer.from(key?.hash ?? ''));
    if (!key || !right || key.revokedAt !== null) throw badKey();
    if (key.expiresAt !== null && key.expiresAt <= edges.now()) throw badKey();
    const staff = await account(key.staff);
    if (!staff) throw badKey();
    const actor = actorOf(staff);
    return { actor, scopes: key.scopes.filter((scope) => scope !== 'admin' || isOfWholeOffice(actor)), key: key.id };
  };

  const expiryFaults = (expiresAt: number): Fault[] =>
    expiresAt > edges.now() ? [] : [{ path: 'expiresAt', message: 'must be in the future' }];

  return {
    expiryFaults,
    nameOf: async (id) => (await account(id))?.name ?? null,
    authenticate: async (header) => {
      if (header === undefined) return null;
      const text = bearerOf(header);
      if (text === null) throw new AppError('no-key', 'The Authorization header must be: Bearer <api key>.');
      return callerOf(text);
    },
    addStaff: async (wanted) => {
      const staff = { ...wanted, id: newId(edges), createdAt: edges.now() };
      await access.insertStaff(staff);
      return staff;
    },
    allStaff: () => access.allStaff(),
    changeStaff: async (id, to, by) => {
      if (id === by && !to.roles.includes('admin'))
        throw new AppError('conflict', 'Another administrator must take this role away.', {
          faults: [{ path: 'roles', message: 'must keep admin' }],
        });
      if (!(await access.changeStaff(id, to))) throw new AppError('not-found', 'There is no such staff account.');
    },
    allKeys: async () => (await access.allKeys()).map(({ hash: _, ...key }) => key),
    auditLog: (n, limit) => access.auditBefore(n, limit),
    addFirstStaff: async (wanted) => {
      // of two who use the link at once the first one stands; the same one may come back after a crash
      const claimed = await access.putSetting('first-staff', hashSecret(wanted.email));
      if (claimed !== hashSecret(wanted.email) || (await access.allStaff()).length > 0) return null;
      const staff = { ...wanted, id: newId(edges), createdAt: edges.now() };
      await access.insertStaff(staff);
      return staff;
    },
    addKey: async (wanted) => {
      const faults = wanted.expiresAt === null ? [] : expiryFaults(wanted.expiresAt);
      if (faults.length > 0) throw new AppError('invalid', 'A key must be of use for a while.', { faults });
      const staff = await account(wanted.staff);
      if (!staff)
        throw new AppError('not-found', 'There is no such staff account.', {
          faults: [{ path: 'staff', message: 'is not a known account' }],
        });
      if (wanted.scopes.includes('admin') && !isOfWholeOffice(actorOf(staff)))
        throw new AppError('invalid', 'The key of a department’s account cannot administer the office.', {
          faults: [{ path: 'scopes', message: 'must not name admin: the account belongs to a department' }],
        });
      const key = newKey(edges);
      const kept = { id: key.id, hash: hashSecret(key.secret), createdAt: edges.now(), revokedAt: null };
      await access.insertKey({ ...wanted, ...kept });
      return { id: key.id, key: writeKey(key) };
    },
    revokeKey: async (id) => {
      if (!(await access.revokeKey(id, edges.now()))) throw new AppError('not-found', 'There is no such key.');
    },
    audit: async ({ actor, action, subject, details }) => {
      const entry = { at: edges.now(), actor, action, subject, details: canonicalJson(details ?? {}) };
      await access.appendAudit(entry, (n, before) => auditHash({ ...entry, n }, before));
    },
    verifyAudit: async (known = null) => {
      let next: AuditStep = { n: 1, before: auditStart };
      for (;;) {
        const entries = await access.audit(next.n, auditPage);
        const reached = followChain(entries, next, known);
        if ('ok' in reached) return reached;
        next = reached;
        if (entries.length === auditPage) continue;
        const last = next.n - 1;
        if (known && known.n > last) return { ok: false, brokenAt: next.n, why: 'missing' };
        return { ok: true, entries: last, head: last === 0 ? null : { n: last, hash: next.before } };
      }
    },
    openCall: async (id, bodyHash) => {
      const now = edges.now();
      const before = await access.openCall(id, bodyHash, now, now - runningMs);
      if (before === null) return { run: true };
      if (before.bodyHash !== bodyHash)
        throw new AppError('key-reused', 'This Idempotency-Key was used with another body.');
      if (before.state === 'running')
        throw new AppError('still-running', 'The first request is still running; ask again soon.', {
          retryAfterSeconds: 2,
        });
      return { run: false, status: before.status, body: keyring.open(before.body, callContext(id)) };
    },
    // sealed, because the answer to POST /keys holds a key that must not be readable at rest
    closeCall: (id, status, body) => access.closeCall(id, status, keyring.seal(body, callContext(id))),
    dropCall: (id) => access.dropCall(id),
  };
};

const actorOf = (staff: Omit<Staff, 'createdAt'>): Actor => ({
  staff: staff.id,
  roles: staff.roles,
  departments: staff.departments,
});

/** What the seal of an answer kept for an Idempotency-Key is bound to. */
export const callContext = (id: string): string => `idempotent-call:${id}`;
