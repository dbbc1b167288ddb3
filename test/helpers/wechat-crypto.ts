import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/**
 * The platform's side of signed and encrypted calls, written from its description
 * (developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html) and sharing nothing with ours.
 */
export const wechatSignature = (...parts: string[]): string =>
  createHash('sha1')
    .update([...parts].sort().join(''))
    .digest('hex');

const keyOf = (encodingAesKey: string): Buffer => Buffer.from(`${encodingAesKey}=`, 'base64');

export const wechatEncrypt = (encodingAesKey: string, appId: string, message: string): string => {
  const key = keyOf(encodingAesKey);
  const body = Buffer.from(message);
  const length = Buffer.from(
    [body.length >>> 24, body.length >>> 16, body.length >>> 8, body.length].map((n) => n & 255),
  );
  const plain = Buffer.concat([randomBytes(16), length, body, Buffer.from(appId)]);
  const pad = 32 - (plain.length % 32);
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(Buffer.concat([plain, Buffer.alloc(pad, pad)])), cipher.final()]).toString(
    'base64',
  );
};

export const wechatDecrypt = (encodingAesKey: string, encrypted: string): { message: string; appId: string } => {
  const key = keyOf(encodingAesKey);
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(Buffer.from(encrypted, 'base64')), decipher.final()]);
  const plain = padded.subarray(0, padded.length - (padded[padded.length - 1] ?? 0));
  const size = plain.readInt32BE(16);
  return { message: plain.subarray(20, 20 + size).toString(), appId: plain.subarray(20 + size).toString() };
};
