import type { mongo } from 'mongoose';
import type { AccessStore, ApiKey, AuditEntry, IdempotentCall, Staff } from '../../access/access-store.ts';
import { auditStart } from '../../access/audit.ts';
import { AppError } from '../../errors.ts';
import { insertIfFree } from './writes.ts';

/** Staff by email, which must be theirs alone; ids are random. */
export type StaffDocument = Omit<Staff, 'email'> & {
  _id: string;
  password: string | null;
  epoch: number;
  /** Left out by accounts made before there was a second step. */
  totp?: { sealed: string; step: number } | null;
  recovery?: string[];
};
type KeyDocument = Omit<ApiKey, 'id'> & { _id: string };
type AuditDocument = Omit<AuditEntry, 'n'> & { _id: number };
type CallDocument = { _id: string; bodyHash: string; startedAt: number; status: number | null; body: string | null };

export const staffOf = ({ _id, id, name, roles, departments, createdAt }: StaffDocument): Staff => ({
  ...{ id, email: _id, name, roles, departments, createdAt },
});

const keyOf = ({ _id, ...rest }: KeyDocument): ApiKey => ({ id: _id, ...rest });

const callOf = ({ bodyHash, startedAt, status, body }: CallDocument): IdempotentCall =>
  status === null ? { state: 'running', bodyHash, startedAt } : { state: 'done', bodyHash, status, body: body ?? '' };

type Calls = Pick<AccessStore, 'openCall' | 'closeCall' | 'dropCall' | 'deleteCallsBefore'>;

const idempotentCalls = (db: mongo.Db): Calls => {
  const calls = db.collection<CallDocument>('idempotent_calls');
  const openCall: Calls['openCall'] = async (id, bodyHash, at, staleBefore) => {
    if (await insertIfFree(calls, { _id: id, bodyHash, startedAt: at, status: null, body: null })) return null;
    const there = await calls.findOne({ _id: id });
    // dropped between two steps: it is free
    if (!there) return openCall(id, bodyHash, at, staleBefore);
    if (there.status !== null || there.bodyHash !== bodyHash || there.startedAt >= staleBefore) return callOf(there);
    const taken = await calls.updateOne(
      { _id: id, status: null, startedAt: there.startedAt },
      { $set: { startedAt: at } },
    );
    return taken.matchedCount > 0 ? null : openCall(id, bodyHash, at, staleBefore);
  };
  return {
    openCall,
    closeCall: async (id, status, body) => {
      await calls.updateOne({ _id: id }, { $set: { status, body } });
    },
    dropCall: async (id) => {
      await calls.deleteOne({ _id: id, status: null });
    },
    deleteCallsBefore: async (before) => (await calls.deleteMany({ startedAt: { $lt: before } })).deletedCount,
  };
};

type Settings = Pick<AccessStore, 'setting' | 'putSetting' | 'replaceSetting'>;

const settingsOver = (db: mongo.Db): Settings => {
  const settings = db.collection<{ _id: string; value: string }>('settings');
  const setting: Settings['setting'] = async (name) => (await settings.findOne({ _id: name }))?.value ?? null;
  return {
    setting,
    putSetting: async (name, value) => {
      if (await insertIfFree(settings, { _id: name, value })) return value;
      return (await setting(name)) ?? value;
    },
    replaceSetting: async (name, from, to) =>
      from === null
        ? insertIfFree(settings, { _id: name, value: to })
        : (await settings.updateOne({ _id: name, value: from }, { $set: { value: to } })).matchedCount > 0,
  };
};

type Audit = Pick<AccessStore, 'appendAudit' | 'audit' | 'auditBefore' | 'auditOf'>;

const auditOver = (db: mongo.Db): Audit => {
  const log = db.collection<AuditDocument>('audit');
  const appendAudit: Audit['appendAudit'] = async (entry, hashOf) => {
    const [before] = await log.find().sort({ _id: -1 }).limit(1).toArray();
    const n = (before?._id ?? 0) + 1;
    const { at, actor, action, subject, details } = entry;
    const written = { at, actor, action, subject, details, hash: hashOf(n, before?.hash ?? auditStart) };
    return (await insertIfFree(log, { _id: n, ...written })) ? { ...written, n } : appendAudit(entry, hashOf);
  };
  const entryOf = ({ _id, ...rest }: AuditDocument): AuditEntry => ({ n: _id, ...rest });
  return {
    appendAudit,
    auditOf: async (subject) => (await log.find({ subject }).sort({ _id: 1 }).toArray()).map(entryOf),
    auditBefore: async (n, limit) => {
      if (limit === 0) return [];
      const filter = n === null ? {} : { _id: { $lt: n } };
      const found = await log.find(filter).sort({ _id: -1 }).limit(limit).toArray();
      return found.map(entryOf);
    },
    audit: async (from, limit) => {
      // to the server a limit of 0 is none
      if (limit === 0) return [];
      const found = await log
        .find({ _id: { $gte: from } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(entryOf);
    },
  };
};

/** Staff, keys, audit log, idempotent calls and settings over MongoDB. */
export const mongoAccessStore = (db: mongo.Db): AccessStore => {
  const staff = db.collection<StaffDocument>('staff');
  const keys = db.collection<KeyDocument>('api_keys');
  return {
    ...idempotentCalls(db),
    ...settingsOver(db),
    ...auditOver(db),
    insertStaff: async ({ id, email, name, roles, departments, createdAt }) => {
      const document = {
        _id: email,
        id,
        name,
        roles,
        departments,
        createdAt,
        password: null,
        epoch: 0,
        totp: null,
        recovery: [],
      };
      if ((await staff.findOne({ id })) || !(await insertIfFree(staff, document)))
        throw new AppError('conflict', 'There is a staff account with this email.', {
          faults: [{ path: 'email', message: 'is taken' }],
        });
    },
    allStaff: async () => (await staff.find().sort({ _id: 1 }).toArray()).map(staffOf),
    changeStaff: async (id, { name, roles, departments }) =>
      (await staff.updateOne({ id }, { $set: { name, roles, departments } })).matchedCount > 0,
    allKeys: async () => (await keys.find().sort({ createdAt: -1, _id: 1 }).toArray()).map(keyOf),
    staff: async (id) => {
      const found = await staff.findOne({ id });
      return found && staffOf(found);
    },
    insertKey: async ({ id, ...rest }) => {
      if (!(await insertIfFree(keys, { _id: id, ...rest })))
        throw new AppError('conflict', 'There is a key with this id.');
    },
    key: async (id) => {
      const found = await keys.findOne({ _id: id });
      return found && keyOf(found);
    },
    revokeKey: async (id, at) =>
      (await keys.updateOne({ _id: id, revokedAt: null }, { $set: { revokedAt: at } })).matchedCount > 0,
  };
};
