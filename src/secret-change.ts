import type { AccessStore } from './access/access-store.ts';
import { rewrapLookupKey, unwrapFormer, unwrapSealingKeys, wrapFormer, wrapSealingKeys } from './keyring.ts';
import { formerSecretsName, lookupKeyName, sealingKeysName } from './secret.ts';

/** What the store keeps wrapped under SECRET, and how each is wrapped anew; null: nothing to wrap. */
const wrapped: [name: string, anew: (from: string, to: string, kept: string | null) => string | null][] = [
  [formerSecretsName, (from, to, kept) => wrapFormer(to, [from, ...(kept === null ? [] : unwrapFormer(from, kept))])],
  [sealingKeysName, (from, to, kept) => kept && wrapSealingKeys(to, unwrapSealingKeys(from, kept))],
  [lookupKeyName, (from, to, kept) => kept && rewrapLookupKey(from, to, kept)],
];

const opens = (work: () => unknown): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

/** Whether a value is under `to` already. */
const isUnder = (to: string, name: string, kept: string | null): boolean => {
  if (kept === null) return false;
  if (name === formerSecretsName) return opens(() => unwrapFormer(to, kept));
  if (name === sealingKeysName) return opens(() => unwrapSealingKeys(to, kept));
  return opens(() => rewrapLookupKey(to, to, kept));
};

/**
 * Makes `to` the SECRET of a store whose SECRET was `from`, which the store remembers, sealed: names stay what they are, and links in
 * mails that were signed before go on. Killed at any moment, it goes on from there when it is run again with the same two; between,
 * nothing starts. Throws, and changes nothing, where a value opens under neither.
 */
export const changeSecret = async (
  access: Pick<AccessStore, 'setting' | 'replaceSetting'>,
  from: string,
  to: string,
): Promise<void> => {
  const changes: { name: string; kept: string | null; anew: string | null }[] = [];
  for (const [name, anew] of wrapped) {
    const kept = await access.setting(name);
    if (isUnder(to, name, kept)) continue;
    try {
      changes.push({ name, kept, anew: anew(from, to, kept) });
    } catch {
      throw new Error(`${name} opens neither under the SECRET that was given as the present one nor under the new one`);
    }
  }
  for (const { name, kept, anew } of changes)
    if (anew !== null && !(await access.replaceSetting(name, kept, anew)))
      throw new Error('something else changes the keys of this store; stop it, and run this again');
};
