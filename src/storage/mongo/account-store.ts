import type { mongo } from 'mongoose';
import type { AccountHealth, AccountStore, ProviderName } from '../../accounts/account-store.ts';
import { insertIfFree } from './writes.ts';

type AccountDocument = AccountHealth & {
  _id: ProviderName;
  sealed: string | null;
  serial: number;
  expiresAt: number;
  holder: string | null;
  heldUntil: number;
};
type CallDocument = { _id: string; what: string; at: number };
type AllowedDocument = { _id: string; lookup: string; scene: number };

const blank: Omit<AccountDocument, '_id'> = {
  sealed: null,
  serial: 0,
  expiresAt: 0,
  holder: null,
  heldUntil: 0,
  workedAt: null,
  fault: null,
  quietUntil: null,
};

const letGo = { holder: null, heldUntil: 0 };

/** The port over MongoDB: each verb is one guarded write to one document. */
export const mongoAccountStore = (db: mongo.Db): AccountStore => {
  const accounts = db.collection<AccountDocument>('accounts');
  const calls = db.collection<CallDocument>('account_calls');
  const allowed = db.collection<AllowedDocument>('allowed_messages');

  const made = async (account: ProviderName): Promise<AccountDocument> => {
    const there = await accounts.findOne({ _id: account });
    if (there) return there;
    await insertIfFree(accounts, { _id: account, ...blank });
    return made(account);
  };

  const set = async (account: ProviderName, fields: Partial<AccountDocument>): Promise<void> => {
    await made(account);
    await accounts.updateOne({ _id: account }, { $set: fields });
  };

  return {
    token: async (account) => {
      const found = await accounts.findOne({ _id: account });
      if (found?.sealed == null) return null;
      return { sealed: found.sealed, serial: found.serial, expiresAt: found.expiresAt };
    },
    leaseToken: async (account, seen, holder, now, leaseMs) => {
      await made(account);
      const mine = await accounts.updateOne(
        { _id: account, serial: seen, heldUntil: { $lte: now } },
        { $set: { holder, heldUntil: now + leaseMs } },
      );
      return mine.matchedCount > 0;
    },
    putToken: async (account, holder, { sealed, expiresAt }) => {
      const held = await accounts.findOne({ _id: account, holder });
      if (!held) return null;
      const serial = held.serial + 1;
      const put = await accounts.updateOne(
        { _id: account, holder, serial: held.serial },
        { $set: { sealed, expiresAt, serial, ...letGo } },
      );
      return put.matchedCount > 0 ? serial : null;
    },
    freeToken: async (account, holder) => {
      await accounts.updateOne({ _id: account, holder }, { $set: letGo });
    },
    connect: async (account, { sealed, expiresAt }) => {
      await made(account);
      await accounts.updateOne(
        { _id: account },
        { $set: { sealed, expiresAt, fault: null, quietUntil: null, ...letGo }, $inc: { serial: 1 } },
      );
    },
    disconnect: async (account) => {
      await accounts.updateOne({ _id: account }, { $set: { sealed: null, ...letGo }, $inc: { serial: 1 } });
    },
    health: async (account) => {
      const { workedAt, fault, quietUntil } = (await accounts.findOne({ _id: account })) ?? blank;
      return { workedAt, fault, quietUntil };
    },
    worked: async (account, at, but = []) => {
      await set(account, { workedAt: at });
      await accounts.updateOne(
        { _id: account, 'fault.code': { $nin: [...but] } },
        { $set: { fault: null, quietUntil: null } },
      );
    },
    failed: (account, fault, quietUntil) => set(account, { fault, quietUntil }),
    once: async (key, what, at) => {
      if (await insertIfFree(calls, { _id: key, what, at })) return 'new';
      return (await calls.findOne({ _id: key }))?.what === what ? 'same' : 'other';
    },
    called: async (key) => (await calls.findOne({ _id: key })) !== null,
    forgetCalls: async (before) => {
      await calls.deleteMany({ at: { $lt: before } });
    },
    allowOne: async (lookup, scene) => {
      await insertIfFree(allowed, { _id: `${lookup} ${scene}`, lookup, scene });
    },
    takeOne: async (lookup) => {
      for (;;) {
        const [found] = await allowed.find({ lookup }).sort({ scene: 1 }).limit(1).toArray();
        if (!found) return null;
        if ((await allowed.deleteOne({ _id: found._id })).deletedCount > 0) return found.scene;
      }
    },
  };
};
