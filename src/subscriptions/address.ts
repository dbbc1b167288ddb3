import { domainToASCII } from 'node:url';
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js';
import type { Fault } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import { isCallable } from '../public-address.ts';
import type { Contact } from './subscriber.ts';

/**
 * `phoneCountry`: two letters, for numbers written without a prefix. `insecureEndpoints`: http and private hosts too, for
 * tests on loopback.
 */
export type AddressRules = { phoneCountry: string; insecureEndpoints: boolean };

export type NormalContact = { ok: true; contact: Contact } | { ok: false; faults: Fault[] };

/** Contacts as they are sent, each field by its name; what is left out is not there. */
export type ContactParts = {
  email?: string | undefined;
  phone?: string | undefined;
  webPush?:
    | {
        endpoint?: string | undefined;
        keys?: { p256dh?: string | undefined; auth?: string | undefined } | undefined;
      }
    | undefined;
};

const refused = (path: string, message: string): NormalContact => ({ ok: false, faults: [{ path, message }] });

/** RFC 5321 section 4.5.3.1 */
const localMost = 64;
const emailMost = 254;
const endpointMost = 2_000;

/** Dot-atoms of RFC 5322 section 3.2.3, with the letters of RFC 6532; no quoted strings. */
const local = /^[^\s\p{C}"(),:;<>@[\\\].]+(\.[^\s\p{C}"(),:;<>@[\\\].]+)*$/u;
/** Before IDNA: letters, marks, digits, hyphens and dots only, since the URL rules would cut off a path or decode %2e. */
const typedDomain = /^[\p{L}\p{M}\p{N}.\u3002-]+$/u;
const domain = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const normalEmail = (input: string): NormalContact => {
  const text = input.trim().normalize('NFC').toLowerCase();
  const at = text.lastIndexOf('@');
  const name = text.slice(0, Math.max(at, 0));
  const typed = text.slice(at + 1);
  const host = typedDomain.test(typed) ? domainToASCII(typed) : '';
  const email = `${name}@${host}`;
  const fits = Buffer.byteLength(name) <= localMost && Buffer.byteLength(email) <= emailMost;
  if (at < 1 || !fits || !local.test(name) || !domain.test(host)) return refused('email', 'is not an email address');
  return { ok: true, contact: { channel: 'email', email } };
};

const normalPhone = (written: string, country: string): NormalContact => {
  const parsed = parsePhoneNumberFromString(written.normalize('NFKC'), country as CountryCode);
  // only the length is checked: numbering plans change faster than any table of them
  if (!parsed?.isPossible() || parsed.ext) return refused('phone', 'is not a phone number');
  return { ok: true, contact: { channel: 'sms', phone: parsed.number } };
};

/** RFC 8291 section 3.1: an uncompressed P-256 point and 16 random bytes, base64url (or base64, as some clients send it). */
const isKey = (text: string, length: number): boolean =>
  /^[\w+/-]+={0,2}$/.test(text) && Buffer.from(text, 'base64url').length === length;

const endpointFault = (endpoint: string, insecure: boolean): string | null => {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (url?.protocol !== 'https:' && !(insecure && url?.protocol === 'http:')) return 'is not an https URL';
  if (endpoint.length > endpointMost) return 'is too long';
  return insecure || isCallable(url) ? null : 'is not on the public internet';
};

const p256dhFault = (key: string): string | null =>
  isKey(key, 65) && Buffer.from(key, 'base64url')[0] === 4 ? null : 'is not an uncompressed P-256 point in base64url';

const webPushFaults = ({ endpoint, keys }: NonNullable<ContactParts['webPush']>, insecure: boolean): Fault[] => {
  const { p256dh, auth } = keys ?? {};
  const found: [string, string | null][] = [
    ['endpoint', endpoint === undefined ? null : endpointFault(endpoint, insecure)],
    ['keys.p256dh', p256dh === undefined ? null : p256dhFault(p256dh)],
    ['keys.auth', auth === undefined || isKey(auth, 16) ? null : 'is not 16 bytes in base64url'],
  ];
  return found.flatMap(([path, message]) => (message === null ? [] : [{ path: `webPush.${path}`, message }]));
};

const normalWebPush = (written: Extract<Contact, { channel: 'webPush' }>, insecure: boolean): NormalContact => {
  const faults = webPushFaults(written, insecure);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, contact: written };
};

/** 28 characters so far; nothing promises that they stay so. */
const openidShape = /^[\w-]{6,64}$/;

const normalWechat = (contact: Extract<Contact, { channel: 'wechat' }>): NormalContact =>
  openidShape.test(contact.openid) ? { ok: true, contact } : refused('wechat', 'is not an openid');

/** The normal form of a contact (design D1), or what is wrong with it. Equal people's ways of writing it, equal form. */
export const normaliseContact = (contact: Contact, rules: AddressRules): NormalContact => {
  if (contact.channel === 'email') return normalEmail(contact.email);
  if (contact.channel === 'sms') return normalPhone(contact.phone, rules.phoneCountry);
  if (contact.channel === 'wechat') return normalWechat(contact);
  return normalWebPush(contact, rules.insecureEndpoints);
};

const faultsIn = (normal: NormalContact): Fault[] => (normal.ok ? [] : normal.faults);

/** Everything that is wrong with these contacts, each fault under the name of its field. */
export const contactFaults = ({ email, phone, webPush }: ContactParts, rules: AddressRules): Fault[] => [
  ...(email === undefined ? [] : faultsIn(normalEmail(email))),
  ...(phone === undefined ? [] : faultsIn(normalPhone(phone, rules.phoneCountry))),
  ...(webPush === undefined ? [] : webPushFaults(webPush, rules.insecureEndpoints)),
];

/** The text whose HMAC is the look-up of a contact in its normal form. */
const contactText = (contact: Contact): string => {
  if (contact.channel === 'email') return `email:${contact.email}`;
  if (contact.channel === 'sms') return `sms:${contact.phone}`;
  if (contact.channel === 'wechat') return `wechat:${contact.openid}`;
  return `webPush:${contact.endpoint}`;
};

export const lookupOf = (keyring: Pick<Keyring, 'lookup'>, contact: Contact): string =>
  keyring.lookup(contactText(contact));

/** What the seal of a contact is bound to. */
export const addressContext = (lookup: string): string => `address:${lookup}`;

/** Look-up and sealed form of a contact in its normal form; the seal is bound to the look-up, so that rows cannot be swapped. */
export const sealContact = (
  keyring: Pick<Keyring, 'lookup' | 'seal'>,
  contact: Contact,
): { lookup: string; channel: Contact['channel']; sealed: string } => {
  const lookup = lookupOf(keyring, contact);
  return { lookup, channel: contact.channel, sealed: keyring.seal(JSON.stringify(contact), addressContext(lookup)) };
};

/**
 * The same for the reply address of one thing, under a look-up of its own: nobody who has the address, or signs up with it, is
 * tied to it. `plain` is the look-up that they have, with which it is suppressed.
 */
export const sealReplyContact = (
  keyring: Pick<Keyring, 'lookup' | 'seal'>,
  contact: Contact,
  of: string,
): { lookup: string; plain: string; channel: Contact['channel']; sealed: string } => {
  const lookup = keyring.lookup(`reply:${of}:${contactText(contact)}`);
  return {
    lookup,
    plain: lookupOf(keyring, contact),
    channel: contact.channel,
    sealed: keyring.seal(JSON.stringify(contact), addressContext(lookup)),
  };
};

/** Opens what `sealContact` made; throws when it was altered or belongs to another look-up. */
export const openContact = (
  keyring: Pick<Keyring, 'open'>,
  { lookup, sealed }: { lookup: string; sealed: string },
): Contact => JSON.parse(keyring.open(sealed, addressContext(lookup))) as Contact;

/** The address itself, in the clear: for its owner's own eyes, and for the outbox. */
export const plainContact = (contact: Contact): string => {
  if (contact.channel === 'email') return contact.email;
  if (contact.channel === 'sms') return contact.phone;
  return contact.channel === 'wechat' ? contact.openid : contact.endpoint;
};

/** What may be shown of a contact: `z…@example.org`, `+86 *** 1234`, the host of a push service, `… 1a2b` of an openid. */
export const maskContact = (contact: Contact): string => {
  if (contact.channel === 'email') {
    const at = contact.email.lastIndexOf('@');
    return `${[...contact.email][0]}…${contact.email.slice(at)}`;
  }
  if (contact.channel === 'webPush') return new URL(contact.endpoint).host;
  if (contact.channel === 'wechat') return `… ${contact.openid.slice(-4)}`;
  const code = parsePhoneNumberFromString(contact.phone)?.countryCallingCode ?? '';
  return `+${code} *** ${contact.phone.slice(-4)}`;
};
