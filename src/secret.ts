import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccessStore } from './access/access-store.ts';
import type { Config } from './config.ts';
import { type Keyring, makeKeyring, newWrappedLookupKey } from './keyring.ts';
import { makeFolder } from './make-folder.ts';

/** SECRET as configured, or (SQLite) one that is made once and kept in DATA_DIR, readable by its owner only. */
export const loadSecret = (config: Pick<Config, 'secret' | 'dataDir'>): string => {
  if (config.secret) return config.secret;
  const file = join(config.dataDir, 'secret');
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

/** The keyring of this store: its look-up key is made at the first start and kept wrapped. */
export const loadKeyring = async (access: AccessStore, secret: string): Promise<Keyring> => {
  const wrapped =
    (await access.setting('lookup-key')) ?? (await access.putSetting('lookup-key', newWrappedLookupKey(secret)));
  return makeKeyring([secret], wrapped);
};
