import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccessStore } from './access/access-store.ts';
import type { Config } from './config.ts';
import { type Keyring, makeKeyring, newWrappedLookupKey, SecretError, unwrapFormer } from './keyring.ts';
import type { Log } from './log.ts';
import { makeFolder } from './make-folder.ts';

/** The file of DATA_DIR with the secret of an installation that has none in its environment. */
export const secretFile = ({ dataDir }: Pick<Config, 'dataDir'>): string => join(dataDir, 'secret');

/** SECRET as configured, or (SQLite) one that is made once and kept in DATA_DIR, readable by its owner only. */
export const loadSecret = (config: Pick<Config, 'secret' | 'dataDir'>): string => {
  if (config.secret) return config.secret;
  const file = secretFile(config);
  makeFolder(config.dataDir);
  if (!existsSync(file)) {
    const draft = `${file}.${randomBytes(4).toString('hex')}`;
    writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600 });
    chmodSync(draft, 0o600);
    if (existsSync(file)) return readFileSync(file, 'utf8').trim();
    renameSync(draft, file);
  }
  return readFileSync(file, 'utf8').trim();
};

/** The name under which the store keeps the sealing keys of an installation whose keys were rotated. */
export const sealingKeysName = 'sealing-keys';

/** The name under which the store keeps the look-up key. */
export const lookupKeyName = 'lookup-key';
/** The name under which the store keeps the secrets before, where SECRET was changed. */
export const formerSecretsName = 'former-secrets';

const formerOf = (secret: string, wrapped: string | null): string[] => {
  if (wrapped === null) return [];
  try {
    return unwrapFormer(secret, wrapped);
  } catch {
    throw new SecretError(
      'SECRET does not open all of this store: it is not the last one, or a change of it was interrupted. If so, run npm run secret:change again',
    );
  }
};

/** The keyring of this store: its look-up key is made at the first start and kept wrapped. */
export const loadKeyring = async (access: AccessStore, secret: string): Promise<Keyring> => {
  const wrapped =
    (await access.setting(lookupKeyName)) ?? (await access.putSetting(lookupKeyName, newWrappedLookupKey(secret)));
  const former = formerOf(secret, await access.setting(formerSecretsName));
  const keyring = makeKeyring(secret, wrapped, former);
  const rotated = await access.setting(sealingKeysName);
  if (rotated !== null) keyring.learn(rotated);
  return keyring;
};

/** How often a process looks for new sealing keys, in ms; a rotation waits for twice as long before it uses them. */
export const keysEveryMs = 2_000;

/** Has a running process learn the keys of a rotation. Answers what ends it. */
export const followKeys = (
  access: Pick<AccessStore, 'setting'>,
  keyring: Pick<Keyring, 'learn'>,
  log: Pick<Log, 'warn'>,
): (() => void) => {
  let known: string | null = null;
  const look = async (): Promise<void> => {
    const now = await access.setting(sealingKeysName);
    if (now !== null && now !== known) keyring.learn(now);
    known = now;
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => log.warn({ error }, 'the sealing keys could not be looked up'));
  }, keysEveryMs);
  timer.unref();
  return () => clearInterval(timer);
};
