import { createHmac } from 'node:crypto';
import { equalBytes, type Keyring } from './keyring.ts';

/** What a return path names: a message, and a tag of the address that it went to. */
export type ReturnPath = { message: string; tag: string };

/**
 * Return paths of their own for every message (VERP), so that what comes back says itself what it answers (RFC 5321 section
 * 4.4: failures go to the return path). The local part is `b-` and one letter for the message's form, its id, a tag of the
 * address and a MAC, in base32 without case, as some relays change it: 53 octets of the 64 that RFC 5321 section 4.5.3.1.1 allows.
 */
export type ReturnPaths = {
  domain: string;
  /** The return path of a message to an address; without a token for an id that is not made of 128 bits. */
  addressFor(message: string, to: string): string;
  /** What a return path names, or null for one that is not ours. */
  read(address: string): ReturnPath | null;
  /** Whether the address is the one that the tag was made of. */
  isTagOf(tag: string, address: string): boolean;
};

const letters = 'abcdefghijklmnopqrstuvwxyz234567';
const idBytes = 16;
const tagBytes = 5;
const macBytes = 10;
const forms: Readonly<Record<string, string>> = { m: '', d: 'digest-' };
const plainLocal = 'bounces';

/** RFC 4648 section 6, lower case, without padding. */
const toBase32 = (bytes: Buffer): string => {
  let [text, bits, held] = ['', 0, 0];
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += letters[(held >> (bits - 5)) & 31];
  }
  return bits > 0 ? text + letters[(held << (5 - bits)) & 31] : text;
};

const fromBase32 = (text: string): Buffer => {
  const bytes: number[] = [];
  let [bits, held] = [0, 0];
  for (const letter of text) {
    held = ((held << 5) | letters.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return Buffer.from(bytes);
};

const lengthOf = (bytes: number): number => Math.ceil((bytes * 8) / 5);
const shape = new RegExp(
  `^b-([md])([a-z2-7]{${lengthOf(idBytes)}})([a-z2-7]{${lengthOf(tagBytes)}})([a-z2-7]{${lengthOf(macBytes)}})$`,
);

/** The key that return paths are signed with; it may go to a thread that has no keyring. */
export const returnPathKey = (keyring: Pick<Keyring, 'mac'>): Buffer => keyring.mac('return-path', 'key');

export const makeReturnPaths = (domain: string, key: Uint8Array): ReturnPaths => {
  const host = domain.toLowerCase();
  const mac = (text: string, bytes: number): Buffer =>
    createHmac('sha256', key).update(text).digest().subarray(0, bytes);
  const tagOf = (address: string): string => toBase32(mac(`to:${address.normalize('NFC').toLowerCase()}`, tagBytes));
  const signatureOf = (form: string, id: string, tag: string): Buffer => mac(`path:${form}${id}${tag}`, macBytes);

  return {
    domain: host,
    addressFor: (message, to) => {
      const form = message.startsWith('digest-') ? 'd' : 'm';
      const id = Buffer.from(message.slice(forms[form]?.length), 'base64url');
      if (id.length !== idBytes) return `${plainLocal}@${host}`;
      const [name, tag] = [toBase32(id), tagOf(to)];
      return `b-${form}${name}${tag}${toBase32(signatureOf(form, name, tag))}@${host}`;
    },
    read: (address) => {
      const at = address.lastIndexOf('@');
      if (address.slice(at + 1).toLowerCase() !== host) return null;
      const [, form = '', id = '', tag = '', signature = ''] =
        shape.exec(address.slice(0, Math.max(at, 0)).toLowerCase()) ?? [];
      if (form === '' || !equalBytes(fromBase32(signature), signatureOf(form, id, tag))) return null;
      return { message: `${forms[form]}${fromBase32(id).toString('base64url')}`, tag };
    },
    isTagOf: (tag, address) => tag === tagOf(address),
  };
};
