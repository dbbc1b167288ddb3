import type { mongo } from 'mongoose';
import { applicationsIn, forgetApplications } from './application-store.ts';
import { opinionsIn } from './opinion-store.ts';

/** What people wrote to the office, over MongoDB. Every step may be repeated. */
type Written = {
  /** The contacts whose applications came from these addresses. */
  contactsOf(lookups: string[]): Promise<number[]>;
  /** Forgets the words of a person's applications (those from these addresses, too) and opinions; what nobody has answered goes altogether. */
  forget(ordinal: number, lookups: string[]): Promise<void>;
  /** Gives what one person wrote to another, into whom they are merged. */
  join(from: number, to: number): Promise<void>;
};

export const writtenOver = (db: mongo.Db): Written => {
  const applications = applicationsIn(db);
  const opinions = opinionsIn(db);
  return {
    contactsOf: async (lookups) => {
      const found = await applications.find({ lookup: { $in: lookups } }).toArray();
      return found.flatMap(({ applicant }) => applicant ?? []);
    },
    forget: async (ordinal, lookups) => {
      await forgetApplications(applications, { $or: [{ applicant: ordinal }, { lookup: { $in: lookups } }] });
      await opinions.deleteMany({ writer: ordinal, state: 'open' });
      await opinions.updateMany({ writer: ordinal }, { $set: { writer: null, written: null }, $inc: { beat: 1 } });
    },
    join: async (from, to) => {
      if (from === to) return;
      await applications.updateMany({ applicant: from }, { $set: { applicant: to }, $inc: { beat: 1 } });
      await opinions.updateMany({ writer: from }, { $set: { writer: to }, $inc: { beat: 1 } });
    },
  };
};
