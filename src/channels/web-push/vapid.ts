import webPush from 'web-push';
import type { AccessStore } from '../../access/access-store.ts';
import { type Config, ConfigError } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import { type Keyring, settingContext } from '../../keyring.ts';
import { makeLru } from '../../lru.ts';

/** The application server's keys (RFC 8292), base64url: 65 bytes of a P-256 point, 32 bytes of its scalar. */
export type VapidKeys = { publicKey: string; privateKey: string };

const settingName = 'vapid-keys';
const sealContext = settingContext(settingName);

/**
 * The keys of the environment, or those that the store keeps sealed; makes them the first time. Two processes that start at
 * once end with the same ones.
 */
export const loadVapidKeys = async (
  access: Pick<AccessStore, 'setting' | 'putSetting'>,
  keyring: Pick<Keyring, 'seal' | 'open'>,
  config: Pick<Config, 'webPush'>,
): Promise<VapidKeys> => {
  if (config.webPush.vapid) return config.webPush.vapid;
  const kept = await access.setting(settingName);
  const sealed =
    kept ??
    (await access.putSetting(settingName, keyring.seal(JSON.stringify(webPush.generateVAPIDKeys()), sealContext)));
  return JSON.parse(keyring.open(sealed, sealContext)) as VapidKeys;
};

/** Throws `ConfigError` for keys or a subject that cannot sign. */
export const checkVapid = ({ publicKey, privateKey }: VapidKeys, subject: string): void => {
  try {
    webPush.getVapidHeaders('https://push.example.org', subject, publicKey, privateKey, 'aes128gcm');
  } catch (error) {
    throw new ConfigError([{ name: 'VAPID_PRIVATE_KEY', message: (error as Error).message }]);
  }
};

/** web-push signs for 12 hours (RFC 8292 section 2 allows 24); a header is renewed an hour before. */
const headerLifeMs = 11 * 3600 * 1000;

/**
 * Authorization headers, signed once for each push service's origin and used until an hour before they expire. Throws
 * `ConfigError` for keys or a subject that cannot sign.
 */
export const makeVapidHeaders = (
  keys: VapidKeys,
  subject: string,
  edges: Pick<Edges, 'monotonic'>,
): ((origin: string) => string) => {
  const cached = makeLru<{ header: string; until: number }>(1_000);
  const sign = (origin: string): string =>
    webPush.getVapidHeaders(origin, subject, keys.publicKey, keys.privateKey, 'aes128gcm').Authorization;
  checkVapid(keys, subject);
  return (origin) => {
    const known = cached.get(origin);
    if (known && known.until > edges.monotonic()) return known.header;
    const header = sign(origin);
    cached.set(origin, { header, until: edges.monotonic() + headerLifeMs });
    return header;
  };
};
