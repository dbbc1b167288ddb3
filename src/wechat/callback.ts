import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { XMLParser } from 'fast-xml-parser';
import { equalBytes } from '../keyring.ts';

/** What WeChat adds to the address that it calls. */
export type CallbackQuery = Partial<
  Record<'signature' | 'timestamp' | 'nonce' | 'msg_signature' | 'encrypt_type' | 'echostr', string>
>;

/** An event or a message of somebody. `at` in ms, by WeChat's clock; what a kind does not have is ''. */
export type CallbackMessage = {
  from: string;
  to: string;
  at: number;
  /** `text`, `event` or another kind of message. */
  type: string;
  event: string;
  key: string;
  text: string;
  messageId: string;
  status: string;
};

/** Whether a signature is SHA-1 over the token and the parts, sorted; hexadecimal. */
export const isSignedBy = (token: string, signature: string | undefined, ...parts: string[]): boolean =>
  equalBytes(Buffer.from(signature ?? ''), Buffer.from(signatureOf(token, ...parts)));

const signatureOf = (token: string, ...parts: string[]): string =>
  createHash('sha1')
    .update([token, ...parts].sort().join(''))
    .digest('hex');

const blockBytes = 32;
const randomBytesBefore = 16;
const lengthBytes = 4;

const keyOf = (aesKey: string): Buffer => Buffer.from(`${aesKey}=`, 'base64');

/** Null where the padding is not PKCS#7 of 32-byte blocks. */
const unpadded = (bytes: Buffer): Buffer | null => {
  const pad = bytes.at(-1) ?? 0;
  const isWhole = pad >= 1 && pad <= blockBytes && pad <= bytes.length;
  return isWhole && bytes.subarray(-pad).every((byte) => byte === pad) ? bytes.subarray(0, bytes.length - pad) : null;
};

/**
 * Opens an encrypted call: AES-256-CBC, the key is the EncodingAESKey in base64, its first 16 bytes the IV; inside are 16 random
 * bytes, the length of the message in 4, the message, and the app it is for
 * (developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html). Null where it was not
 * made with this key for this app.
 */
export const decrypted = (aesKey: string, appId: string, encrypted: string): string | null => {
  const key = keyOf(aesKey);
  const sealed = Buffer.from(encrypted, 'base64');
  if (sealed.length === 0 || sealed.length % 16 !== 0) return null;
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  const plain = unpadded(Buffer.concat([decipher.update(sealed), decipher.final()]));
  const start = randomBytesBefore + lengthBytes;
  if (!plain || plain.length < start) return null;
  const end = start + plain.readUInt32BE(randomBytesBefore);
  if (end > plain.length || plain.subarray(end).toString() !== appId) return null;
  return plain.subarray(start, end).toString();
};

/** The other way; `random` are 16 bytes. */
export const encrypted = (aesKey: string, appId: string, message: string, random: Buffer): string => {
  const key = keyOf(aesKey);
  const body = Buffer.from(message);
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(body.length);
  const plain = Buffer.concat([random, length, body, Buffer.from(appId)]);
  const pad = blockBytes - (plain.length % blockBytes);
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(plain), cipher.update(Buffer.alloc(pad, pad)), cipher.final()]).toString(
    'base64',
  );
};

const parser = new XMLParser({ parseTagValue: false, processEntities: false, ignoreAttributes: true });

/**
 * The fields of a call's XML, or null. Declarations of any kind are refused before anything is parsed: the platform sends none, and
 * entities can only be declared there.
 */
export const xmlFields = (xml: string): Record<string, string> | null => {
  if (/<!(?!\[CDATA\[)/.test(xml.replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, '')) || /<!DOCTYPE|<!ENTITY/i.test(xml))
    return null;
  try {
    const root: unknown = parser.parse(xml)?.xml;
    if (root === null || typeof root !== 'object') return null;
    const fields = Object.entries(root).filter(([, value]) => typeof value === 'string');
    return Object.fromEntries(fields) as Record<string, string>;
  } catch {
    return null;
  }
};

/** Reads a call; null for what names nobody, or no kind. */
export const readCallback = (xml: string): CallbackMessage | null => {
  const fields = xmlFields(xml);
  const { FromUserName: from, MsgType: type, CreateTime: seconds } = fields ?? {};
  if (!fields || !from || !type || !/^\d{1,12}$/.test(seconds ?? '')) return null;
  return {
    from,
    type,
    to: fields.ToUserName ?? '',
    at: Number(seconds) * 1000,
    event: fields.Event ?? '',
    key: fields.EventKey ?? '',
    text: fields.Content ?? '',
    messageId: fields.MsgID ?? fields.MsgId ?? '',
    status: fields.Status ?? '',
  };
};

/** What stands in CDATA cannot end it. */
const cdata = (text: string): string => `<![CDATA[${text.replaceAll(']]>', ']] >')}]]>`;

/** A text that answers a call of `to` the account `from`. `at` in ms. */
export const textReply = (to: string, from: string, at: number, text: string): string =>
  [
    `<xml><ToUserName>${cdata(to)}</ToUserName><FromUserName>${cdata(from)}</FromUserName>`,
    `<CreateTime>${Math.floor(at / 1000)}</CreateTime><MsgType><![CDATA[text]]></MsgType>`,
    `<Content>${cdata(text)}</Content></xml>`,
  ].join('');

/** An encrypted reply with its signature. `timestamp` and `nonce` may be those of the call. */
export const sealedReply = (sealed: string, token: string, timestamp: string, nonce: string): string =>
  [
    `<xml><Encrypt>${cdata(sealed)}</Encrypt>`,
    `<MsgSignature>${cdata(signatureOf(token, timestamp, nonce, sealed))}</MsgSignature>`,
    `<TimeStamp>${timestamp}</TimeStamp><Nonce>${cdata(nonce)}</Nonce></xml>`,
  ].join('');
