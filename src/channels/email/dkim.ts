import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import DKIM from 'nodemailer/lib/dkim';
import { ConfigError } from '../../config.ts';

export type DkimSettings = { key: string; selector: string; domain: string };

/** Signs a whole message. */
export type DkimSigner = (raw: Buffer) => Promise<Buffer>;

/** RFC 6376 section 5.4; RFC 8058 section 4 asks that both List-Unsubscribe fields be covered. */
const signedHeaders = [
  'From',
  'To',
  'Subject',
  'Date',
  'Message-ID',
  'MIME-Version',
  'Content-Type',
  'Content-Language',
  'Auto-Submitted',
  'List-Id',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
].join(':');

const fault = (message: string): ConfigError => new ConfigError([{ name: 'DKIM_KEY', message }]);

const pemOf = (key: string): string => {
  if (key.includes('-----BEGIN')) return key.replaceAll('\\n', '\n');
  try {
    return readFileSync(key, 'utf8');
  } catch (error) {
    throw fault(`is neither PEM nor a file that can be read (${(error as NodeJS.ErrnoException).code})`);
  }
};

const parse = (pem: string): KeyObject => {
  try {
    return createPrivateKey(pem);
  } catch {
    throw fault('is not a private key in PEM form, or it is encrypted');
  }
};

/** Reads the key; throws `ConfigError`. nodemailer sends unsigned, and says nothing, with a key it cannot use: so it is checked here (RFC 8301 section 3.2). */
export const readDkimKey = (text: string): KeyObject => {
  const key = parse(pemOf(text));
  if (key.asymmetricKeyType !== 'rsa') throw fault(`must be an RSA key, not ${key.asymmetricKeyType}`);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < 1024) throw fault(`must have at least 1024 bits, better 2048; it has ${bits}`);
  return key;
};

/** The public half as a DKIM record holds it (`p=`): base64 of its SubjectPublicKeyInfo (RFC 6376 section 3.6.1). */
export const dkimPublicKey = (key: string): string =>
  createPublicKey(readDkimKey(key)).export({ type: 'spki', format: 'der' }).toString('base64');

/** Makes the signer (rsa-sha256, relaxed/relaxed); throws `ConfigError` for a key that cannot sign. */
export const makeDkimSigner = ({ key, selector, domain }: DkimSettings): DkimSigner => {
  const dkim = new DKIM({
    domainName: domain,
    keySelector: selector,
    privateKey: readDkimKey(key),
    headerFieldNames: signedHeaders,
  });
  return async (raw) => {
    const chunks: Buffer[] = [];
    for await (const chunk of dkim.sign(raw)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };
};
