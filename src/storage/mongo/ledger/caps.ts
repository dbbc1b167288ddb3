import type { CapLimits, CapSlot, LedgerStore } from '../../../fanout/ledger-store.ts';
import { bulk, insertMissing, slices } from '../writes.ts';
import type { CapDocument } from './documents.ts';
import type { LedgerTables } from './tables.ts';

const peopleInOneWrite = 500;

const idOf = ({ week, ordinal }: Pick<CapSlot, 'week' | 'ordinal'>): string => `${week}:${ordinal}`;

/**
 * The verbs of caps: one document a person and week lists what took its places. A place is taken by one write that is
 * guarded on the list having no element at the index of the limit, so that nothing is counted twice.
 */
export const ledgerCaps = ({
  caps,
}: Pick<LedgerTables, 'caps'>): Pick<LedgerStore, 'takeSlots' | 'giveBackSlots' | 'forgetSlots'> => {
  const takeAll = async (slots: CapSlot[], limits: CapLimits): Promise<('taken' | 'day' | 'week')[]> => {
    const ids = [...new Set(slots.map(idOf))];
    await insertMissing(
      caps,
      ids.map((_id): CapDocument => ({ _id, names: [], days: {} })),
    );
    await bulk(
      caps,
      slots.map((slot) => ({
        updateOne: {
          filter: {
            _id: idOf(slot),
            names: { $ne: slot.of },
            [`names.${limits.week - 1}`]: { $exists: false },
            [`days.${slot.day}.${limits.day - 1}`]: { $exists: false },
          },
          update: { $push: { names: slot.of, [`days.${slot.day}`]: slot.of } },
        },
      })),
    );
    const found = new Map((await caps.find({ _id: { $in: ids } }).toArray()).map((one) => [one._id, one.names]));
    return slots.map((slot) => {
      const names = found.get(idOf(slot)) ?? [];
      if (names.includes(slot.of)) return 'taken';
      return names.length >= limits.week ? 'week' : 'day';
    });
  };

  return {
    takeSlots: async (slots, limits) => {
      const taken: ('taken' | 'day' | 'week')[] = [];
      for (const part of slices(slots, peopleInOneWrite)) taken.push(...(await takeAll(part, limits)));
      return taken;
    },
    giveBackSlots: async (slots) => {
      const ids = [...new Set(slots.map(idOf))];
      for (const part of slices(ids, peopleInOneWrite)) {
        const found = await caps.find({ _id: { $in: part } }).toArray();
        await bulk(
          caps,
          found.flatMap(({ _id, names, days }) =>
            slots
              .filter((slot) => idOf(slot) === _id && names.includes(slot.of))
              .map(({ of }) => ({
                updateOne: {
                  filter: { _id },
                  update: {
                    $pull: { names: of, ...Object.fromEntries(Object.keys(days).map((day) => [`days.${day}`, of])) },
                  },
                },
              })),
          ),
        );
      }
    },
    forgetSlots: async (week) => {
      await caps.deleteMany({ _id: { $lt: week } });
    },
  };
};
