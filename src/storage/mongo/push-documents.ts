import { mongo } from 'mongoose';
import { packOrdinals, unpackOrdinals } from '../../fanout/ordinals.ts';
import { type Batch, type Counts, type Lane, lanes, noCounts, type Push } from '../../fanout/push.ts';
import type { BatchLease, BatchView, LeaseView } from '../../fanout/push-store.ts';

/** `endUntold`: it has ended, and nobody has told of that yet. */
export type PushDocument = Omit<Push, 'id'> & { _id: string; endUntold?: boolean };

export type SourceDocument = {
  _id: string;
  push: string;
  plan: string;
  position: number;
  source: string;
  follow: string | null;
  /** `leaf` as JSON: field names of a document may not be anything. */
  facts: { leaf: string; ordinals: mongo.Binary }[];
  ordinals: mongo.Binary;
};

/** `lane` is its place in `lanes`; `since` (when its push was made, or it was gathered) and `first` say which is older. */
export type BatchDocument = {
  _id: string;
  kind: Batch['kind'];
  push: string | null;
  lane: number;
  since: number;
  first: number;
  last: number;
  people: number;
  ordinals: mongo.Binary | null;
  rows: Batch['rows'];
  open: boolean;
  token: string | null;
  beat: number;
  dirty: boolean;
  marks: number;
  counts: Counts;
  /** Its rows have gone, so that it is counted no more. */
  folded?: boolean;
};

export type LeaseDocument = { _id: string; token: string; beat: number };

export const pushCollections = (db: mongo.Db) => ({
  pushes: db.collection<PushDocument>('pushes'),
  sources: db.collection<SourceDocument>('push_sources'),
  batches: db.collection<BatchDocument>('batches'),
  leases: db.collection<LeaseDocument>('leases'),
});

export const toBinary = (bytes: Uint8Array): mongo.Binary => new mongo.Binary(bytes);
/** The bytes, uncopied: the driver's own are a Buffer, which is not what was stored. */
export const fromBinary = (binary: mongo.Binary): Uint8Array => {
  const { buffer, byteOffset, byteLength } = binary.value();
  return new Uint8Array(buffer, byteOffset, byteLength);
};

export const toPushDocument = ({ id, ...push }: Push): PushDocument => ({ _id: id, ...push });

/** Fields are named one by one, so that nothing else a document may hold gets out. */
export const fromPushDocument = (found: PushDocument): Push => ({
  id: found._id,
  item: found.item,
  version: found.version,
  lane: found.lane,
  state: found.state,
  audience: found.audience,
  channels: found.channels,
  note: found.note,
  plan: found.plan,
  matched: found.matched,
  bySource: found.bySource,
  createdAt: found.createdAt,
  plannedAt: found.plannedAt,
  finishedAt: found.finishedAt,
});

/** A new batch, open and free. */
export const toBatchDocument = (batch: Batch, since: number): BatchDocument => {
  const people = batch.ordinals.length;
  return {
    _id: batch.id,
    kind: batch.kind,
    push: batch.push,
    lane: lanes.indexOf(batch.lane),
    since,
    first: batch.ordinals[0] ?? 0,
    last: batch.ordinals[people - 1] ?? -1,
    people: people > 0 ? people : batch.rows.length,
    ordinals: batch.kind === 'due' ? null : toBinary(packOrdinals(batch.ordinals)),
    rows: batch.rows,
    open: true,
    token: null,
    beat: 0,
    dirty: false,
    marks: 0,
    counts: { ...noCounts(), planned: people },
  };
};

const laneOf = ({ lane }: Pick<BatchDocument, 'lane'>): Lane => lanes[lane] ?? 'bulk';

export const fromBatchDocument = (found: BatchDocument): Batch => ({
  id: found._id,
  kind: found.kind,
  push: found.push,
  lane: laneOf(found),
  ordinals: found.ordinals ? unpackOrdinals(fromBinary(found.ordinals)) : [],
  rows: found.rows.map(({ push, ordinal, channel }) => ({ push, ordinal, channel })),
});

export const batchView = (found: Omit<BatchDocument, 'ordinals' | 'rows'>): BatchView => ({
  id: found._id,
  kind: found.kind as BatchView['kind'],
  open: found.open,
  dirty: found.dirty,
  people: found.people,
  counts: found.counts,
});

export const leaseView = (found: { _id: string; token: string | null; beat: number }): LeaseView => ({
  id: found._id,
  token: found.token ?? '',
  beat: found.beat,
});

export const batchLease = (found: Pick<BatchDocument, '_id' | 'token' | 'beat' | 'lane'>): BatchLease => ({
  ...leaseView(found),
  lane: laneOf(found),
});
