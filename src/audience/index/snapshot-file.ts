import { type Edges, newId } from '../../edges.ts';
import type { AudienceIndexTools, AudienceSnapshot } from '../audience-index.ts';
import { readSnapshot, removeSnapshot, removeUnfinished, writeSnapshot } from './snapshot.ts';

const unfinishedKeptMs = 60 * 60_000;
const unknown = -1;

/** Keeps the snapshot of one process's index; `file` null: none is kept. */
export const makeSnapshotFile = (file: string | null, edges: Edges) => {
  let savedSequence = unknown;
  /** How many of the standing index had been removed when the file was written; unknown, if that is of another index. */
  let savedRemoved = unknown;

  return {
    /** Null where there is none; throws when it is of no use. */
    read: async (): Promise<AudienceSnapshot | null> => (file === null ? null : readSnapshot(file)),
    /** Says what the index that stands from now on was made of: the file, of that change number, or the store (null). */
    madeOf: (sequence: number | null): void => {
      [savedSequence, savedRemoved] = sequence === null ? [unknown, unknown] : [sequence, 0];
    },
    isDue: (tools: AudienceIndexTools): boolean => file !== null && tools.index.sequence() !== savedSequence,
    /** Writes what `settled` answers: a snapshot of the index, and how many had been removed from it by then. */
    save: async (settled: () => Promise<AudienceSnapshot & { removed: number }>): Promise<void> => {
      if (file === null) return;
      const { removed, ...snapshot } = await settled();
      await removeUnfinished(file, edges.now() - unfinishedKeptMs);
      // blocks are never changed, only replaced: others may go on
      await writeSnapshot(file, snapshot, newId(edges));
      [savedSequence, savedRemoved] = [snapshot.sequence, removed];
    },
    /** Deletes the file if it may hold whom the index has lost since it was written; answers whether it was there. */
    forget: async (tools: AudienceIndexTools): Promise<boolean> => {
      const removed = tools.removed();
      if (file === null || removed === savedRemoved) return false;
      const wasThere = await removeSnapshot(file);
      [savedSequence, savedRemoved] = [unknown, removed];
      return wasThere;
    },
  };
};
