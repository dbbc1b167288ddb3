import type { AccessStore } from './access/access-store.ts';
import {
  type Keyring,
  newSealingKey,
  type SealingKeys,
  sealedUnder,
  unwrapSealingKeys,
  wrapSealingKeys,
} from './keyring.ts';
import { keysEveryMs, sealingKeysName } from './secret.ts';

/** Where a store keeps sealed values. */
export const sealedPlaces = [
  'addresses',
  'signUps',
  'transactional',
  'calls',
  'webhooks',
  'applications',
  'opinions',
  'staff',
  'accounts',
  'settings',
] as const;
export type SealedPlace = (typeof sealedPlaces)[number];

/** One sealed value: `id` finds it in its place, `bound` is what its seal is bound to. */
type SealedValue = { id: string; bound: string; sealed: string };

/** All that is sealed, wherever it is. */
export type SealedStore = {
  /** Sealed values of one place with an id after `after`, ascending; the end when fewer than `limit` come. */
  sealedValues(place: SealedPlace, after: string, limit: number): Promise<SealedValue[]>;
  /** Replaces values that still are `from`; one that changed meanwhile is left as it is. */
  reseal(place: SealedPlace, changes: { id: string; from: string; to: string }[]): Promise<void>;
};

/** `resealed` counts values; of `unreadable` ones the old key is kept. `key`: the one that everything is under now. */
export type Rotation = { key: string; resealed: number; unreadable: number };

export type RotationTools = {
  secret: string;
  keyring: Keyring;
  /** The context that a value of a place was sealed in, by what it is bound to. */
  contexts: Record<SealedPlace, (bound: string) => string>;
  /** Waits until every process has looked for new keys (ms); resolves at once where none runs. */
  pause(ms: number): Promise<void>;
  /** Told now and then how many values were sealed anew. */
  progress?(resealed: number): void;
};

/** Few enough for a write of some milliseconds. */
const pageSize = 100;
/** Twice the time between two looks: whoever looked just before has looked again. */
const graceMs = 2 * keysEveryMs + 1_000;

type Stores = { access: Pick<AccessStore, 'setting' | 'replaceSetting'>; sealed: SealedStore };

/** The keys as they stand in the store; where none were ever rotated, the one that the first SECRET gives. */
const standing = async (
  { access }: Stores,
  { secret, keyring }: RotationTools,
): Promise<{ raw: string | null; keys: SealingKeys }> => {
  const raw = await access.setting(sealingKeysName);
  const first = keyring.firstSealingKey();
  return { raw, keys: raw === null ? { seals: first.id, keys: [first] } : unwrapSealingKeys(secret, raw) };
};

/** Moves the keys in the store on from what stood there. */
const put = async (stores: Stores, { secret, keyring }: RotationTools, from: string | null, keys: SealingKeys) => {
  const wrapped = wrapSealingKeys(secret, keys);
  if (!(await stores.access.replaceSetting(sealingKeysName, from, wrapped)))
    throw new Error('another rotation is under way; run it again when that has ended');
  keyring.learn(wrapped);
};

/**
 * A new key, which every process learns before anything is sealed under it. An unfinished rotation, whose old keys are still
 * there, is gone on with: no second key is made.
 */
const newKeyFor = async (stores: Stores, tools: RotationTools): Promise<string> => {
  const { raw, keys } = await standing(stores, tools);
  const [newest] = keys.keys.slice(-1);
  if (keys.keys.length > 1 && newest) return newest.id;
  const key = newSealingKey();
  await put(stores, tools, raw, { ...keys, keys: [...keys.keys, key] });
  return key.id;
};

/** Has the key seal from now on; its forerunners still open. */
const switchTo = async (stores: Stores, tools: RotationTools, id: string): Promise<void> => {
  const { raw, keys } = await standing(stores, tools);
  if (keys.seals !== id) await put(stores, tools, raw, { ...keys, seals: id });
};

/** Seals anew what one page holds under other keys; answers how many there were, and how many cannot be opened. */
const resealPage = async (
  { sealed: store }: Stores,
  { keyring, contexts }: RotationTools,
  { place, page, key }: { place: SealedPlace; page: SealedValue[]; key: string },
) => {
  const old = page.filter(({ sealed }) => sealedUnder(sealed) !== key);
  const changes = old.flatMap(({ id, bound, sealed }) => {
    const context = contexts[place](bound);
    try {
      return [{ id, from: sealed, to: keyring.seal(keyring.open(sealed, context), context) }];
    } catch {
      // altered, or under a key that nobody has any more
      return [];
    }
  });
  if (changes.length > 0) await store.reseal(place, changes);
  return { resealed: changes.length, unreadable: old.length - changes.length };
};

/** One walk over everything that is sealed. */
const pass = async (stores: Stores, tools: RotationTools, key: string) => {
  const sum = { resealed: 0, unreadable: 0 };
  for (const place of sealedPlaces) {
    let after = '';
    for (;;) {
      const page = await stores.sealed.sealedValues(place, after, pageSize);
      const done = await resealPage(stores, tools, { place, page, key });
      sum.resealed += done.resealed;
      sum.unreadable += done.unreadable;
      if (done.resealed > 0) tools.progress?.(sum.resealed);
      if (page.length < pageSize) break;
      after = page.at(-1)?.id ?? '';
    }
  }
  return sum;
};

/**
 * Seals everything anew under a new random key and forgets the old one. The service may be running: a key is known everywhere
 * before it seals, a value that changes meanwhile is left to the next pass, and the old key goes only when a pass that began
 * well after the last change found nothing under it. Killed at any moment, it goes on from there when it is run again.
 */
export const rotateKeys = async (stores: Stores, tools: RotationTools): Promise<Rotation> => {
  const key = await newKeyFor(stores, tools);
  await tools.pause(graceMs);
  await switchTo(stores, tools, key);
  await tools.pause(graceMs);
  let resealed = 0;
  for (;;) {
    const one = await pass(stores, tools, key);
    resealed += one.resealed;
    if (one.unreadable > 0 && one.resealed === 0) return { key, resealed, unreadable: one.unreadable };
    if (one.resealed === 0) break;
    await tools.pause(graceMs);
  }
  const { raw, keys } = await standing(stores, tools);
  await put(stores, tools, raw, { seals: key, keys: keys.keys.filter(({ id }) => id === key) });
  return { key, resealed, unreadable: 0 };
};
