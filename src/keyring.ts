import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { byThePage, realEdges } from './edges.ts';

/**
 * The keys of one installation, all derived from SECRET by HKDF-SHA-256 (RFC 5869), with two exceptions that are random and kept
 * wrapped in the store: the look-up key, because changing it would orphan every address, and the sealing keys of an
 * installation whose keys were rotated (key-rotation.ts). Where SECRET was changed (secret-change.ts), the store keeps the secrets
 * before, sealed under the present one: names are made of the first of all, links are signed with the present one.
 */
export type Keyring = {
  /** AES-256-GCM (NIST SP 800-38D), random 96-bit nonce; `v1.<key id>.<base64url>`. `context` is authenticated. */
  seal(plain: string, context: string): string;
  /** Opens what `seal` made with the same context; throws if it was altered, or if no known key fits. */
  open(sealed: string, context: string): string;
  /** The key that seals now, as it stands in what `seal` makes. */
  sealingKey(): string;
  /** The key that seals where keys were never rotated. */
  firstSealingKey(): SealingKeys['keys'][number];
  /** Learns the sealing keys as the store keeps them (`wrapSealingKeys`); what was known before still opens. */
  learn(wrapped: string): void;
  /** HMAC-SHA-256 of a normalised address under the look-up key, base64url: equal addresses, equal look-ups. */
  lookup(normalAddress: string): string;
  /**
   * HMAC-SHA-256 of `text` for one purpose, truncated to `bytes` (RFC 2104 section 5 allows half): a name that the store keeps, and
   * that stays what it is when SECRET changes.
   */
  mac(purpose: string, text: string, bytes?: number): Buffer;
  /** The same under the present SECRET: a signature, of what is shown to us again. */
  sign(purpose: string, text: string, bytes?: number): Buffer;
  /** What `sign` made under the secrets before, the newest first; nothing where SECRET was never changed. */
  signedBefore(purpose: string, text: string, bytes?: number): Buffer[];
};

/** What signs links and reads them. */
export type Signer = Pick<Keyring, 'mac' | 'sign' | 'signedBefore'>;

/** SECRET and the store do not belong together; the message says what to do. */
export class SecretError extends Error {}

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

const opened = (secret: string, wrapped: string, context: string): string =>
  openWith(derive(secret, 'wrap'), wrapped.split('.')[2] ?? '', context);

/** A fresh look-up key, wrapped under `secret`, to be kept in the store. */
export const newWrappedLookupKey = (secret: string): string =>
  sealWith(withId(derive(secret, 'wrap')), randomBytes(32).toString('base64url'), 'lookup-key');

const listContext = 'sealing-keys';

/** A new random sealing key. */
export const newSealingKey = (): SealingKeys['keys'][number] => {
  const { id, key } = withId(randomBytes(32));
  return { id, key: key.toString('base64url') };
};

/** The sealing keys, wrapped under `secret`, to be kept in the store. */
export const wrapSealingKeys = (secret: string, keys: SealingKeys): string =>
  sealWith(withId(derive(secret, 'wrap')), JSON.stringify(keys), listContext);

/** What `wrapSealingKeys` wrapped; throws under another secret. */
export const unwrapSealingKeys = (secret: string, wrapped: string): SealingKeys =>
  JSON.parse(opened(secret, wrapped, listContext)) as SealingKeys;

const formerContext = 'former-secrets';

/** The secrets before, the newest first, wrapped under `secret`, to be kept in the store. */
export const wrapFormer = (secret: string, former: readonly string[]): string =>
  sealWith(withId(derive(secret, 'wrap')), JSON.stringify(former), formerContext);

/** What `wrapFormer` wrapped; throws under another secret. */
export const unwrapFormer = (secret: string, wrapped: string): string[] =>
  JSON.parse(opened(secret, wrapped, formerContext)) as string[];

/** The look-up key as it is kept under `to`; throws where it does not open under `from`. */
export const rewrapLookupKey = (from: string, to: string, wrapped: string): string =>
  sealWith(withId(derive(to, 'wrap')), opened(from, wrapped, 'lookup-key'), 'lookup-key');

/** HMACs of one secret, by purpose. */
const makeMacs = (secret: string) => {
  const keys = new Map<string, Buffer>();
  return (purpose: string, text: string, bytes: number): Buffer => {
    const key = keys.get(purpose) ?? derive(secret, `mac:${purpose}`);
    keys.set(purpose, key);
    return createHmac('sha256', key).update(text).digest().subarray(0, bytes);
  };
};

/**
 * Makes the keyring; `former`: the secrets before, the newest first. Throws when the wrapped look-up key does not open: SECRET is
 * not the one this store was made with.
 */
export const makeKeyring = (secret: string, wrappedLookupKey: string, former: readonly string[] = []): Keyring => {
  const first = former.at(-1) ?? secret;
  let current = withId(derive(first, 'seal'));
  const original = { id: current.id, key: current.key.toString('base64url') };
  const byId = new Map([[current.id, current.key]]);
  const lookupKey = unwrap(secret, wrappedLookupKey);
  const present = makeMacs(secret);
  const before = former.map(makeMacs);
  const named = before.at(-1) ?? present;

  return {
    seal: (plain, context) => sealWith(current, plain, context),
    open: (sealed, context) => {
      const [format, id, payload] = sealed.split('.');
      const key = byId.get(id ?? '');
      if (format !== 'v1' || !key || !payload) throw new Error('a sealed value has an unknown key');
      return openWith(key, payload, context);
    },
    sealingKey: () => current.id,
    firstSealingKey: () => original,
    learn: (wrapped) => {
      const { seals, keys } = unwrapSealingKeys(secret, wrapped);
      for (const { id, key } of keys) byId.set(id, Buffer.from(key, 'base64url'));
      const key = byId.get(seals);
      if (key) current = { id: seals, key };
    },
    lookup: (normalAddress) => createHmac('sha256', lookupKey).update(normalAddress).digest('base64url'),
    mac: (purpose, text, bytes = 32) => named(purpose, text, bytes),
    sign: (purpose, text, bytes = 32) => present(purpose, text, bytes),
    signedBefore: (purpose, text, bytes = 32) => before.map((macs) => macs(purpose, text, bytes)),
  };
};

const unwrap = (secret: string, wrapped: string): Buffer => {
  try {
    return Buffer.from(opened(secret, wrapped, 'lookup-key'), 'base64url');
  } catch {
    throw new SecretError('SECRET does not open this store: it was made with another one');
  }
};

/** What the seal of a named value of the installation is bound to. */
export const settingContext = (name: string): string => `setting:${name}`;

/** Compares in constant time; different lengths are unequal. */
export const equalBytes = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);
