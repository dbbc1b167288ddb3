import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { byThePage, realEdges } from './edges.ts';

/**
 * The keys of one installation, all derived from SECRET by HKDF-SHA-256 (RFC 5869), with two exceptions that are random and kept
 * wrapped in the store: the look-up key, because changing it would orphan every address, and the sealing keys of an
 * installation whose keys were rotated (key-rotation.ts).
 */
export type Keyring = {
  /** AES-256-GCM (NIST SP 800-38D), random 96-bit nonce; `v1.<key id>.<base64url>`. `context` is authenticated. */
  seal(plain: string, context: string): string;
  /** Opens what `seal` made with the same context; throws if it was altered, or if no known key fits. */
  open(sealed: string, context: string): string;
  /** The key that seals now, as it stands in what `seal` makes. */
  sealingKey(): string;
  /** Learns the sealing keys as the store keeps them (`wrapSealingKeys`); what was known before still opens. */
  learn(wrapped: string): void;
  /** HMAC-SHA-256 of a normalised address under the look-up key, base64url: equal addresses, equal look-ups. */
  lookup(normalAddress: string): string;
  /** HMAC-SHA-256 of `text` for one purpose, truncated to `bytes` (RFC 2104 section 5 allows half). */
  mac(purpose: string, text: string, bytes?: number): Buffer;
};

const derive = (secret: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, 'bellman', purpose, 32));

const nonces = byThePage(realEdges);

type SealingKey = { id: string; key: Buffer };

/** The sealing keys of an installation (key bytes as base64url): those that may still be needed, and which one seals. */
export type SealingKeys = { seals: string; keys: { id: string; key: string }[] };

/** The key id of a sealed value; empty where it is none. */
export const sealedUnder = (sealed: string): string => /^v1\.([^.]+)\./.exec(sealed)?.[1] ?? '';

const withId = (key: Buffer): SealingKey => ({
  id: createHmac('sha256', key).update('key-id').digest('base64url').slice(0, 6),
  key,
});

const sealWith = ({ id, key }: SealingKey, plain: string, context: string): string => {
  const nonce = nonces.bytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return `v1.${id}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`;
};

const openWith = (key: Buffer, payload: string, context: string): string => {
  const raw = Buffer.from(payload, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, raw.subarray(0, 12)).setAAD(Buffer.from(context));
  decipher.setAuthTag(raw.subarray(12, 28));
  return Buffer.concat([decipher.update(raw.subarray(28)), decipher.final()]).toString('utf8');
};

/** A fresh look-up key, wrapped under `secret`, to be kept in the store. */
export const newWrappedLookupKey = (secret: string): string =>
  sealWith(withId(derive(secret, 'wrap')), randomBytes(32).toString('base64url'), 'lookup-key');

const listContext = 'sealing-keys';

/** A new random sealing key. */
export const newSealingKey = (): SealingKeys['keys'][number] => {
  const { id, key } = withId(randomBytes(32));
  return { id, key: key.toString('base64url') };
};

/** The sealing key of an installation whose keys were never rotated. */
export const firstSealingKey = (secret: string): SealingKeys['keys'][number] => {
  const { id, key } = withId(derive(secret, 'seal'));
  return { id, key: key.toString('base64url') };
};

/** The sealing keys, wrapped under `secret`, to be kept in the store. */
export const wrapSealingKeys = (secret: string, keys: SealingKeys): string =>
  sealWith(withId(derive(secret, 'wrap')), JSON.stringify(keys), listContext);

/** What `wrapSealingKeys` wrapped; throws under another secret. */
export const unwrapSealingKeys = (secret: string, wrapped: string): SealingKeys =>
  JSON.parse(openWith(derive(secret, 'wrap'), wrapped.split('.')[2] ?? '', listContext)) as SealingKeys;

/** Makes the keyring. Throws when the wrapped look-up key does not open: SECRET is not the one this store was made with. */
export const makeKeyring = (secret: string, wrappedLookupKey: string): Keyring => {
  let current = withId(derive(secret, 'seal'));
  const byId = new Map([[current.id, current.key]]);
  const lookupKey = unwrap(secret, wrappedLookupKey);
  const macKeys = new Map<string, Buffer>();

  const macKey = (purpose: string): Buffer => {
    const known = macKeys.get(purpose) ?? derive(secret, `mac:${purpose}`);
    macKeys.set(purpose, known);
    return known;
  };

  return {
    seal: (plain, context) => sealWith(current, plain, context),
    open: (sealed, context) => {
      const [format, id, payload] = sealed.split('.');
      const key = byId.get(id ?? '');
      if (format !== 'v1' || !key || !payload) throw new Error('a sealed value has an unknown key');
      return openWith(key, payload, context);
    },
    sealingKey: () => current.id,
    learn: (wrapped) => {
      const { seals, keys } = unwrapSealingKeys(secret, wrapped);
      for (const { id, key } of keys) byId.set(id, Buffer.from(key, 'base64url'));
      const key = byId.get(seals);
      if (key) current = { id: seals, key };
    },
    lookup: (normalAddress) => createHmac('sha256', lookupKey).update(normalAddress).digest('base64url'),
    mac: (purpose, text, bytes = 32) => createHmac('sha256', macKey(purpose)).update(text).digest().subarray(0, bytes),
  };
};

const unwrap = (secret: string, wrapped: string): Buffer => {
  try {
    return Buffer.from(openWith(derive(secret, 'wrap'), wrapped.split('.')[2] ?? '', 'lookup-key'), 'base64url');
  } catch {
    throw new Error('SECRET does not open this store: it was made with another one');
  }
};

/** What the seal of a named value of the installation is bound to. */
export const settingContext = (name: string): string => `setting:${name}`;

/** Compares in constant time; different lengths are unequal. */
export const equalBytes = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);
