import type { Storage } from '../storage/storage.ts';
import type { Delivery } from './ledger-store.ts';
import type { PushAudience } from './push.ts';

type OwedStores = Pick<Storage, 'pushes' | 'ledger' | 'subscriptions'>;

/** People whom a push names, by ordinal. */
export type NamedByPush = { push: string; ordinals: number[] };

/** The ordinals that an audience names; of one that is matched, none. */
export const namedIn = async (
  { subscriptions }: Pick<Storage, 'subscriptions'>,
  audience: PushAudience,
): Promise<number[]> => {
  if (audience.kind === 'applicant') return [audience.ordinal];
  if (audience.kind !== 'people') return [];
  const people = await Promise.all(audience.subscribers.map((id) => subscriptions.subscriber({ id })));
  return people.flatMap((person) => (person ? [person.ordinal] : []));
};

/** What may still go, or would have gone had no later version come. */
const waits = ({ state, code }: Delivery): boolean =>
  ['planned', 'deferred', 'digested', 'sending'].includes(state) || (state === 'withheld' && code === 'superseded');

/**
 * Whom pushes of the versions 1 … `upTo` of an item name and nobody has told yet. No index finds them again, so that a
 * later version owes them what the earlier one did not bring.
 */
export const owedByName = async (stores: OwedStores, item: string, upTo: number): Promise<NamedByPush[]> => {
  const pushes = (await stores.pushes.ofItem(item)).filter(
    ({ version, state, audience }) =>
      version <= upTo && state !== 'cancelled' && (audience.kind === 'applicant' || audience.kind === 'people'),
  );
  if (pushes.length === 0) return [];
  const told = new Set((await stores.ledger.toldOf(item, upTo)).map(({ ordinal }) => ordinal));
  const owed: NamedByPush[] = [];
  for (const { id, audience } of pushes) {
    const people = (await namedIn(stores, audience)).filter((ordinal) => !told.has(ordinal));
    const rows = await stores.ledger.deliveriesOf(id, people);
    const waiting = new Set(rows.filter(waits).map(({ ordinal }) => ordinal));
    const settled = new Set(rows.map(({ ordinal }) => ordinal).filter((ordinal) => !waiting.has(ordinal)));
    const ordinals = people.filter((ordinal) => !settled.has(ordinal));
    if (ordinals.length > 0) owed.push({ push: id, ordinals });
  }
  return owed;
};
