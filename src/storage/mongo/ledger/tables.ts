import type { mongo } from 'mongoose';
import type { Edges } from '../../../edges.ts';
import { type Delivery, type Lease, LeaseLost } from '../../../fanout/ledger-store.ts';
import { lanes } from '../../../fanout/push.ts';
import { pushCollections } from '../push-documents.ts';
import { slices } from '../writes.ts';
import { type DeliveryDocument, ledgerCollections, toDocument } from './documents.ts';

export type LedgerEdges = Pick<Edges, 'bytes'>;

const idsInOneRead = 2_000;

/** What all verbs of the ledger share: the lease guard, dirty marks, reads by id. */
export const ledgerTables = (db: mongo.Db, edges: LedgerEdges) => {
  const { pushes, batches } = pushCollections(db);
  const collections = ledgerCollections(db);
  // neither changes in a push's life
  const known = new Map<string, { createdAt: number; lane: number }>();

  const pushOf = async (id: string): Promise<{ createdAt: number; lane: number }> => {
    const there = known.get(id);
    if (there) return there;
    const found = await pushes.findOne({ _id: id }, { projection: { createdAt: 1, lane: 1 } });
    if (!found) return { createdAt: 0, lane: lanes.length - 1 };
    const push = { createdAt: found.createdAt, lane: lanes.indexOf(found.lane) };
    known.set(id, push);
    return push;
  };

  /** Marks the planned and late batches that these people's rows belong to. */
  const soil = async (rows: { push: string; ordinal: number }[]): Promise<void> => {
    for (const push of new Set(rows.map((row) => row.push))) {
      const ordinals = rows.filter((row) => row.push === push).map((row) => row.ordinal);
      const stretches = await batches
        .find({ push, kind: { $in: ['plan', 'late'] } }, { projection: { first: 1, last: 1 } })
        .toArray();
      const touched = stretches.filter(({ first, last }) => ordinals.some((one) => first <= one && one <= last));
      if (touched.length > 0)
        await batches.updateMany(
          { _id: { $in: touched.map((batch) => batch._id) } },
          { $set: { dirty: true }, $inc: { marks: 1 } },
        );
    }
  };

  return {
    db,
    ...collections,
    pushes,
    batches,
    pushOf,

    /** Throws `LeaseLost` unless the lease stands; answers whether it is a gathered batch, whose rows belong to others. */
    guard: async (lease: Lease): Promise<boolean> => {
      const found = await batches.findOne({ _id: lease.batch, token: lease.token }, { projection: { kind: 1 } });
      if (!found) throw new LeaseLost(lease.batch);
      return found.kind === 'due';
    },

    /**
     * Changes rows outside their planned batch. It is marked before, so that a crash leaves it dirty, and after, so that a
     * recount that ran between does not stand.
     */
    soiling: async <T>(rows: { push: string; ordinal: number }[], work: () => Promise<T>): Promise<T> => {
      await soil(rows);
      const result = await work();
      await soil(rows);
      return result;
    },

    documentsOf: async (rows: Delivery[]): Promise<DeliveryDocument[]> => {
      const documents: DeliveryDocument[] = [];
      for (const row of rows) documents.push(toDocument(row, await pushOf(row.push)));
      return documents;
    },

    rowsById: async (ids: string[]): Promise<Map<string, DeliveryDocument>> => {
      const found = new Map<string, DeliveryDocument>();
      for (const part of slices(ids, idsInOneRead))
        for (const row of await collections.deliveries.find({ _id: { $in: part } }).toArray()) found.set(row._id, row);
      return found;
    },

    /** A name for one write, to be read back: who wrote last is known by it. */
    newChange: (): string => edges.bytes(12).toString('base64url'),
  };
};

export type LedgerTables = ReturnType<typeof ledgerTables>;
